import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { VIT_B } from "../../src/model/config.ts";
import { decodeGraph, encodeGraph, expectedTensors, networkWeights } from "../../src/model/network.ts";
import { densePositions, resizePositions, resizeRelative } from "../../src/model/tables.ts";
import { expectClose } from "../support/compare.ts";
import { CPU_TARGET } from "../support/targets.ts";

const UPSAMPLE = { width: 300, height: 200, left: 0, top: 0, resize: true, spanX: 256, spanY: 256 };
const encode = encodeGraph(VIT_B).graph;
const decode = decodeGraph(VIT_B, { batch: 1, tokens: 2, multimask: true, upsample: UPSAMPLE }).graph;

const paramOf = (graph: Graph, op: string, param: string) =>
  new Map(graph.dispatches.filter((dispatch) => dispatch.op === op).map(({ label, params }) => [label, params[param]]));

describe("facts of the network that rounding hides from the goldens", () => {
  it("has eps 1e-6 in the encoder's norms, 1e-5 in the adapters'", () => {
    const eps = paramOf(encode, "layer_norm", "eps");
    // Block 0's norm1, then a norm2 and the adapter's norm in each block, two in the neck.
    expect(eps.size).toBe(1 + 12 * 2 + 2);
    for (const [label, value] of eps) expect(value, label).toBe(label.endsWith("Adapter.norm") ? 1e-5 : 1e-6);
    // The adapter's norm takes the next block's norm1 along, with that one's eps.
    const next = [...paramOf(encode, "layer_norm", "next_eps")].filter(([label]) => label.endsWith("Adapter.norm"));
    expect(next.map(([, value]) => value)).toEqual([...Array(11).fill(1e-6), 0]);
  });

  it("has eps 1e-5 in the decoder's transformer, 1e-6 in its upscaling and in the mask prompt", () => {
    const eps = [...paramOf(decode, "attention_block", "eps"), ...paramOf(decode, "token_projection", "eps")];
    expect(eps.length).toBe(2 * 4 + 1);
    for (const [label, value] of eps) expect(value, label).toBe(1e-5);
    for (const op of ["dense_prompt", "mask_upscale"]) expect([...paramOf(decode, op, "eps").values()]).toEqual([1e-6]);
  });

  it("scales scores by the width of one head", () => {
    for (const [label, scale] of paramOf(encode, "relative_attention", "scale")) expect(scale, label).toBe(1 / 8);
    for (const [label, scale] of paramOf(decode, "attention", "scale")) expect(scale, label).toBe(1 / 4);
    // Those that end in norm1 are the self-attentions.
    for (const [label, scale] of paramOf(decode, "attention_block", "scale"))
      expect(scale, label).toBeCloseTo(label.endsWith("norm1") ? 32 ** -0.5 : 1 / 4, 15);
  });

  it("attends within windows of 14 but in blocks 2, 5, 8 and 11", () => {
    const windows = encode.dispatches.filter(({ op }) => op === "relative_attention").map(({ constants }) => constants["WINDOW"]);
    expect(windows).toEqual([14, 14, 16, 14, 14, 16, 14, 14, 16, 14, 14, 16]);
  });
});

describe("a decode of many points", () => {
  const config = { ...VIT_B, imageSize: 512, grid: 32 };
  const of = (tokens: number, batch = 1) => decodeGraph(config, { batch, tokens, multimask: true, upsample: UPSAMPLE }, CPU_TARGET).graph;
  const flop = (graph: Graph) => graph.dispatches.reduce((sum, dispatch) => sum + dispatch.flop, 0);

  it("of a thousand is little more than ten times the work of one of ten, nearly all of it in kernels for many rows", () => {
    const [few, many] = [of(10), of(1000)];
    expect(flop(many) / flop(few)).toBeLessThan(10.7);
    // Where tokens attend to tokens or the image to many of them, a kernel of its own.
    expect(many.dispatches.length - few.dispatches.length).toBe(4);
    const fused = many.dispatches.filter(({ op }) => !["linear", "attention"].includes(op)).reduce((sum, dispatch) => sum + dispatch.flop, 0);
    expect(fused / flop(many)).toBeLessThan(0.2);
  });

  it("asks at its end for the output tokens alone, where they lie side by side", () => {
    const queries = (graph: Graph) => paramOf(graph, "attention", "queries").get("mask_decoder.transformer.final_attn_token_to_image");
    expect([queries(of(10)), queries(of(10, 3))]).toEqual([5, 15]);
  });
});

describe("the tensors of the network", () => {
  it("are each wanted in one shape, by the reference's names", () => {
    const names = expectedTensors(VIT_B).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => /^(image_encoder|prompt_encoder|mask_decoder)\./.test(name))).toBe(true);
    expect(names.filter((name) => name.includes("Adapter")).length).toBe(12 * 6);
  });

  it("are packed into weights with labels of their own", () => {
    const labels = networkWeights(VIT_B).map(({ label }) => label);
    expect(new Set(labels).size).toBe(labels.length);
  });
});

describe("position tables", () => {
  it("are left as they are at their own size", () => {
    const table = Float32Array.from({ length: 4 * 3 }, (_, i) => i);
    expect(resizePositions(table, 2, 2)).toBe(table);
    expect(resizeRelative(table, 4, 4)).toBe(table);
  });

  it("are resized as torch.nn.functional.interpolate does with align_corners false", () => {
    // [0, 1, 2, 3] to 6: positions (i + 0.5) · 4 / 6 - 0.5, held at the ends.
    const to6 = [0, 0.5, 7 / 6, 11 / 6, 2.5, 3];
    expectClose(resizeRelative(Float32Array.of(0, 1, 2, 3), 4, 6), to6, { label: "stretched", bound: 1e-6 });
    // To 2: halfway between neighbours, nothing averaged beyond them.
    expectClose(resizeRelative(Float32Array.of(0, 10, 1, 11, 2, 12, 3, 13), 4, 2), [0.5, 10.5, 2.5, 12.5], { label: "shrunk, two channels", bound: 1e-6 });
    const square = Float32Array.from({ length: 16 }, (_, i) => 10 * Math.floor(i / 4) + (i % 4));
    const want = Array.from({ length: 36 }, (_, i) => 10 * (to6[Math.floor(i / 6)] as number) + (to6[i % 6] as number));
    expectClose(resizePositions(square, 4, 6), want, { label: "both axes", bound: 1e-5 });
  });

  it("encode the centres of the cells, x before y", () => {
    // A grid of 2, one frequency that sees x alone: centres ∓1/2 → z = ∓π/2 · 1.
    const positions = densePositions(Float32Array.of(0.5, 0), 2);
    expectClose(positions, [-1, 0, 1, 0, -1, 0, 1, 0], { label: "sin and cos of x", bound: 1e-6 });
  });
});
