// A mask carries a mark of this command, so that a default name never overwrites what somebody else made or changed.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { crc32 } from "../bytes/crc32.ts";
import { UsageError } from "./usage.ts";

const KEYWORD = "Software";
const SIGNATURE = 8;
/** A mask of the largest image, as noise. Larger files are not ours. */
const MOST_BYTES = 64 << 20;

/** A PNG with `Software: sam-med2d-webgpu DIGEST` before its end; the digest is of the pixels as they are packed. */
export function signed(png: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunks = chunksOf(png);
  const text = new TextEncoder().encode(`${KEYWORD}\0${markOf(chunks)}`);
  const chunk = new Uint8Array(12 + text.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, text.length);
  chunk.set(new TextEncoder().encode("tEXt"), 4);
  chunk.set(text, 8);
  view.setUint32(8 + text.length, crc32(chunk.subarray(4, 8 + text.length)));
  const end = chunks.find(({ type }) => type === "IEND")?.begin ?? png.length;
  const out = new Uint8Array(png.length + chunk.length);
  out.set(png.subarray(0, end));
  out.set(chunk, end);
  out.set(png.subarray(end), end + chunk.length);
  return out;
}

/** Whether the file is a mask that this command wrote and nobody changed since. */
export async function isOwnMask(path: string): Promise<boolean> {
  if ((await stat(path)).size > MOST_BYTES) return false;
  const chunks = chunksOf(await readFile(path));
  const texts = chunks.filter(({ type }) => type === "tEXt").map(({ data }) => new TextDecoder("latin1").decode(data));
  return texts.includes(`${KEYWORD}\0${markOf(chunks)}`);
}

/** A name that nobody gave may replace only what this command wrote. */
export async function expectFree(path: string, remedy: string, isOwn: (path: string) => Promise<boolean> = isOwnMask): Promise<void> {
  if (!(await stat(path).catch(() => undefined)) || (await isOwn(path).catch(() => false))) return;
  throw new UsageError(`${path} is there already and was not made, or was changed since, by this command: ${remedy}`);
}

interface Chunk {
  readonly type: string;
  readonly begin: number;
  readonly data: Uint8Array;
}

function markOf(chunks: readonly Chunk[]): string {
  const hash = createHash("sha256");
  for (const { type, data } of chunks) if (type === "IDAT" || type === "IHDR") hash.update(data);
  return `sam-med2d-webgpu ${hash.digest("hex").slice(0, 32)}`;
}

/** As far as they are whole. */
function chunksOf(png: Uint8Array): Chunk[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: Chunk[] = [];
  for (let begin = SIGNATURE; begin + 12 <= png.length; ) {
    const length = view.getUint32(begin);
    if (begin + 12 + length > png.length) break;
    const type = new TextDecoder("latin1").decode(png.subarray(begin + 4, begin + 8));
    chunks.push({ type, begin, data: png.subarray(begin + 8, begin + 8 + length) });
    begin += 12 + length;
  }
  return chunks;
}
