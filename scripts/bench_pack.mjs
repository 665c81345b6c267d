// npm run bench:pack: one folder that checks and times the library on a bare Linux machine with a GPU, nothing to install or fetch.
// --out FOLDER (default .cache/bench_pack), --no-build takes dist/cli.js as it is.
import { spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, buildForNode } from "./build.mjs";
import { CACHE, isMain, Problem, ROOT, runMain, say } from "./tools.mjs";

const LIMIT = 55e6;
const CHECKS = "tests/bare/main.ts";
/** Libraries that a container with a GPU's driver often lacks, a few hundred kB each: the Vulkan loader, and what NVIDIA's driver links to. */
const LIBRARIES = ["libvulkan.so.1", "libGLdispatch.so.0", "libEGL.so.1", "libGLX.so.0", "libX11.so.6", "libXext.so.6", "libxcb.so.1", "libXau.so.6"];
const LIBRARY_FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];

/** Bytes of everything below. */
function size(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Everything below `folder` as one archive, whose paths begin there. */
async function archive(folder, file, level) {
  const child = spawn("tar", ["-C", folder, "-I", `xz -T0 -${level}`, "-cf", file, "."], { stdio: ["ignore", "inherit", "inherit"] });
  const code = await new Promise((done) => child.on("error", () => done(127)).on("exit", done));
  if (code !== 0) throw new Problem("The pack is an archive made with tar and xz: install both (Debian and Ubuntu: apt-get install xz-utils).");
}

/** The checks of the test suite as one file, by way of a small stand-in for vitest. */
async function bundleChecks(out) {
  const vite = await import("vite");
  // The first of a name counts; the packages behind the stand-in keep theirs.
  const alias = [{ find: /^vitest$/, replacement: join(ROOT, "tests/bare/vitest.ts") }];
  await buildForNode(vite, "checks.js", out, CHECKS, { resolve: { alias } });
}

/** `cli` is the bundled command line, `level` that of xz. */
export async function pack(out, { cli = join(ROOT, "dist/cli.js"), level = 6 } = {}) {
  if (process.platform !== "linux") throw new Problem("The pack holds this machine's own Node and Dawn, for Linux: make it on Linux.");
  if (!existsSync(cli)) throw new Problem("dist/cli.js is missing. Run: npm run build");
  const folder = `linux-${process.arch}`;
  const dawn = join(ROOT, "node_modules/webgpu");
  const library = join(dawn, "dist", folder, "dawn.node");
  if (!existsSync(library)) throw new Problem(`Dawn for ${folder} is missing from node_modules/webgpu. Run: npm run setup`);
  rmSync(out, { recursive: true, force: true });
  const inside = join(out, "unpacked");
  const copy = (from, to) => {
    mkdirSync(join(inside, to, ".."), { recursive: true });
    cpSync(realpathSync(from), join(inside, to));
  };
  copy(process.execPath, "node");
  copy(cli, "cli.js");
  await bundleChecks(join(inside, "tests/bare"));
  // The package loads dist/<this folder>/dawn.node.
  for (const name of ["index.js", "package.json", "LICENSE", `dist/${folder}/dawn.node`]) {
    if (existsSync(join(dawn, name))) copy(join(dawn, name), join("node_modules/webgpu", name));
  }
  writeFileSync(join(inside, "package.json"), '{ "type": "module" }\n');
  const reference = (name) => join("tests/reference", name);
  const goldens = readdirSync(join(ROOT, "tests/goldens")).filter((name) => name.endsWith(".safetensors"));
  const sources = readdirSync(join(ROOT, "tests/reference")).filter((name) => name.endsWith(".py"));
  for (const path of ["bench/pytorch_bench.py", ...sources.map(reference), ...goldens.map((name) => join("tests/goldens", name))]) copy(join(ROOT, path), path);
  const libraries = LIBRARIES.flatMap((name) => LIBRARY_FOLDERS.map((at) => join(at, name)).find((path) => existsSync(path)) ?? []);
  for (const path of libraries) copy(path, join("lib", basename(path)));
  await archive(inside, join(out, "unpacked.tar.xz"), level);
  rmSync(inside, { recursive: true });
  for (const name of ["run", "README.txt"]) cpSync(join(ROOT, "scripts/pack", name), join(out, name));
  chmodSync(join(out, "run"), 0o755);
  const bytes = size(out);
  if (bytes > LIMIT) throw new Problem(`${out} has ${(bytes / 1e6).toFixed(1)} MB; at most ${LIMIT / 1e6} may travel.`);
  return { bytes, loader: libraries.some((path) => path.endsWith("libvulkan.so.1")) };
}

async function main() {
  const { values } = parseArgs({ options: { out: { type: "string", default: join(CACHE, "bench_pack") }, "no-build": { type: "boolean", default: false } } });
  if (!values["no-build"]) await build();
  const out = resolve(values.out);
  const { bytes, loader } = await pack(out);
  say(`${out}: ${(bytes / 1e6).toFixed(1)} MB. Copy it to a Linux machine with a GPU and start ./run there.`);
  if (!loader) say("No Vulkan loader was found here to take along: the machine needs its own (libvulkan.so.1).");
}

if (isMain(import.meta)) await runMain(main);
