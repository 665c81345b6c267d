// The synthetic checkpoint: weights by formula (ARCHITECTURE.md), the same bits as the PyTorch reference makes.
import { elements, type Shape } from "../graph/tensor.ts";
import type { Checkpoint, StoredTensor } from "./checkpoint.ts";
import { expectElements } from "./elements.ts";
import { bad } from "../bytes/fail.ts";

const GOLDEN = 0x9e3779b1;
const BIAS = /\.(?:bias|running_mean)$/;
const EMBEDDINGS = /pos_embed|attention_biases|point_embeddings|not_a_point_embed|no_mask_embed|iou_token|mask_tokens/;

function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

/** Elements `[begin, end)` of the tensor `name`, flattened: `value = base + scale * u`, u in [-1, 1). */
export function fill(name: string, shape: Shape, seed: number, begin: number, end: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(end - begin);
  const bias = BIAS.test(name);
  const vector = !bias && shape.length === 1;
  const fanIn = elements(shape) / (shape[0] ?? 1);
  const scale = Math.fround(bias ? 0.05 : vector ? 0.1 : EMBEDDINGS.test(name) ? 0.5 : Math.sqrt(3 / fanIn));
  let state = (fnv1a32(name) + Math.imul(seed, GOLDEN) + Math.imul(begin, GOLDEN)) | 0;
  for (let i = 0; i < out.length; i++) {
    let h = state;
    state = (state + GOLDEN) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    // u and the product are exact in double precision, so the store rounds once, as single-precision arithmetic would.
    out[i] = scale * ((h >>> 8) * 2 ** -23 - 1);
  }
  if (vector) for (let i = 0; i < out.length; i++) out[i] = 1 + (out[i] as number);
  return out;
}

/** A checkpoint without a file: each piece is computed when it is read. */
export function synthetic(seed: number, tensors: Iterable<{ readonly name: string; readonly shape: Shape }>): Checkpoint {
  const label = `synthetic:${seed}`;
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw bad("synthetic", "a whole number from 0 to 4294967295", String(seed), "Name it as synthetic:7.", "seed");
  }
  const stored = new Map<string, StoredTensor>();
  for (const { name, shape } of tensors) stored.set(name, { name, shape, dtype: "F32" });
  return {
    label,
    format: "synthetic",
    fresh: true,
    tensors: stored,
    async read(name, begin, end, signal) {
      signal?.throwIfAborted();
      const tensor = expectElements(label, stored, name, begin, end);
      return new Uint8Array(fill(name, tensor.shape, seed, begin, end).buffer);
    },
    async close() {},
  };
}
