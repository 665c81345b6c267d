// segment: one image, one prompt, one mask.
import { basename, dirname, extname, join } from "node:path";
import type { Found } from "../everything/index.ts";
import { area, boundingBox } from "../image/mask.ts";
import { writeNpy } from "../image/npy.ts";
import type { Box, ChannelOrder, Decoded, Fit, InputName, Point, Precision, Prompt, Segmenter } from "../index.ts";
import { inputText } from "../model/input.ts";
import { isMultimask } from "../model/prompts.ts";
import { type Environment, MEANINGLESS, modelOptions } from "./environment.ts";
import { type ImageFile, isPicture, maskPng, readImage, rgbPng } from "./image_file.ts";
import { isAddress } from "./dicomweb.ts";
import { labelFormatOf } from "./labels.ts";
import { checkDestinations, type Destinations, writeAll } from "./outputs.ts";
import { checkMaskSide, readMaskInput } from "./mask_input.ts";
import { drawOverlay } from "./overlay.ts";
import { expectFree, signed } from "./own_mask.ts";
import { checkInside, multimaskOf } from "./parse.ts";
import { asksForSlice, openPicture, type PictureOptions } from "./picture.ts";
import { type EverythingFlags, everythingJson, everythingPng, expectFitting, findEverything } from "./segment_everything.ts";
import { duration, loadProgress, Terminal } from "./terminal.ts";
import { CommandError, UsageError } from "./usage.ts";
import { defaultWeights, filesOf } from "./weights.ts";

export interface SegmentOptions extends PictureOptions, EverythingFlags {
  readonly weights?: string;
  readonly point: readonly Point[];
  readonly box?: Box;
  readonly maskInput?: string;
  readonly single?: boolean;
  readonly three?: boolean;
  readonly adapter?: "on" | "off";
  readonly precision?: Precision;
  readonly strict?: boolean;
  readonly input?: InputName;
  readonly channelOrder?: ChannelOrder;
  readonly fit?: Fit;
  readonly out?: string;
  /** First and last slice, in the order of the plane. */
  readonly propagate?: readonly [first: number, last: number];
  /** A file of prompts on the slices of a volume. */
  readonly prompts?: string;
  /** Name of what is segmented, where labels are written. */
  readonly label?: string;
  readonly force?: boolean;
  readonly partial?: boolean;
  readonly overlay?: string;
  readonly json?: string;
  readonly saveEmbedding?: string;
  readonly saveLogits?: string;
}

/** `scan.png` → `scan.mask.png`, beside the image. */
export function defaultOut(image: string): string {
  return join(dirname(image), `${basename(image, extname(image))}.mask.png`);
}

/** A picture as it is, or the slice that was chosen of a volume. */
async function openImage(path: string, destinations: Destinations, options: SegmentOptions, terminal: Terminal, signal: AbortSignal): Promise<ImageFile> {
  if (!asksForSlice(options) && (await isPicture(path))) return readImage(path, { partial: options.partial === true, offer: "--partial" });
  const { image, chosen, notes, files } = await openPicture(path, options, terminal, signal);
  await checkDestinations(destinations, files);
  const shown = `${path}: ${chosen.volume}, slice ${chosen.slice} of ${chosen.slices}, window ${chosen.window}`;
  return { ...image, notices: [shown, ...notes] };
}

