// Linear layers on channels in groups, of heads above all, each group rounded up to fours with zeros, since kernels move four channels at a
// time: zeros in a head add nothing to its scores, and a hidden channel of an MLP whose weights and bias are zero stays zero.
import type { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { linear } from "../../ops/linear.ts";

export interface Channels {
  readonly groups: number;
  /** As the checkpoint has them. */
  readonly each: number;
}

type Options = Omit<Parameters<typeof linear>[3], "label" | "bias">;

export function padded(channels: number): number {
  return 4 * Math.ceil(channels / 4);
}

/** The checkpoint's linear layer `name`, on x [M, inputs] → [M, outputs], both with what is added to their groups. */
export function groupedLinear(graph: Graph, x: Tensor, name: string, inputs: Channels, outputs: Channels, options: Options = {}): Tensor {
  const [rows, columns] = [inputs.groups * padded(inputs.each), outputs.groups * padded(outputs.each)];
  const weight = graph.matrix(`${name}.weight`, [rows, columns], {
    kind: "packed",
    parts: [
      {
        name: `${name}.weight`,
        shape: [outputs.groups * outputs.each, inputs.groups * inputs.each],
        dims: [1, 1, outputs.groups, outputs.each, inputs.groups, inputs.each],
        strides: [0, 0, padded(outputs.each), 1, padded(inputs.each) * columns, columns],
        offset: 0,
      },
    ],
  });
  return linear(graph, x, weight, { label: name, bias: groupedBias(graph, name, outputs), ...options });
}

/** Its bias, [outputs]. */
export function groupedBias(graph: Graph, name: string, { groups, each }: Channels): Tensor {
  return graph.weight(`${name}.bias`, [groups * padded(each)], {
    kind: "packed",
    parts: [{ name: `${name}.bias`, shape: [groups * each], dims: [1, 1, 1, 1, groups, each], strides: [0, 0, 0, 0, padded(each), 1], offset: 0 }],
  });
}
