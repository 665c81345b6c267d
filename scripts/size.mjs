// The library's promise, checked on what was built: small, no dependency, no asset to serve; what few need is fetched by those alone.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ENTRIES } from "./build.mjs";
import { isMain, Problem, ROOT, readJson, runMain, say } from "./tools.mjs";

/** Bytes of each entry with all that it imports at the start, gzipped file by file: what everybody gets. The worker has its messages besides. */
const BUDGETS = { index: 48_000, worker: 49_000, client: 6_000, formats: 30_000, codecs: 2_000, volume: 15_000, everything: 8_000 };
/** Of a module that is fetched when it is needed. */
const PART_BUDGET = 8_500;
/** Of those that are more than a few functions: codecs carry their WebAssembly. */
const PART_BUDGETS = { dicom: 16_000, htj2k: 150_000, jpeg: 160_000, jpeg_2000: 140_000, jpeg_ls: 84_000 };
/** What opening such a file fetches in all: the entry and the parts named. */
const OPENING_BUDGET = 45_000;
const OPENING = { DICOM: ["formats.js", "parts/dicom.js"], NIfTI: ["formats.js", "parts/nifti.js"] };

/** Of the built page: what it needs before it paints, and the scripts that it starts with. */
const START_BUDGETS = { paint: 11_000, scripts: 96_000 };
const STATIC_IMPORT = /\bimport\s*(?:[\w{][^"'`();]*\bfrom\s*)?["'`]\.\/([\w.-]+\.js)["'`]/g;

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** Addresses a module imports: at its start, and by `import()`. */
function importsOf(ts, code) {
  const all = ts.preProcessFile(code, true, true).importedFiles.map(({ fileName }) => fileName);
  const later = new Set([...code.matchAll(/\bimport\(\s*[`"']([^`"']+)[`"']\s*\)/g)].map(([, name]) => name));
  return { atStart: all.filter((name) => !later.has(name)), later: [...later] };
}

