// The hypernetworks of the mask tokens and the IoU head: three-layer ReLU MLPs, each on a token of its own, in one dispatch.
import shader from "../../shaders/head_mlps.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { linearRow } from "./rows.ts";
import type { Twin } from "./twin.ts";

export interface HeadMlpsOptions {
  readonly label: string;
  readonly batch: number;
  /** The last is the IoU head. */
  readonly heads: number;
  readonly outputs: number;
}

/** Elements of one head's weights: [D, D] and bias, [D, D] and bias, [D, outputs] and bias. */
export function headWeights(width: number, outputs: number): number {
  return (width + 1) * (2 * width + outputs);
}

/** x [B·tokens, D] → [B·heads, outputs]: head z reads token z + 1 of a prompt, the last one token 0. */
export function headMlps(graph: Graph, x: Tensor, weights: Tensor, { label, batch, heads, outputs }: HeadMlpsOptions): Tensor {
  const op = "head_mlps";
  const [rows, width] = x.shape as [number, number];
  const tokens = rows / batch;
  expectShape(op, "x", x, [batch * Math.max(Math.floor(tokens), heads), width]);
  expectShape(op, "weights", weights, [heads * headWeights(width, outputs)]);
  const y = graph.activation(label, [batch * heads, outputs]);
  graph.dispatch({
    op,
    label,
    shader,
    reads: { x, weights },
    writes: { y },
    params: { heads, width4: width / 4, outputs4: outputs / 4, tokens },
    constants: graph.target.kind === "cpu" ? { SHARES: 1, AHEAD: 1 } : { SHARES: 4, AHEAD: 4 },
    workgroups: [heads, batch, 1],
    flop: 2 * batch * heads * width * (2 * width + outputs),
    // A quarter of the channels a thread in two layers, a sixteenth in the last, sixteen at a time.
    work: { threads: 256, steps: 2 * Math.ceil(width / 64) + Math.ceil(width / 256), instructions: 120 },
  });
  return y;
}

export const twin: Twin = ({ params, workgroups }, { weights, x }) => {
  const { heads = 0, tokens = 0 } = params;
  const [width, outputs] = [params["width4"], params["outputs4"]].map((count) => 4 * (count as number)) as [number, number];
  const batch = workgroups[1];
  const y = new Float32Array(batch * heads * outputs);
  for (let i = 0; i < batch * heads; i++) {
    const head = i % heads;
    const token = Math.floor(i / heads) * tokens + ((head + 1) % heads);
    const first = head * headWeights(width, outputs);
    let row: ArrayLike<number> = (x as Float32Array).subarray(token * width, (token + 1) * width);
    for (const layer of [0, 1]) row = linearRow(row, weights, first + layer * (width + 1) * width, width).map((value) => Math.max(value, 0));
    y.set(linearRow(row, weights, first + 2 * (width + 1) * width, outputs), i * outputs);
  }
  return { y };
};
