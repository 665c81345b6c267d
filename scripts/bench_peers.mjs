// npm run bench:peers: this library, onnxruntime-web and transformers.js (WebGPU and WASM providers) on the same network in the same browser.
// Off by default: it needs the peers, of which those that are not there are left out (npm install --no-save onnxruntime-web @huggingface/transformers,
// or --modules FOLDER), and python3 with torch, numpy, scipy and onnx for the export; without them it says so and ends well.
// --config small|default|vit_b|lite_medsam|tiny_vit|slimsam|slimsam_50|sam_b|sam_l|sam_h, --blocks windowed,global (a plain ViT of these blocks alone, its
// widths, image and neck as they are: for networks that a software adapter would encode for hours), --size N (with them, another side of the model's image:
// where a peer cannot run the network's own), --runs N (0: the first encode alone), --python PROGRAM,
// --providers webgpu,jsep,wasm, --only encode|decode (embeddings compared, nothing decoded; this library's embedding decoded by all), --gpu, --json FILE.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BLOCKS, exportOnnx, median, NETWORKS, openBrowser, PLAIN_VITS, processorSeconds, serve } from "./peers/tools.mjs";
import { isMain, Problem, readJson, ROOT, runMain, say, writeJson } from "./tools.mjs";

const PAGE = '<!doctype html><meta charset="utf-8"><title>Peers</title><link rel="icon" href="data:,">';

