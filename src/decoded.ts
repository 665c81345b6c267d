// What a decode graph writes, and what it says of each prompt.
import { byteLength, elements, type Tensor } from "./graph/tensor.ts";
import type { DecodeGraph } from "./model/network.ts";

/** What decoding one prompt gives, before it is brought to the caller's terms. What was not read back is empty. */
export interface RawDecoded {
  /** [masks, 4g, 4g], all four. */
  readonly logits: Float32Array;
  /** [masks] */
  readonly scores: Float32Array;
  /** Of the best candidate, ⌈width·height / 32⌉ words. */
  readonly bits: Uint32Array<ArrayBuffer>;
}

/** The bytes of a batch's outputs behind each other, from `begin` on → one answer a prompt. */
export function split({ logits, heads, bits, outputs }: DecodeGraph, bytes: ArrayBuffer, begin: number): RawDecoded[] {
  const [batch, masks] = logits.shape as [number, number];
  const columns = heads.shape[1] as number;
  let end = begin;
  const placeOf = (tensor: Tensor | undefined): [at: number, length: number] => {
    if (!tensor || !outputs.includes(tensor)) return [begin, 0];
    end += byteLength(tensor);
    return [end - byteLength(tensor), elements(tensor.shape)];
  };
  const allLogits = new Float32Array(bytes, ...placeOf(logits));
  const allHeads = new Float32Array(bytes, ...placeOf(heads));
  const allBits = new Uint32Array(bytes, ...placeOf(bits));
  const [size, words] = [allLogits.length / batch, allBits.length / batch];
  return Array.from({ length: batch }, (_, b) => {
    const iou = (b * (masks + 1) + masks) * columns;
    return {
      logits: allLogits.slice(b * size, (b + 1) * size),
      scores: allHeads.slice(iou, iou + masks),
      bits: allBits.slice(b * words, (b + 1) * words),
    };
  });
}

/** Index of the highest score, as the kernel of masks finds it. NaN, of weights gone wrong, is below every score: there is always a best. */
export function bestOf(scores: Float32Array): number {
  return scores.reduce((best, score, i) => (score > (scores[best] as number) || Number.isNaN(scores[best]) ? i : best), 0);
}
