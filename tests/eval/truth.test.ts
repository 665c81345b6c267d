import { describe, expect, it } from "vitest";
import { truthOf } from "../../src/eval/truth.ts";

const image = { width: 3, height: 2 };
const gray = (...values: number[]) => ({ data: Uint8Array.from(values), ...image, channels: 1 as const });
const deep = (...values: number[]) => ({ data: Uint16Array.from(values), ...image, channels: 1 as const });

describe("truthOf", () => {
  it.each([
    ["0 and 1", gray(0, 1, 1, 0, 0, 0)],
    ["0 and 255", gray(0, 255, 255, 0, 0, 0)],
    ["16 bits of 0 and 1", deep(0, 1, 1, 0, 0, 0)],
    ["16 bits of 0 and 255", deep(0, 255, 255, 0, 0, 0)],
    ["16 bits of 0 and 65535", deep(0, 65535, 65535, 0, 0, 0)],
  ])("takes %s", (_what, pixels) => {
    expect(truthOf(pixels, image).data).toEqual(Uint8Array.of(0, 1, 1, 0, 0, 0));
  });

  it("takes colour whose channels agree, and leaves alpha alone where the colour shows a mask", () => {
    const data = Uint8Array.from([0, 1, 1, 0, 0, 0].flatMap((value, i) => [value * 255, value * 255, value * 255, i * 20]));
    expect(truthOf({ data, ...image, channels: 4 }, image).data).toEqual(Uint8Array.of(0, 1, 1, 0, 0, 0));
  });

  it.each<[what: string, pixels: Parameters<typeof truthOf>[0], context: object, words: RegExp]>([
    ["nothing", gray(0, 0, 0, 0, 0, 0), {}, /^the mask is empty/],
    ["a labelmap", gray(0, 2, 1, 0, 3, 0), {}, /got 2 at 1,0: it holds 0, 1, 2, 3, as a labelmap does\. Save each structure/],
    ["another value for inside", gray(0, 77, 77, 0, 0, 0), {}, /got 77 at 1,0: inside must be 1 or 255, here it is 77/],
    ["JPEG", gray(0, 250, 255, 3, 0, 0), { jpeg: true }, /got 250 at 1,0: JPEG changes values at edges\. Save the mask as PNG, cut at half/],
    ["a colour", { data: Uint8Array.from([255, 0, 0, ...new Array(15).fill(0)]), ...image, channels: 3 }, {}, /the colour 255,0,0 at 0,0: save it in gray/],
    [
      "a mask in alpha",
      { data: Uint8Array.from([0, 255, 0, 0, 0, 0].flatMap((alpha) => [255, alpha])), ...image, channels: 2 },
      {},
      /drawn in its alpha channel/,
    ],
    ["another size", { ...gray(), width: 4, height: 2 }, {}, /the mask is 4×2, its image 3×2: a mask has the size/],
    ["a turned mask", { ...gray(), width: 2, height: 3 }, {}, /width and height are exchanged/],
    ["a mask on stored pixels", { ...gray(), width: 2, height: 3 }, { orientation: 6 }, /EXIF orientation 6, and the mask seems drawn on its stored pixels/],
  ])("says what is wrong with %s", (_what, pixels, context, words) => {
    expect(() => truthOf(pixels, { ...image, ...context })).toThrow(words);
  });

  it("knows a smooth edge by its many values", () => {
    const data = Uint8Array.from({ length: 100 }, (_, i) => i);
    expect(() => truthOf({ data, width: 10, height: 10, channels: 1 }, { width: 10, height: 10 })).toThrow(/got 2 at 2,0: edges seem smoothed/);
  });
});
