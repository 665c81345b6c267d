// Files of a folder as openFiles takes them, and what it makes of them in the terms of the fixtures' truth.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { pixelDecoders } from "../../src/formats/codecs/index.ts";
import { type FileEntry, type OpenOptions, openFiles } from "../../src/formats/index.ts";
import type { Volume } from "../../src/volume/volume.ts";

export const decoders = pixelDecoders();

export function fileEntry(path: string, name = path): FileEntry {
  return { path: name, source: bufferSource(new Uint8Array(readFileSync(path)), name) };
}

/** All files of a path, in the order that the disk gives, which is no order. */
export function entriesOf(path: string): FileEntry[] {
  if (statSync(path).isFile()) return [fileEntry(path)];
  return readdirSync(path).flatMap((name) => entriesOf(join(path, name)));
}

export function open(files: readonly FileEntry[], options: OpenOptions = {}) {
  const beside = (path: string) => (existsSync(path) && statSync(path).isFile() ? fileEntry(path) : undefined);
  return openFiles(files, { decoders, beside, ...options });
}

/** Of all slices, as little-endian float32. */
export async function valuesOf(volume: Volume) {
  const hash = createHash("sha256");
  let [low, high, sum, count, samples] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 1];
  for (let i = 0; i < volume.slices; i++) {
    const slice = await volume.slice(i);
    samples = slice.samples;
    hash.update(new Uint8Array(Float32Array.from(slice.data).buffer));
    for (const value of slice.data) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
      sum += value;
      count++;
    }
  }
  const shape = [volume.slices, volume.rows, volume.columns, ...(samples === 1 ? [] : [samples])];
  return { shape, min: low, max: high, mean: sum / count, sha256_f32le: hash.digest("hex") };
}
