import { expect, it } from "vitest";
import { decodeEverything, withoutCrumbs } from "../../src/everything/everything.ts";
import { cropBoxes, isCutOff, pointGrid } from "../../src/everything/grid.ts";
import { stability } from "../../src/everything/stability.ts";
import { suppress } from "../../src/everything/suppress.ts";
import { frame } from "../../src/image/image.ts";
import type { MaskSource, Prompt } from "../../src/segmenter.ts";

it("puts points in the middles of cells", () => {
  expect(pointGrid(2, 100, 60)).toEqual([
    { x: 25, y: 15 },
    { x: 75, y: 15 },
    { x: 25, y: 45 },
    { x: 75, y: 45 },
  ]);
});

it("cuts overlapping crops layer by layer", () => {
  const boxes = cropBoxes(300, 200, 1, 512 / 1500);
  expect(boxes).toEqual([
    { crop: [0, 0, 300, 200], layer: 0 },
    { crop: [0, 0, 184, 134], layer: 1 },
    { crop: [0, 66, 184, 200], layer: 1 },
    { crop: [116, 0, 300, 134], layer: 1 },
    { crop: [116, 66, 300, 200], layer: 1 },
  ]);
  expect(cropBoxes(300, 200, 2, 0.3)).toHaveLength(21);
});

it("knows what a crop cuts off and what the image ends", () => {
  expect(isCutOff([50, 50, 170, 100], [0, 0, 184, 134], 300, 200)).toBe(true);
  expect(isCutOff([0, 50, 100, 100], [0, 0, 184, 134], 300, 200)).toBe(false);
  expect(isCutOff([0, 0, 300, 200], [0, 0, 300, 200], 300, 200)).toBe(false);
});

it("keeps the surest of boxes that overlap", () => {
  const boxes = [
    [0, 0, 10, 10],
    [1, 0, 11, 10],
    [20, 20, 30, 30],
    [0, 0, 10, 10],
  ] as const;
  expect(suppress(boxes, [0.5, 0.9, 0.1, 0.5], 0.7)).toEqual([1, 2]);
  expect(suppress(boxes, [0.5, 0.5, 0.5, 0.5], 0.95)).toEqual([0, 1, 2]);
  expect(suppress([], [], 0.5)).toEqual([]);
});

it("measures stability as counting every pixel does", () => {
  const side = 16;
  const logits = Float32Array.from({ length: side * side }, (_, i) => 3 * Math.sin(i * 1.7) + 2 * Math.cos((i % side) * 0.9));
  for (const [width, height, fit] of [
    [64, 64, "resize"],
    [50, 30, "pad"],
    [100, 60, "long-side"],
  ] as const) {
    const framing = frame(width, height, 64, fit);
    let [high, low] = [0, 0];
    for (let y = framing.top; y < framing.top + Math.round(height * framing.scaleY); y++)
      for (let x = framing.left; x < framing.left + Math.round(width * framing.scaleX); x++) {
        const at = (v: number) => Math.max(0, (v + 0.5) / 4 - 0.5);
        const [fx, fy] = [at(x), at(y)];
        const of = (row: number, column: number) => logits[Math.min(side - 1, row) * side + Math.min(side - 1, column)] as number;
        const [x0, y0] = [Math.floor(fx), Math.floor(fy)];
        const [tx, ty] = [fx - x0, fy - y0];
        const value = (1 - ty) * ((1 - tx) * of(y0, x0) + tx * of(y0, x0 + 1)) + ty * ((1 - tx) * of(y0 + 1, x0) + tx * of(y0 + 1, x0 + 1));
        if (value > 1) high++;
        if (value > -1) low++;
      }
    expect(stability(logits, side, framing, 1)).toBeCloseTo(high / low, 10);
  }
  expect(stability(new Float32Array(side * side).fill(-5), side, frame(64, 64, 64, "resize"), 1)).toBeNaN();
});

