// npm run bench:peers: this library and onnxruntime-web (WebGPU and WASM providers) on the same network in the same browser.
// Off by default: it needs onnxruntime-web (npm install --no-save onnxruntime-web, or --ort FOLDER) and python3 with torch for the export;
// without them it says so and ends well. --config small|vit_b, --runs N, --python PROGRAM, --providers webgpu,wasm, --gpu, --json FILE.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { availableParallelism } from "node:os";
import { extname, join, normalize, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CACHE, isMain, lastLines, Problem, readJson, ROOT, run, runMain, say, writeJson } from "./tools.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json", ".wasm": "application/wasm" };
const PAGE = '<!doctype html><meta charset="utf-8"><title>Peers</title><link rel="icon" href="data:,">';

/** Folders by path prefix, on loopback. The two headers let a page use threads. */
async function serve(mounts) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
    if (path === "/") return void response.writeHead(200, { ...headers, "content-type": "text/html" }).end(PAGE);
    const mount = Object.entries(mounts).find(([prefix]) => path.startsWith(prefix));
    const file = mount && join(mount[1], path.slice(mount[0].length));
    if (!file || normalize(path).includes("..") || !existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { ...headers, "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": statSync(file).size });
    createReadStream(file).pipe(response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

async function exportOnnx(config, python) {
  const out = join(CACHE, `peers_${config}`);
  if (existsSync(join(out, "peers.json"))) return out;
  say(`Exporting ${config} with ${python} …`);
  const { code: none } = await run(python, ["-c", "import torch"]);
  if (none !== 0) return undefined;
  const script = join(ROOT, "bench/export_onnx.py");
  const { code, output } = await run(python, ["-B", script, "--reference", join(ROOT, "tests/reference"), "--config", config, "--out", out]);
  if (code !== 0) throw new Problem(`${lastLines(output, 20)}\n\nThe reference could not be exported: see above.`);
  return out;
}

function report({ peers, failed, adapter, agent, threads }, exporter) {
  const [own] = peers;
  say(`\nOn ${adapter}, ${/\S*Chrome\/\S+/.exec(agent)?.[0] ?? agent}; the WASM provider has ${threads} threads. Every peer in turn:`);
  if (exporter) say(`The ONNX files are from ${exporter}.`);
  for (const { name, encodeMs, decodeMs, counts, parity } of peers) {
    const ratio = (list, base) => (list === base ? "" : ` (${(median(list) / median(base)).toFixed(2)} times ours)`);
    const calls = ({ dispatches, submits }) => (dispatches > 0 ? `, ${dispatches} dispatches, ${submits} submits` : "");
    say(`${name}`);
    say(`  encode  median ${median(encodeMs).toFixed(1)} ms${ratio(encodeMs, own.encodeMs)}${calls(counts.encode)}`);
    say(`  decode  median ${median(decodeMs).toFixed(1)} ms${ratio(decodeMs, own.decodeMs)}${calls(counts.decode)}`);
    say(`  largest difference from ours: logits ${parity.logits.toExponential(1)}, scores ${parity.scores.toExponential(1)}`);
  }
  for (const { name, error } of failed) say(`${name}: not measured, ${error}`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      config: { type: "string", default: "small" },
      runs: { type: "string", default: "5" },
      ort: { type: "string", default: join(ROOT, "node_modules/onnxruntime-web") },
      python: { type: "string", default: "python3" },
      providers: { type: "string", default: "webgpu,wasm" },
      gpu: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  if (!["small", "vit_b"].includes(values.config)) throw new Problem(`--config must be small or vit_b; got ${values.config}`);
  const runs = Number(values.runs);
  if (!(Number.isInteger(runs) && runs > 0)) throw new Problem(`--runs must be a whole number above 0; got ${values.runs}`);
  const ort = join(resolve(values.ort), "dist");
  if (!existsSync(join(ort, "ort.all.bundle.min.mjs"))) {
    return say("Skipped: onnxruntime-web is not installed. It is wanted for this comparison only: npm install --no-save onnxruntime-web");
  }
  if (!existsSync(join(ROOT, "dist/index.js"))) throw new Problem("dist/index.js is missing. Run: npm run build");
  const peers = await exportOnnx(values.config, values.python);
  if (!peers) return say(`Skipped: ${values.python} has no torch to export the network with. Name one that has: --python PROGRAM`);
  const setup = readJson(join(CACHE, "setup.json"));
  if (!setup?.chromium?.path) throw new Problem("Chromium is not set up. Run: npm run setup");
  const { default: puppeteer } = await import("puppeteer");
  const server = await serve({ "/dist/": join(ROOT, "dist"), "/bench/": join(ROOT, "bench"), "/ort/": ort, "/peers/": peers });
  const adapter = values.gpu ? ["--enable-features=Vulkan", "--ignore-gpu-blocklist"] : ["--use-webgpu-adapter=swiftshader"];
  const browser = await puppeteer.launch({
    executablePath: setup.chromium.path,
    args: ["--enable-unsafe-webgpu", ...adapter, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    // A full-size encode on a software adapter takes minutes, and no message comes back before it ends.
    protocolTimeout: 3_600_000,
  });
  try {
    const page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "info") say(`${message.text()} …`);
    });
    await page.goto(`${server.origin}/`);
    const options = { runs, providers: values.providers.split(","), threads: Math.min(4, availableParallelism()) };
    const found = await page.evaluate(async (given) => {
      const { comparePeers } = await import("/bench/peers_page.mjs");
      return comparePeers(given);
    }, options);
    const { exporter } = readJson(join(peers, "peers.json"));
    report(found, exporter);
    if (values.json) writeJson(resolve(values.json), { schema: "sam-med2d-bench-peers", version: 1, date: new Date().toISOString(), runs, exporter, ...found });
  } finally {
    await browser.close();
    server.close();
  }
}

if (isMain(import.meta)) await runMain(main);
