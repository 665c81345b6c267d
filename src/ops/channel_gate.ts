// Squeeze and excitation of the adapter: a factor in (0, 1) for each channel, from the mean over all tokens.
import shader from "../../shaders/channel_gate.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ACTIVATION_CODE, activate } from "./activation.ts";
import type { Twin } from "./twin.ts";

export interface ChannelGateOptions {
  readonly label: string;
  /** Rows that were summed: the mean is over them. */
  readonly rows: number;
}

/** sums [groups, C] (partial sums over all rows), weight1 [C, H], weight2 [H, C] → [C]. */
export function channelGate(graph: Graph, sums: Tensor, weight1: Tensor, weight2: Tensor, { label, rows }: ChannelGateOptions): Tensor {
  const [groups, columns] = sums.shape as [number, number];
  const hidden = weight1.shape[1] as number;
  expectShape("channel_gate", "weight1", weight1, [columns, hidden]);
  expectShape("channel_gate", "weight2", weight2, [hidden, columns]);
  const y = graph.activation(label, [columns]);
  const shares = Math.max(1, Math.floor(1024 / hidden));
  const [sumsAhead, groupsAhead] = graph.target.kind === "cpu" ? [1, 1] : [16, 4];
  graph.dispatch({
    op: "channel_gate",
    label,
    shader,
    reads: { sums, weight1, weight2 },
    writes: { y },
    params: { rows, groups },
    constants: { COLUMNS4: columns / 4, HIDDEN4: hidden / 4, SHARES: shares, SUMS_AHEAD: sumsAhead, GROUPS_AHEAD: groupsAhead },
    workgroups: [Math.ceil(columns / 64), 1, 1],
    flop: 4 * columns * hidden + groups * columns,
    // Of both layers, sixteen weights are on their way at once.
    work: {
      threads: 256,
      steps: Math.ceil(groups / sumsAhead) + Math.ceil(hidden / 1024) * Math.ceil(columns / 4 / shares / groupsAhead) + Math.ceil(hidden / 256),
      instructions: 130,
    },
  });
  return y;
}

export const twin: Twin = ({ params, constants }, { sums, weight1, weight2 }) => {
  const { rows = 0, groups = 0 } = params;
  const columns = 4 * (constants["COLUMNS4"] as number);
  const hidden = 4 * (constants["HIDDEN4"] as number);
  const product = (v: ArrayLike<number>, w: ArrayLike<number>, inputs: number, outputs: number, code: number) =>
    Array.from({ length: outputs }, (_, o) => {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += (v[i] as number) * (w[i * outputs + o] as number);
      return activate(code, sum);
    });
  const mean = Array.from({ length: columns }, (_, c) => {
    let sum = 0;
    for (let group = 0; group < groups; group++) sum += sums?.[group * columns + c] ?? 0;
    return sum / rows;
  });
  const middle = product(mean, weight1 as Float32Array, columns, hidden, ACTIVATION_CODE.relu);
  return { y: Float32Array.from(product(middle, weight2 as Float32Array, hidden, columns, ACTIVATION_CODE.sigmoid)) };
};
