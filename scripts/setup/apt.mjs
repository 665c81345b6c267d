// Packages on Debian and Ubuntu as root. Suites and addresses are the machine's own: nothing here names a server.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, say, seconds } from "../tools.mjs";

const OPTIONS = ["-q", "-y", "-o", "Dpkg::Use-Pty=0", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends"];

/** dpkg needs the sbin folders, which a user's PATH may lack. */
const ENV = {
  ...process.env,
  DEBIAN_FRONTEND: "noninteractive",
  LC_ALL: "C.UTF-8",
  PATH: `${process.env.PATH ?? "/usr/bin:/bin"}:/usr/sbin:/sbin:/usr/local/sbin`,
};

export function aptUsable() {
  return process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
}

export function osRelease(path = "/etc/os-release") {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const value = (key) => text.match(new RegExp(`^${key}="?([^"\n]*)"?$`, "m"))?.[1] ?? "";
  return { id: value("ID"), codename: value("VERSION_CODENAME"), name: value("PRETTY_NAME") };
}

let last = Promise.resolve();

/** One after the other, whoever asks: apt locks its lists. */
function apt(command, args, options) {
  last = last.then(() => run(command, args, { env: ENV, ...options }));
  return last;
}

const updated = new Set();

/** Refreshes the package lists, once a run for the same sources. A failure shows itself at the install. */
async function aptUpdate(extra) {
  if (updated.has(extra.join())) return;
  updated.add(extra.join());
  say("  apt-get update");
  await apt("apt-get", [...extra, "update", ...OPTIONS.slice(0, -1)], { timeoutMs: 600_000 });
}

/** Installs and says so. Gives `{ ok, output }`; what a failure means is for the caller to say. */
export async function aptInstall(packages, { suite, extra = [] } = {}) {
  await aptUpdate(extra);
  const from = suite ? ["-t", suite] : [];
  say(`  apt-get install ${[...from, ...packages].join(" ")} (can take minutes)`);
  const start = performance.now();
  const { code, output } = await apt("apt-get", [...extra, "install", ...OPTIONS, ...from, ...packages], { timeoutMs: 1_800_000 });
  say(code === 0 ? `  installed in ${seconds(start)}` : `  apt-get ended with code ${code}`);
  return { ok: code === 0, output };
}

/** The version apt would install, from `suite` if one is given; "" when the package is unknown. */
export async function aptCandidate(packageName, { suite, extra = [] } = {}) {
  await aptUpdate(extra);
  const { output } = await apt("apt-cache", [...extra, ...(suite ? ["-t", suite] : []), "policy", packageName]);
  const version = output.match(/^\s*Candidate:\s*(\S+)/m)?.[1] ?? "";
  return version === "(none)" ? "" : version;
}

/** One stanza of a `.sources` file as key → value, keys in lower case, continuation lines joined. */
function stanzas(text) {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .split(/\n\s*\n/)
    .map((stanza) => {
      const fields = new Map();
      let key = "";
      for (const line of stanza.split("\n")) {
        const field = line.match(/^([A-Za-z-]+):\s*(.*)$/);
        if (field) {
          key = field[1].toLowerCase();
          fields.set(key, field[2].trim());
        } else if (key && /^\s/.test(line)) fields.set(key, `${fields.get(key)}\n${line}`);
      }
      return fields;
    })
    .filter((fields) => fields.size > 0);
}

/** The backports of a release as an apt source, made from the machine's entries for the release itself; undefined when there are none. */
export function backportsSource(files, codename) {
  const named = (suites) => suites.find((suite) => [codename, "stable", "oldstable"].includes(suite));
  for (const { name, text } of files) {
    if (name.endsWith(".sources")) {
      for (const fields of stanzas(text)) {
        if (/^no$/i.test(fields.get("enabled") ?? "") || !/\bdeb\b/.test((fields.get("types") ?? "").replace("deb-src", ""))) continue;
        const suite = named((fields.get("suites") ?? "").split(/\s+/));
        if (!suite || !/\bmain\b/.test(fields.get("components") ?? "")) continue;
        const kept = [...fields].filter(([key]) => !["types", "suites", "components", "enabled"].includes(key));
        const lines = [["types", "deb"], ["suites", `${suite}-backports`], ["components", "main"], ...kept];
        return { extension: "sources", text: `${lines.map(([key, value]) => `${key}: ${value}`).join("\n")}\n` };
      }
    } else if (name.endsWith(".list")) {
      for (const line of text.split("\n")) {
        const entry = line.match(/^\s*deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/);
        const suite = entry && named([entry[3]]);
        if (suite && /\bmain\b/.test(entry[4])) return { extension: "list", text: `deb ${entry[1] ?? ""}${entry[2]} ${suite}-backports main\n` };
      }
    }
  }
  return undefined;
}

function aptFiles(folder = "/etc/apt") {
  const parts = join(folder, "sources.list.d");
  const names = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
  return [join(folder, "sources.list"), ...names.filter((name) => /\.(list|sources)$/.test(name))]
    .filter((path) => existsSync(path))
    .map((path) => ({ name: path, text: readFileSync(path, "utf8") }));
}

/**
 * Calls `use(options)` with apt options under which the release's backports are known beside the machine's own sources.
 * They point to a temporary folder: the machine's configuration stays as it is.
 */
export async function withBackports(codename, use) {
  const files = aptFiles();
  const source = backportsSource(files, codename);
  if (!source) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "sam_med2d_apt_"));
  try {
    for (const [index, { name, text }] of files.entries()) writeFileSync(join(folder, `${index}.${name.endsWith(".sources") ? "sources" : "list"}`), text);
    writeFileSync(join(folder, `backports.${source.extension}`), source.text);
    return await use(["-o", "Dir::Etc::SourceList=/dev/null", "-o", `Dir::Etc::SourceParts=${folder}`]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
