import { describe, expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import { plan } from "../../src/graph/plan.ts";
import { print, rows } from "../../src/graph/print.ts";
import { VIT_B } from "../../src/model/config.ts";
import { encodeGraph } from "../../src/model/network.ts";
import { add } from "./support.ts";

describe("print", () => {
  it("shows stage, op, workgroups, FLOP, bytes, buffer and shapes of every dispatch, then the sums", () => {
    const graph = new Graph("toy");
    const x = add(graph, graph.input("input", [2, 500]), graph.none, { label: "first", flop: 2_500_000 });
    graph.output(add(graph, x, x, { label: "encoder.second", shape: [250_000], flop: 1_000_000_000 }));
    expect(print(graph).split("\n")).toEqual([
      "stage           op   workgroups  MFLOP   MB    buffer  shapes",
      "first           add  1x1x1       2.5     0.01  #1      a[2, 500] -> y[2, 500]",
      "encoder.second  add  1x1x1       1000.0  1.00  #0      a[2, 500] b[2, 500] -> y[250000]",
      "toy: 2 dispatches, 1.00 GFLOP, 2 buffers, 1.00 MB of activations",
    ]);
  });

  it("has a row for every dispatch of vit_b, with its own label and a buffer of the plan", () => {
    const { graph } = encodeGraph(VIT_B);
    const { slots } = plan(graph);
    const printed = rows(graph);
    expect(printed.length).toBe(graph.dispatches.length);
    expect(new Set(printed.map(({ label }) => label)).size).toBe(printed.length);
    const buffers = printed.flatMap(({ buffer }) => buffer.split(" "));
    expect(buffers.every((buffer) => Number(buffer.slice(1)) < slots.length)).toBe(true);
    // Two of the adapter's norm: the next block's goes with it.
    expect(printed.find(({ label }) => label === "image_encoder.blocks.3.Adapter.norm")?.buffer).toMatch(/^#\d+ #\d+$/);
    expect(print(graph)).toContain("image_encoder.blocks.11.Adapter.spatial.2");
    // What a dispatch does without is not shown.
    expect(print(graph)).not.toContain("[4]");
  });
});
