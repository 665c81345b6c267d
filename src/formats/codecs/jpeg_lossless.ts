import { Decoder } from "jpeg-lossless-decoder-js";
import type { DecodedPixels } from "../reader.ts";

/** Lossless JPEG of up to 16 bits, all predictors. */
export function decode(bytes: Uint8Array<ArrayBuffer>): DecodedPixels {
  const decoder = new Decoder();
  const output = decoder.decode(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { dimX, dimY, numComp } = decoder.frame;
  return { data: output.subarray(0, dimX * dimY * numComp), rows: dimY, columns: dimX, samples: numComp };
}
