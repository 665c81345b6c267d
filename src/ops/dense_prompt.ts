// The image side of the decoder: embedding plus the embedded mask input, or plus "no mask".
import shader from "../../shaders/dense_prompt.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ACTIVATION_CODE, activate } from "./activation.ts";
import type { Twin } from "./twin.ts";

export interface DensePromptWeights {
  /** [28]: convolution [4, 4], bias, LayerNorm weight, LayerNorm bias. */
  readonly stage1: Tensor;
  /** [304]: convolution [16, 4, 4], bias, LayerNorm weight, LayerNorm bias. */
  readonly stage2: Tensor;
  /** [18, C]: convolution [16, C], bias, no-mask embedding. */
  readonly stage3: Tensor;
}

const EPS = 1e-6;

/** embedding [T, C], mask [B, 4g, 4g] probabilities, maskGiven u32 [B] → [B·T, C]. */
export function densePrompt(graph: Graph, embedding: Tensor, mask: Tensor, maskGiven: Tensor, weights: DensePromptWeights, label: string): Tensor {
  const op = "dense_prompt";
  const [tokens, columns] = embedding.shape as [number, number];
  const grid = Math.sqrt(tokens);
  const batch = maskGiven.shape[0] as number;
  expectShape(op, "mask", mask, [batch, 4 * grid, 4 * grid]);
  expectShape(op, "stage1", weights.stage1, [28]);
  expectShape(op, "stage2", weights.stage2, [304]);
  expectShape(op, "stage3", weights.stage3, [18, columns]);
  const y = graph.activation(label, [batch * tokens, columns]);
  graph.dispatch({
    op,
    label,
    shader,
    reads: { embedding, mask, mask_given: maskGiven, ...weights },
    writes: { y },
    params: { grid, columns4: columns / 4, eps: EPS },
    workgroups: [tokens, batch, 1],
    // Of a prompt without a mask, as most are.
    work: { threads: 64, steps: 2 * Math.ceil(columns / 256), instructions: 30 },
    flop: batch * tokens * (2 * 16 * columns + 700),
  });
  return y;
}

/** Normalises over the whole array, in place of the channels of one pixel. */
function normalise(v: number[], weight: (i: number) => number, bias: (i: number) => number): number[] {
  const mean = v.reduce((sum, value) => sum + value, 0) / v.length;
  const variance = v.reduce((sum, value) => sum + (value - mean) ** 2, 0) / v.length;
  return v.map((value, i) => activate(ACTIVATION_CODE.gelu, ((value - mean) / Math.sqrt(variance + EPS)) * weight(i) + bias(i)));
}

export const twin: Twin = ({ params, workgroups }, reads) => {
  const { embedding, mask, mask_given: given, stage1, stage2, stage3 } = reads as Record<string, Float32Array>;
  const grid = params["grid"] as number;
  const columns = 4 * (params["columns4"] as number);
  const [tokens, batch] = workgroups;
  const at = (data: Float32Array | undefined, i: number) => data?.[i] as number;
  const y = new Float32Array(batch * tokens * columns);
  for (let row = 0; row < batch * tokens; row++) {
    const token = row % tokens;
    const b = Math.floor(row / tokens);
    const pixel = (dy: number, dx: number) => at(mask, b * 16 * tokens + (Math.floor(token / grid) * 4 + dy) * 4 * grid + (token % grid) * 4 + dx);
    const cells = [0, 1, 2, 3].map((cell) =>
      normalise(
        [0, 1, 2, 3].map((o) =>
          [0, 1, 2, 3].reduce((sum, i) => sum + at(stage1, 4 * o + i) * pixel(2 * (cell >> 1) + (i >> 1), 2 * (cell % 2) + (i % 2)), at(stage1, 16 + o)),
        ),
        (i) => at(stage1, 20 + i),
        (i) => at(stage1, 24 + i),
      ),
    );
    const deep = normalise(
      Array.from({ length: 16 }, (_, o) => {
        let sum = at(stage2, 256 + o);
        cells.forEach((channels, cell) => {
          channels.forEach((value, i) => {
            sum += value * at(stage2, 16 * o + 4 * i + cell);
          });
        });
        return sum;
      }),
      (i) => at(stage2, 272 + i),
      (i) => at(stage2, 288 + i),
    );
    for (let c = 0; c < columns; c++) {
      const dense = at(given, b)
        ? deep.reduce((sum, value, o) => sum + value * at(stage3, o * columns + c), at(stage3, 16 * columns + c))
        : at(stage3, 17 * columns + c);
      y[row * columns + c] = at(embedding, token * columns + c) + dense;
    }
  }
  return { y };
};
