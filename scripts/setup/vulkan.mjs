// An adapter for Dawn in Node. With a GPU there is nothing to do; without one a software Vulkan driver is found or installed.
// What counts is Dawn's own answer, asked in a child process: versions and file names only say what to try next.
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { lastLines, Problem, ROOT, run, say } from "../tools.mjs";
import { aptCandidate, aptInstall, aptUsable, osRelease, withBackports } from "./apt.mjs";

const PROBE = join(dirname(fileURLToPath(import.meta.url)), "probe_adapter.mjs");

/** Mesa's lavapipe has what Dawn needs from this version on. */
const MESA_MAJOR = 25;

const LAVAPIPE = ["mesa-vulkan-drivers", "libvulkan1"];

const DAWN_NEEDS = "On Linux it needs glibc 2.34 or newer (Debian 12, Ubuntu 22.04) on x64 or arm64; musl (Alpine) will not do.";

/** Older loaders know only the second name. */
function driverEnv(file) {
  return { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file };
}

/** The adapter Dawn gives under `env`, or undefined. */
async function probe(env) {
  const { output } = await run(process.execPath, [PROBE], { env: { ...process.env, ...env }, timeoutMs: 60_000 });
  const broken = output.match(/^broken (.*)$/m)?.[1];
  if (broken) {
    const where = `${process.platform} ${process.arch}`;
    throw new Problem(`Dawn (npm webgpu), which the tests need, does not run on this machine (${where}):\n${JSON.parse(broken)}\n${DAWN_NEEDS}`);
  }
  const adapter = JSON.parse(output.match(/^adapter (.*)$/m)?.[1] ?? "null");
  return adapter ? { env, adapter } : undefined;
}

function lavapipeFiles() {
  return ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => /lvp_icd.*\.json$/.test(path));
}

/** Chromium ships SwiftShader as a Vulkan driver, and a Vulkan loader beside it for machines that have none. */
function swiftShaderEnvs(chromium) {
  if (!chromium || process.platform !== "linux") return [];
  const folders = [dirname(realpathSync(chromium)), "/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];
  return [...new Set(folders)].flatMap((folder) => {
    const file = join(folder, "vk_swiftshader_icd.json");
    if (!existsSync(file)) return [];
    const library = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
    return [driverEnv(file), { ...driverEnv(file), LD_LIBRARY_PATH: library }];
  });
}

async function firstOf(envs) {
  for (const env of envs) {
    const found = await probe(env);
    if (found) return found;
  }
  return undefined;
}

async function installLavapipe() {
  say("Installing a software Vulkan driver (Mesa's lavapipe) for the WebGPU tests in Node …");
  const { id, codename } = osRelease();
  const newEnough = (version) => Number.parseInt(version.replace(/^\d+:/, ""), 10) >= MESA_MAJOR;
  const candidate = await aptCandidate("mesa-vulkan-drivers");
  if (newEnough(candidate)) return aptInstall(LAVAPIPE);
  say(`  this system's own Mesa is ${candidate || "not to be had"}; Dawn needs ${MESA_MAJOR} or newer`);
  if (id !== "debian" || !codename) return { ok: false, output: "" };
  const suite = `${codename}-backports`;
  const result = await withBackports(codename, async (extra) => {
    const backported = await aptCandidate("mesa-vulkan-drivers", { suite, extra });
    return newEnough(backported) ? aptInstall(LAVAPIPE, { suite, extra }) : { ok: false, output: `${suite} has Mesa ${backported || "in no version"}` };
  });
  return result ?? { ok: false, output: `apt knows no source for ${codename}, so none for ${suite}` };
}

export async function ensureAdapter(chromium) {
  if (!existsSync(join(ROOT, "node_modules", "webgpu"))) {
    throw new Problem(
      `The optional package webgpu (Dawn) is not installed, and the tests need it. Run: npm ci --include=optional (${process.platform} ${process.arch})`,
    );
  }
  const asked = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  const found = await probe({});
  if (found && (asked || !found.adapter.software)) return found;
  if (asked) throw new Problem(`VK_DRIVER_FILES is set, but Dawn finds no adapter with ${asked}. Correct or unset it.`);
  if (process.platform !== "linux") {
    if (found) return found;
    throw new Problem("Dawn (npm webgpu) finds no adapter on this machine: a GPU with a current driver is needed for the tests.");
  }
  // One driver named outright, so that the others on the machine are not loaded with it.
  const lavapipe = () => firstOf(lavapipeFiles().map(driverEnv));
  let software = (await lavapipe()) ?? found;
  let output = "";
  if (!software && aptUsable()) {
    ({ output } = await installLavapipe());
    software = await lavapipe();
    if (!software) say(lastLines(output, 15));
  }
  if (software) return software;
  const swiftShader = await firstOf(swiftShaderEnvs(chromium));
  if (swiftShader) {
    say(`No GPU and no lavapipe: using Chromium's SwiftShader. It works, three times slower; for lavapipe install mesa-vulkan-drivers ${MESA_MAJOR} or newer.`);
    return swiftShader;
  }
  throw new Problem(
    `Dawn finds no Vulkan driver, and the tests need an adapter.\nInstall Mesa's Vulkan drivers, version ${MESA_MAJOR} or newer, and the Vulkan loader (Debian and Ubuntu: mesa-vulkan-drivers libvulkan1, Fedora: mesa-vulkan-drivers vulkan-loader, Arch: vulkan-swrast vulkan-icd-loader).`,
  );
}
