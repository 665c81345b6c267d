// The family's dataset file, `label2image_test.json`: mask path → image path; and the reference's prompt file.
import { EvaluationError } from "./error.ts";
import { baseName } from "./names.ts";
import type { FirstPrompts } from "./prompts.ts";

export const DATASET_FILE = "label2image_test.json";

export interface Entry {
  /** Place in the dataset file, from 0. */
  readonly index: number;
  readonly mask: string;
  readonly image: string;
}

/** The masks of one image. */
export interface ImageEntry {
  readonly image: string;
  readonly masks: readonly Entry[];
}

export function parseDataset(text: string, file: string): Entry[] {
  const value = parseRecord(text, file, `a JSON object {"mask path": "image path"}`);
  const entries = Object.entries(value).map(([mask, image], index): Entry => {
    if (typeof image !== "string")
      throw new EvaluationError(file, `an image path for ${mask}`, JSON.stringify(image) ?? "nothing", "Give each mask the path of its image.");
    return { index, mask, image };
  });
  if (entries.length === 0) throw new EvaluationError(file, "at least one mask", "an empty object", `Name masks as {"masks/a.png": "images/a.png"}.`);
  return entries;
}

/** In the order in which images first appear. */
export function byImage(entries: readonly Entry[]): ImageEntry[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.image);
    if (group) group.push(entry);
    else groups.set(entry.image, [entry]);
  }
  return [...groups].map(([image, masks]) => ({ image, masks }));
}

/** Shard `index` (from 0) of `count`: every image is in exactly one. */
export function shard<T>(items: readonly T[], index: number, count: number): T[] {
  return items.filter((_, i) => i % count === index);
}

/** Mask file name → `{ boxes: [[x0, y0, x1, y1]], point_coords: [[x, y]], point_labels: [1] }`, model pixels. */
export function parsePromptFile(text: string, file: string): Map<string, FirstPrompts> {
  const value = parseRecord(text, file, "a JSON object of prompts by mask file name");
  return new Map(
    Object.entries(value).map(([name, entry]) => {
      const { boxes, point_coords, point_labels } = (typeof entry === "object" && entry !== null ? entry : {}) as Record<string, unknown>;
      const box = numbers(boxes);
      const point = numbers(point_coords);
      const label = numbers(point_labels);
      const [x0, y0, x1, y1] = box;
      const [x, y] = point;
      const known = label[0] === 0 || label[0] === 1;
      if (box.length !== 4 || point.length !== 2 || label.length !== 1 || !known || !((x0 as number) < (x1 as number) && (y0 as number) < (y1 as number))) {
        const expected = "boxes [[x0, y0, x1, y1]], point_coords [[x, y]], point_labels [0 or 1]";
        throw new EvaluationError(
          file,
          `${name}: ${expected}`,
          (JSON.stringify(entry) ?? "nothing").slice(0, 200),
          "Write the file with evaluate --save-prompts, or with the reference at one point.",
        );
      }
      const first: FirstPrompts = { box: [x0, y0, x1, y1] as FirstPrompts["box"], point: { x: x as number, y: y as number, label: label[0] as 0 | 1 } };
      return [name, first] as const;
    }),
  );
}

/** In the reference's format; readable by both. */
export function formatPromptFile(prompts: Iterable<readonly [mask: string, FirstPrompts]>): string {
  const entries = [...prompts].map(
    ([mask, { box, point }]) => [baseName(mask), { boxes: [box], point_coords: [[point.x, point.y]], point_labels: [point.label] }] as const,
  );
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

/** Nested lists of any depth, as tensors are written, flattened; empty where something is not a number. */
function numbers(value: unknown): number[] {
  const flat = Array.isArray(value) ? value.flat(4) : [];
  return flat.every((item): item is number => typeof item === "number" && Number.isFinite(item)) ? flat : [];
}

function parseRecord(text: string, file: string, expected: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EvaluationError(file, expected, cause instanceof Error ? cause.message : String(cause), "Correct the file.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new EvaluationError(file, expected, Array.isArray(value) ? "a list" : typeof value, "Correct the file.");
  return value as Record<string, unknown>;
}
