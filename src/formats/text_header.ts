// What formats with a text header and voxels beside it (NRRD, MetaImage) have in common.
import { type ByteSource, bufferSource } from "../bytes/byte_source.ts";
import { badFile, baseName, byteCount, CUT_OFF, DAMAGED, shown } from "./fail.ts";
import type { Companions, FileEntry } from "./reader.ts";
import { type ScalarType, scalarsOfText } from "./voxels.ts";

/** Voxels as text are for small files: one holds its whole text as a string. */
const MAX_TEXT = 1 << 28;

export function numbersOf(text: string): number[] {
  return text
    .trim()
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number);
}

/** The file a header names, which must lie in the header's own folder or below. */
export function dataFileBeside(path: string, name: string, companions: Companions): FileEntry {
  const clean = name.replaceAll("\\", "/").replace(/^\.\//, "");
  if (clean.startsWith("/") || /^[a-z]:|^\w+:\/\//i.test(clean) || clean.split("/").includes("..")) {
    throw badFile(path, "a data file beside the header", `the path ${shown(name)}`, "Put the data file into the header's folder and name it there.");
  }
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const found = companions(folder + clean);
  if (!found) throw badFile(path, `the data file ${shown(baseName(clean))} that the header names`, "a header alone", "Open it together with the header.");
  return found;
}

/** Where the bytes after `lines` line ends begin. */
export async function lineSkipped(source: ByteSource, offset: number, lines: number, path: string): Promise<number> {
  let at = offset;
  for (let left = lines; left > 0; ) {
    const length = Math.min(1 << 16, source.size - at);
    if (length <= 0) throw badFile(path, `${lines} lines before the voxels`, "fewer", CUT_OFF);
    const bytes = await source.read(at, length);
    let i = 0;
    while (i < length && left > 0) if (bytes[i++] === 10) left--;
    at += i;
  }
  return at;
}

/** Numbers written as text, decimal or hexadecimal, as bytes. */
export async function textSource(
  source: ByteSource,
  offset: number,
  { type, count, path, hex = false }: { readonly type: ScalarType; readonly count: number; readonly path: string; readonly hex?: boolean },
  signal?: AbortSignal,
): Promise<{ source: ByteSource; littleEndian: boolean }> {
  const length = source.size - offset;
  // A number and the blank behind it take two characters.
  if (length < 2 * count - 1) throw badFile(path, `${count} numbers, as the header asks for`, `${byteCount(Math.max(0, length))} of text`, CUT_OFF);
  if (length > MAX_TEXT) throw badFile(path, `at most ${byteCount(MAX_TEXT)} of numbers as text`, byteCount(length), "Save it in binary.");
  const text = new TextDecoder("latin1").decode(await source.read(offset, length, signal));
  if (!hex) {
    const { bytes, littleEndian } = scalarsOfText(text, type, count, path);
    return { source: bufferSource(bytes, path), littleEndian };
  }
  const digits = text.replace(/\s+/g, "");
  if (/[^0-9a-f]/i.test(digits)) throw badFile(path, "hexadecimal digits", "others", DAMAGED);
  return {
    source: bufferSource(
      Uint8Array.from({ length: digits.length >> 1 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)),
      path,
    ),
    littleEndian: true,
  };
}

/** Files one behind the other, as one. */
export function joined(sources: readonly ByteSource[], label: string): ByteSource {
  const [only] = sources;
  if (sources.length === 1 && only) return only;
  const starts: number[] = [];
  let size = 0;
  for (const source of sources) {
    starts.push(size);
    size += source.size;
  }
  return {
    label,
    size,
    fresh: true,
    async read(offset, length, signal) {
      const out = new Uint8Array(length);
      for (let i = 0; i < sources.length; i++) {
        const [source, start] = [sources[i] as ByteSource, starts[i] as number];
        const [from, to] = [Math.max(offset, start), Math.min(offset + length, start + source.size)];
        if (from < to) out.set(await source.read(from - start, to - from, signal), from - offset);
      }
      return out;
    },
    async close() {},
  };
}

/** `slice%03d.raw 1 30 1` as 30 names; undefined for another text. */
export function numberedFiles(text: string, path: string): string[] | undefined {
  const series = /^(\S*%0?\d*d\S*)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)(\s+\d+)?$/.exec(text);
  if (!series) return undefined;
  const [from, to, by] = series.slice(2, 5).map(Number) as [number, number, number];
  const count = Math.floor((to - from) / by) + 1;
  if (!(count >= 1 && count <= 100_000)) throw badFile(path, "a range of data files", shown(text), DAMAGED);
  return Array.from({ length: count }, (_, i) =>
    (series[1] as string).replace(/%0?(\d*)d/, (_whole, width: string) => String(from + i * by).padStart(Number(width || 0), "0")),
  );
}
