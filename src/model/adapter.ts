// The adapter of SAM-Med2D: channel attention and a convolution down and up again, beside the MLP of every block.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { transposedLinear } from "../graph/weight_source.ts";
import { channelGate } from "../ops/channel_gate.ts";
import { conv2d, convWeight } from "../ops/conv2d.ts";
import { convTranspose2d, convTransposeWeight } from "../ops/conv_transpose2d.ts";
import { type LayerNormed, layerNorm } from "../ops/layer_norm.ts";
import { norm } from "./layers.ts";

/** The framework's default, unlike the encoder's own norms. */
const EPS = 1e-5;
const SQUEEZE = 4;

export interface AdapterOptions {
  readonly grid: number;
  /** [T, C], or the parts of a product [P, T, C] */
  readonly residual: Tensor;
  readonly next?: ReturnType<typeof norm> | undefined;
}

/** n [T, C] and its sums over groups of rows → LN(n + spatial(n · gate(n))) + residual [T, C], and `next` of that. */
export function adapter(graph: Graph, n: Tensor, sums: Tensor, name: string, { grid, residual, next }: AdapterOptions): LayerNormed {
  const [rows, channels] = n.shape as [number, number];
  const hidden = channels / SQUEEZE;
  const product = (layer: string, outputs: number, inputs: number) =>
    graph.weight(`${name}.${layer}.weight`, [inputs, outputs], transposedLinear([{ name: `${name}.${layer}.weight`, shape: [outputs, inputs] }]));
  const squeeze = { label: `${name}.channel`, rows };
  const gate = channelGate(graph, sums, product("channel.0", hidden, channels), product("channel.2", channels, hidden), squeeze);
  const down = graph.matrix(`${name}.spatial.0.weight`, [9 * channels, channels], convWeight(`${name}.spatial.0.weight`, channels, channels));
  const up = graph.matrix(`${name}.spatial.2.weight`, [16 * channels, channels], convTransposeWeight(`${name}.spatial.2.weight`, channels, channels));
  const small = conv2d(graph, n, down, { label: `${name}.spatial.0`, side: grid, stride: 2, gate, activation: "relu" });
  const spatial = convTranspose2d(graph, small, up, { label: `${name}.spatial.2`, side: grid / 2, activation: "relu", partial: true });
  const own = norm(graph, `${name}.norm`, channels, EPS);
  return layerNorm(graph, n, own, { label: own.label, addend: spatial, addendActivation: "relu", residual, next });
}
