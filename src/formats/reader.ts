// What a reader of one format gives, and what it is given.
import type { ByteSource } from "../bytes/byte_source.ts";
import type { Segmentation } from "../volume/segmentation.ts";
import type { Volume } from "../volume/volume.ts";

/** A file of a heap: a path below what was dropped, and its bytes, read where needed. */
export interface FileEntry {
  /** With forward slashes; for messages and to find companions (`.img` beside `.hdr`). */
  readonly path: string;
  readonly source: ByteSource;
}

export interface Refused {
  readonly file: string;
  /** One sentence in the user's words: what it is or what is wrong, and what to do. */
  readonly reason: string;
}

/** Compressed pixels to samples; injected, so that a page without them stays small. One a transfer syntax or compression name. */
export interface DecodedPixels {
  readonly data: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
}

export interface PixelDecoders {
  /** `kind`: "jpeg", "jpeg-cmyk", "jpeg-12bit", "jpeg-lossless", "jpeg-ls", "jpeg-2000", "htj2k". Throws on damaged data; never prints. */
  decode(kind: string, bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<DecodedPixels>;
  /** A whole picture file of a kind the browser or sharp shows: `type` is "image/jpeg", "image/webp", "image/avif", "image/gif", "image/bmp"; turned upright, gray or RGB. */
  picture?(type: string, bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<DecodedPixels>;
}

export interface ReadContext {
  readonly decoders?: PixelDecoders;
  readonly signal?: AbortSignal;
  /** Bytes of a packed file unpacked so far, of how many. */
  readonly onProgress?: (progress: { readonly file: string; readonly loaded: number; readonly total: number }) => void;
}

/** The other files of the heap, by path below what was dropped; a companion is looked for in its header's folder, then by name alone. */
export type Companions = (path: string) => FileEntry | undefined;

export interface ReadResult {
  readonly volumes: readonly Volume[];
  readonly segmentations?: readonly Segmentation[];
  readonly refused: readonly Refused[];
}
