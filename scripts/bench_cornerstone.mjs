// npm run bench:cornerstone: examples/cornerstone3d's controller beside the ONNXSegmentationController of @cornerstonejs/ai, in the same viewer with the same
// network (the default model): what is fetched, first mask, per click, memory. Off by default: --modules FOLDER names a node_modules with @cornerstonejs/ai,
// core, tools and dicom-image-loader, --python one with torch, numpy, scipy and onnx. --providers webgpu,wasm, --rounds N, --gpu, --json FILE.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { exportOnnx, median, memoryOf, openBrowser, serve } from "./peers/tools.mjs";
import { CACHE, isMain, Problem, ROOT, runMain, say, writeJson } from "./tools.mjs";

const PACKAGES = ["ai", "core", "tools", "dicom-image-loader"].map((name) => `@cornerstonejs/${name}`);
const EXAMPLE = join(ROOT, "examples/cornerstone3d");
const mega = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

/** The page with both controllers in parts of their own, so that what each needs is what the server is asked for. */
async function build(modules) {
  const project = join(CACHE, "cornerstone_bench");
  rmSync(project, { recursive: true, force: true });
  mkdirSync(join(project, "node_modules"), { recursive: true });
  symlinkSync(join(modules, "@cornerstonejs"), join(project, "node_modules/@cornerstonejs"), "junction");
  symlinkSync(ROOT, join(project, "node_modules/sam-med2d-webgpu"), "junction");
  for (const name of ["sam_controller.js", "slices.js", "drawn_dicom.js", "vite.config.js"]) cpSync(join(EXAMPLE, name), join(project, name));
  cpSync(join(ROOT, "scripts/peers/cornerstone_page.mjs"), join(project, "main.js"));
  const html =
    '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><div id="viewport" style="width:512px;height:512px"></div><script type="module" src="./main.js"></script>';
  writeFileSync(join(project, "index.html"), html);
  const vite = await import("vite");
  await vite.build({ root: project, logLevel: "error", build: { outDir: "dist", chunkSizeWarningLimit: 10_000, target: "esnext" } });
  return join(project, "dist");
}

/** One controller in a browser of its own, so that memory is its alone. */
async function measure({ origin, sent, dist }, query, gpu) {
  const browser = await openBrowser({ gpu });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => say(`  ${error?.message ?? error}`));
    await page.goto(`${origin}/?${query}`);
    await page.waitForFunction(() => globalThis.prepare !== undefined);
    await page.evaluate(() => globalThis.prepare());
    const before = memoryOf(browser);
    sent.clear();
    const found = await page.evaluate(() => globalThis.measure());
    const held = memoryOf(browser);
    const bytes = { script: 0, scriptGzipped: 0, wasm: 0, weights: 0 };
    for (const [path, size] of sent) {
      if (path.startsWith("/peers/")) bytes.weights += size;
      else if (path.endsWith(".wasm")) bytes.wasm += size;
      else {
        bytes.script += size;
        if (path.startsWith("/assets/")) bytes.scriptGzipped += gzipSync(readFileSync(join(dist, path))).length;
      }
    }
    return { ...found, bytes, memory: held === undefined ? undefined : held - before };
  } finally {
    await browser.close();
  }
}

const overlap = (a, b) => a.reduce((sum, value, i) => sum + (value && b[i]), 0) / a.reduce((sum, value, i) => sum + (value || b[i]), 0);

function report(all) {
  const own = all[0].rounds;
  for (const { rounds } of all) {
    const of = (pick) => median(rounds.map(pick));
    const ratio = (pick) => `${(of(pick) / median(own.map(pick))).toFixed(2)} times ours`;
    const [one] = rounds;
    const perClick = ({ clicks }) => median(clicks.map(({ ms }) => ms));
    const longest = ({ clicks }) => median(clicks.map((click) => click.longest));
    say(one.name);
    say(
      `  fetched: script ${mega(one.bytes.script)} (${mega(one.bytes.scriptGzipped)} gzipped), wasm ${mega(one.bytes.wasm)}, weights ${mega(one.bytes.weights)}`,
    );
    say(`  loaded ${(of(({ loadMs }) => loadMs) / 1000).toFixed(1)} s (${ratio(({ loadMs }) => loadMs)})`);
    say(`  first mask ${(of(({ firstMs }) => firstMs) / 1000).toFixed(1)} s after the start of loading (${ratio(({ firstMs }) => firstMs)})`);
    say(`  per click ${of(perClick).toFixed(0)} ms (${ratio(perClick)}); longest task of the main thread ${of(longest).toFixed(0)} ms`);
    if (one.memory !== undefined)
      say(`  memory of the browser's processes +${of(({ memory }) => memory / 1e6).toFixed(0)} MB (${ratio(({ memory }) => memory)})`);
    say(`  overlap with our mask: first ${overlap(one.mask, own[0].mask).toFixed(3)}, last ${overlap(one.lastMask, own[0].lastMask).toFixed(3)}`);
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      modules: { type: "string", default: join(ROOT, "node_modules") },
      python: { type: "string", default: "python3" },
      providers: { type: "string", default: "webgpu,wasm" },
      rounds: { type: "string", default: "1" },
      gpu: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Problem(`--rounds must be a whole number above 0; got ${values.rounds}`);
  const modules = resolve(values.modules);
  const missing = PACKAGES.filter((name) => !existsSync(join(modules, name)));
  if (missing.length > 0)
    return say(`Skipped: ${missing.join(", ")} not in ${modules}. They are wanted for this comparison only: name a folder that has them with --modules`);
  if (!existsSync(join(ROOT, "dist/index.js"))) throw new Problem("dist/index.js is missing. Run: npm run build");
  const peers = await exportOnnx("default", "cornerstone", values.python);
  if (!peers) return;
  say("Building the page …");
  const dist = await build(modules);
  const nested = join(modules, "@cornerstonejs/ai/node_modules/onnxruntime-web/dist");
  const ort = existsSync(nested) ? nested : join(modules, "onnxruntime-web/dist");
  const server = await serve(readFileSync(join(dist, "index.html")), { "/assets/": join(dist, "assets"), "/ort/": ort, "/peers/": peers });
  const queries = ["controller=ours", ...values.providers.split(",").map((provider) => `controller=theirs&execution=${provider}`)];
  const all = queries.map((query) => ({ query, rounds: [] }));
  try {
    for (let round = 0; round < rounds; round++)
      for (const one of all) {
        say(`Round ${round + 1} of ${rounds}: ${one.query} …`);
        one.rounds.push(await measure({ ...server, dist }, one.query, values.gpu));
      }
  } finally {
    server.close();
  }
  report(all);
  if (values.json)
    writeJson(resolve(values.json), { schema: "sam-med2d-bench-cornerstone", version: 1, date: new Date().toISOString(), files: readdirSync(peers), all });
}

if (isMain(import.meta)) await runMain(main);
