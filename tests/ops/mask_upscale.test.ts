import { expect, it } from "vitest";
import { activate, ACTIVATION_CODE } from "../../src/ops/activation.ts";
import { maskUpscale, maskUpscaleWeights } from "../../src/ops/mask_upscale.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, runOp } from "../support/twins.ts";

// Products of up to 256 terms, a normalisation and the rounding of GELU (2e-7) between them.
const BOUND = 5e-6;

describeGpu("mask_upscale", () => {
  it.each([
    { batch: 1, grid: 1, width: 64, masks: 1, rows: 1 },
    { batch: 3, grid: 3, width: 128, masks: 4, rows: 5 },
    { batch: 2, grid: 7, width: 192, masks: 3, rows: 3 },
    { batch: 1, grid: 8, width: 256, masks: 4, rows: 5 },
    { batch: 1, grid: 5, width: 64, masks: 9, rows: 10 },
  ])("batch $batch, grid $grid, $width channels, $masks of $rows rows", async ({ batch, grid, width, masks, rows }) => {
    const results = await runOp(
      (graph) =>
        maskUpscale(
          graph,
          given(graph, "image", [batch * grid * grid, width]),
          given(graph, "hyper", [batch * rows, width / 8]),
          given(graph, "weights", [maskUpscaleWeights(width)], { scale: 0.5 }),
          { label: "test", batch, masks },
        ),
      { bound: BOUND },
    );
    for (const { graph } of results) expect(graph.dispatches[0]?.writes["y"]?.shape).toEqual([batch, masks, 4 * grid, 4 * grid]);
  });

  it("puts cells and their pixels where the transposed convolutions do", async () => {
    const [grid, width] = [2, 64];
    const quarter = width / 4;
    const weights = new Float32Array(maskUpscaleWeights(width));
    const vectors = (width + 1) * width;
    // LN weight 0 and bias 10: a cell's channels are all 10, whatever came in; a pixel's first channel is its number (0 to 3) times 10 / 10.
    weights.fill(10, vectors + quarter, vectors + 2 * quarter);
    for (let pixel = 0; pixel < 4; pixel++) weights[vectors + 2 * quarter + pixel * (width / 8)] = (pixel + 10) / 10;
    const hyper = new Float32Array(width / 8);
    hyper[0] = 1;
    const results = await runOp(
      (graph) =>
        maskUpscale(
          graph,
          given(graph, "image", [grid * grid, width]),
          given(graph, "hyper", [1, width / 8], hyper),
          given(graph, "weights", [weights.length], weights),
          { label: "test", batch: 1, masks: 1 },
        ),
      { bound: BOUND },
    );
    const want = [10, 11, 12, 13].map((value) => activate(ACTIVATION_CODE.gelu, value));
    for (const { value } of results) for (let i = 0; i < 64; i++) expect(value[i]).toBeCloseTo(want[2 * (Math.floor(i / 8) % 2) + (i % 2)] as number, 4);
  });

  it("normalises each cell by itself and spreads the first convolution over the cells", async () => {
    const [grid, width] = [1, 64];
    const quarter = width / 4;
    const weights = new Float32Array(maskUpscaleWeights(width));
    const vectors = (width + 1) * width;
    // Channel 0 of the token goes to channel `cell` of each cell; LN weight 1. The pixels take channel 2 of the cell.
    for (let cell = 0; cell < 4; cell++) weights[cell * quarter + cell] = 1;
    weights.fill(1, vectors, vectors + quarter);
    for (let pixel = 0; pixel < 4; pixel++) weights[vectors + 2 * quarter + 2 * (width / 2) + pixel * (width / 8)] = 1;
    const image = new Float32Array(width);
    image[0] = 5;
    const hyper = new Float32Array(width / 8);
    hyper[0] = 1;
    const results = await runOp(
      (graph) =>
        maskUpscale(
          graph,
          given(graph, "image", [grid, width], image),
          given(graph, "hyper", [1, width / 8], hyper),
          given(graph, "weights", [weights.length], weights),
          { label: "test", batch: 1, masks: 1 },
        ),
      { bound: BOUND },
    );
    // One of 16 channels is 5: it is √15 deviations above the mean, the others 1/√15 below. Cell 2 is the one at the bottom left.
    const gelu = (v: number) => activate(ACTIVATION_CODE.gelu, v);
    const [high, low] = [gelu(gelu(Math.sqrt(15))), gelu(gelu(-1 / Math.sqrt(15)))];
    for (const { value } of results) for (let i = 0; i < 16; i++) expect(value[i]).toBeCloseTo(Math.floor(i / 8) === 1 && i % 4 < 2 ? high : low, 5);
  });
});
