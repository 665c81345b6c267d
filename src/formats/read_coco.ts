// COCO's annotations as segmentations: one for each size of picture, an image a slice, a category a segment.
import type { Code, Segment, Segmentation, SegmentFrame } from "../volume/segmentation.ts";
import { NO_RUNS, paintRuns, type Runs, runsOf, union } from "../volume/runs.ts";
import { numberedSlices } from "../volume/stack.ts";
import { runsOfCounts, unpackCounts } from "./coco.ts";
import { badFile, baseName, DAMAGED, shown } from "./fail.ts";

type Json = Readonly<Record<string, unknown>>;

interface CocoImage {
  readonly id: number;
  readonly name: string;
  readonly columns: number;
  readonly rows: number;
  readonly slice?: number;
}

export function isCoco(file: Json): boolean {
  return Array.isArray(file.images) && Array.isArray(file.annotations);
}

/** Throws where an image, a category or a shape is none that COCO knows. */
export function cocoSegmentations(file: Json, path: string): Segmentation[] {
  const images = (file.images as unknown[]).map((image, i) => imageOf(image, i, path));
  const segments = listOf(file.categories).map((category, i) => segmentOf(category, i, path));
  const known = new Set(segments.map(({ number }) => number));
  const byImage = new Map<number, Json[]>();
  for (const [i, one] of listOf(file.annotations).entries()) {
    const annotation = recordOf(one);
    const [image, category] = [annotation.image_id, annotation.category_id] as [number, number];
    if (!images.some(({ id }) => id === image)) throw badFile(path, `annotation ${i + 1} on an image of the file`, shown(`${image}`), DAMAGED);
    if (!known.has(category))
      throw badFile(path, `annotation ${i + 1} of a category of the file`, shown(`${category}`), "Add the category, or remove the annotation.");
    byImage.set(image, [...(byImage.get(image) ?? []), annotation]);
  }
  return [...grouped(images).values()].map((group) => segmentationOf(group, segments, byImage, path));
}

const sizeOf = ({ columns, rows }: CocoImage) => `${columns}×${rows}`;

function grouped(images: readonly CocoImage[]): Map<string, CocoImage[]> {
  const groups = new Map<string, CocoImage[]>();
  for (const image of images) groups.set(sizeOf(image), [...(groups.get(sizeOf(image)) ?? []), image]);
  return groups;
}

function segmentationOf(images: readonly CocoImage[], segments: readonly Segment[], byImage: ReadonlyMap<number, readonly Json[]>, path: string): Segmentation {
  const [{ columns, rows }] = images as [CocoImage];
  const slices = slicesOf(images);
  const frames = images.flatMap(({ id }, i) =>
    segments.flatMap(({ number }) => {
      const shapes = (byImage.get(id) ?? []).filter(({ category_id }) => category_id === number);
      const frame: SegmentFrame & { shapes: readonly Json[] } = { segment: number, slice: slices[i] as number, references: [], shapes };
      return shapes.length > 0 ? [frame] : [];
    }),
  );
  return {
    name: baseName(path),
    format: "coco",
    kind: "binary",
    maximum: 1,
    rows,
    columns,
    segments,
    frames,
    referencedSeries: [],
    files: [path],
    notes: [],
    async frame(index) {
      const runs = (frames[index] as (typeof frames)[number]).shapes.map(({ id, segmentation }) =>
        shapeOf(segmentation, columns, rows, `annotation ${id}`, path),
      );
      return paintRuns(runs.reduce(union, NO_RUNS), new Uint8Array(columns * rows));
    },
  };
}

function slicesOf(images: readonly CocoImage[]): number[] {
  if (images.every(({ slice }) => slice !== undefined)) return images.map(({ slice }) => slice as number);
  return numberedSlices(images.map(({ name }) => name));
}

