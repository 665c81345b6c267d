// The family's dataset file, `label2image_test.json`: mask path → image path.
import { EvaluationError } from "./error.ts";
import { parseRecord, quoted } from "./json.ts";
import { plainPath } from "./names.ts";

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
  const masks = new Map<string, string>();
  const entries = Object.entries(value).map(([mask, image], index): Entry => {
    if (typeof image !== "string" || image === "" || mask === "") {
      const swapped = Array.isArray(image) ? ` This looks like image2label, from images to masks: ${DATASET_FILE} goes from masks to images.` : "";
      throw new EvaluationError(file, `an image path for ${quoted(mask)}`, quoted(image), `Give each mask the path of its image.${swapped}`);
    }
    const other = masks.get(plainPath(mask));
    if (other !== undefined)
      throw new EvaluationError(file, "each mask once", `${quoted(mask)}, which is ${quoted(other)} too`, "Remove one of the two entries.");
    masks.set(plainPath(mask), mask);
    return { index, mask, image };
  });
  if (entries.length === 0) throw new EvaluationError(file, "at least one mask", "an empty object", `Name masks as {"masks/a.png": "images/a.png"}.`);
  return entries;
}

/** In the order in which images first appear; one image, however its path is written, is one. */
export function byImage(entries: readonly Entry[]): ImageEntry[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = plainPath(entry.image);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return [...groups.values()].map((masks) => ({ image: (masks[0] as Entry).image, masks }));
}

/** Shard `index` (from 0) of `count`: every image is in exactly one. */
export function shard<T>(items: readonly T[], index: number, count: number): T[] {
  return items.filter((_, i) => i % count === index);
}
