import { expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import { offsetAttention, relativeAttention, tableStride } from "../../src/ops/relative_attention.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";
import { given, type Range, runOp, SOFTWARE_HERE, values } from "../support/twins.ts";

// Scores of a few units lose a few roundings (6e-8) each, and so do the weights made of them.
const BOUND = 2e-6;

interface Case {
  readonly grid: number;
  readonly window: number;
  readonly heads: number;
  /** Channels of a head. */
  readonly width: number;
  readonly qkv?: Range;
  readonly tables?: Range;
}

function record({ grid, window, heads, width, qkv = {}, tables = { scale: 0.3 } }: Case) {
  const channels = heads * width;
  return (graph: Graph) =>
    relativeAttention(
      graph,
      given(graph, "qkv", [grid * grid, 3 * channels], qkv),
      given(graph, "bias", [3 * channels]),
      given(graph, "rel_h", [2 * window - 1, width], tables),
      given(graph, "rel_w", [2 * window - 1, width], tables),
      { label: "test", heads, grid, window },
    );
}

/** Seconds each to compile where LLVM does it. */
const MORE_SIZES: readonly Case[] = [
  { grid: 1, window: 1, heads: 1, width: 4 },
  { grid: 6, window: 6, heads: 1, width: 36 }, // two vectors of the sum a thread, some past the end
  { grid: 5, window: 5, heads: 3, width: 8 }, // global
  { grid: 16, window: 14, heads: 2, width: 4 }, // as in SAM-Med2D: the last windows are 2 wide
  { grid: 20, window: 7, heads: 1, width: 4 }, // three windows a side, the last 6 wide
  { grid: 17, window: 17, heads: 1, width: 4 }, // a row of keys is one more than a tile
  { grid: 33, window: 33, heads: 1, width: 4 },
];

const MORE_OFFSETS = [
  { grid: 6, window: 3, heads: 2, width: 8 }, // nothing padded; 9 numbers a head, in rows of 12
  { grid: 25, window: 14, heads: 1, width: 4 },
];
/** Grids and windows; the kernels of the last two are other tests' as well, quickly that of the last alone. */
const SUMMED: readonly (readonly [grid: number, window: number])[] = QUICK
  ? [[3, 14]]
  : [
      [5, 5],
      [9, 7],
      [3, 14],
    ];

describeGpu("relative_attention", () => {
  // Narrow heads for most: a software adapter takes a second and more to compile the kernel for each width and window.
  it.each<Case>([
    { grid: 1, window: 14, heads: 2, width: 4 }, // one token among 195 padded ones
    { grid: 8, window: 14, heads: 3, width: 4 }, // a window larger than the grid
    { grid: 9, window: 3, heads: 2, width: 12 }, // nothing padded
    ...(QUICK ? [] : MORE_SIZES),
  ])("grid $grid, window $window, $heads heads of $width", async (options) => {
    await runOp(record(options), { bound: BOUND });
  });

  it("takes half as many keys at a time where heads and windows are wide, and fewer queries where windows are wider", async () => {
    const sizes = (window: number, width: number) => {
      const graph = new Graph("wide");
      record({ grid: window, window, heads: 1, width })(graph);
      const constants = graph.dispatches[0]?.constants;
      return [constants?.["QUERIES"], constants?.["TILE"]];
    };
    expect([sizes(16, 64), sizes(64, 64), sizes(64, 80), sizes(128, 64)]).toEqual([
      [16, 16],
      [16, 8],
      [16, 8],
      [8, 8],
    ]);
    // The sizes on a small window: the kernel is the same, and its twin takes no minutes.
    const small = [
      [16, 8],
      [8, 8],
      [2, 8],
    ] as const;
    for (const [QUERIES, TILE] of QUICK ? [] : small) {
      const [grid, window, heads] = [10, 9, 2];
      await runOp(
        (graph) => {
          const y = record({ grid, window, heads, width: 4 })(graph);
          graph.dispatches.forEach((dispatch, i) => {
            const workgroups = [Math.ceil(window ** 2 / QUERIES), 4, heads] as const;
            graph.dispatches[i] = { ...dispatch, workgroups, constants: { ...dispatch.constants, QUERIES, TILE } };
          });
          return y;
        },
        { bound: BOUND, targets: [GPU_TARGET] },
      );
    }
  });

  it("takes wide heads on software adapters", async () => {
    const options = { grid: 5, window: 3, heads: 2, width: 80 };
    const [{ graph }] = await runOp(record(options), { bound: BOUND, targets: [SOFTWARE_HERE] });
    expect(graph.dispatches[0]?.constants["LANES"]).toBe(SOFTWARE_HERE.subgroupSize);
  });

  it.each(SUMMED)("has rows of weights that sum to 1, padded keys included: grid %i, window %i", async (grid, window) => {
    const [heads, width] = [2, 4];
    const ones = (data: Float32Array) => data.map((value, i) => (i % (3 * heads * width) < 2 * heads * width ? value : 1));
    const results = await runOp(
      (graph) => {
        const tables = [2 * window - 1, width] as const;
        const qkv = given(graph, "qkv", [grid * grid, 3 * heads * width], ones(values("qkv", grid * grid * 3 * heads * width)));
        const bias = given(graph, "bias", [3 * heads * width], ones(values("bias", 3 * heads * width)));
        return relativeAttention(graph, qkv, bias, given(graph, "rel_h", tables), given(graph, "rel_w", tables), { label: "test", heads, grid, window });
      },
      { bound: BOUND },
    );
    // Up to 196 weights and their sum are rounded alike: what is left is a few roundings of 1.
    for (const { value } of results) expectClose(value, new Float32Array(value.length).fill(1), { label: "sum of the weights", bound: 1e-6 });
  });

  it("stays finite and right where scores are thousands", async () => {
    // Scores of 6000 are rounded to 5e-4: so are the weights, relative to themselves, where two are close.
    await runOp(record({ grid: 9, window: QUICK ? 14 : 7, heads: 2, width: 4, qkv: { scale: 90 }, tables: { scale: 20 } }), { bound: 2e-3 });
  });

  // Of a window that no other test has.
  if (!QUICK)
    it("adds the terms of row and column with the unscaled query", async () => {
      // k = 0: the scores are the position terms alone. Two tokens side by side; q·Rw is q0 · (0, 1, 2 by offset + 1).
      const [width, channels] = [4, 4];
      const qkv = new Float32Array(4 * 3 * channels);
      for (let token = 0; token < 4; token++) {
        qkv[token * 3 * channels] = 1;
        qkv[token * 3 * channels + 2 * channels] = token % 2;
      }
      const relW = new Float32Array(3 * width);
      for (let i = 0; i < 3; i++) relW[i * width] = i;
      const results = await runOp(
        (graph) =>
          relativeAttention(
            graph,
            given(graph, "qkv", [4, 3 * channels], qkv),
            given(graph, "bias", [3 * channels]),
            given(graph, "rel_h", [3, width], { scale: 0 }),
            given(graph, "rel_w", [3, width], relW),
            { label: "test", heads: 1, grid: 2, window: 2 },
          ),
        { bound: BOUND },
      );
      // From column 0: key 0 has offset 0 → 1, key 1 offset -1 → 0. From column 1: key 0 has offset 1 → 2, key 1 → 1.
      const share = 1 / (1 + Math.E);
      for (const { value } of results) {
        const first = [...value].filter((_, i) => i % channels === 0);
        expectClose(first, [share, share, share, share], { label: "weight of column 1", bound: 1e-6 });
        expect(first.length).toBe(4);
      }
    });

  it("names the table whose length is not 2·window - 1", async () => {
    const wrong = runOp(
      (graph) =>
        relativeAttention(graph, given(graph, "qkv", [4, 12]), given(graph, "bias", [12]), given(graph, "rel_h", [3, 4]), given(graph, "rel_w", [5, 4]), {
          label: "test",
          heads: 1,
          grid: 2,
          window: 2,
        }),
      { bound: 0 },
    );
    await expect(wrong).rejects.toMatchObject({ code: "graph", op: "relative_attention", argument: "rel_w", expected: "[3, 4]" });
  });
});

describeGpu("offset attention", () => {
  it.each([
    { grid: 1, window: 7, heads: 2, width: 4 }, // one token among 48 padded ones
    { grid: 10, window: 7, heads: 3, width: 4 },
    ...(QUICK ? [] : MORE_OFFSETS),
  ])("grid $grid, window $window, $heads heads of $width", async ({ grid, window, heads, width }) => {
    const channels = heads * width;
    await runOp(
      (graph) =>
        offsetAttention(
          graph,
          given(graph, "qkv", [grid * grid, 3 * channels]),
          given(graph, "bias", [3 * channels]),
          given(graph, "offsets", [heads, tableStride(window)], { scale: 2 }),
          { label: "test", heads, grid, window },
        ),
      { bound: BOUND },
    );
  });
});