function report({ facts, peers, failed, adapter, agent, threads }, exporter, only) {
  const [own] = peers;
  if (facts.blocks?.length > 0)
    say(
      `\nOf ${facts.config} ${facts.blocks.length} blocks alone: ${facts.blocks.join(", ")}, at ${facts.size} × ${facts.size}. The whole network is not measured.`,
    );
  say(`\nOn ${adapter}, ${/\S*Chrome\/\S+/.exec(agent)?.[0] ?? agent}; the WASM provider has ${threads} threads. Every peer in turn:`);
  if (exporter) say(`The ONNX files are from ${exporter}.`);
  const line = (what, { times, counts }) => {
    if (times[what].length === 0) return;
    const [ms, processorMs] = ["ms", "processorMs"].map((key) => [times, own.times].map((of) => median(of[what].map((time) => time[key]))));
    const ratio = ([its, ours]) => (times === own.times ? "" : ` (${(its / ours).toFixed(2)} times ours)`);
    const processors = processorMs[0] > 0 ? `, on processors ${processorMs[0].toFixed(0)} ms${ratio(processorMs)}` : "";
    const { dispatches = 0, submits } = counts[what] ?? {};
    const calls = dispatches > 0 ? `, ${dispatches} dispatches, ${submits} submits` : "";
    say(`  ${what === "first" ? "first encode" : `${what}, median`} ${ms[0].toFixed(1)} ms${ratio(ms)}${processors}${calls}`);
  };
  for (const peer of peers) {
    const { name, firstMs, parity } = peer;
    say(`${name}`);
    if (!only) say(`  from its import to the first mask ${(firstMs / 1000).toFixed(1)} s (${(firstMs / own.firstMs).toFixed(2)} times ours)`);
    for (const what of only === "decode" ? ["decode"] : ["first", "encode", "decode"]) line(what, peer);
    const differences = Object.entries(parity ?? {}).map(([what, difference]) => `${what} ${difference.toExponential(1)}`);
    if (parity) say(`  largest difference from ours: ${differences.join(", ")}`);
  }
  for (const { name, error } of failed) say(`${name}: not measured, ${error}`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      config: { type: "string", default: "small" },
      blocks: { type: "string" },
      size: { type: "string" },
      runs: { type: "string", default: "5" },
      modules: { type: "string", default: join(ROOT, "node_modules") },
      python: { type: "string", default: "python3" },
      providers: { type: "string", default: "webgpu,wasm" },
      only: { type: "string" },
      gpu: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  if (!NETWORKS.includes(values.config)) throw new Problem(`--config must be ${NETWORKS.join(", ")}; got ${values.config}`);
  const blocks = values.blocks?.split(",") ?? [];
  if (blocks.length > 0 && !PLAIN_VITS.includes(values.config))
    throw new Problem(`--blocks is for a plain ViT: ${PLAIN_VITS.join(", ")}; got ${values.config}`);
  if (blocks.some((kind) => !BLOCKS.includes(kind))) throw new Problem(`--blocks must be of ${BLOCKS.join(" and ")}, as windowed,global; got ${values.blocks}`);
  const size = values.size === undefined ? undefined : Number(values.size);
  if (size !== undefined && !(blocks.length > 0 && size > 0 && size % 16 === 0))
    throw new Problem(`--size must be a multiple of 16, the patch, and goes with --blocks; got ${values.size}`);
  if (![undefined, "encode", "decode"].includes(values.only)) throw new Problem(`--only must be encode or decode; got ${values.only}`);
  const runs = Number(values.runs);
  if (!(Number.isInteger(runs) && runs >= 0)) throw new Problem(`--runs must be a whole number, 0 for the first encode alone; got ${values.runs}`);
  const modules = resolve(values.modules);
  const ort = join(modules, "onnxruntime-web/dist");
  const transformers = join(modules, "@huggingface/transformers/dist");
  const has = { onnxruntime: existsSync(join(ort, "ort.webgpu.bundle.min.mjs")), transformers: existsSync(join(transformers, "transformers.min.js")) };
  if (!has.onnxruntime && !has.transformers) {
    return say(
      "Skipped: neither onnxruntime-web nor transformers.js is installed. They are wanted for this comparison only: npm install --no-save onnxruntime-web @huggingface/transformers",
    );
  }
  if (!existsSync(join(ROOT, "dist/index.js"))) throw new Problem("dist/index.js is missing. Run: npm run build");
  const plain = await exportOnnx(values.config, "plain", values.python, blocks, size);
  if (!plain) return;
  const mounts = { "/dist/": join(ROOT, "dist"), "/bench/": join(ROOT, "bench"), "/peers/": plain };
  if (has.onnxruntime) mounts["/ort/"] = ort;
  if (has.transformers) {
    mounts["/sam/"] = await exportOnnx(values.config, "transformers", values.python, blocks, size);
    mounts["/transformers/"] = transformers;
    // It comes with its own onnxruntime-web, of another version than the one beside it perhaps.
    const own = join(transformers, "../node_modules/onnxruntime-web/dist");
    mounts["/transformers-ort/"] = existsSync(own) ? own : ort;
  }
  const server = await serve(PAGE, mounts);
  const browser = await openBrowser({ gpu: values.gpu });
  try {
    const page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "info") say(`${message.text()} …`);
    });
    await page.exposeFunction("processorSeconds", () => processorSeconds(browser));
    await page.goto(`${server.origin}/`);
    const providers = values.providers.split(",");
    const peers = Object.keys(has).flatMap((library) => (has[library] ? providers.map((provider) => ({ library, provider })) : []));
    // transformers.js opens the whole of a model.
    const asked = values.only ? peers.filter(({ library }) => library === "onnxruntime") : peers;
    const options = { runs, peers: asked, threads: Math.min(4, availableParallelism()), only: values.only };
    const found = await page.evaluate(async (given) => {
      const { comparePeers } = await import("/bench/peers_page.mjs");
      return comparePeers(given);
    }, options);
    const { exporter } = readJson(join(plain, "peers.json"));
    report(found, exporter, values.only);
    if (values.json) writeJson(resolve(values.json), { schema: "sam-med2d-bench-peers", version: 3, date: new Date().toISOString(), runs, exporter, ...found });
  } finally {
    await browser.close();
    server.close();
  }
}

if (isMain(import.meta)) await runMain(main);
