// Builds dist/: the library, its worker and the worker's client (one ES module each), the command line, the site, the declarations.
// Each is written to a folder of its own and moved into place when all are done, so that dist/ is never half of two builds.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bin, CACHE, isMain, lastLines, Problem, ROOT, run, runMain, say, seconds } from "./tools.mjs";

const LIBRARY = [
  { name: "index", entry: "src/index.ts" },
  { name: "worker", entry: "src/worker/worker.ts" },
  { name: "client", entry: "src/worker/client.ts" },
];
const CLI = "src/cli/main.ts";

/** Needed by the command line only, and native: they stay packages, optional ones. */
const CLI_EXTERNAL = ["webgpu", "sharp"];

const present = (path) => existsSync(join(ROOT, path));

/** `vite.config.ts` brings the shader plugin; its site inputs are replaced here. */
async function bundle(vite, name, out, build, { root = ROOT, ...more } = {}) {
  const start = performance.now();
  const options = {
    configFile: join(root, "vite.config.ts"),
    root,
    logLevel: "warn",
    publicDir: false,
    ...more,
    build: { target: "es2022", outDir: out, emptyOutDir: false, modulePreload: false, reportCompressedSize: false, copyPublicDir: false, ...build },
  };
  await vite.build(options).catch((error) => {
    throw new Problem(`${name} could not be built: ${error?.message ?? error}`);
  });
  say(`  ${name} in ${seconds(start)}`);
}

function oneFile(name) {
  return { codeSplitting: false, entryFileNames: `${name}.js`, chunkFileNames: `${name}.[name].js`, assetFileNames: `${name}.[name][extname]` };
}

async function buildLibrary(vite, out) {
  for (const { name, entry } of LIBRARY.filter(({ entry }) => present(entry))) {
    await bundle(vite, `${name}.js`, out, {
      minify: true,
      // Bare modules: no preloading around what is fetched later.
      ssr: true,
      // What an entry fetches when it is needed may use what the entry has: nothing is in two files.
      rollupOptions: { input: join(ROOT, entry), preserveEntrySignatures: "allow-extension", output: { format: "es", ...oneFile(name), codeSplitting: true } },
    });
  }
}

/** `root` is another checkout of the project where an earlier command line is wanted. */
export async function buildCli(vite, out, root = ROOT) {
  if (!existsSync(join(root, CLI))) return;
  await bundle(
    vite,
    "cli.js",
    out,
    { ssr: join(root, CLI), target: "node20", minify: false, rollupOptions: { external: CLI_EXTERNAL, output: { format: "es", ...oneFile("cli") } } },
    { root, ssr: { noExternal: true, external: CLI_EXTERNAL, target: "node" } },
  );
  const file = join(out, "cli.js");
  const code = readFileSync(file, "utf8");
  if (!code.startsWith("#!")) writeFileSync(file, `#!/usr/bin/env node\n${code}`);
  chmodSync(file, 0o755);
}

async function buildSite(vite, out) {
  const input = Object.fromEntries(
    [
      ["app", "index.html"],
      ["bench", "bench/index.html"],
    ]
      .filter(([, path]) => present(path))
      .map(([name, path]) => [name, join(ROOT, path)]),
  );
  if (Object.keys(input).length > 0) await bundle(vite, "site", join(out, "site"), { rollupOptions: { input } });
}

async function buildDeclarations(out) {
  if (!present("src/index.ts")) return;
  const start = performance.now();
  const { code, output } = await run(process.execPath, [
    bin("typescript", "bin/tsc"),
    "-p",
    "build/tsconfig.declarations.json",
    "--outDir",
    join(out, "types"),
  ]);
  if (code !== 0) throw new Problem(`${lastLines(output, 40)}\n\nThe declarations could not be written: see the errors above.`);
  say(`  declarations in ${seconds(start)}`);
}

export async function build() {
  const vite = await import("vite");
  const out = join(CACHE, `build_${process.pid}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  try {
    await buildLibrary(vite, out);
    await buildCli(vite, out);
    await buildSite(vite, out);
    // Wrong types do not keep the code from running: the error is thrown once dist/ is in place.
    const wrongTypes = await buildDeclarations(out).then(
      () => undefined,
      (error) => error,
    );
    if (readdirSync(out).length === 0) say("  nothing to build yet");
    const dist = join(ROOT, "dist");
    const old = `${out}_old`;
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(out, dist);
    rmSync(old, { recursive: true, force: true });
    if (wrongTypes) throw wrongTypes;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** As npm's `prepare`: a build that fails is told, and leaves the install as it is; `npm run build` and `npm test` fail for it. */
async function buildOnInstall() {
  // Set by set-up when what runs next builds anyway.
  if (process.env.SAM_MED2D_NO_PREPARE) return;
  if (!present("node_modules/vite")) return say("Not built: the development packages are not installed.");
  await build().catch((error) => say(`${error?.message ?? error}\n\nThe build is not complete: npm run build tells again.`));
}

async function main() {
  if (process.argv.includes("--on-install")) return buildOnInstall();
  say("Building dist/ …");
  await build();
}

if (isMain(import.meta)) await runMain(main);
