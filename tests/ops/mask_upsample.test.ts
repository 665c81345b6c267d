import { expect, it } from "vitest";
import { type Fit, frame, innerSides } from "../../src/image/image.ts";
import { unpackBits } from "../../src/image/mask.ts";
import { upsampleTwin } from "../../src/image/postprocess.ts";
import { maskUpsample } from "../../src/ops/mask_upsample.ts";
import { describeGpu } from "../support/dawn.ts";
import { given, runOp, values } from "../support/twins.ts";

interface Case {
  readonly side: number;
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly fit: Fit;
  readonly batch?: number;
  /** Masks in the logits; those used are all but the first, as with multimask, or the first alone. */
  readonly masks?: number;
  readonly single?: boolean;
}

/** Logits of a few units, everywhere clear of the rounding of two bilinear steps but where they cross 0. */
const NEAR_ZERO = 1e-5;

describeGpu("mask_upsample", () => {
  it.each<Case>([
    { side: 1, size: 1, width: 1, height: 1, fit: "resize", single: true },
    { side: 4, size: 16, width: 1, height: 1, fit: "resize" },
    { side: 4, size: 16, width: 37, height: 23, fit: "resize" },
    { side: 64, size: 256, width: 97, height: 61, fit: "resize" },
    { side: 8, size: 32, width: 1, height: 211, fit: "resize", batch: 3 },
    { side: 64, size: 256, width: 409, height: 307, fit: "resize", single: true },
    { side: 16, size: 64, width: 31, height: 17, fit: "pad", batch: 2 },
    { side: 16, size: 64, width: 63, height: 63, fit: "pad" },
    { side: 16, size: 64, width: 1, height: 3, fit: "pad" },
    { side: 16, size: 64, width: 150, height: 101, fit: "long-side" },
    { side: 16, size: 64, width: 101, height: 150, fit: "long-side" },
    { side: 16, size: 64, width: 7, height: 40, fit: "long-side", batch: 2 },
  ])("$side² to $size² to $width×$height, $fit", async ({ side, size, width, height, fit, batch = 1, masks = 4, single = false }) => {
    const framing = frame(width, height, size, fit);
    const inner = innerSides(framing);
    const { left, top } = framing;
    const candidates = single ? { first: 0, count: 1 } : { first: 1, count: masks - 1 };
    const columns = 8;
    const heads = values("heads", batch * (masks + 1) * columns);
    const logits = values("logits", batch * masks * side * side, { scale: 4 });
    const [result] = await runOp<Uint32Array>(
      (graph) =>
        maskUpsample(graph, given(graph, "logits", [batch, masks, side, side], logits), given(graph, "heads", [batch * (masks + 1), columns], heads), {
          label: "test",
          size,
          width,
          height,
          left,
          top,
          resize: framing.fit !== "pad",
          spanX: inner.width,
          spanY: inner.height,
          ...candidates,
        }),
      // Of up to 126 000 pixels, one or two may lie within rounding of 0.
      { bound: 0, flips: 2 },
    );
    const words = Math.ceil((width * height) / 32);
    for (let index = 0; index < batch; index++) {
      const scores = Array.from({ length: candidates.count }, (_, k) => heads[(index * (masks + 1) + masks) * columns + candidates.first + k] as number);
      const mask = index * masks + candidates.first + scores.indexOf(Math.max(...scores));
      const want = upsampleTwin(logits.subarray(mask * side * side, (mask + 1) * side * side), side, framing);
      const bits = result.value.slice(index * words, (index + 1) * words);
      const data = unpackBits(bits, width * height);
      const wrong = [...want.keys()].filter((i) => (data[i] === 1) !== (want[i] as number) > 0 && Math.abs(want[i] as number) > NEAR_ZERO);
      expect(wrong.map((i) => `pixel ${i}: ${data[i]}, logit ${want[i]}`)).toEqual([]);
      // Past the last pixel, bits are 0: a mask may be compared by its words.
      if ((width * height) % 32 !== 0) expect((bits.at(-1) as number) >>> ((width * height) % 32)).toBe(0);
    }
  });

  it("takes the mask of the highest score for the best, one that is no number for none", async () => {
    const logits = Float32Array.of(1, -1, 1, -1);
    for (const [scores, best] of [
      [[9, Number.NaN, 0.1, 0.2], 3],
      [[9, 0.3, Number.NaN, 0.2], 1],
      [[9, Number.NaN, 0.1, Number.NaN], 2],
    ] as const) {
      const heads = new Float32Array(5 * 4);
      heads.set(scores, 4 * 4);
      const [result] = await runOp<Uint32Array>(
        (graph) =>
          maskUpsample(graph, given(graph, "logits", [1, 4, 1, 1], logits), given(graph, "heads", [5, 4], heads), {
            label: "test",
            ...{ size: 1, width: 1, height: 1, left: 0, top: 0, resize: true, spanX: 1, spanY: 1, first: 1, count: 3 },
          }),
        { bound: 0 },
      );
      expect(result.value[0]).toBe((logits[best] as number) > 0 ? 1 : 0);
    }
  });
});
