import { describe, expect, it, vi } from "vitest";
import { expectShape, Graph } from "../../src/graph/graph.ts";
import { byteLength } from "../../src/graph/tensor.ts";
import { asStored } from "../../src/graph/weight_source.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import { VIT_B } from "../../src/model/config.ts";
import { encodeGraph } from "../../src/model/network.ts";
import { ADD, add } from "./support.ts";

/** A graph with an input, a written activation and one that nobody wrote. */
function setup() {
  const graph = new Graph("test");
  const input = graph.input("input", [4]);
  const unwritten = graph.activation("unwritten", [4]);
  const record = {
    op: "add",
    label: "here",
    shader: ADD,
    reads: { a: input, b: input },
    writes: { y: unwritten },
    params: { count: 4, scale: 0.5 },
    workgroups: [1, 1, 1],
    flop: 4,
  } as const;
  return { graph, input, unwritten, record };
}

/** A bug of the recording, as SamError says it. */
const recordingError = (facts: Record<string, unknown>) => expect.objectContaining({ name: "SamError", code: "graph", ...facts });

describe("recording a graph", () => {
  it("keeps dispatches and tensors in order, and counts every operand's bytes once", () => {
    const { graph, input, record } = setup();
    const weight = graph.weight("weight", [100], asStored("weight", [100]));
    graph.dispatch(record);
    graph.dispatch({ ...record, reads: { a: record.writes.y, b: weight }, writes: { y: graph.activation("next", [100]) }, label: "then" });
    expect(graph.dispatches.map(({ label }) => label)).toEqual(["here", "then"]);
    expect(graph.dispatches[0]?.bytes).toBe(2 * byteLength(input));
    expect(graph.dispatches[1]?.bytes).toBe(16 + 400 + 400);
    expect(graph.dispatches[0]).toMatchObject({ constants: {}, condition: "" });
    expect(graph.tensors.map(({ id }) => id)).toEqual(graph.tensors.map((_, i) => i));
    expect(graph.weights).toEqual([weight]);
  });

  it("gives one weight, one constant of zeros and one stand-in for what is left out, however often asked", () => {
    const graph = new Graph("test");
    expect(graph.weight("w", [3], asStored("w", [3]))).toBe(graph.weight("w", [3], asStored("w", [3])));
    expect(graph.zeros([5])).toBe(graph.zeros([5]));
    expect(graph.zeros([6])).not.toBe(graph.zeros([5]));
    expect(graph.none).toBe(graph.none);
    const y = add(graph, graph.none, graph.none);
    expect(graph.output(y)).toBe(graph.output(y));
    expect(graph.outputs).toEqual([y]);
  });

  it("rounds a buffer's bytes up to whole vectors of four", () => {
    expect([1, 4, 5, 1000].map((side) => byteLength({ shape: [side], dtype: "f32" }))).toEqual([16, 16, 32, 4000]);
    // Halves, and bytes with an f32 behind them for each column.
    expect(byteLength({ shape: [3, 20], dtype: "f16" })).toBe(128);
    expect(byteLength({ shape: [3, 20], dtype: "int8" })).toBe(60 + 80 + 4);
  });

  it("refuses a binding that is not bound, or bound to the wrong side", () => {
    const { graph, input, record } = setup();
    const { b: _, ...alone } = record.reads;
    expect(() => graph.dispatch({ ...record, reads: alone })).toThrow(
      recordingError({ op: "add (here)", argument: "b", expected: "b bound as read", got: "nothing" }),
    );
    expect(() => graph.dispatch({ ...record, writes: {} })).toThrow(recordingError({ argument: "y", expected: "y bound as write" }));
    expect(() => graph.dispatch({ ...record, reads: { ...record.reads, y: input }, writes: {} })).toThrow(recordingError({ argument: "y" }));
  });

  it("refuses a binding the kernel does not have", () => {
    const { graph, input, record } = setup();
    expect(() => graph.dispatch({ ...record, reads: { ...record.reads, c: input, d: input } })).toThrow(
      recordingError({ expected: "bindings of add.wgsl", got: "c, d" }),
    );
  });

  it.each([
    ["one too few", { count: 1 }],
    ["one too many", { count: 1, scale: 1, extra: 1 }],
    ["NaN", { count: 1, scale: Number.NaN }],
    ["infinity", { count: 1, scale: Number.POSITIVE_INFINITY }],
  ])("refuses params with %s", (_, params) => {
    const { graph, record } = setup();
    expect(() => graph.dispatch({ ...record, params })).toThrow(recordingError({ expected: "params {count, scale}, all finite" }));
  });

  it("refuses to read what nothing has written", () => {
    const { graph, input, unwritten, record } = setup();
    const y = graph.activation("y", [4]);
    expect(() => graph.dispatch({ ...record, reads: { a: input, b: unwritten }, writes: { y } })).toThrow(
      recordingError({ argument: "b", expected: "a tensor written before it is read", got: "unwritten" }),
    );
  });

  it("refuses to write what is no activation, or what the dispatch reads", () => {
    const { graph, input, record } = setup();
    const own = recordingError({ argument: "y", expected: "an activation the dispatch does not read" });
    expect(() => graph.dispatch({ ...record, writes: { y: input } })).toThrow(own);
    graph.dispatch(record);
    expect(() => graph.dispatch({ ...record, reads: { a: input, b: record.writes.y } })).toThrow(own);
  });

  it.each([[[0, 1, 1]], [[65536, 1, 1]], [[1, 1.5, 1]], [[1, 1, -1]]] as const)("refuses %j workgroups", (workgroups) => {
    const { graph, record } = setup();
    expect(() => graph.dispatch({ ...record, workgroups: workgroups as unknown as [number, number, number] })).toThrow(
      recordingError({ got: `[${workgroups.join(", ")}]` }),
    );
    expect(() => graph.dispatch({ ...record, workgroups: [65535, 65535, 1] })).not.toThrow();
  });

  it("refuses more workgroups than WebGPU runs in what is shipped too, and says what to do", () => {
    vi.stubEnv("DEV", false);
    try {
      const { graph, record } = setup();
      // Other checks are left out there.
      graph.dispatch({ ...record, params: {} });
      expect(() => graph.dispatch({ ...record, workgroups: [1, 65536, 1] })).toThrow(
        recordingError({ got: "[1, 65536, 1]", remedy: expect.stringContaining("smaller imageSize") }),
      );
      // 64 patches of 64 pixels a side.
      const config = { ...VIT_B, patch: 64, imageSize: 4096, grid: 64, storedGrid: 64 };
      expect(() => encodeGraph(config, GPU_TARGET)).toThrow(recordingError({ op: "patchify (image_encoder.patch_embed.patches)", got: "[196608, 1, 1]" }));
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("refuses tensors without a size, and constants of another length", () => {
    const graph = new Graph("test");
    expect(() => graph.activation("empty", [3, 0])).toThrow(recordingError({ op: "empty", got: "[3, 0]" }));
    expect(() => graph.input("half", [2.5])).toThrow(recordingError({ op: "half" }));
    expect(() => graph.constant("table", [2, 3], new Float32Array(5))).toThrow(recordingError({ op: "table", expected: "[2, 3]", got: "5 values" }));
  });
});

describe("expectShape", () => {
  it("takes the shape itself and names op, argument, both shapes and the tensor otherwise", () => {
    const tensor = new Graph("test").input("blocks.3.norm2.weight", [3072]);
    expectShape("layer_norm", "weight", tensor, [3072]);
    for (const shape of [[768], [3072, 1]]) {
      expect(() => expectShape("layer_norm", "weight", tensor, shape)).toThrow(
        `layer_norm: weight must be [${shape.join(", ")}], got [3072] (blocks.3.norm2.weight)`,
      );
    }
  });
});
