// LayerNorm over the channels of each row: of tokens, and of feature maps, which are stored channels-last.
import shader from "../../shaders/layer_norm.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ACTIVATION_CODE, type Activation, activate } from "./activation.ts";
import type { Twin } from "./twin.ts";

export interface LayerNormOptions {
  readonly label: string;
  /** 1e-6 in the encoder, the neck and LayerNorm2d; 1e-5 in the adapters and the decoder's transformer. */
  readonly eps: number;
  /** [M, C]: added to x before normalising. */
  readonly addend?: Tensor;
  readonly activation?: Activation;
  /** [M, C]: added at the end. */
  readonly residual?: Tensor;
}

/** x [M, C], weight [C], bias [C] → [M, C]. */
export function layerNorm(
  graph: Graph,
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  { label, eps, addend, activation = "none", residual }: LayerNormOptions,
): Tensor {
  const op = "layer_norm";
  const [rows, columns] = x.shape as [number, number];
  expectShape(op, "weight", weight, [columns]);
  expectShape(op, "bias", bias, [columns]);
  if (addend) expectShape(op, "addend", addend, x.shape);
  if (residual) expectShape(op, "residual", residual, x.shape);
  const y = graph.activation(label, [rows, columns]);
  const rowAThread = graph.target.kind === "cpu";
  graph.dispatch({
    op,
    label,
    shader,
    reads: { x, addend: addend ?? graph.none, weight, bias, residual: residual ?? graph.none },
    writes: { y },
    params: { rows, columns4: columns / 4, eps, activation: ACTIVATION_CODE[activation] },
    constants: { ADDEND: addend !== undefined, RESIDUAL: residual !== undefined, ROW_A_THREAD: rowAThread },
    workgroups: [rowAThread ? Math.ceil(rows / 64) : rows, 1, 1],
    flop: 8 * rows * columns,
  });
  return y;
}

export const twin: Twin = ({ params, constants }, { x, addend, weight, bias, residual }) => {
  const { columns4 = 0, eps = 0, activation = 0 } = params;
  const columns = 4 * columns4;
  const y = new Float32Array(x?.length ?? 0);
  for (let first = 0; first < y.length; first += columns) {
    const v = Array.from({ length: columns }, (_, c) => (x?.[first + c] ?? 0) + (constants["ADDEND"] ? (addend?.[first + c] ?? 0) : 0));
    const mean = v.reduce((sum, value) => sum + value, 0) / columns;
    const variance = v.reduce((sum, value) => sum + (value - mean) ** 2, 0) / columns;
    v.forEach((value, c) => {
      const normal = ((value - mean) / Math.sqrt(variance + eps)) * (weight?.[c] ?? 0) + (bias?.[c] ?? 0);
      y[first + c] = activate(activation, normal) + (constants["RESIDUAL"] ? (residual?.[first + c] ?? 0) : 0);
    });
  }
  return { y };
};
