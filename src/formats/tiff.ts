// TIFF and BigTIFF: pages of one form are the slices of a volume, and so are the pictures of an ImageJ stack.
import type { ByteSource } from "../bytes/byte_source.ts";
import type { Geometry } from "../volume/geometry.ts";
import type { Slice, Volume } from "../volume/volume.ts";
import { badFile, baseName, byteCount, CUT_OFF } from "./fail.ts";
import { fullRange } from "./png.ts";
import type { FileEntry, ReadContext, ReadResult, Refused } from "./reader.ts";
import { type Page, readPages, TAG } from "./tiff_directory.ts";
import { blocksOf, type Form, formOf, pixelsOf } from "./tiff_pixels.ts";
import { bytesOf, type ScalarType, slicesOf } from "./voxels.ts";

const TURNED: Record<number, string> = {
  2: "mirrored",
  3: "turned by 180°",
  4: "mirrored top to bottom",
  5: "mirrored and turned by 90°",
  6: "turned by 90° to the right",
  7: "mirrored and turned by 90°",
  8: "turned by 90° to the left",
};
const MM: Record<string, number> = {
  mm: 1,
  millimeter: 1,
  cm: 10,
  centimeter: 10,
  m: 1000,
  meter: 1000,
  inch: 25.4,
  inches: 25.4,
  um: 0.001,
  micron: 0.001,
  microns: 0.001,
  "\\u00B5m": 0.001,
  µm: 0.001,
  nm: 1e-6,
};

