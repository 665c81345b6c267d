// WebGPU for Node: the optional package `webgpu` (Dawn), and on machines without a GPU a software Vulkan driver for it.
import { spawn, type StdioOptions } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isSoftware } from "../gpu/device.ts";
import { descriptorOf } from "./output_target.ts";
import { askDawnUnhurriedly } from "./unhurried.ts";
import { CommandError } from "./usage.ts";

/** What a process needs in its environment so that Dawn finds one driver; set-up stores the same. */
export type DriverEnv = Readonly<Record<string, string>>;

/** The driver needs a library folder that only a new process would search: the command starts again in one. */
export class StartAgain extends Error {
  override readonly name = "StartAgain";
  constructor(readonly env: DriverEnv) {
    super("the driver needs a new process");
  }
}

const INSTALL =
  "A GPU with a current Vulkan driver, or Mesa's software driver, version 25 or newer, is needed " +
  "(Debian and Ubuntu: mesa-vulkan-drivers libvulkan1, Fedora: mesa-vulkan-drivers vulkan-loader, Arch: vulkan-swrast vulkan-icd-loader); " +
  "a driver that is not found by itself can be named in VK_DRIVER_FILES";

/** Dawn works while this object is referenced, and may crash the process when it is collected while devices live. */
let kept: GPU | undefined;

/** Makes `navigator.gpu` work, with a driver that has an adapter. Once a process. `flags` are Dawn's own. */
export async function provideWebGpu(flags: readonly string[] = []): Promise<void> {
  if (kept) return;
  const { create, globals } = await dawn();
  Object.assign(globalThis, globals);
  const attempt = async () => {
    const gpu = create([...flags]);
    const adapter = await gpu.requestAdapter().catch(() => null);
    if (adapter && isSoftware(adapter.info)) askDawnUnhurriedly();
    return adapter ? gpu : undefined;
  };
  const gpu = (await attempt()) ?? (await firstSoftwareDriver(attempt));
  kept = gpu;
  // Node 20 has no navigator; newer ones have one without gpu.
  if (!("navigator" in globalThis)) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true });
}

async function dawn(): Promise<typeof import("webgpu")> {
  try {
    return await import("webgpu");
  } catch (cause) {
    const what = isMissingPackage(cause)
      ? "is not installed: npm install webgpu"
      : `does not run on this machine (${process.platform} ${process.arch}): ${cause}`;
    throw new CommandError(`WebGPU on the command line needs the optional package webgpu, which ${what}`, { cause });
  }
}

function isMissingPackage(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND";
}

async function firstSoftwareDriver(attempt: () => Promise<GPU | undefined>): Promise<GPU> {
  const asked = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (asked) throw new CommandError(`WebGPU finds no adapter with VK_DRIVER_FILES=${asked}: correct or unset it. ${INSTALL}`);
  const before = process.env.LD_LIBRARY_PATH;
  let again: DriverEnv | undefined;
  for (const env of softwareDrivers()) {
    if (env.LD_LIBRARY_PATH !== undefined && env.LD_LIBRARY_PATH !== before) {
      again ??= env;
      continue;
    }
    // The Vulkan loader reads these each time Dawn starts it.
    Object.assign(process.env, env);
    const gpu = await attempt();
    if (gpu) return gpu;
    for (const name of Object.keys(env)) delete process.env[name];
  }
  if (again) throw new StartAgain(again);
  throw new CommandError(`WebGPU finds no adapter on this machine. ${INSTALL}`);
}

/** Older Vulkan loaders know only the second name. */
function driverEnv(file: string): DriverEnv {
  return { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file };
}

/** What set-up found, then lavapipe in the usual folders, then the SwiftShader that Chromium brings. */
export function softwareDrivers(): DriverEnv[] {
  const found = setUpChoice();
  const lavapipe = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"].flatMap((folder) =>
    names(folder)
      .filter((name) => /^lvp_icd.*\.json$/.test(name))
      .map((name) => driverEnv(join(folder, name))),
  );
  const swiftShader = chromiumFolders()
    .filter((folder) => existsSync(join(folder, "vk_swiftshader_icd.json")))
    .flatMap((folder) => {
      const env = driverEnv(join(folder, "vk_swiftshader_icd.json"));
      // Chromium also brings the Vulkan loader, for machines without one.
      return [env, { ...env, LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter) }];
    });
  return [...(found ? [found] : []), ...lavapipe, ...swiftShader];
}

/** In a checkout, set-up leaves its choice in .cache; this file runs as dist/cli.js or src/cli/dawn.ts. */
function setUpChoice(): DriverEnv | undefined {
  for (const levels of ["../.cache/setup.json", "../../.cache/setup.json"]) {
    try {
      const { env }: { env?: DriverEnv } = JSON.parse(readFileSync(fileURLToPath(new URL(levels, import.meta.url)), "utf8"));
      if (env && Object.keys(env).length > 0 && Object.values(env).every((value) => typeof value === "string")) return env;
    } catch {
      // Installed as a package, or set-up never ran: the other places are looked at.
    }
  }
  return undefined;
}

function chromiumFolders(): string[] {
  const programs = (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"].map((name) => join(folder, name)));
  const real = programs.filter((path) => existsSync(path)).map((path) => dirname(realpathSync(path)));
  return [...new Set([...real, "/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"])];
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

const MOST_DESCRIPTORS = 1024;

/** The same command in a new process that has `env`; resolves with its exit code. */
export function startAgain(env: DriverEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const { execArgv, argv } = process;
    const child = spawn(process.execPath, [...execArgv, ...argv.slice(1)], { stdio: inherited(argv), env: { ...process.env, ...env } });
    child.on("error", reject);
    // Ctrl-C reaches the child by itself, a plain kill does not; it cleans up and its code is passed on.
    process.once("SIGTERM", () => child.kill("SIGTERM"));
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

/** What the command line names of this process's descriptors (`/dev/fd/63`, as a shell makes of `>(…)`) is handed on with the first three. */
function inherited(args: readonly string[]): StdioOptions {
  const named = args
    .map((arg) => descriptorOf(arg.replace(/^--[\w-]+=/, "")))
    .filter((number): number is number => number !== undefined && number < MOST_DESCRIPTORS);
  const wanted = [0, 1, 2, ...named];
  return Array.from({ length: Math.max(...wanted) + 1 }, (_, number) => (wanted.includes(number) ? number : null));
}
