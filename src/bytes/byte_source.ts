// Random access to bytes that may be far away or larger than memory: what the readers of file formats stand on.
import { bad, DAMAGED } from "./fail.ts";

export interface ByteSource {
  /** For messages: a file name or an address. */
  readonly label: string;
  /** Bytes in all. */
  readonly size: number;
  /** What `read` gives is held by nobody else, as of every source but memory. */
  readonly fresh?: boolean;
  /** `length` bytes from `offset`, 4-byte aligned. May be a view of the caller's own memory: not to be written to. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Lets go of a connection until the next read. */
  pause?(): void;
  /** Where a SHA-256 was promised: reads what was not read yet and throws unless the whole file has it. */
  verify?(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Frees memory that nobody else holds. The collector comes by only after a hundred megabytes of pieces; old browsers have to wait for it. */
export function letGo({ buffer }: Uint8Array<ArrayBuffer> & { readonly buffer: { transfer?: (length: number) => ArrayBuffer } }): void {
  buffer.transfer?.(0);
}

export function isByteSource(value: unknown): value is ByteSource {
  return typeof value === "object" && value !== null && "read" in value && "size" in value && typeof value.size === "number" && "label" in value;
}

/** Throws unless `[offset, offset + length)` lies in the source: asked before anything is allocated for it. */
export function expectInside(source: Pick<ByteSource, "label" | "size">, offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= source.size) return;
  throw bad(source.label, `bytes ${offset} to ${offset + length}`, `a file of ${source.size} bytes`, DAMAGED);
}

/** Bytes in memory; reads are views where alignment allows. */
export function bufferSource(data: ArrayBuffer | Uint8Array<ArrayBuffer>, label = "bytes"): ByteSource {
  // Of a plain array: `slice` of Node's Buffer is no copy.
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const source: ByteSource = {
    label,
    size: bytes.byteLength,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      expectInside(source, offset, length);
      const aligned = (bytes.byteOffset + offset) % 4 === 0;
      return aligned ? bytes.subarray(offset, offset + length) : bytes.slice(offset, offset + length);
    },
    async close() {},
  };
  return source;
}

/** A `File` or `Blob`: the browser reads the slice asked for, never the whole. */
export function blobSource(blob: Blob, label = "name" in blob && typeof blob.name === "string" ? blob.name : "blob"): ByteSource {
  const source: ByteSource = {
    label,
    size: blob.size,
    fresh: true,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      expectInside(source, offset, length);
      let bytes: Uint8Array<ArrayBuffer>;
      try {
        bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        throw bad(
          label,
          "a file that stays as it was when it was chosen",
          `a failed read at byte ${offset} (${String(cause)})`,
          "Choose the file again.",
          undefined,
          cause,
        );
      }
      signal?.throwIfAborted();
      if (bytes.byteLength !== length) throw bad(label, `${length} bytes at ${offset}`, `${bytes.byteLength}`, DAMAGED);
      return bytes;
    },
    async close() {},
  };
  return source;
}

export interface ReadProgress {
  /** `download`: into the cache, before anything is read from there. */
  readonly stage: "download" | "read";
  readonly loaded: number;
  readonly total: number;
  readonly bytesPerSecond: number;
}

/** Wraps the sources of one checkpoint so that every read is told. Counts are capped at the size: a directory may be read more than once. */
export function progressOver(onProgress: (progress: ReadProgress) => void): (source: ByteSource) => ByteSource {
  const meter = rateMeter();
  let total = 0;
  let loaded = 0;
  return (source) => {
    total += source.size;
    let counted = 0;
    return {
      ...source,
      async read(offset, length, signal) {
        const bytes = await source.read(offset, length, signal);
        const more = Math.min(length, source.size - counted);
        counted += more;
        loaded += more;
        onProgress({ stage: "read", loaded, total, bytesPerSecond: meter(length) });
        return bytes;
      },
      close: () => source.close(),
    };
  };
}

/** Bytes per second over the last few seconds, so that a stall shows. */
export function rateMeter(now: () => number = () => performance.now()): (bytes: number) => number {
  const window: { at: number; bytes: number }[] = [{ at: now(), bytes: 0 }];
  return (bytes) => {
    const at = now();
    window.push({ at, bytes });
    while (window.length > 2 && at - (window[0] as { at: number }).at > 3000) window.shift();
    const seconds = (at - (window[0] as { at: number }).at) / 1000;
    const sum = window.slice(1).reduce((total, entry) => total + entry.bytes, 0);
    return seconds > 0 ? sum / seconds : 0;
  };
}
