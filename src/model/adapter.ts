// The adapter of SAM-Med2D: channel attention and a convolution down and up again, beside the MLP of every block.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { transposedLinear } from "../graph/weight_source.ts";
import { channelGate } from "../ops/channel_gate.ts";
import { conv2d, convWeight } from "../ops/conv2d.ts";
import { convTranspose2d, convTransposeWeight } from "../ops/conv_transpose2d.ts";
import { normLayer } from "./layers.ts";

/** The framework's default, unlike the encoder's own norms. */
const EPS = 1e-5;
const SQUEEZE = 4;

/** n [T, C] → LN(n + spatial(n · gate(n))) + residual [T, C]. */
export function adapter(graph: Graph, n: Tensor, name: string, grid: number, residual: Tensor): Tensor {
  const channels = n.shape[1] as number;
  const hidden = channels / SQUEEZE;
  const product = (layer: string, outputs: number, inputs: number) =>
    graph.weight(`${name}.${layer}.weight`, [inputs, outputs], transposedLinear([{ name: `${name}.${layer}.weight`, shape: [outputs, inputs] }]));
  const gate = channelGate(graph, n, product("channel.0", hidden, channels), product("channel.2", channels, hidden), `${name}.channel`);
  const down = graph.weight(`${name}.spatial.0.weight`, [9 * channels, channels], convWeight(`${name}.spatial.0.weight`, channels, channels));
  const up = graph.weight(`${name}.spatial.2.weight`, [16 * channels, channels], convTransposeWeight(`${name}.spatial.2.weight`, channels, channels, 4));
  const small = conv2d(graph, n, down, { label: `${name}.spatial.0`, side: grid, stride: 2, gate, activation: "relu" });
  const spatial = convTranspose2d(graph, small, up, { label: `${name}.spatial.2`, side: grid / 2, kernel: 4, activation: "relu" });
  return normLayer(graph, n, `${name}.norm`, { eps: EPS, addend: spatial, residual });
}
