// node_modules: installed when missing or when it does not hold what package-lock.json asks for.
import { join } from "node:path";
import { firstLines, npm, Problem, ROOT, readJson, run, say, seconds } from "../tools.mjs";

/** The first package whose installed version is not the locked one, in words; undefined when all are. */
function difference() {
  const locked = readJson(join(ROOT, "package-lock.json"))?.packages;
  const installed = readJson(join(ROOT, "node_modules", ".package-lock.json"))?.packages;
  if (!locked) throw new Problem("package-lock.json is missing or damaged: restore it with git checkout package-lock.json");
  if (!installed) return "node_modules is missing";
  for (const [path, { version, optional, peer }] of Object.entries(locked)) {
    const found = installed[path]?.version;
    // Optional packages for other systems are in the lock file and rightly not on the disk.
    if (path === "" || found === version || (found === undefined && (optional || peer))) continue;
    return `${path} is ${found ?? "missing"}, package-lock.json has ${version}`;
  }
  return undefined;
}

export async function ensureDependencies({ build = false } = {}) {
  const reason = difference();
  if (!reason) return;
  say(`Installing npm packages (${reason}) …`);
  const start = performance.now();
  const [command, args] = npm();
  // npm runs `prepare`, which builds; whoever builds anyway leaves that out.
  const env = { ...process.env, PUPPETEER_SKIP_DOWNLOAD: "1", ...(build ? {} : { SAM_MED2D_NO_PREPARE: "1" }) };
  const { code, output } = await run(command, [...args, "ci", "--no-audit", "--no-fund"], { env });
  if (code !== 0)
    throw new Problem(`${firstLines(output, 25)}\n\nnpm ci failed. It needs the npm registry that npm is configured for (npm config get registry).`);
  const left = difference();
  if (left) throw new Problem(`npm ci ended well, but ${left}.`);
  say(`  installed in ${seconds(start)}`);
}
