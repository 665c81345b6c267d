import { describe, expect, it } from "vitest";
import { elements, type Shape } from "../../src/graph/tensor.ts";
import { asStored, concatenated, joined, packOnCpu, stackedLinear, transposedLinear } from "../../src/graph/weight_source.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import { VIT_B } from "../../src/model/config.ts";
import { decodeGraph, encodeGraph, networkWeights } from "../../src/model/network.ts";
import { CPU_TARGET } from "../support/targets.ts";

/** Tensor `name` counts up from `first`. */
function counting(firsts: Readonly<Record<string, number>>, shapes: Readonly<Record<string, Shape>>) {
  return (name: string) => Float32Array.from({ length: elements(shapes[name] as Shape) }, (_, i) => (firsts[name] as number) + i);
}

describe("packings", () => {
  const shapes = { a: [2, 3], b: [1, 3], c: [2] };
  const read = counting({ a: 0, b: 10, c: 20 }, shapes);
  const of = (name: keyof typeof shapes) => ({ name, shape: shapes[name] });

  it("keeps a tensor as it stands", () => {
    expect([...packOnCpu(asStored("a", [2, 3]), [6], read)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("puts tensors one behind the other, or every so many elements", () => {
    expect([...packOnCpu(concatenated([of("a"), of("c")]), [8], read)]).toEqual([0, 1, 2, 3, 4, 5, 20, 21]);
    expect([...packOnCpu(concatenated([of("c"), of("b")], 4), [8], read)]).toEqual([20, 21, 0, 0, 10, 11, 12, 0]);
  });

  it("transposes linear weights, several side by side", () => {
    expect([...packOnCpu(transposedLinear([of("a")]), [3, 2], read)]).toEqual([0, 3, 1, 4, 2, 5]);
    expect([...packOnCpu(transposedLinear([of("a"), of("b")]), [3, 3], read)]).toEqual([0, 3, 10, 1, 4, 11, 2, 5, 12]);
  });

  it("stacks products one below the other, columns that none fills at 0", () => {
    expect([...packOnCpu(stackedLinear([[of("b")], [of("a")]], 2), [6, 2], read)]).toEqual([10, 0, 11, 0, 12, 0, 0, 3, 1, 4, 2, 5]);
  });

  it("joins packings, each with the room it takes", () => {
    const source = joined([
      [transposedLinear([of("a")]), 7],
      [concatenated([of("c")]), 2],
    ]);
    expect([...packOnCpu(source, [9], read)]).toEqual([0, 3, 1, 4, 2, 5, 0, 20, 21]);
  });

  it("computes tables from whole tensors", () => {
    const source = {
      kind: "computed" as const,
      parts: [of("a"), of("c")],
      compute: ([a, c]: readonly Float32Array[]) => Float32Array.of(a?.[5] as number, c?.[1] as number),
    };
    expect([...packOnCpu(source, [2], read)]).toEqual([5, 21]);
  });
});

describe("the weights of vit_b", () => {
  it("scatter every checkpoint element to a place of its own", () => {
    for (const { label, shape, source } of networkWeights(VIT_B)) {
      if (source?.kind !== "packed") continue;
      // Where each part goes, by its extremes: strides are positive, so a part's largest index is its last element's.
      const spans = source.parts.map(({ dims, strides, offset, shape: stored }) => {
        expect(`${label} ${dims.reduce((product, side) => product * side, 1)}`).toBe(`${label} ${elements(stored)}`);
        return { offset, last: dims.reduce((sum, side, d) => sum + (side - 1) * (strides[d] as number), offset) };
      });
      expect(Math.max(...spans.map(({ last }) => last))).toBeLessThan(elements(shape));
      // Injective: sorted by stride, each dimension steps over all that the smaller ones reach.
      for (const { dims, strides } of source.parts) {
        const order = dims.map((side, d) => ({ side, stride: strides[d] as number })).filter(({ side }) => side > 1);
        order.sort((x, y) => x.stride - y.stride);
        let reach = 0;
        for (const { side, stride } of order) {
          expect(stride, label).toBeGreaterThan(reach);
          reach += (side - 1) * stride;
        }
      }
    }
  });

  it("are the same for both kinds of adapter", () => {
    const upsample = { width: 1, height: 1, left: 0, top: 0, resize: true, spanX: 256, spanY: 256 };
    const of = (target: typeof GPU_TARGET) =>
      [encodeGraph(VIT_B, target).graph, decodeGraph(VIT_B, { batch: 2, tokens: 3, multimask: false, upsample }, target).graph].flatMap((graph) =>
        graph.weights.map(({ label, shape, source }) => ({ label, shape, parts: source?.parts })),
      );
    const [gpu, cpu] = [of(GPU_TARGET), of(CPU_TARGET)];
    expect(cpu).toEqual(gpu);
    const uploaded = new Map(networkWeights(VIT_B).map((weight) => [weight.label, weight.shape]));
    for (const { label, shape } of gpu) expect(uploaded.get(label), label).toEqual(shape);
  });
});
