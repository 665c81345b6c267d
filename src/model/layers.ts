// Weights of the network's layers as graph tensors, by their names in the checkpoint.
import type { Graph } from "../graph/graph.ts";
import { elements, type Shape, type Tensor } from "../graph/tensor.ts";
import { asStored, concatenated, transposedLinear } from "../graph/weight_source.ts";
import type { Activation } from "../ops/activation.ts";
import { layerNorm, type Norm } from "../ops/layer_norm.ts";
import { linear } from "../ops/linear.ts";

type LinearOptions = Partial<Parameters<typeof linear>[3]>;

/** A tensor as the checkpoint has it, seen in another shape of as many elements where one is given. */
export function stored(graph: Graph, name: string, shape: Shape, seenAs: Shape = shape): Tensor {
  return graph.weight(name, seenAs, asStored(name, shape));
}

export interface LinearShape {
  /** Module path in the checkpoint, without `.weight`. */
  readonly name: string;
  readonly outputs: number;
  /** Shape of one output's weights: [K], or [K, 1, 1] of a 1×1 convolution. */
  readonly inputs: Shape;
}

/** Weight [K, N] and bias [N] of one linear layer, or of several side by side. */
export function linearWeights(graph: Graph, label: string, layers: readonly LinearShape[], bias = true): { weight: Tensor; bias?: Tensor } {
  const outputs = layers.reduce((sum, layer) => sum + layer.outputs, 0);
  const inputs = elements(layers[0]?.inputs ?? []);
  const weight = graph.matrix(
    `${label}.weight`,
    [inputs, outputs],
    transposedLinear(layers.map((layer) => ({ name: `${layer.name}.weight`, shape: [layer.outputs, ...layer.inputs] }))),
  );
  if (!bias) return { weight };
  return {
    weight,
    bias: graph.weight(`${label}.bias`, [outputs], concatenated(layers.map((layer) => ({ name: `${layer.name}.bias`, shape: [layer.outputs] })))),
  };
}

/** The checkpoint's linear layer `name`, on x [M, K] → [M, outputs]. */
export function linearLayer(graph: Graph, x: Tensor, name: string, outputs: number, options: LinearOptions = {}): Tensor {
  const { weight, bias } = linearWeights(graph, name, [{ name, outputs, inputs: [x.shape[1] as number] }]);
  return linear(graph, x, weight, { label: name, ...(bias ? { bias } : {}), ...options });
}

/** The checkpoint's LayerNorm `name` of `channels` channels. */
export function norm(graph: Graph, name: string, channels: number, eps: number): Norm & { label: string } {
  const parts = ["weight", "bias"].map((part) => ({ name: `${name}.${part}`, shape: [channels] }));
  return { label: name, eps, affine: graph.weight(`${name}.affine`, [2, channels], concatenated(parts)) };
}

/** The checkpoint's LayerNorm `name`, on x [M, C] or the parts of a product [P, M, C] → [M, C]. */
export function normLayer(graph: Graph, x: Tensor, name: string, { eps, ...options }: { eps: number; activation?: Activation }): Tensor {
  return layerNorm(graph, x, norm(graph, name, x.shape.at(-1) as number, eps), { label: name, ...options }).y;
}
