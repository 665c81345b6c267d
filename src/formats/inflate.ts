// Packed bytes, unpacked as a stream into one array of the size that the header promised.
import { type ByteSource, bufferSource } from "../bytes/byte_source.ts";
import { badFile, byteCount, CUT_OFF, DAMAGED } from "./fail.ts";
import type { ReadContext } from "./reader.ts";

const PIECE = 1 << 20;
/** Enough for a header, whatever it is packed by. */
const HEAD_PIECE = 1 << 14;
/** A byte of deflate becomes at most 1032, a little less than that with its framing. */
export const MAX_RATIO = 1032;
/** A block of bzip2 takes some 40 bytes at least and gives 46 MB at most. */
const BZIP2_RATIO = 1_200_000;

export type Packing = "gzip" | "deflate" | "deflate-raw" | "bzip2";

interface Span {
  readonly source: ByteSource;
  readonly path: string;
  /** Where the packed bytes begin and how many they are; to the end when left out. */
  readonly begin?: number;
  readonly length?: number;
  readonly packing: Packing;
  /** Packed bytes read at a time. */
  readonly piece?: number;
}

/** Chunks as they are unpacked, until the reader stops asking. Throws a SamError that tells cut off from damaged. */
export async function* inflating(span: Span, context: ReadContext = {}): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { source, begin = 0, length = source.size - begin, packing } = span;
  if (packing === "bzip2") return yield* unpackingBzip2(span, context);
  const end = Math.min(begin + length, source.size);
  for (let from = begin, piece = span.piece ?? PIECE; ; ) {
    const unpacked = yield* inflatingMember({ ...span, packing, begin: from, length: end - from, piece }, context);
    const next = unpacked === undefined || packing !== "gzip" ? undefined : await nextMember(source, from, end, unpacked, context.signal);
    if (next === undefined) return;
    // Files of many small members (bgzip) are read in pieces not much larger.
    piece = Math.max(HEAD_PIECE, Math.min(PIECE, 2 * (next - from)));
    from = next;
  }
}

/** Browsers stop behind the first member of a gzip file; Node goes on. The next one begins where a mark follows the length of what was unpacked. */
async function nextMember(source: ByteSource, from: number, end: number, unpacked: number, signal?: AbortSignal): Promise<number | undefined> {
  for (let at = from + 10; at + 18 <= end; at += PIECE) {
    const bytes = await source.read(at, Math.min(PIECE + 8, end - at), signal);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = bytes.indexOf(0x1f, 4); i >= 0 && i + 3 < bytes.length; i = bytes.indexOf(0x1f, i + 1)) {
      if (bytes[i + 1] === 0x8b && bytes[i + 2] === 8 && view.getUint32(i - 4, true) === unpacked % 2 ** 32) return at + i;
    }
  }
  return undefined;
}