function shapeOf(shape: unknown, columns: number, rows: number, which: string, path: string): Runs {
  if (Array.isArray(shape)) {
    const polygons = (typeof shape[0] === "number" ? [shape] : shape) as number[][];
    const sound = polygons.every((points) => Array.isArray(points) && points.length >= 6 && points.length % 2 === 0 && points.every(Number.isFinite));
    if (!sound) throw badFile(path, `${which} with polygons of at least three points`, shown(JSON.stringify(shape)), DAMAGED);
    return polygons.map((points) => filled(points, columns, rows)).reduce(union, NO_RUNS);
  }
  const { size, counts } = recordOf(shape);
  const [tall, wide] = Array.isArray(size) ? size : [rows, columns];
  if (tall !== rows || wide !== columns) throw badFile(path, `${which} of ${rows}×${columns} pixels, as its image`, `${tall}×${wide}`, DAMAGED);
  const list = typeof counts === "string" ? unpackCounts(counts) : Array.isArray(counts) ? (counts as number[]) : [];
  const runs = runsOfCounts(list, columns, rows);
  if (!runs) throw badFile(path, `${which} with run lengths that add up to ${rows}×${columns} pixels`, "others", DAMAGED);
  return runs;
}

/** Pixels whose centres are inside, by crossings of each row. */
function filled(points: readonly number[], columns: number, rows: number): Runs {
  const mask = new Uint8Array(columns * rows);
  const count = points.length / 2;
  const crossings: number[][] = Array.from({ length: rows }, () => []);
  for (let i = 0; i < count; i++) {
    const [x0, y0] = [points[2 * i] as number, points[2 * i + 1] as number];
    const next = (i + 1) % count;
    const [x1, y1] = [points[2 * next] as number, points[2 * next + 1] as number];
    const [low, high] = [Math.min(y0, y1), Math.max(y0, y1)];
    for (let row = Math.max(0, Math.ceil(low - 0.5)); row < Math.min(rows, high - 0.5); row++)
      crossings[row]?.push(x0 + ((row + 0.5 - y0) / (y1 - y0)) * (x1 - x0));
  }
  for (const [row, xs] of crossings.entries()) {
    xs.sort((a, b) => a - b);
    for (let i = 0; i + 1 < xs.length; i += 2) {
      const [begin, end] = [Math.ceil((xs[i] as number) - 0.5), Math.ceil((xs[i + 1] as number) - 0.5)].map((x) => Math.max(0, Math.min(columns, x))) as [
        number,
        number,
      ];
      mask.fill(1, row * columns + begin, row * columns + end);
    }
  }
  return runsOf(mask);
}

function imageOf(image: unknown, i: number, path: string): CocoImage {
  const { id, file_name, width, height, slice } = recordOf(image);
  const whole = (value: unknown) => Number.isInteger(value) && (value as number) > 0 && (value as number) < 1 << 20;
  if (!Number.isInteger(id) || !whole(width) || !whole(height))
    throw badFile(path, `an id, width and height of image ${i + 1}`, shown(JSON.stringify(image)), DAMAGED);
  const at = Number.isInteger(slice) && (slice as number) >= 0 ? { slice: slice as number } : {};
  return { id: id as number, name: String(file_name ?? ""), columns: width as number, rows: height as number, ...at };
}

function segmentOf(category: unknown, i: number, path: string): Segment {
  const { id, name, color, category: code, type } = recordOf(category);
  if (!Number.isInteger(id) || (id as number) < 1 || (id as number) > 65535)
    throw badFile(path, `a category id from 1 to 65535`, shown(`${id} of category ${i + 1}`), "Number categories from 1.");
  const rgb = Array.isArray(color) && color.length === 3 && color.every((part) => Number.isInteger(part) && part >= 0 && part <= 255);
  const codes = { ...(isCode(code) ? { category: code } : {}), ...(isCode(type) ? { type } : {}) };
  return { number: id as number, label: String(name ?? `Label ${id}`), ...(rgb ? { color: color as unknown as [number, number, number] } : {}), ...codes };
}

function isCode(code: unknown): code is Code {
  const { value, scheme, meaning } = recordOf(code);
  return [value, scheme, meaning].every((part) => typeof part === "string");
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function recordOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