export async function segment(imagePath: string, options: SegmentOptions, environment: Environment): Promise<void> {
  const { signal } = environment;
  const terminal = new Terminal(environment.stderr);
  expectFitting(options);
  const weights = options.weights ?? defaultWeights();
  if (options.out === undefined && isAddress(imagePath)) throw new UsageError("--out is needed where the image is on a server: name a file for the mask");
  const out = options.out ?? defaultOut(imagePath);
  if (options.prompts !== undefined) {
    if (options.out === undefined)
      throw new UsageError("--prompts needs a file of labels to be written to: --out with a name that ends in .nii.gz, .seg.nrrd, .dcm, .json or .png");
    const { segmentPrompts } = await import("./segment_prompts.ts");
    return segmentPrompts(imagePath, out, { ...options, prompts: options.prompts }, environment);
  }
  // A mask of one picture is a PNG too, so that its name alone does not tell.
  const labels = labelFormatOf(out)?.format;
  if (options.propagate || options.label !== undefined || (labels && labels !== "png" && labels !== "coco")) {
    if (options.out === undefined || !labels)
      throw new UsageError("labels need a file to be written to: --out with a name that ends in .nii.gz, .seg.nrrd, .dcm, .json or .png");
    const { segmentVolume } = await import("./segment_volume.ts");
    return segmentVolume(imagePath, out, options, environment);
  }
  const jsonFile = options.json === "-" ? undefined : options.json;
  const destinations = {
    "--out": out,
    "--overlay": options.overlay,
    "--json": jsonFile,
    "--save-embedding": options.saveEmbedding,
    "--save-logits": options.saveLogits,
  };
  await checkDestinations(destinations, [
    ...(isAddress(imagePath) ? [] : [imagePath]),
    ...(await filesOf(weights)),
    ...(options.maskInput ? [options.maskInput] : []),
  ]);
  if (options.out === undefined && !options.force) await expectFree(out, "name another file with --out, or add --force");

  const image = await openImage(imagePath, destinations, options, terminal, signal);
  for (const notice of image.notices) terminal.notice(notice);
  const prompt: Prompt = {
    ...(options.point.length > 0 ? { points: options.point } : {}),
    ...(options.box ? { box: options.box } : {}),
    ...(options.maskInput ? { maskInput: await readMaskInput(options.maskInput) } : {}),
    ...multimaskOf(options),
  };
  checkInside(prompt, { ...image, file: imagePath });
  signal.throwIfAborted();

  const times = { load: 0, encode: 0, decode: 0 };
  const timed = async <T>(name: keyof typeof times, work: Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work;
    times[name] = Math.round((performance.now() - start) * 10) / 10;
    signal.throwIfAborted();
    return result;
  };
  const model = await timed("load", environment.loadModel({ weights, terminal, signal, ...modelOptions(options) }));
  try {
    if (options.maskInput && prompt.maskInput) checkMaskSide(prompt.maskInput, 4 * model.config.grid, options.maskInput);
    if (model.meaningless) terminal.say(`sam-med2d: ${MEANINGLESS}`);
    if (options.everything) {
      const found = await timed("decode", findEverything(model, image, options, terminal, signal));
      const { load, decode } = times;
      const summary = everythingReport(imagePath, weights, image, model, found, { load, decode }, terminal.notices);
      const json = `${JSON.stringify({ ...summary, files: { labels: out } }, null, 2)}\n`;
      await writeAll(
        new Map<string, Uint8Array | string>([[out, signed(await everythingPng(found, image))], ...(jsonFile ? ([[jsonFile, json]] as const) : [])]),
        signal,
      );
      if (options.json === "-") environment.stdout.write(json);
      terminal.say(
        `${out}: ${found.length} found, numbered from the largest${found.length === 0 ? " (nothing is surer than --min-score and --min-stability ask for: lower them)" : ""}; load ${duration(load)}, everything ${duration(decode)}; ${model.name} on ${model.device.description}`,
      );
      return;
    }
    terminal.progress("Encoding the image");
    const how = {
      signal,
      onProgress: loadProgress(terminal),
      ...(options.fit ? { fit: options.fit } : {}),
      ...(options.channelOrder ? { channelOrder: options.channelOrder } : {}),
    };
    const embedding = await timed("encode", model.encode(image, how));
    terminal.progress("Decoding the prompt");
    const decoded = await timed("decode", model.decode(embedding, prompt));
    const mask = decoded.masks[decoded.best];
    if (!mask) throw new CommandError("the model gave no mask");
    const summary = report(imagePath, weights, options, model, prompt, decoded, times, terminal.notices);

    const files = new Map<string, Uint8Array | string>([[out, signed(await maskPng(mask))]]);
    if (options.overlay) files.set(options.overlay, await rgbPng(drawOverlay(image, mask, prompt), image.width, image.height));
    if (options.saveEmbedding) {
      const saved = await embedding.save();
      files.set(options.saveEmbedding, writeNpy(saved.shape, saved.data));
    }
    if (options.saveLogits) {
      const count = decoded.masks.length;
      const side = Math.sqrt(decoded.logits.length / count);
      files.set(options.saveLogits, writeNpy([count, side, side], decoded.logits));
    }
    const json = `${JSON.stringify({ ...summary, files: Object.fromEntries([...files.keys()].map((path) => [fileKind(path, options), path])) }, null, 2)}\n`;
    if (jsonFile) files.set(jsonFile, json);
    await writeAll(files, signal);

    if (options.json === "-") environment.stdout.write(json);
    const score = (decoded.scores[decoded.best] as number).toFixed(3);
    const where = summary.bbox ? `inside ${summary.bbox.join(",")}` : "empty";
    terminal.say(`${out}: ${summary.area} pixels, ${where}; predicted IoU ${score}, candidate ${decoded.best + 1} of ${decoded.masks.length}`);
    terminal.say(
      `load ${duration(times.load)}, encode ${duration(times.encode)}, decode ${duration(times.decode)}; ${model.name} on ${model.device.description}; input ${inputText(model.input)}`,
    );
    embedding.dispose();
  } finally {
    terminal.clear();
    model.dispose();
  }
}

function fileKind(path: string, options: SegmentOptions): string {
  if (path === options.overlay) return "overlay";
  if (path === options.saveEmbedding) return "embedding";
  return path === options.saveLogits ? "logits" : "mask";
}

/** What `--json` holds with `--everything`; times in milliseconds. */
function everythingReport(
  file: string,
  weights: string,
  { width, height }: ImageFile,
  model: Segmenter,
  found: readonly Found[],
  times: Readonly<Record<string, number>>,
  warnings: readonly string[],
) {
  return {
    image: { file, width, height },
    ...described(model, weights),
    found: everythingJson(found),
    times,
    ...(model.meaningless ? { warning: MEANINGLESS } : {}),
    warnings,
  };
}

function described(model: Segmenter, weights: string) {
  const { description, kind, precision, products } = model.device;
  return { model: model.name, weights, adapter: description, adapterKind: kind, input: inputText(model.input), precision, products };
}

/** What `--json` holds. Coordinates and `area` are in pixels of the original image, times in milliseconds. */
function report(
  file: string,
  weights: string,
  options: SegmentOptions,
  model: Segmenter,
  prompt: Prompt,
  decoded: Decoded,
  times: Readonly<Record<string, number>>,
  warnings: readonly string[],
) {
  const mask = decoded.masks[decoded.best];
  const { points = [], box = null } = prompt;
  return {
    image: { file, width: mask?.width, height: mask?.height },
    ...described(model, weights),
    prompt: { points, box, maskInput: options.maskInput ?? null, multimask: isMultimask(prompt, model.input.multimask) },
    scores: [...decoded.scores],
    best: decoded.best,
    area: mask ? area(mask) : 0,
    bbox: mask ? boundingBox(mask) : null,
    times,
    ...(model.meaningless ? { warning: MEANINGLESS } : {}),
    warnings,
  };
}
