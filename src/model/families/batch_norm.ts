// Convolutions whose BatchNorm is folded into them when the weights are loaded: conv(x)·s + (bias - mean·s), s = weight / √(variance + eps).
// They are kept in f32, which folding needs, and are a twentieth of the encoder.
import type { Graph } from "../../graph/graph.ts";
import type { Shape, Tensor } from "../../graph/tensor.ts";

const EPS = 1e-5;

export interface FoldedConv {
  /** Channels in; a depthwise convolution has none of others to see. */
  readonly inputs?: number;
  readonly outputs: number;
  readonly kernel: 1 | 3;
}

/** Cells and channels as rows, then the bias: [k²·I + 1, O] of `name.c` [O, I, k, k] and `name.bn`. */
export function foldedConv(graph: Graph, name: string, conv: FoldedConv): Tensor {
  const rows = conv.kernel ** 2 * (conv.inputs ?? 1);
  return graph.weight(`${name}.folded`, [rows + 1, conv.outputs], { kind: "computed", parts: partsOf(name, conv), compute: (parts) => fold(parts, conv) });
}

/** Of a 1×1 convolution as a linear layer: weight [I, O], bias [O]. */
export function foldedLinear(graph: Graph, name: string, inputs: number, outputs: number): { readonly weight: Tensor; readonly bias: Tensor } {
  return foldedProduct(graph, name, { inputs, outputs, kernel: 1 });
}

/** The same for any kernel: weight [k²·I, O], cells and channels as rows, or of `shape` as `arrange` makes it of that; bias [O]. */
export function foldedProduct(
  graph: Graph,
  name: string,
  conv: FoldedConv & { readonly inputs: number },
  shape: Shape = [conv.kernel ** 2 * conv.inputs, conv.outputs],
  arrange: (weight: Float32Array) => Float32Array = (weight) => weight,
): { readonly weight: Tensor; readonly bias: Tensor } {
  const end = conv.kernel ** 2 * conv.inputs * conv.outputs;
  const part = (label: string, own: Shape, of: (folded: Float32Array) => Float32Array) =>
    graph.weight(`${name}.${label}`, own, { kind: "computed", parts: partsOf(name, conv), compute: (parts) => of(fold(parts, conv)) });
  return { weight: part("weight", shape, (folded) => arrange(folded.slice(0, end))), bias: part("bias", [conv.outputs], (folded) => folded.slice(end)) };
}

function partsOf(name: string, { inputs = 1, outputs, kernel }: FoldedConv): { name: string; shape: Shape }[] {
  const vectors = ["weight", "bias", "running_mean", "running_var"].map((vector) => ({ name: `${name}.bn.${vector}`, shape: [outputs] }));
  return [{ name: `${name}.c.weight`, shape: [outputs, inputs, kernel, kernel] }, ...vectors];
}

function fold([weights, scale, bias, mean, variance]: readonly Float32Array[], { inputs = 1, outputs, kernel }: FoldedConv): Float32Array {
  const cells = kernel ** 2;
  const rows = cells * inputs;
  const folded = new Float32Array((rows + 1) * outputs);
  for (let o = 0; o < outputs; o++) {
    const factor = (scale?.[o] as number) / Math.sqrt((variance?.[o] as number) + EPS);
    for (let c = 0; c < inputs; c++) {
      for (let cell = 0; cell < cells; cell++) folded[(cell * inputs + c) * outputs + o] = (weights?.[(o * inputs + c) * cells + cell] as number) * factor;
    }
    folded[rows * outputs + o] = (bias?.[o] as number) - (mean?.[o] as number) * factor;
  }
  return folded;
}
