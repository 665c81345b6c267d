// Builds dist/: the library's entries with the modules they share, the command line, the site, the declarations.
// Each is written to a folder of its own and moved into place when all are done, so that dist/ is never half of two builds.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { notePackages, writeThirdParty } from "./third_party.mjs";
import { bin, CACHE, isMain, lastLines, Problem, ROOT, run, runMain, say, seconds } from "./tools.mjs";

/** Entries of the library by name. Each has a line in `exports` of package.json and a budget in size.mjs too. */
export const ENTRIES = {
  index: "src/index.ts",
  worker: "src/worker/worker.ts",
  client: "src/worker/client.ts",
  formats: "src/formats/index.ts",
  codecs: "src/formats/codecs/index.ts",
  volume: "src/volume/index.ts",
  everything: "src/everything/index.ts",
};
const CLI = "src/cli/main.ts";

/** Needed by the command line only, and native: they stay packages, optional ones. */
const CLI_EXTERNAL = ["webgpu", "sharp"];

/** Packages whose code is in what was built. */
const bundled = new Set();

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
    plugins: [...(more.plugins ?? []), notePackages(bundled)],
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

/**
 * The page's entries in one build, so that they share what they have in common and `SamError` is one class whichever it comes from. An entry only
 * passes on: nothing imports it, so it may be fetched under any address (`worker.js?v=1`) and never brings a second copy of what it shares.
 * The worker's modules are its own: Parcel loses functions of modules that page and worker use differently.
 */
async function buildLibrary(vite, out) {
  const { worker, ...page } = ENTRIES;
  // The first that matches takes a module with all that it imports.
  const groups = [
    { name: "shared", test: /src\/(errors|disposing|options)\.ts$/, priority: 3 },
    { name: "image", test: /src\/image\/(image|mask)\.ts$/, priority: 2 },
    { name: "embedding", test: /src\/embedding\.ts$/, priority: 2 },
    { name: "helpers", test: /src\/(image\/(mask_out|contours)|fetched)\.ts$/, priority: 2 },
    { name: "client", test: /src\/worker\/client\.ts$/, priority: 1 },
  ];
  const names = { chunkFileNames: "parts/[name].js" };
  const more = await groupsOfMain(vite, page, { ...names, codeSplitting: { groups } });
  await bundleEntries(vite, "library", out, page, { ...names, codeSplitting: { groups: [...groups, ...more] } });
  await bundleEntries(vite, "worker", out, { worker }, { chunkFileNames: "parts/worker/[name].js" });
}

/**
 * What the main entry starts with and no other fetches, as one group: it compresses better than in a dozen files, and the entry only passes on, so that a page
 * whose model is in a worker takes a helper from it alone. What others do fetch stays as it is. Only a build knows, as below.
 */
async function groupsOfMain(vite, entries, output) {
  const groups = [];
  const look = {
    name: "groups",
    generateBundle(_, files) {
      // Those imported before those that import them.
      const reach = (names, later, seen = new Set(), done = []) => {
        for (const name of names) {
          const file = files[name];
          if (!file || seen.has(name)) continue;
          seen.add(name);
          reach([...file.imports, ...(later ? file.dynamicImports : [])], later, seen, done);
          done.push(name);
        }
        return done;
      };
      const entry = (name, isMain) => files[name].isEntry && (files[name].name === "index") === isMain;
      const elsewhere = new Set(
        reach(
          Object.keys(files).filter((name) => entry(name, false)),
          true,
        ),
      );
      const [shared, own] = [true, false].map((both) =>
        reach(
          Object.keys(files).filter((name) => entry(name, true)),
          false,
        ).filter((name) => elsewhere.has(name) === both),
      );
      const groupOf = (name, chunks, priority) => {
        const modules = new Set(chunks.flatMap((chunk) => files[chunk].moduleIds));
        modules.delete(join(ROOT, entries.index));
        return { name, test: (id) => modules.has(id), priority };
      };
      groups.push(...shared.map((chunk) => groupOf(files[chunk].name, [chunk], 2)), groupOf("sam_med2d", own, 1));
    },
  };
  await bundleEntries(vite, "parts of index", CACHE, entries, output, { write: false, minify: false }, [look]);
  return groups;
}

/** Codecs made by Emscripten ask for modules of Node where they run in Node; given their bytes they need none, and a page has none. */
const WITHOUT_NODE = {
  name: "without-node",
  enforce: "pre",
  resolveId: (id) => (/^(node:)?(fs|path)$/.test(id) ? "\0none" : undefined),
  load: (id) => (id === "\0none" ? "export default {};" : undefined),
};

/** The site's inputs, which the configuration names, would be joined to these. */
const only = (input) => ({ name: "entries", options: (options) => ({ ...options, input }) });