export async function readTiff(entry: FileEntry, context: ReadContext = {}): Promise<ReadResult> {
  const { path, source } = entry;
  const { pages, loops, cut } = await readPages(source, path, context.signal);
  const notes: string[] = [];
  if (loops) notes.push("The list of pages runs in a circle: each page is shown once.");
  if (cut) notes.push(`The list of pages leads out of the file after ${pages.length} of them: the file is cut off or damaged.`);
  const groups = new Map<string, { form: Form; pages: Page[] }>();
  const refused: Refused[] = [];
  // Smaller copies of another page (subfile type 1) and masks are no slices.
  const whole = pages.filter((page) => (page.number(TAG.subfile, 0) & 5) === 0);
  for (const page of whole.length > 0 ? whole : pages) {
    try {
      const form = formOf(page, path);
      blocksOf(page, form, source.size, path);
      const key = JSON.stringify(form);
      const group = groups.get(key) ?? { form, pages: [] };
      group.pages.push(page);
      groups.set(key, group);
    } catch (error) {
      if (groups.size === 0 && page === (whole.at(-1) ?? pages.at(-1))) throw error;
      refused.push({ file: path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  if (groups.size === 0) throw badFile(path, "a page that can be read", "none", CUT_OFF);
  const volumes = await Promise.all([...groups.values()].map((group, i) => volumeOf(entry, group, groups.size > 1 ? i + 1 : 0, notes, context)));
  return { volumes, refused };
}

async function volumeOf(
  { path, source }: FileEntry,
  { form, pages }: { form: Form; pages: Page[] },
  number: number,
  more: readonly string[],
  context: ReadContext,
): Promise<Volume> {
  const [first] = pages as [Page];
  const { columns, rows, samples, photometric, bits } = form;
  const notes = [...more];
  const turned = TURNED[first.number(TAG.orientation, 1)];
  if (turned) notes.push(`The file asks to be shown ${turned}; it is shown as it is stored.`);
  if (photometric === 5) notes.push("The picture is CMYK, made for printing: its four samples are shown as they are stored.");
  const imagej = imagejOf(first.text(TAG.description));
  const stacked = pages.length === 1 ? stackOf(first, form, imagej, source, path) : undefined;
  const palette = photometric === 3 ? paletteOf(first, bits) : undefined;
  const kept: (WeakRef<Slice> | undefined)[] = [];
  const decode = async (index: number, signal?: AbortSignal): Promise<Slice> => {
    const page = pages[index];
    if (!page) throw badFile(path, `a slice from 0 to ${pages.length - 1}`, `${index}`, "Ask for a slice that the volume has.");
    const slice = { data: await pixelsOf(page, form, source, path, signal ? { ...context, signal } : context), rows, columns, samples };
    kept[index] = new WeakRef(slice);
    return slice;
  };
  // One is decoded at once, so that what can't be read is said when the file is opened.
  if (!stacked) await decode(0);
  const slices = stacked?.slices ?? pages.length;
  const geometry = imagej && slices > 1 ? spacingOf(first, imagej) : undefined;
  if (geometry) notes.push("Voxel sizes are those of ImageJ; the position in the patient is not known.");
  return {
    name: number > 0 ? `${baseName(path)}, pages of ${columns}×${rows} (${number})` : baseName(path),
    format: "TIFF",
    columns,
    rows,
    slices,
    samples,
    ...(geometry ? { geometry } : {}),
    ...(palette ? { palette } : {}),
    windows: windowsOf(form, imagej, palette !== undefined),
    inverted: photometric === 0,
    files: [path],
    notes,
    slice: stacked?.slice ?? (async (index, { signal } = {}) => kept[index]?.deref() ?? decode(index, signal)),
  };
}

function windowsOf({ bits, kind, samples }: Form, imagej: ReadonlyMap<string, string> | undefined, palette: boolean): Volume["windows"] {
  if (samples > 2 || palette) return [];
  const [low, high] = [Number(imagej?.get("min") ?? Number.NaN), Number(imagej?.get("max") ?? Number.NaN)];
  if (high > low) return [{ name: "of ImageJ", center: (low + high) / 2, width: high - low, shape: "linear-exact" }];
  return bits <= 8 && kind === "uint" ? [fullRange(bits)] : [];
}

/** 8-bit RGB of each index; a map holds 16 bits, all reds first. */
function paletteOf(page: Page, bits: number): Uint8Array {
  const map = page.numbers(TAG.colorMap);
  const count = 2 ** Math.min(16, bits);
  // Some writers put 8-bit numbers there.
  const shift = map.some((value) => value > 255) ? 8 : 0;
  return Uint8Array.from({ length: 3 * count }, (_, i) => (map[(i % 3) * count + Math.floor(i / 3)] ?? 0) >> shift);
}

/** ImageJ's description: `key=value` lines. */
function imagejOf(description: string): ReadonlyMap<string, string> | undefined {
  if (!description.startsWith("ImageJ=")) return undefined;
  return new Map(
    description.split(/\r?\n/).flatMap((line) => (line.includes("=") ? [[line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const] : [])),
  );
}

/** Stacks of over 4 GB, and those of some writers, have one page for pictures that follow each other. */
function stackOf(page: Page, form: Form, imagej: ReadonlyMap<string, string> | undefined, source: ByteSource, path: string) {
  const slices = Number(imagej?.get("images") ?? 1);
  if (!(slices > 1) || page.number(TAG.compression, 1) !== 1 || form.bits < 8) return undefined;
  const type = `${form.kind}${form.bits}` as ScalarType;
  const offset = page.number(TAG.stripOffsets, 0);
  const needed = slices * form.rows * form.columns * form.samples * bytesOf(type);
  if (!(offset + needed <= source.size))
    throw badFile(path, `${slices} pictures, ${byteCount(needed)}, as ImageJ's description says`, byteCount(source.size), CUT_OFF);
  const { columns, rows, samples } = form;
  return { slices, slice: slicesOf({ source, path, offset, type, littleEndian: page.littleEndian, columns, rows, slices, samples }) };
}

function spacingOf(page: Page, imagej: ReadonlyMap<string, string>): Geometry | undefined {
  const mm = MM[imagej.get("unit") ?? ""];
  const [x, y] = [page.number(TAG.xResolution, 0), page.number(TAG.yResolution, 0)];
  const z = Number(imagej.get("spacing") ?? 1);
  if (!mm || !(x > 0 && y > 0 && z > 0)) return undefined;
  return { spacing: { betweenColumns: mm / x, betweenRows: mm / y, betweenSlices: mm * z }, origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
}
