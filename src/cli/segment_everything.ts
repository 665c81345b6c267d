// segment --everything: masks for all that can be seen, numbered in one picture.
import { decodeEverything, type EverythingOptions, type Found } from "../everything/index.ts";
import { writeLabelPng } from "../formats/write_png.ts";
import type { RawImage } from "../image/image.ts";
import type { MaskSource, Segmenter } from "../index.ts";
import { labelColor } from "../volume/label_color.ts";
import { Labelmap } from "../volume/labelmap.ts";
import type { SegmentOptions } from "./segment.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";

export interface EverythingFlags {
  readonly everything?: boolean;
  readonly grid?: number;
  readonly minScore?: number;
  readonly minStability?: number;
  readonly crops?: number;
  readonly minRegion?: number;
}

const OF_EVERYTHING = ["grid", "minScore", "minStability", "crops", "minRegion"] as const;
const OF_A_PROMPT = {
  box: "--box",
  maskInput: "--mask-input",
  single: "--single",
  three: "--three",
  overlay: "--overlay",
  saveEmbedding: "--save-embedding",
  saveLogits: "--save-logits",
};

/** Both ways round: nothing that is given is passed over. */
export function expectFitting(options: SegmentOptions): void {
  const flag = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (!options.everything) {
    const alone = OF_EVERYTHING.find((name) => options[name] !== undefined);
    if (alone) throw new UsageError(`${flag(alone)} is of --everything: add that, or leave it out`);
    return;
  }
  const [, prompt] = Object.entries(OF_A_PROMPT).find(([name]) => options[name as keyof typeof OF_A_PROMPT] !== undefined) ?? [];
  const given = options.point.length > 0 ? "--point" : prompt;
  if (given) throw new UsageError(`${given} is of one prompt, and --everything has none: leave one of them out`);
}

/** What was found, the largest first. */
export async function findEverything(model: Segmenter, image: RawImage, options: SegmentOptions, terminal: Terminal, signal: AbortSignal): Promise<Found[]> {
  const how = { ...(options.fit && { fit: options.fit }), ...(options.channelOrder && { channelOrder: options.channelOrder }) };
  const segmenter: MaskSource = {
    config: model.config,
    encode: (picture, given) => model.encode(picture, { ...given, ...how }),
    decode: model.decode.bind(model),
  };
  const { grid, minScore, minStability, crops, minRegion } = options;
  const settings: EverythingOptions = {
    signal,
    ...(grid !== undefined && { pointsPerSide: grid }),
    ...(minScore !== undefined && { minScore }),
    ...(minStability !== undefined && { minStability }),
    ...(crops !== undefined && { cropLayers: crops }),
    ...(minRegion !== undefined && { minRegion }),
  };
  let found: readonly Found[] = [];
  for await (const step of decodeEverything(segmenter, image, settings)) {
    found = step.found;
    terminal.progress(`Decoding ${step.done} of ${step.total} points, ${found.length} found`);
  }
  return [...found].sort((a, b) => b.area - a.area);
}

/** Numbered from 1, the largest first: what lies on something larger stays to be seen. */
export function everythingPng(found: readonly Found[], { width, height }: RawImage): Promise<Uint8Array<ArrayBuffer>> {
  const labelmap = new Labelmap(width, height, 1);
  found.forEach(({ runs }, i) => {
    labelmap.setLabel({ id: i + 1, name: `Object ${i + 1}`, color: labelColor(i + 1) });
    labelmap.draw(i + 1, 0, runs);
  });
  return writeLabelPng(labelmap, 0);
}

/** For `--json`: coordinates and areas in pixels of the original image, `runs` as [begin, end, …] of row · width + column. */
export function everythingJson(found: readonly Found[]) {
  return found.map(({ runs, area, box, score, stability, point, crop }, i) => ({
    number: i + 1,
    area,
    bbox: box,
    score,
    stability,
    point: [point.x, point.y],
    crop,
    runs: [...runs],
  }));
}
