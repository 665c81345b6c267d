// Dice of whole labels against the number of slices a person prompted, by propagation and by interpolation, on volumes with truth.
// By hand, after npm run build: node scripts/bench_propagate.mjs [--weights FILE] [--window C,W] VOLUME LABELS [VOLUME LABELS …]
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { SETUP_FILE } from "./setup.mjs";
import { isMain, Problem, ROOT, runMain, say } from "./tools.mjs";

const PROMPTED = [1, 2, 3, 5, 9];

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { weights: { type: "string", default: join(ROOT, "weights/sam-med2d-tiny.safetensors") }, window: { type: "string" } },
  });
  if (positionals.length === 0 || positionals.length % 2 !== 0) throw new Problem("Name pairs of files: a volume, and the labels on it.");
  const gpu = await provideGpu();
  const entry = (name) => import(join(ROOT, "dist", `${name}.js`));
  const [{ SamMed2D }, formats, volume] = await Promise.all(["index", "formats", "volume"].map(entry));
  const model = await SamMed2D.load({ weights: await readFile(values.weights), tune: false });
  say(`${model.name} on ${model.device.description}`);
  say("Accepted slices are the truth's, as a person left them; the range is the label's. Dice of the whole label.\n");
  for (let i = 0; i < positionals.length; i += 2) {
    await measure({ model, formats, volume }, positionals[i], positionals[i + 1], values.window);
  }
  model.dispose();
  return gpu;
}

/** Dawn lives as long as what this gives. */
async function provideGpu() {
  if (existsSync(SETUP_FILE)) for (const [name, value] of Object.entries(JSON.parse(readFileSync(SETUP_FILE, "utf8")).env)) process.env[name] ??= value;
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create([]);
  if (!("navigator" in globalThis)) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true });
  return gpu;
}

async function measure({ model, formats, volume: lib }, volumePath, labelsPath, windowText) {
  const open = async (path) => {
    const { volumes, refused } = await formats.openFiles([new File([await readFile(path)], basename(path))]);
    if (!volumes[0]) throw new Problem(`${path}: ${refused[0]?.reason ?? "it holds no volume"}`);
    return volumes[0];
  };
  const [volume, labelmap] = [await open(volumePath), await lib.labelmapOf(await open(labelsPath))];
  const [center, width] = windowText?.split(",").map(Number) ?? [];
  const window = windowText ? { name: "given", center, width, shape: "linear" } : await lib.volumeMinMax(volume);
  const picture = async (slice) => lib.render(await volume.slice(slice), window, volume);
  const segmenter = encodedOnce(model, picture);
  for (const { id, name } of labelmap.labels) {
    const stack = labelmap.stack(id);
    const drawn = labelmap.drawnSlices(id);
    const range = [drawn[0], drawn.at(-1)];
    const cells = [];
    for (const count of PROMPTED.filter((count) => count < drawn.length)) {
      const accepted = spread(drawn, stack, count, lib);
      const propagated = await propagateAll(lib, segmenter, { accepted, stack, range, picture });
      const { columns, rows, slices, geometry } = volume;
      const between = count < 2 ? undefined : await lib.interpolate(stack, accepted, { columns, rows, slices, geometry });
      const filled = between && new Map([...between, ...accepted.map((slice) => [slice, stack.get(slice)])]);
      cells.push({ count, propagated: dice(lib, propagated, stack), interpolated: filled && dice(lib, filled, stack) });
    }
    const boxes = dice(lib, await boxed(lib, segmenter, { stack, picture }), stack);
    const form = (value) => (value === undefined ? "    –" : value.toFixed(3).padStart(5));
    say(`${basename(volumePath)}, ${name}: slices ${range.join("–")}, ${drawn.length} with something on them`);
    say(`  slices accepted  ${cells.map(({ count }) => `${count}`.padStart(5)).join("  ")}   a box on each of ${drawn.length}`);
    say(`  propagated       ${cells.map(({ propagated }) => form(propagated)).join("  ")}   ${form(boxes)}`);
    say(`  interpolated     ${cells.map(({ interpolated }) => form(interpolated)).join("  ")}\n`);
  }
}

/** Each slice's embedding is kept: it does not depend on prompts. */
function encodedOnce(model) {
  const kept = new Map();
  return {
    config: model.config,
    async encode(picture, options) {
      const key = `${picture.width}×${picture.height} ${Buffer.from(picture.data.buffer, picture.data.byteOffset, picture.data.byteLength).toString("latin1")}`;
      if (!kept.has(key)) kept.set(key, await model.encode(picture, options));
      const embedding = kept.get(key);
      return { framing: embedding.framing, embedding, dispose() {} };
    },
    decode: ({ embedding }, prompt, options) => model.decode(embedding, prompt, options),
  };
}

/** The slice where most of the label is; of several, evenly from the first to the last. */
function spread(drawn, stack, count, { pixelCount }) {
  if (count === 1) return [drawn.reduce((best, slice) => (pixelCount(stack.get(slice)) > pixelCount(stack.get(best)) ? slice : best))];
  return [...new Set(Array.from({ length: count }, (_, i) => drawn[Math.round((i * (drawn.length - 1)) / (count - 1))]))];
}

/** From each accepted slice to half the way to the next, or to the range's end. Proposals that broke a rule are not taken. */
async function propagateAll(lib, segmenter, { accepted, stack, range, picture }) {
  const found = new Map(accepted.map((slice) => [slice, stack.get(slice)]));
  for (const [i, from] of accepted.entries()) {
    const first = i === 0 ? range[0] : Math.floor((accepted[i - 1] + from) / 2) + 1;
    const last = i === accepted.length - 1 ? range[1] : Math.floor((from + accepted[i + 1]) / 2);
    const options = { from, mask: stack.get(from), range: [Math.min(first, from), Math.max(last, from)], picture };
    for await (const { slice, runs, sound } of lib.propagate(segmenter, options)) if (sound) found.set(slice, runs);
  }
  return found;
}

async function boxed(lib, segmenter, { stack, picture }) {
  const found = new Map();
  for (const [slice, runs] of stack) {
    const image = await picture(slice);
    const { masks, best } = await segmenter.decode(await segmenter.encode(image), { box: lib.boundsOf(runs, image.width) });
    found.set(slice, lib.runsOf(masks[best].data));
  }
  return found;
}

function dice({ pixelCount, intersection, NO_RUNS = new Uint32Array() }, found, truth) {
  let [both, all] = [0, 0];
  for (const slice of new Set([...found.keys(), ...truth.keys()])) {
    const [a, b] = [found.get(slice) ?? NO_RUNS, truth.get(slice) ?? NO_RUNS];
    both += pixelCount(intersection(a, b));
    all += pixelCount(a) + pixelCount(b);
  }
  return (2 * both) / all;
}

if (isMain(import.meta)) await runMain(main);
