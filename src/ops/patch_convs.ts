// Pixels → tokens by two small convolutions, with the normalisation of the pixels.
import shader from "../../shaders/patch_convs.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ACTIVATION_CODE, activate } from "./activation.ts";
import type { Twin } from "./twin.ts";

export interface PatchConvsOptions {
  readonly label: string;
  /** Of both convolutions: 3 has stride 2 and padding 1, 1 has stride 1 and none. */
  readonly kernel: 1 | 3;
}

/** Pixels and vectors of four that default limits leave room for in workgroup memory. */
const MOST_VECTORS = 1024;

/**
 * pixels u32 [S, S] and colours f32 [2, 4] (see `patchify`), first [k²·3 + 1, H] and second [k²·H + 1, C], the bias last → [side², C], side = S / stride².
 * Between the two is a GELU.
 */
export function patchConvs(graph: Graph, pixels: Tensor, colours: Tensor, first: Tensor, second: Tensor, { label, kernel }: PatchConvsOptions): Tensor {
  const op = "patch_convs";
  const [size] = pixels.shape as [number, number];
  const [hidden, columns] = [first.shape[1] as number, second.shape[1] as number];
  const stride = kernel === 3 ? 2 : 1;
  const side = size / stride ** 2;
  expectShape(op, "pixels", pixels, [size, size]);
  expectShape(op, "colours", colours, [2, 4]);
  expectShape(op, "first", first, [kernel ** 2 * 3 + 1, hidden]);
  expectShape(op, "second", second, [kernel ** 2 * hidden + 1, columns]);
  const y = graph.activation(label, [side * side, columns]);
  const seenBy = (cells: number) => (cells - 1) * stride + kernel;
  const memory = (tokens: number) => {
    const inner = seenBy(tokens);
    return { tile: tokens, seen: seenBy(inner), inner, vectors: seenBy(inner) ** 2 + (inner ** 2 * hidden) / 4 };
  };
  const { tile, seen, inner } = [4, 2].map(memory).find(({ vectors }) => vectors <= MOST_VECTORS) ?? memory(1);
  graph.dispatch({
    op,
    label,
    shader,
    reads: { pixels, colours, first, second },
    writes: { y },
    params: { size, inner_side: size / stride, side, columns4: columns / 4, kernel, stride, tile, seen, inner, hidden4: hidden / 4 },
    constants: { SEEN_SIZE: seen ** 2, INNER_SIZE: (inner ** 2 * hidden) / 4 },
    workgroups: [Math.ceil(side / tile), Math.ceil(side / tile), 1],
    // A thread waits for its pixels, then for three rows of weights at a time, then for four.
    work: {
      threads: 64,
      steps:
        Math.ceil(seen ** 2 / 64) + kernel ** 2 * (Math.ceil((inner * Math.ceil(inner / 3) * hidden) / 256) + Math.ceil((tile * columns) / 256) * (hidden / 4)),
      instructions: 100,
    },
    flop: 2 * kernel ** 2 * hidden * (3 * (size / stride) ** 2 + columns * side ** 2),
  });
  return y;
}

export const twin: Twin = ({ params }, { pixels, colours, first, second }) => {
  const { size = 0, inner_side: inner = 0, side = 0, columns4 = 0, kernel = 0, stride = 0, hidden4 = 0 } = params;
  const values = new Float64Array(size * size * 3);
  for (let i = 0; i < values.length; i++) {
    const pixel = pixels?.[Math.floor(i / 3)] ?? 0;
    const value = (pixel >>> (8 * (i % 3))) & 255;
    values[i] = pixel >>> 24 === 0 ? 0 : (value - (colours?.[i % 3] as number)) / (colours?.[4 + (i % 3)] as number);
  }
  const conv = (x: Float64Array, from: number, to: number, weights: ArrayLike<number> | undefined, inputs: number, outputs: number, code: number) => {
    const y = new Float64Array(to * to * outputs);
    for (let i = 0; i < y.length; i++) {
      const token = Math.floor(i / outputs);
      let sum = weights?.[kernel * kernel * inputs * outputs + (i % outputs)] as number;
      for (let tap = 0; tap < kernel * kernel; tap++) {
        const row = Math.floor(token / to) * stride + Math.floor(tap / kernel) - (kernel >> 1);
        const column = (token % to) * stride + (tap % kernel) - (kernel >> 1);
        if (row < 0 || row >= from || column < 0 || column >= from) continue;
        for (let c = 0; c < inputs; c++)
          sum += (x[(row * from + column) * inputs + c] as number) * (weights?.[(tap * inputs + c) * outputs + (i % outputs)] as number);
      }
      y[i] = activate(code, sum);
    }
    return y;
  };
  const between = conv(values, size, inner, first, 3, 4 * hidden4, ACTIVATION_CODE.gelu);
  return { y: Float32Array.from(conv(between, inner, side, second, 4 * hidden4, 4 * columns4, 0)) };
};
