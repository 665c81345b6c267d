import { expect, it } from "vitest";
import { patchConvs } from "../../src/ops/patch_convs.ts";
import { describeGpu } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";
import { given, runOp } from "../support/twins.ts";

// Two sums of a few hundred products of single precision, and erf to 1.5e-7.
const BOUND = 2e-6;
const COLOURS = Float32Array.of(120, 110, 100, 0, 58, 57, 55, 1);

/** Each fifth pixel lies outside the image. */
const pixels = (size: number) => Uint32Array.from({ length: size * size }, (_, i) => ((Math.imul(i, 0x9e3779b1) >>> 8) | (i % 5 === 0 ? 0 : 0xff000000)) >>> 0);

/** Each a kernel of its own to compile. */
const MORE_WIDTHS = [
  { kernel: 3, size: 4, hidden: 4, columns: 8 },
  { kernel: 3, size: 16, hidden: 32, columns: 64 }, // MobileSAM's widths
  { kernel: 3, size: 16, hidden: 64, columns: 12 }, // smaller tiles, to stay inside workgroup memory
  { kernel: 1, size: 10, hidden: 32, columns: 64 }, // LiteMedSAM's
] as const;

describeGpu("patch_convs", () => {
  it.each([
    { kernel: 3, size: 28, hidden: 8, columns: 20 }, // tiles that reach over the edge
    { kernel: 1, size: 1, hidden: 4, columns: 4 },
    ...(QUICK ? [] : MORE_WIDTHS),
  ] as const)("kernel $kernel, $size pixels a side, $hidden and $columns channels", async ({ kernel, size, hidden, columns }) => {
    const results = await runOp(
      (graph) =>
        patchConvs(
          graph,
          given(graph, "pixels", [size, size], pixels(size)),
          given(graph, "colours", [2, 4], COLOURS),
          given(graph, "first", [kernel ** 2 * 3 + 1, hidden]),
          given(graph, "second", [kernel ** 2 * hidden + 1, columns]),
          { label: "test", kernel },
        ),
      { bound: BOUND },
    );
    for (const { value } of results) expect(value.length).toBe((size / (kernel === 3 ? 4 : 1)) ** 2 * columns);
  });
});
