/**
 * Decoders for compressed pixels, in the thread that asks for them. Each is fetched when the first such frame is met.
 * @module codecs
 */
import type { DecodedPixels, PixelDecoders } from "../reader.ts";

type Decode = (bytes: Uint8Array<ArrayBuffer>) => DecodedPixels | Promise<DecodedPixels>;

const CODECS: Readonly<Record<string, () => Promise<{ readonly decode: Decode }>>> = {
  jpeg: () => import("./jpeg.ts"),
  "jpeg-cmyk": () => import("./jpeg_cmyk.ts"),
  "jpeg-12bit": () => import("./jpeg_12bit.ts"),
  "jpeg-lossless": () => import("./jpeg_lossless.ts"),
  "jpeg-ls": () => import("./jpeg_ls.ts"),
  "jpeg-2000": () => import("./jpeg_2000.ts"),
  htj2k: () => import("./htj2k.ts"),
};

/** For `openFiles(files, { decoders: pixelDecoders() })`. A worker of one's own around it keeps the page from waiting. */
export function pixelDecoders(): PixelDecoders {
  return {
    async decode(kind, bytes, signal) {
      signal?.throwIfAborted();
      const load = CODECS[kind];
      if (!load) throw new TypeError(`expected one of ${Object.keys(CODECS).join(", ")}, got ${kind}`);
      const { decode } = await load();
      signal?.throwIfAborted();
      return decode(bytes);
    },
  };
}