async function bundleEntries(vite, name, out, entries, output, more = {}, others = []) {
  const input = Object.fromEntries(Object.entries(entries).map(([entry, path]) => [entry, join(ROOT, path)]));
  const build = {
    minify: true,
    // Bare modules: no preloading around what is fetched later.
    ssr: true,
    rollupOptions: { preserveEntrySignatures: "strict", output: { format: "es", entryFileNames: "[name].js", ...output } },
    ...more,
  };
  const plugins = [only(input), WITHOUT_NODE, ...others];
  // For Node `require` would become an import of node:module, which a page cannot fetch.
  await bundle(vite, name, out, build, { plugins, ssr: { noExternal: true, target: "webworker" } });
}

/** One file for Node of everything that `entry` imports but native packages. */
export async function buildForNode(vite, name, out, entry, { root = ROOT, ...more } = {}) {
  await bundle(
    vite,
    name,
    out,
    {
      ssr: join(root, entry),
      target: "node20",
      minify: false,
      rollupOptions: { external: CLI_EXTERNAL, output: { format: "es", ...oneFile(name.replace(".js", "")) } },
    },
    { root, ssr: { noExternal: true, external: CLI_EXTERNAL, target: "node" }, ...more },
  );
}

/** `root` is another checkout of the project where an earlier command line is wanted. */
export async function buildCli(vite, out, root = ROOT) {
  if (!existsSync(join(root, CLI))) return;
  await buildForNode(vite, "cli.js", out, CLI, { root });
  const file = join(out, "cli.js");
  const code = readFileSync(file, "utf8");
  if (!code.startsWith("#!")) writeFileSync(file, `#!/usr/bin/env node\n${code}`);
  chmodSync(file, 0o755);
}

/** Each page by itself: what both have in common would come in many small files. The one at the root comes last, when all it keeps for use without a network is there. */
async function buildSite(vite, out) {
  const pages = [
    ["bench", "bench/index.html"],
    ["app", "index.html"],
  ];
  for (const [name, path] of pages.filter(([, path]) => present(path))) {
    const input = { [name]: join(ROOT, path) };
    const codeSplitting = name === "app" ? { groups: [{ name: "page", test: await startOf(vite, name, input), includeDependenciesRecursively: false }] } : true;
    // The page's own HTML names all that it starts with: none is found out about by reading another.
    const build = { modulePreload: { polyfill: false }, rollupOptions: { output: { codeSplitting } } };
    await bundle(vite, `site, ${name}`, join(out, "site"), build, { plugins: [only(input)] });
  }
}

/** Which modules a page needs at once, what they do not use of others left out: only a build knows, so there is one before the one that is written. */
async function startOf(vite, name, input) {
  const needed = new Set();
  const look = {
    name: "start",
    generateBundle(_, files) {
      const add = (chunk) => {
        for (const id of chunk?.moduleIds ?? []) needed.add(id);
        for (const other of chunk?.imports ?? []) add(files[other]);
      };
      add(Object.values(files).find((file) => file.isEntry && file.name === name));
    },
  };
  await bundle(vite, `start of ${name}`, CACHE, { write: false, minify: false }, { plugins: [only(input), look] });
  return (id) => needed.has(id) && !/\/main\.ts$|\.(css|html)$/.test(id);
}

/** One file of declarations for each entry, without what no signature names. */
async function buildDeclarations(out) {
  const start = performance.now();
  const each = join(out, "declarations");
  const { code, output } = await run(process.execPath, [bin("typescript-7", "bin/tsc"), "-p", "build/tsconfig.declarations.json", "--outDir", each]);
  if (code !== 0) throw new Problem(`${lastLines(output, 40)}\n\nThe declarations could not be written: see the errors above.`);
  const [{ rollup }, { dts }] = await Promise.all([import("rollup"), import("rollup-plugin-dts")]);
  for (const [name, entry] of Object.entries(ENTRIES)) {
    const input = join(each, entry.replace(/^src\//, "").replace(/\.ts$/, ".d.ts"));
    const rolled = await rollup({ input, plugins: [dts()], onwarn: () => {} });
    // `Symbol.dispose` is in no library of types that TypeScript takes by itself.
    await rolled.write({ file: join(out, "types", `${name}.d.ts`), format: "es", banner: '/// <reference lib="esnext.disposable" />' });
  }
  rmSync(each, { recursive: true });
  say(`  declarations in ${seconds(start)}`);
}

export async function build() {
  const vite = await import("vite");
  const out = join(CACHE, `build_${process.pid}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  try {
    // Another process writes them, beside the bundles. Wrong types do not keep the code from running: the error is thrown once dist/ is in place.
    const declarations = buildDeclarations(out).then(
      () => undefined,
      (error) => error,
    );
    await buildLibrary(vite, out);
    await buildCli(vite, out);
    await buildSite(vite, out);
    writeThirdParty(bundled, join(out, "THIRD_PARTY"));
    const wrongTypes = await declarations;
    if (readdirSync(out).length === 0) say("  nothing to build yet");
    const dist = join(ROOT, "dist");
    const old = `${out}_old`;
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(out, dist);
    // Built by `npm run docs`, which takes longer.
    if (existsSync(join(old, "docs"))) renameSync(join(old, "docs"), join(dist, "docs"));
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
