// First prompts in the reference's format, by the mask's path: `{ boxes: [[x0, y0, x1, y1]], point_coords: [[x, y]], point_labels: [1] }`, model pixels.
import type { Framing } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import type { Entry } from "./dataset.ts";
import { EvaluationError } from "./error.ts";
import { isRecord, parseRecord, quoted } from "./json.ts";
import { baseName, plainPath } from "./names.ts";
import { type FirstPrompts, toSquare } from "./prompts.ts";

export function parsePromptFile(text: string, file: string): Map<string, FirstPrompts> {
  const value = parseRecord(text, file, "a JSON object of prompts by mask path");
  return new Map(Object.entries(value).map(([name, entry]) => [name, parseEntry(name, entry, file)]));
}

function parseEntry(name: string, entry: unknown, file: string): FirstPrompts {
  const { boxes, point_coords, point_labels } = isRecord(entry) ? entry : ({} as Record<string, unknown>);
  const box = numbers(boxes);
  const point = numbers(point_coords);
  const label = numbers(point_labels);
  const [x0, y0, x1, y1] = box as [number, number, number, number];
  const known = label[0] === 0 || label[0] === 1;
  if (box.length === 4 && point.length === 2 && label.length === 1 && known && x0 < x1 && y0 < y1) {
    return { box: [x0, y0, x1, y1], point: { x: point[0] as number, y: point[1] as number, label: label[0] as 0 | 1 } };
  }
  throw new EvaluationError(
    file,
    `${quoted(name)}: boxes [[x0, y0, x1, y1]] with x0 < x1 and y0 < y1, point_coords [[x, y]], point_labels [0 or 1]`,
    quoted(entry),
    "Write the file with evaluate --save-prompts, or with the reference at one point.",
  );
}

/** The reference's own files go by file names alone: those are taken for masks whose name is the only one of its kind. */
export function promptsOf(file: string, given: ReadonlyMap<string, FirstPrompts>, entries: readonly Entry[]): Map<string, FirstPrompts> {
  const byPath = new Map([...given].map(([name, first]) => [plainPath(name), first]));
  const byName = new Map<string, Entry[]>();
  for (const entry of entries) {
    const same = byName.get(baseName(entry.mask));
    if (same) same.push(entry);
    else byName.set(baseName(entry.mask), [entry]);
  }
  const found = new Map<string, FirstPrompts>();
  const missing: Entry[] = [];
  for (const entry of entries) {
    const name = baseName(entry.mask);
    const first = byPath.get(plainPath(entry.mask)) ?? given.get(name);
    const others = byName.get(name) as Entry[];
    if (!byPath.has(plainPath(entry.mask)) && first && others.length > 1) {
      throw new EvaluationError(
        file,
        "prompts by the masks' paths where several have one file name",
        `${quoted(name)} alone, for ${others
          .map(({ mask }) => quoted(mask))
          .slice(0, 3)
          .join(" and ")}`,
        "Write the file with evaluate --save-prompts, which names paths.",
      );
    }
    if (first) found.set(entry.mask, first);
    else missing.push(entry);
  }
  if (missing.length > 0) {
    throw new EvaluationError(
      file,
      "prompts for every mask of the dataset",
      `none for ${missing.length} of them, ${quoted(missing[0]?.mask)} first`,
      "Add them, or leave the file out.",
    );
  }
  return found;
}

/** Prompts are in pixels of the network's square of `size`; what does not fit in there is named. */
export function expectModelPixels(file: string, prompts: ReadonlyMap<string, FirstPrompts>, size: number): void {
  for (const [mask, { box, point }] of prompts) {
    const [x0, y0, x1, y1] = box;
    const pointFits = point.x >= 0 && point.x < size && point.y >= 0 && point.y < size;
    if (x0 >= 0 && y0 >= 0 && x1 <= size && y1 <= size && pointFits) continue;
    const got = pointFits ? `the box ${box.join(", ")}` : `the point ${point.x}, ${point.y}`;
    throw new EvaluationError(file, `prompts of ${quoted(mask)} in model pixels, inside ${size}×${size}`, got, HINT);
  }
}

const HINT =
  "These look like pixels of the original image: the file's prompts count pixels of the network's square, in which a smaller image is centred and others are stretched.";

/** Whether a given prompt lies where the mask is: the box over some of it, a point of label 1 within two pixels of it. */
export function liesOnMask({ box, point }: FirstPrompts, truth: Mask, framing: Framing): boolean {
  const { data, width } = toSquare(truth, framing);
  const touches = (x0: number, y0: number, x1: number, y1: number) => {
    for (let y = Math.max(0, Math.floor(y0)); y < Math.min(width, y1); y++) {
      for (let x = Math.max(0, Math.floor(x0)); x < Math.min(width, x1); x++) if (data[y * width + x] === 1) return true;
    }
    return false;
  };
  return touches(...(box as [number, number, number, number])) && (point.label !== 1 || touches(point.x - 2, point.y - 2, point.x + 3, point.y + 3));
}

/** In the reference's format, by path. */
export function formatPromptFile(prompts: Iterable<readonly [mask: string, FirstPrompts]>): string {
  const entries = [...prompts].map(
    ([mask, { box, point }]) => [mask, { boxes: [box], point_coords: [[point.x, point.y]], point_labels: [point.label] }] as const,
  );
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

/** Nested lists of any depth, as tensors are written, flattened; empty where something is not a number. */
function numbers(value: unknown): number[] {
  const flat = Array.isArray(value) ? value.flat(4) : [];
  return flat.every((item): item is number => typeof item === "number" && Number.isFinite(item)) ? flat : [];
}