/** Gives how many bytes came of it where others follow its end. */
async function* inflatingMember(
  span: Span & { readonly packing: CompressionFormat },
  context: ReadContext,
): AsyncGenerator<Uint8Array<ArrayBuffer>, number | undefined> {
  const { source, path, begin = 0, length = source.size - begin, packing, piece = PIECE } = span;
  let unpacked = 0;
  let at = begin;
  const end = Math.min(begin + length, source.size);
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (at >= end) return controller.close();
      const bytes = await source.read(at, Math.min(piece, end - at), context.signal);
      at += bytes.length;
      context.onProgress?.({ file: path, loaded: at - begin, total: end - begin });
      controller.enqueue(bytes);
    },
  });
  const reader = packed.pipeThrough(new DecompressionStream(packing)).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      unpacked += value.length;
      yield value as Uint8Array<ArrayBuffer>;
    }
  } catch (cause) {
    context.signal?.throwIfAborted();
    if (cause instanceof Error && cause.name === "SamError") throw cause;
    const text = String(cause instanceof Error ? `${cause.message} ${String((cause as { code?: unknown }).code ?? "")}` : cause);
    // Bytes after the stream's end are padding, and whoever needs no more bytes has stopped asking.
    if (/trailing|junk|ERR_TRAILING/i.test(text)) return unpacked;
    const cut = at >= end && /end|BUF_ERROR|incomplete|truncat/i.test(text);
    throw cut
      ? badFile(path, "compressed data to their end", "data that stop early", CUT_OFF, cause)
      : badFile(path, "sound compressed data", "damaged ones", DAMAGED, cause);
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function* unpackingBzip2({ source, path, begin = 0, length = source.size - begin }: Span, { signal, onProgress }: ReadContext) {
  const { bunzip2, Bzip2Error } = await import("./bzip2.ts");
  const total = Math.min(length, source.size - begin);
  const bits = await source.read(begin, total, signal);
  try {
    for (const { bytes, read } of bunzip2(bits)) {
      onProgress?.({ file: path, loaded: read, total });
      yield bytes;
      // A block takes a while, and whoever waits is to be drawn between them.
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
  } catch (cause) {
    if (!(cause instanceof Bzip2Error)) throw cause;
    throw cause.cut
      ? badFile(path, "compressed data to their end", "data that stop early", CUT_OFF, cause)
      : badFile(path, "sound compressed data", "damaged ones", DAMAGED, cause);
  }
}

/** How a whole file is packed, by its first bytes. */
export async function packingOf(source: ByteSource): Promise<"gzip" | "bzip2" | undefined> {
  if (source.size < 14) return undefined;
  const [a, b, c] = await source.read(0, 3);
  if (a === 0x1f && b === 0x8b) return "gzip";
  return a === 0x42 && b === 0x5a && c === 0x68 ? "bzip2" : undefined;
}

/** The first `length` bytes at most. */
export async function inflateHead(span: Span, length: number, context?: ReadContext): Promise<Uint8Array<ArrayBuffer>> {
  const head = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of inflating({ ...span, piece: HEAD_PIECE }, context)) {
    const part = chunk.subarray(0, length - filled);
    head.set(part, filled);
    filled += part.length;
    if (filled === length) break;
  }
  return head.slice(0, filled);
}

/**
 * All of it: `size` bytes are expected, `skip` before them thrown away. Throws before allocating where so few packed bytes can't hold so many,
 * and when fewer come. With `size` left out, up to `limit` bytes are taken.
 */
export async function inflateAll(
  span: Span,
  { size, skip = 0, limit = 1 << 28 }: { readonly size?: number; readonly skip?: number; readonly limit?: number },
  context: ReadContext = {},
): Promise<ByteSource> {
  const { source, path, begin = 0, length = source.size - begin, packing } = span;
  const packed = Math.min(length, source.size - begin);
  const most = packed * (packing === "bzip2" ? BZIP2_RATIO : MAX_RATIO);
  if (size !== undefined && (size + skip > most || size > 2 ** 33)) {
    const expected = `data for the ${byteCount(size)} that the header asks for`;
    throw badFile(
      path,
      expected,
      `${byteCount(packed)} packed, which hold at most ${byteCount(most)}`,
      "The header is damaged, or the file is cut off: fetch it again.",
    );
  }
  // So few bytes of bzip2 may become so many that a size is not believed before they come.
  const first = Math.min(size ?? limit, packed * 4 + 1024);
  let out = new Uint8Array(packing === "bzip2" ? first : (size ?? first));
  let filled = 0;
  let toSkip = skip;
  for await (let chunk of inflating(span, context)) {
    if (toSkip > 0) {
      const dropped = Math.min(toSkip, chunk.length);
      toSkip -= dropped;
      chunk = chunk.subarray(dropped);
    }
    if (out.length < (size ?? Number.POSITIVE_INFINITY) && filled + chunk.length > out.length) {
      if (size === undefined && filled + chunk.length > limit)
        throw badFile(path, `at most ${byteCount(limit)} once unpacked`, "more", "Unpack the file first.");
      const grown = new Uint8Array(Math.min(size ?? limit, 2 * (filled + chunk.length)));
      grown.set(out.subarray(0, filled));
      out = grown;
    }
    const part = chunk.subarray(0, out.length - filled);
    out.set(part, filled);
    filled += part.length;
    // Read on to the end even when full: the checksum is there.
  }
  if (size !== undefined && filled < size) {
    throw badFile(path, `${byteCount(size)} once unpacked`, byteCount(filled), CUT_OFF);
  }
  return bufferSource(out.subarray(0, filled), path);
}