it("drops small islands and fills small holes, and keeps the largest island whatever its size", () => {
  // 10 columns: a block of 3 × 3 with a hole, and one pixel far from it.
  const runs = Uint32Array.of(11, 14, 21, 22, 23, 24, 31, 34, 78, 79);
  expect(withoutCrumbs(runs, 10, 10, 2)).toEqual(Uint32Array.of(11, 14, 21, 24, 31, 34));
  expect(withoutCrumbs(runs, 10, 10, 1)).toBe(runs);
  expect(withoutCrumbs(Uint32Array.of(5, 6), 10, 10, 50)).toEqual(Uint32Array.of(5, 6));
});

const image = { data: new Uint8Array(40 * 40), width: 40, height: 40, channels: 1 as const };

/** Answers every point with one square around it. */
function squares() {
  const calls = { encode: 0, batches: [] as number[], disposed: 0 };
  return {
    calls,
    config: { grid: 4 },
    async encode(picture: { width: number; height: number }) {
      calls.encode++;
      return { framing: frame(picture.width, picture.height, 64, "resize"), dispose: () => void calls.disposed++ };
    },
    async decode(_: unknown, prompts: readonly Prompt[]) {
      calls.batches.push(prompts.length);
      return prompts.map(({ points }) => {
        const { x, y } = points?.[0] ?? { x: 0, y: 0 };
        const data = Uint8Array.from({ length: 1600 }, (_, i) => Number(Math.abs((i % 40) - x) <= 4 && Math.abs(Math.floor(i / 40) - y) <= 4));
        return { masks: [{ data, width: 40, height: 40 }], scores: Float32Array.of(0.9), logits: new Float32Array(256).fill(5), best: 0 };
      });
    },
  };
}

it("decodes in batches, tells progress, and finds one mask a thing", async () => {
  const segmenter = squares();
  const steps = [];
  for await (const step of decodeEverything(segmenter as unknown as MaskSource, image, { pointsPerSide: 4, pointsPerBatch: 6 })) steps.push(step);
  expect(steps.map(({ done, total }) => [done, total])).toEqual([
    [6, 16],
    [12, 16],
    [16, 16],
  ]);
  expect(segmenter.calls).toEqual({ encode: 1, batches: [6, 6, 4], disposed: 1 });
  expect(steps.at(-1)?.found).toHaveLength(16);
  expect(steps.at(-1)?.found[0]).toMatchObject({ area: 81, box: [1, 1, 10, 10], stability: 1, point: { x: 5, y: 5 }, crop: [0, 0, 40, 40] });
});

it("stops when it is told to, and lets the embedding go", async () => {
  const segmenter = squares();
  const control = new AbortController();
  const run = async () => {
    for await (const { done } of decodeEverything(segmenter as unknown as MaskSource, image, { pointsPerSide: 4, pointsPerBatch: 4, signal: control.signal }))
      if (done === 4) control.abort();
  };
  await expect(run()).rejects.toThrow("aborted");
  expect(segmenter.calls.disposed).toBe(1);
  for await (const _ of decodeEverything(segmenter as unknown as MaskSource, image, { pointsPerSide: 4 })) break;
  expect(segmenter.calls.disposed).toBe(2);
});

it("refuses what is no model", async () => {
  await expect(decodeEverything({} as never, image).next()).rejects.toThrow(/segmenter must be a model/);
});

it.each([
  [{ pointsPerSide: 0 }, "pointsPerSide", "a whole number from 1 to 256"],
  [{ minScore: Number.NaN }, "minScore", "a number from 0"],
  [{ cropLayers: 9 }, "cropLayers", "a whole number from 0 to 4"],
  [{ minscore: 0.5 }, "minscore", "one of pointsPerSide"],
])("refuses %o", async (options, argument, words) => {
  const first = decodeEverything(squares() as unknown as MaskSource, image, options as object).next();
  await expect(first).rejects.toMatchObject({ argument, message: expect.stringContaining(words) });
});
