// segment with labels as its output: one slice of a volume by its prompt, its neighbours by propagation, written on the whole volume.
import { area } from "../image/mask.ts";
import type { MaskSource, Prompt } from "../index.ts";
import { labelColor } from "../volume/label_color.ts";
import { Labelmap } from "../volume/labelmap.ts";
import { planeMap } from "../volume/plane_map.ts";
import { drawOnPlane } from "../volume/plane_labels.ts";
import { propagate } from "../volume/propagate.ts";
import { pixelCount, type Runs, runsOf } from "../volume/runs.ts";
import { render } from "../volume/render.ts";
import { type Environment, MEANINGLESS, modelOptions } from "./environment.ts";
import { expectFreeSlices, expectSeries, labelFiles } from "./labels.ts";
import { readMaskInput } from "./mask_input.ts";
import { checkDestinations, writeAll } from "./outputs.ts";
import { checkInside, multimaskOf } from "./parse.ts";
import { openView, pictureOf, type View } from "./picture.ts";
import type { SegmentOptions } from "./segment.ts";
import { loadProgress, Terminal } from "./terminal.ts";
import { CommandError, UsageError } from "./usage.ts";
import { defaultWeights, filesOf } from "./weights.ts";

/** A slice that was reached, for `--json`. */
interface Reached {
  readonly slice: number;
  readonly area: number;
  readonly score: number;
  /** Whether its mask was taken. */
  readonly taken: boolean;
  readonly reason: string;
  readonly stop?: string;
}

export async function segmentVolume(path: string, out: string, options: SegmentOptions, environment: Environment): Promise<void> {
  const { signal } = environment;
  const terminal = new Terminal(environment.stderr);
  const weights = options.weights ?? defaultWeights();
  const odd = (["overlay", "saveEmbedding", "saveLogits"] as const).find((name) => options[name] !== undefined);
  if (odd)
    throw new UsageError(`--${odd.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} belongs to one mask: leave it out where labels are written`);
  const jsonFile = options.json === "-" ? undefined : options.json;
  const destinations = { OUT: out, "--json": jsonFile };
  await checkDestinations(destinations, [path, ...(await filesOf(weights)), ...(options.maskInput ? [options.maskInput] : [])]);
  const view = await openView(path, options, terminal, signal);
  await checkDestinations(destinations, view.stored.files);
  if (!options.force) await expectFreeSlices(out, view.stored, "name another file with --out, or add --force");
  expectSeries(out, view.stored, path);
  const [first, last] = options.propagate ?? [view.slice, view.slice];
  const { slices } = view.view;
  if (last >= slices) throw new UsageError(`--propagate ${first}:${last}: ${path} has ${slices} slices, so it must end at ${slices - 1} at most`);
  if (view.slice < first || view.slice > last) throw new UsageError(`--propagate ${first}:${last} leaves out slice ${view.slice}, which the prompt is on`);
  const start = await pictureOf(view.view, view.slice, view.window, signal);
  for (const notice of [`${path}: ${start.chosen.volume}, slice ${view.slice} of ${slices}, window ${start.chosen.window}`, ...start.notes])
    terminal.notice(notice);
  const prompt: Prompt = {
    ...(options.point.length > 0 ? { points: options.point } : {}),
    ...(options.box ? { box: options.box } : {}),
    ...(options.maskInput ? { maskInput: await readMaskInput(options.maskInput) } : {}),
    ...multimaskOf(options),
  };
  checkInside(prompt, { ...start.image, file: path });
  const model = await environment.loadModel({ weights, terminal, signal, ...modelOptions(options) });
  try {
    if (model.meaningless) terminal.say(`sam-med2d: ${MEANINGLESS}`);
    const encode = encodeOptions(options, signal, terminal);
    const embedding = await model.encode(start.image, encode);
    const decoded = await model.decode(embedding, prompt, { signal });
    embedding.dispose();
    const mask = decoded.masks[decoded.best];
    if (!mask) throw new CommandError("the model gave no mask");
    if (area(mask) === 0) throw new CommandError(`the model finds nothing at this prompt on slice ${view.slice}: prompt it otherwise`);
    const labelmap = labelmapOf(view, options.label);
    const length = decoded.logits.length / decoded.masks.length;
    const logits = decoded.logits.slice(decoded.best * length, (decoded.best + 1) * length);
    const score = decoded.scores[decoded.best] as number;
    const runs = runsOf(mask.data);
    draw(labelmap, view, view.slice, runs);
    const reached: Reached[] = [{ slice: view.slice, area: pixelCount(runs), score, taken: true, reason: "prompted" }];
    const segmenter: MaskSource = {
      config: model.config,
      input: model.input,
      decode: model.decode.bind(model),
      encode: (image) => model.encode(image, encode),
    };
    const picture = async (slice: number) => render(await view.view.slice(slice, { signal }), view.window, view.view);
    for await (const { slice, runs: found, score, sound, reason, stop } of propagate(segmenter, {
      from: view.slice,
      mask: runs,
      logits,
      range: [first, last],
      picture,
      signal,
    })) {
      if (sound) draw(labelmap, view, slice, found);
      reached.push({ slice, area: pixelCount(found), score, taken: sound, reason, ...(stop && { stop }) });
      terminal.progress(`Propagating  ${reached.length} of ${last - first + 1} slices`);
      if (!sound) terminal.notice(`slice ${slice} is not taken: ${reason}`);
    }
    terminal.clear();
    const files = await labelFiles(labelmap, view.stored, out, { model: model.name, signal });
    const taken = reached.filter((one) => one.taken).map(({ slice }) => slice);
    const report = {
      volume: path,
      model: model.name,
      weights,
      label: labelmap.labels[0]?.name,
      voxels: labelmap.voxels(1),
      slices: reached.sort((a, b) => a.slice - b.slice),
      files: [...files.keys()],
      warnings: terminal.notices,
    };
    const json = `${JSON.stringify(report, null, 2)}\n`;
    if (jsonFile) files.set(jsonFile, new TextEncoder().encode(json));
    await writeAll(files, signal);
    if (options.json === "-") environment.stdout.write(json);
    terminal.say(
      `${out}: ${report.voxels} voxels of ${report.label} on ${taken.length} slices, ${Math.min(...taken)} to ${Math.max(...taken)}; predicted IoU ${score.toFixed(3)} where prompted`,
    );
  } finally {
    terminal.clear();
    model.dispose();
  }
}

export function encodeOptions({ fit, channelOrder }: SegmentOptions, signal: AbortSignal, terminal: Terminal) {
  return { signal, onProgress: loadProgress(terminal), ...(fit && { fit }), ...(channelOrder && { channelOrder }) };
}

function labelmapOf({ stored }: View, name = "structure"): Labelmap {
  return new Labelmap(stored.columns, stored.rows, stored.slices, [{ id: 1, name, color: labelColor(1) }]);
}

function draw(labelmap: Labelmap, { stored, plane }: View, slice: number, runs: Runs): void {
  if (plane && stored.geometry) drawOnPlane(labelmap, 1, planeMap(stored.geometry, plane), slice, runs);
  else labelmap.draw(1, slice, runs);
}