export async function checkSize(report = say) {
  const { default: ts } = await import("typescript");
  const dist = join(ROOT, "dist");
  const found = existsSync(join(dist, "parts"))
    ? readdirSync(join(dist, "parts"), { recursive: true }).map((name) => `parts/${name.replaceAll("\\", "/")}`)
    : [];
  const parts = found.filter((name) => name.endsWith(".js"));
  const entries = Object.keys(ENTRIES).map((name) => `${name}.js`);
  const wrong = [];
  const modules = new Map();
  for (const file of [...entries, ...parts]) {
    if (!existsSync(join(dist, file))) {
      wrong.push(`dist/${file} is missing. Run: npm run build`);
      continue;
    }
    const code = readFileSync(join(dist, file), "utf8");
    const { atStart, later } = importsOf(ts, code);
    const resolved = (name) => new URL(name, `file:///${file}`).pathname.slice(1);
    for (const name of [...atStart, ...later]) {
      // An entry may be fetched under two addresses: what is imported back would be there twice.
      if (!name.startsWith(".") || !parts.includes(resolved(name)))
        wrong.push(`dist/${file} must import parts alone, got "${name}". The library has no runtime dependency.`);
    }
    if (/new URL\([^)]*import\.meta/.test(code))
      wrong.push(`dist/${file} must not use new URL(…, import.meta.url): that asset would have to be served. Inline it.`);
    const [global] = /(?<![.\w$])(process|Buffer|require|__dirname)(?=[.(])/.exec(code) ?? [];
    if (global) wrong.push(`dist/${file} must not name ${global} barely, for which bundlers bring a substitute: globalThis.${global}.`);
    modules.set(file, { gzipped: gzipSync(code, { level: 9 }).length, atStart: atStart.map(resolved) });
  }
  const withImports = (file, seen = new Set()) => {
    if (seen.has(file) || !modules.has(file)) return seen;
    seen.add(file);
    for (const next of modules.get(file).atStart) withImports(next, seen);
    return seen;
  };
  const measure = (files) => [...files].reduce((sum, file) => sum + modules.get(file).gzipped, 0);
  const limit = (what, bytes, budget) => {
    report(`  ${what}: gzipped ${kilobytes(bytes)} of ${kilobytes(budget)}`);
    if (bytes > budget) wrong.push(`${what} must be at most ${budget} bytes gzipped, got ${bytes}. Shorten shaders or code, or load it later.`);
  };
  const always = new Set();
  for (const [name] of Object.entries(ENTRIES)) {
    const files = withImports(`${name}.js`);
    for (const file of files) always.add(file);
    if (BUDGETS[name] === undefined) wrong.push(`The entry ${name} has no budget in scripts/size.mjs.`);
    else limit(`dist/${name}.js with its parts`, measure(files), BUDGETS[name]);
  }
  for (const file of parts.filter((name) => !always.has(name) && modules.has(name)))
    limit(`dist/${file}`, modules.get(file).gzipped, PART_BUDGETS[file.slice("parts/".length, -".js".length)] ?? PART_BUDGET);
  for (const [what, files] of Object.entries(OPENING)) {
    const fetched = new Set(files.flatMap((file) => [...withImports(file)]));
    limit(`opening a plain ${what} file`, measure(fetched), OPENING_BUDGET);
  }
  const site = checkStart(limit);
  const known = new Set([...entries, "parts", "cli.js", "site", "types", "docs", "THIRD_PARTY"]);
  for (const name of existsSync(dist) ? readdirSync(dist) : []) if (!known.has(name)) wrong.push(`dist/${name} is an asset of the library: inline it.`);
  return [...wrong, ...site, ...checkExports()].join("\n");
}

/** What the page fetches before it is there: all of it named by its HTML, so that nothing waits for another file to be read. */
function checkStart(limit) {
  const folder = join(ROOT, "dist", "site");
  if (!existsSync(join(folder, "index.html"))) return ["dist/site/index.html is missing. Run: npm run build"];
  const html = readFileSync(join(folder, "index.html"), "utf8");
  const named = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, name]) => name);
  const size = (names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length, 0);
  limit("the page's first paint", gzipSync(html).length + size(named.filter((name) => name.endsWith(".css"))), START_BUDGETS.paint);
  limit("the page's scripts", size(named.filter((name) => name.endsWith(".js"))), START_BUDGETS.scripts);
  const imports = named.filter((name) => name.endsWith(".js")).flatMap((name) => [...readFileSync(join(folder, name), "utf8").matchAll(STATIC_IMPORT)]);
  const late = imports.map(([, name]) => `assets/${name}`).filter((name) => !named.includes(name));
  return late.length === 0 ? [] : [`The page starts with ${late.join(", ")}, which its HTML does not name: the browser finds out late.`];
}

/** Each entry is reached by a line of `exports`, its declarations first. */
function checkExports() {
  const { exports, sideEffects } = readJson(join(ROOT, "package.json"));
  return Object.keys(ENTRIES).flatMap((name) => {
    const path = name === "index" ? "." : `./${name}`;
    const expected = { types: `./dist/types/${name}.d.ts`, default: `./dist/${name}.js` };
    const wrong = [];
    if (JSON.stringify(exports[path]) !== JSON.stringify(expected)) wrong.push(`exports["${path}"] of package.json must be ${JSON.stringify(expected)}.`);
    for (const target of Object.values(expected)) if (!existsSync(join(ROOT, target))) wrong.push(`${target.slice(2)} is missing. Run: npm run build`);
    if (name === "worker" && !sideEffects.includes("./dist/worker.js")) wrong.push("sideEffects of package.json must name ./dist/worker.js.");
    return wrong;
  });
}

if (isMain(import.meta)) {
  await runMain(async () => {
    const wrong = await checkSize();
    if (wrong) throw new Problem(wrong);
  });
}
