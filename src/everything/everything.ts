// Masks for all that can be seen in an image, without a prompt: a grid of points, what is unsure or doubled left out.
// The steps and their defaults are those of SAM's automatic mask generator.
import { SamError } from "../errors.ts";
import { type Framing, type ImageSource, type RawImage, toRawImage } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import type { Decoded, MaskSource } from "../segmenter.ts";
import { expectSegmenter } from "../volume/fail.ts";
import { connectedParts } from "../volume/parts.ts";
import { boundsOf, difference, pixelCount, type Runs, runsOf, union } from "../volume/runs.ts";
import { type Crop, cropBoxes, isCutOff, pointGrid } from "./grid.ts";
import { stability } from "./stability.ts";
import { type Box, suppress } from "./suppress.ts";

export interface EverythingOptions {
  /** Points a side of the grid; default 32. */
  readonly pointsPerSide?: number | undefined;
  /** Decoded in one go; default 64. */
  readonly pointsPerBatch?: number | undefined;
  /** Predicted IoU above which a mask stays; default 0.88. */
  readonly minScore?: number | undefined;
  /** Stability from which a mask stays; default 0.95. */
  readonly minStability?: number | undefined;
  /** How far the threshold is moved to measure stability, in logits; default 1. */
  readonly stabilityOffset?: number | undefined;
  /** IoU of two boxes above which the lesser mask is a double; default 0.7. */
  readonly doubleIou?: number | undefined;
  /** Layers of crops that are looked at enlarged as well, 4, 20, 84 … more encodes; default 0. */
  readonly cropLayers?: number | undefined;
  /** The share of the image's short side by which crops of the first layer overlap; default 512 / 1500. */
  readonly cropOverlap?: number | undefined;
  /** The grid of layer n has so many times fewer points a side, to the power of n; default 1. */
  readonly cropGridDivisor?: number | undefined;
  /** Islands and holes of fewer pixels are removed; default 0, none. */
  readonly minRegion?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One thing that was found. */
export interface Found {
  /** At the image's size, row by row: see `Runs`. */
  readonly runs: Runs;
  /** Pixels. */
  readonly area: number;
  /** Half-open, original pixels. */
  readonly box: Box;
  /** Predicted IoU. */
  readonly score: number;
  /** The share of the mask that stays when the threshold is moved; 0 … 1. */
  readonly stability: number;
  /** What was pointed at, original pixels. */
  readonly point: { readonly x: number; readonly y: number };
  /** The part of the image that was looked at. */
  readonly crop: Crop;
}

export interface EverythingStep {
  /** Points decoded, and of how many. */
  readonly done: number;
  readonly total: number;
  /** What was found so far, doubles left out, the surest first; in the last step, all of it. */
  readonly found: readonly Found[];
}

const DEFAULTS = {
  pointsPerSide: 32,
  pointsPerBatch: 64,
  minScore: 0.88,
  minStability: 0.95,
  stabilityOffset: 1,
  doubleIou: 0.7,
  cropLayers: 0,
  cropOverlap: 512 / 1500,
  cropGridDivisor: 1,
  minRegion: 0,
};

type Settings = Readonly<typeof DEFAULTS>;

/**
 * Yields after every batch of points; ends when all are decoded. Stopping the loop, or the signal, stops the work.
 * @throws SamError for settings out of range, and what the segmenter throws.
 */
export async function* decodeEverything(segmenter: MaskSource, source: ImageSource, options: EverythingOptions = {}): AsyncGenerator<EverythingStep, void> {
  expectSegmenter("decodeEverything", segmenter);
  const settings = checked(options);
  const image = toRawImage(source);
  const { signal } = options;
  const how = signal ? { signal } : {};
  const { width, height } = image;
  const crops = cropBoxes(width, height, settings.cropLayers, settings.cropOverlap)
    .map(({ crop, layer }) => {
      const [x0, y0, x1, y1] = crop;
      const side = Math.floor(settings.pointsPerSide / settings.cropGridDivisor ** layer);
      return { crop, points: pointGrid(side, x1 - x0, y1 - y0) };
    })
    .filter(({ points }) => points.length > 0);
  const total = crops.reduce((sum, { points }) => sum + points.length, 0);
  const finished: Found[] = [];
  let done = 0;
  for (const { crop, points } of crops) {
    signal?.throwIfAborted();
    const embedding = await segmenter.encode(cropped(image, crop), how);
    const open: Found[] = [];
    let kept: Found[] = [];
    try {
      for (let begin = 0; begin < points.length; begin += settings.pointsPerBatch) {
        signal?.throwIfAborted();
        const batch = points.slice(begin, begin + settings.pointsPerBatch);
        const answers = await segmenter.decode(
          embedding,
          batch.map((point) => ({ points: [{ ...point, label: 1 }] })),
          how,
        );
        answers.forEach((answer, i) => {
          open.push(
            ...sound(answer, batch[i] as { x: number; y: number }, crop, image, { framing: embedding.framing, side: 4 * segmenter.config.grid, settings }),
          );
        });
        done += batch.length;
        const last = done === total;
        kept = withoutDoubles(open, settings.doubleIou);
        const seen = [...finished, ...kept];
        yield { done, total, found: last ? finish(seen, image, settings, crops.length > 1) : seen };
      }
    } finally {
      embedding.dispose();
    }
    finished.push(...kept);
  }
}

function checked(options: EverythingOptions): Settings {
  const settings = { ...DEFAULTS };
  for (const [name, value] of Object.entries(options)) {
    if (name === "signal" || value === undefined) continue;
    const known = Object.hasOwn(DEFAULTS, name);
    const least = name.startsWith("points") || name === "cropGridDivisor" ? 1 : 0;
    const most =
      name === "pointsPerSide" ? 256 : name === "pointsPerBatch" ? 1024 : name === "cropLayers" ? 4 : name === "cropOverlap" ? 0.9 : Number.MAX_VALUE;
    const whole = least === 1 || name === "cropLayers";
    if (known && typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value))) {
      settings[name as keyof Settings] = value;
      continue;
    }
    const range = most === Number.MAX_VALUE ? `a number from ${least}` : `a ${whole ? "whole " : ""}number from ${least} to ${most}`;
    throw new SamError({
      code: "prompt",
      op: "decodeEverything",
      argument: name,
      expected: known ? range : `one of ${Object.keys(DEFAULTS).join(", ")}, signal`,
      got: known ? `${value}` : name,
      remedy: known ? `Leave it out for ${settings[name as keyof Settings]}.` : "Look at the name again.",
    });
  }
  return settings;
}

