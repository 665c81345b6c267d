import { describe, expect, it } from "vitest";
import { type ChannelOrder, type Fit, frame, type RawImage } from "../../src/image/image.ts";
import { nearestIndices, preprocess } from "../../src/image/preprocess.ts";
import { resizeSmoothly } from "../../src/image/resample.ts";
import { fnv1a, proceduralImage } from "./procedural.ts";

// Fingerprints of tests/reference/preprocess.py on the procedural image, seed 3: its output brought back to bytes and
// joined with the valid byte, as little-endian words.
const REFERENCE: readonly [width: number, height: number, size: number, fit: Fit, order: ChannelOrder, words: number][] = [
  [300, 200, 256, "resize", "bgr", 0x61a4fcca],
  [97, 61, 64, "resize", "rgb", 0xc58dd35a],
  [186, 372, 256, "resize", "bgr", 0x33489f2], // sides where the reciprocal falls short of the plain quotient
  [7, 1, 16, "resize", "bgr", 0x5c27ee05],
  [31, 17, 64, "pad", "bgr", 0xd31712ad],
  [64, 20, 64, "pad", "bgr", 0xcb070830],
  [1, 1, 4, "pad", "rgb", 0x71735797],
  [150, 101, 64, "long-side", "bgr", 0x79456076],
  [40, 90, 64, "long-side", "rgb", 0xd2fa288],
];

describe("preprocess", () => {
  it.each(REFERENCE)("%i×%i to %i, %s, %s: the reference's bytes", (width, height, size, fit, order, words) => {
    const image = proceduralImage(width, height, 3);
    expect(fnv1a(preprocess(image, frame(width, height, size, fit), order, fit === "long-side" ? resizeSmoothly : undefined))).toBe(words);
  });

  it("repeats gray into three channels and drops alpha without blending", () => {
    const framing = frame(2, 1, 2, "resize");
    const gray: RawImage = { data: Uint8Array.of(10, 200), width: 2, height: 1, channels: 1 };
    expect([...preprocess(gray, framing, "bgr")]).toEqual([0xff0a0a0a, 0xffc8c8c8, 0xff0a0a0a, 0xffc8c8c8]);
    const rgba: RawImage = { data: Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 128), width: 2, height: 1, channels: 4 };
    expect([...preprocess(rgba, framing, "bgr")].slice(0, 2)).toEqual([0xff010203, 0xff040506]);
    expect([...preprocess(rgba, framing, "rgb")].slice(0, 2)).toEqual([0xff030201, 0xff060504]);
  });

  it("reads inside the image for every side, in order", () => {
    for (let source = 1; source <= 1000; source++) {
      const indices = nearestIndices(source, 256);
      expect(indices.every((index, i) => index < source && index >= (indices[i - 1] ?? 0))).toBe(true);
      // The exact quotient, or one short of it where it is whole: never anything else.
      expect(indices.every((index, i) => [0, 1].includes(Math.floor((i * source) / 256) - index))).toBe(true);
    }
  });
});

describe("resizeSmoothly", () => {
  it("keeps a constant image constant and an image of the target size as it is", () => {
    const image: RawImage = { data: new Uint8Array(41 * 23).fill(77), width: 41, height: 23, channels: 1 };
    expect(resizeSmoothly(image, 16, 9).data.every((pixel) => pixel === 77)).toBe(true);
    expect(resizeSmoothly(image, 41, 23)).toBe(image);
  });
});
