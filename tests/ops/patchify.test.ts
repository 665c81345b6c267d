import { expect, it } from "vitest";
import { patchify } from "../../src/ops/patchify.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, runOp } from "../support/twins.ts";

// A subtraction and a division, correct to 2.5 roundings in WGSL.
const BOUND = 3e-7;

/** Every byte takes every value sooner or later; each fifth pixel lies outside the image. */
function pixels(side: number): Uint32Array {
  return Uint32Array.from(
    { length: side * side },
    (_, i) => ((i % 256) | ((Math.imul(i, 7) & 255) << 8) | ((Math.imul(i, 13) & 255) << 16) | (i % 5 === 0 ? 0 : 255 << 24)) >>> 0,
  );
}

const COLOURS = Float32Array.of(120, 110, 100, 0, 58, 57, 55, 1);

describeGpu("patchify", () => {
  it.each([
    { grid: 1, patch: 4 },
    { grid: 3, patch: 4 },
    { grid: 5, patch: 8 },
    { grid: 2, patch: 16 },
    { grid: 4, patch: 12 },
  ])("grid $grid, patch $patch", async ({ grid, patch }) => {
    await runOp(
      (graph) =>
        patchify(graph, given(graph, "pixels", [grid * patch, grid * patch], pixels(grid * patch)), given(graph, "colours", [2, 4], COLOURS), {
          label: "test",
          grid,
          patch,
        }),
      {
        bound: BOUND,
      },
    );
  });

  it("puts channel, row and column of a patch in the order of the convolution's weights, padding at 0", async () => {
    const [grid, patch] = [2, 4];
    const side = grid * patch;
    // One pixel inside the image, of token 3 (row 1, column 1): row 2 and column 3 of its patch; the rest is padding.
    const data = new Uint32Array(side * side);
    data[(patch + 2) * side + patch + 3] = (10 | (20 << 8) | (30 << 16) | (255 << 24)) >>> 0;
    const [result] = await runOp(
      (graph) => patchify(graph, given(graph, "pixels", [side, side], data), given(graph, "colours", [2, 4], COLOURS), { label: "test", grid, patch }),
      { bound: BOUND },
    );
    const { value } = result;
    const found = [...value.entries()].filter(([, v]) => v !== 0);
    expect(found.map(([i]) => i)).toEqual([0, 1, 2].map((channel) => 3 * 3 * 16 + channel * 16 + 2 * 4 + 3));
    found.forEach(([, v], channel) => {
      expect(v).toBeCloseTo((10 * (channel + 1) - (COLOURS[channel] as number)) / (COLOURS[4 + channel] as number), 5);
    });
  });

  it("names pixels of another size", async () => {
    const wrong = runOp(
      (graph) =>
        patchify(graph, given(graph, "pixels", [8, 12], new Uint32Array(96)), given(graph, "colours", [2, 4], COLOURS), { label: "test", grid: 2, patch: 4 }),
      { bound: 0 },
    );
    await expect(wrong).rejects.toMatchObject({ code: "graph", op: "patchify", argument: "pixels", expected: "[8, 8]" });
  });
});
