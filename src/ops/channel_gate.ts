// Squeeze and excitation of the adapter: a factor in (0, 1) for each channel, from the mean over all tokens.
import gateShader from "../../shaders/channel_gate.wgsl";
import meanShader from "../../shaders/channel_mean.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ACTIVATION_CODE, activate } from "./activation.ts";
import type { Twin } from "./twin.ts";

/** x [T, C], weight1 [C, H], weight2 [H, C] → [C]. H is at most 1024. */
export function channelGate(graph: Graph, x: Tensor, weight1: Tensor, weight2: Tensor, label: string): Tensor {
  const [rows, columns] = x.shape as [number, number];
  const hidden = weight1.shape[1] as number;
  expectShape("channel_gate", "weight1", weight1, [columns, hidden]);
  expectShape("channel_gate", "weight2", weight2, [hidden, columns]);
  const mean = graph.activation(`${label}.mean`, [columns]);
  graph.dispatch({
    op: "channel_mean",
    label: `${label}.mean`,
    shader: meanShader,
    reads: { x },
    writes: { y: mean },
    params: { rows, columns4: columns / 4 },
    workgroups: [Math.ceil(columns / 64), 1, 1],
    flop: rows * columns,
  });
  const gate = graph.activation(label, [columns]);
  graph.dispatch({
    op: "channel_gate",
    label,
    shader: gateShader,
    reads: { x: mean, weight1, weight2 },
    writes: { y: gate },
    params: { columns4: columns / 4, hidden4: hidden / 4 },
    workgroups: [1, 1, 1],
    flop: 4 * columns * hidden,
  });
  return gate;
}

export const meanTwin: Twin = ({ params }, { x }) => {
  const { rows = 0, columns4 = 0 } = params;
  const y = new Float32Array(4 * columns4);
  for (let c = 0; c < y.length; c++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += x?.[row * y.length + c] ?? 0;
    y[c] = sum / rows;
  }
  return { y };
};

export const twin: Twin = ({ params }, { x, weight1, weight2 }) => {
  const columns = 4 * (params["columns4"] ?? 0);
  const hidden = 4 * (params["hidden4"] ?? 0);
  const product = (v: ArrayLike<number>, w: ArrayLike<number>, inputs: number, outputs: number, code: number) =>
    Array.from({ length: outputs }, (_, o) => {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += (v[i] as number) * (w[i * outputs + o] as number);
      return activate(code, sum);
    });
  const middle = product(x as Float32Array, weight1 as Float32Array, columns, hidden, ACTIVATION_CODE.relu);
  return { y: Float32Array.from(product(middle, weight2 as Float32Array, hidden, columns, ACTIVATION_CODE.sigmoid)) };
};