function cropped({ data, width, height, channels }: RawImage, [x0, y0, x1, y1]: Crop): RawImage {
  if (x1 - x0 === width && y1 - y0 === height) return { data, width, height, channels };
  const out = new Uint8Array((x1 - x0) * (y1 - y0) * channels);
  for (let y = y0; y < y1; y++) out.set(data.subarray((y * width + x0) * channels, (y * width + x1) * channels), (y - y0) * (x1 - x0) * channels);
  return { data: out, width: x1 - x0, height: y1 - y0, channels };
}

/** The candidates of one point that are sure, stable and whole. */
function sound(
  { masks, scores, logits }: Decoded,
  point: { x: number; y: number },
  crop: Crop,
  image: RawImage,
  { framing, side, settings }: { framing: Framing; side: number; settings: Settings },
): Found[] {
  const found: Found[] = [];
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    if (!(score > settings.minScore)) continue;
    const stable = stability(logits.subarray(i * side * side, (i + 1) * side * side), side, framing, settings.stabilityOffset);
    if (!(stable >= settings.minStability)) continue;
    const runs = uncropped(masks[i] as Mask, crop, image.width);
    const box = boundsOf(runs, image.width);
    // The original's boxes end on the last pixel; an empty mask's is all zeros.
    if (!box || isCutOff(inclusive(box), crop, image.width, image.height)) continue;
    found.push({ runs, area: pixelCount(runs), box, score, stability: stable, point: { x: point.x + crop[0], y: point.y + crop[1] }, crop });
  }
  return found;
}

function inclusive([x0, y0, x1, y1]: Box): Box {
  return [x0, y0, x1 - 1, y1 - 1];
}

/** A crop's mask as runs of the image. */
function uncropped({ data, width, height }: Mask, [x0, y0]: Crop, columns: number): Runs {
  const runs = runsOf(data);
  if (x0 === 0 && y0 === 0 && width === columns) return runs;
  const edges: number[] = [];
  for (let y = 0; y < height; y++) {
    const row = runsOf(data.subarray(y * width, (y + 1) * width));
    for (const edge of row) {
      const at = (y + y0) * columns + x0 + edge;
      if (edges.length % 2 === 0 && edges.at(-1) === at) edges.pop();
      else edges.push(at);
    }
  }
  return Uint32Array.from(edges);
}

function withoutDoubles(found: readonly Found[], iou: number): Found[] {
  const boxes = found.map(({ box }) => inclusive(box));
  const scores = found.map(({ score }) => score);
  return suppress(boxes, scores, iou).map((i) => found[i] as Found);
}

/** Doubles of different crops, the smaller crop's preferred; then islands and holes. */
function finish(found: Found[], image: RawImage, { doubleIou, minRegion }: Settings, crops: boolean): Found[] {
  let kept = found;
  if (crops) {
    const boxes = kept.map(({ box }) => inclusive(box));
    const scores = kept.map(({ crop: [x0, y0, x1, y1] }) => 1 / ((x1 - x0) * (y1 - y0)));
    kept = suppress(boxes, scores, doubleIou).map((i) => found[i] as Found);
  }
  return minRegion > 0 ? cleaned(kept, image, minRegion, doubleIou) : kept;
}

/** Masks that needed no cleaning are preferred among doubles. */
function cleaned(found: readonly Found[], { width, height }: RawImage, least: number, iou: number): Found[] {
  const clean = found.map((one) => {
    const runs = withoutCrumbs(one.runs, width, height, least);
    return runs === one.runs ? one : { ...one, runs, area: pixelCount(runs), box: boundsOf(runs, width) as Box };
  });
  const boxes = clean.map(({ box }) => inclusive(box));
  const untouched = clean.map((one, i) => Number(one === found[i]));
  return suppress(boxes, untouched, iou).map((i) => clean[i] as Found);
}

/** Holes filled and islands dropped that have fewer pixels; the largest island stays. The same runs where there are none. */
export function withoutCrumbs(runs: Runs, width: number, height: number, least: number): Runs {
  const holes = connectedParts(difference(Uint32Array.of(0, width * height), runs), width, true).filter((part) => pixelCount(part) < least);
  const filled = holes.reduce(union, runs);
  const [largest, ...islands] = connectedParts(filled, width, true);
  if (!largest) return filled;
  const small = islands.filter((part) => pixelCount(part) < least);
  return small.reduce(difference, filled);
}
