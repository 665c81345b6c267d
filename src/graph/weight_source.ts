// How a weight tensor of the graph is made from tensors of the checkpoint: plain data, so that a checkpoint can be
// checked without a GPU and the packing has a CPU twin.
import type { Graph } from "./graph.ts";
import { type DType, elements, type Shape, type Tensor } from "./tensor.ts";

export type Six = readonly [number, number, number, number, number, number];

/**
 * One checkpoint tensor scattered into a packed weight. The source, row-major, is seen as `dims` (six of them);
 * element (i0, …, i5) goes to `offset + i0*strides[0] + … + i5*strides[5]`.
 */
export interface PackedPart {
  /** Name in the checkpoint. */
  readonly name: string;
  /** Shape in the checkpoint. */
  readonly shape: Shape;
  readonly dims: Six;
  readonly strides: Six;
  readonly offset: number;
}

/** Packed: a permutation of checkpoint tensors, done on the GPU at load. */
export interface PackedSource {
  readonly kind: "packed";
  readonly parts: readonly PackedPart[];
}

/** Computed: a small table derived from whole checkpoint tensors on the CPU at load. */
export interface ComputedSource {
  readonly kind: "computed";
  readonly parts: readonly { readonly name: string; readonly shape: Shape }[];
  readonly compute: (sources: readonly Float32Array[]) => Float32Array;
}

/** Derived: what a graph of its own makes of other weights, run once when those are on the device. */
export interface DerivedSource {
  readonly kind: "derived";
  readonly parts: readonly [];
  readonly graph: Graph;
  readonly output: Tensor;
}

export type WeightSource = PackedSource | ComputedSource | DerivedSource;

/** The weight's value is `output` of a graph that has no inputs. */
export function derived(graph: Graph, output: Tensor): DerivedSource {
  return { kind: "derived", parts: [], graph, output: graph.output(output) };
}

/** The checkpoint tensor as it stands. */
export function asStored(name: string, shape: Shape): PackedSource {
  return { kind: "packed", parts: [{ name, shape, dims: [1, 1, 1, 1, 1, elements(shape)], strides: [0, 0, 0, 0, 0, 1], offset: 0 }] };
}

/** Tensors one after another, each in its own order, every `stride` elements if one is given: `[N1] + [N2] + … → [N1 + N2 + …]`. */
export function concatenated(parts: readonly { name: string; shape: Shape }[], stride?: number): PackedSource {
  let offset = 0;
  return {
    kind: "packed",
    parts: parts.map(({ name, shape }) => {
      const part: PackedPart = { name, shape, dims: [1, 1, 1, 1, 1, elements(shape)], strides: [0, 0, 0, 0, 0, 1], offset };
      offset += stride ?? elements(shape);
      return part;
    }),
  };
}

/**
 * Linear weights `[N, K]` (or 1×1 convolutions `[N, K, 1, 1]`, or patch embeddings `[N, …K]`) transposed to the order the
 * matrix product reads, `[K, N]`, several side by side: `[N1, K], [N2, K], … → [K, N1 + N2 + …]`.
 */
export function transposedLinear(parts: readonly { name: string; shape: Shape }[]): PackedSource {
  const columns = parts.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
  return stackedLinear([parts], columns);
}

/** Several such products one below the other, each `[K, columns]`: `[Z·K, columns]`; columns that no part fills stay 0. */
export function stackedLinear(blocks: readonly (readonly { name: string; shape: Shape }[])[], columns: number): PackedSource {
  let first = 0;
  const parts = blocks.flatMap((block) => {
    let offset = first;
    return block.map(({ name, shape }): PackedPart => {
      const outputs = shape[0] as number;
      const inputs = elements(shape) / outputs;
      const part: PackedPart = { name, shape, dims: [1, 1, 1, 1, outputs, inputs], strides: [0, 0, 0, 0, 1, columns], offset };
      offset += outputs;
      first = Math.max(first, part.offset - (part.offset % columns) + inputs * columns);
      return part;
    });
  });
  return { kind: "packed", parts };
}

/** Sources one behind the other, each with the elements it takes. */
export function joined(sections: readonly (readonly [source: PackedSource, elements: number])[]): PackedSource {
  let first = 0;
  const parts = sections.flatMap(([source, count]) => {
    const moved = source.parts.map((part) => ({ ...part, offset: first + part.offset }));
    first += count;
    return moved;
  });
  return { kind: "packed", parts };
}

/** The packing a naive loop does, rounded to what the weight's type can hold: the oracle of the `unpack` kernel. */
export function packOnCpu(source: WeightSource, shape: Shape, read: (name: string) => Float32Array, dtype: DType = "f32"): Float32Array {
  if (source.kind === "derived") throw new Error("a derived weight is made on the device");
  if (source.kind === "computed") return source.compute(source.parts.map(({ name }) => read(name)));
  const packed = new Float32Array(elements(shape));
  for (const { name, dims, strides, offset } of source.parts) {
    const data = read(name);
    for (let i = 0; i < data.length; i++) {
      let rest = i;
      let to = offset;
      for (let d = 5; d >= 0; d--) {
        to += (rest % (dims[d] as number)) * (strides[d] as number);
        rest = Math.floor(rest / (dims[d] as number));
      }
      packed[to] = data[i] as number;
    }
  }
  if (dtype === "f16") return packed.map(roundToF16);
  return dtype === "int8" ? roundToInt8(packed, shape.at(-1) as number) : packed;
}

/** Nearest, ties to even. */
function roundToF16(value: number): number {
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(value)))) - 10);
  return value === 0 ? value : roundToEven(value / step) * step;
}

/** To 255 steps of each column's own size. */
function roundToInt8(packed: Float32Array, columns: number): Float32Array {
  const largest = new Float32Array(columns);
  packed.forEach((value, i) => {
    largest[i % columns] = Math.max(largest[i % columns] as number, Math.abs(value));
  });
  return packed.map((value, i) => {
    const step = (largest[i % columns] as number) / 127;
    return step === 0 ? 0 : roundToEven(value / step) * step;
  });
}

function roundToEven(value: number): number {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}
