// What a decode graph writes, and what it says of each prompt.
import { byteLength, elements, type Tensor } from "./graph/tensor.ts";
import type { DecodeGraph } from "./model/network.ts";

/** What decoding one prompt gives, before it is brought to the caller's terms. */
export interface RawDecoded {
  /** [masks, 4g, 4g], all four. */
  readonly logits: Float32Array;
  /** [masks] */
  readonly scores: Float32Array;
  /** Of the best candidate, ⌈width·height / 32⌉ words. */
  readonly bits: Uint32Array<ArrayBuffer>;
}

export function outputsOf({ logits, heads, bits }: DecodeGraph): readonly Tensor[] {
  return [logits, heads, bits];
}

/** The bytes of logits, heads and bits of a batch, from `begin` on → one answer a prompt. */
export function split({ logits, heads, bits }: DecodeGraph, bytes: ArrayBuffer, begin: number): RawDecoded[] {
  const [batch, masks, side] = logits.shape as [number, number, number];
  const words = bits.shape[1] as number;
  const columns = heads.shape[1] as number;
  const allLogits = new Float32Array(bytes, begin, batch * masks * side * side);
  const allHeads = new Float32Array(bytes, begin + byteLength(logits), elements(heads.shape));
  const allBits = new Uint32Array(bytes, begin + byteLength(logits) + byteLength(heads), elements(bits.shape));
  return Array.from({ length: batch }, (_, b) => {
    const iou = (b * (masks + 1) + masks) * columns;
    return {
      logits: allLogits.slice(b * masks * side * side, (b + 1) * masks * side * side),
      scores: allHeads.slice(iou, iou + masks),
      bits: allBits.slice(b * words, (b + 1) * words),
    };
  });
}
