import { describe, expect, it } from "vitest";
import { SamError } from "../../src/errors.ts";
import { type Fit, frame, type ImageSource, innerSides, toModel, toOriginal, toRawImage } from "../../src/image/image.ts";

const FITS: readonly Fit[] = ["resize", "pad", "long-side"];
const SIDES = [1, 2, 17, 255, 256, 257, 300, 1023, 16384];

describe("frame", () => {
  it("maps the corners of the image onto the corners of its part of the square", () => {
    for (const fit of FITS) {
      for (const width of SIDES) {
        for (const height of SIDES) {
          const framing = frame(width, height, 256, fit);
          const inner = innerSides(framing);
          expect(toModel(framing, 0, 0)).toEqual([framing.left, framing.top]);
          const [right, bottom] = toModel(framing, width, height);
          expect(right).toBeCloseTo(framing.left + inner.width, 9);
          expect(bottom).toBeCloseTo(framing.top + inner.height, 9);
          expect(right).toBeLessThanOrEqual(256 + 1e-9);
          expect(bottom).toBeLessThanOrEqual(256 + 1e-9);
        }
      }
    }
  });

  it("is undone by toOriginal", () => {
    for (const fit of FITS) {
      for (const [width, height] of [
        [300, 200],
        [31, 17],
        [200, 1000],
      ] as const) {
        const framing = frame(width, height, 256, fit);
        const [x, y] = toOriginal(framing, ...toModel(framing, 12.25, 3.5));
        expect(x).toBeCloseTo(12.25, 9);
        expect(y).toBeCloseTo(3.5, 9);
      }
    }
  });

  it("pads only where both sides are smaller than the square, centred and rounded to the top left", () => {
    expect(frame(180, 121, 256, "pad")).toMatchObject({ fit: "pad", scaleX: 1, scaleY: 1, left: 38, top: 67 });
    expect(frame(256, 100, 256, "pad")).toMatchObject({ fit: "resize", scaleX: 1, scaleY: 2.56, left: 0, top: 0 });
    expect(frame(300, 100, 256, "pad").fit).toBe("resize");
  });

  it("keeps the aspect with the long side, at least one pixel", () => {
    expect(innerSides(frame(1000, 501, 1024, "long-side"))).toEqual({ width: 1024, height: 513 });
    expect(innerSides(frame(5000, 1, 1024, "long-side"))).toEqual({ width: 1024, height: 1 });
  });

  it("is plain data", () => {
    const framing = frame(300, 200, 256, "resize");
    expect(JSON.parse(JSON.stringify(framing))).toEqual(framing);
  });
});

describe("toRawImage", () => {
  const pixels = (width: number, height: number, channels: number) => new Uint8Array(width * height * channels);

  it("takes raw pixels and ImageData without copying", () => {
    const data = pixels(3, 2, 1);
    expect(toRawImage({ data, width: 3, height: 2, channels: 1 })).toEqual({ data, width: 3, height: 2, channels: 1 });
    const imageData = { data: new Uint8ClampedArray(24), width: 3, height: 2, colorSpace: "srgb" };
    const raw = toRawImage(imageData as ImageData);
    expect(raw.channels).toBe(4);
    expect(raw.data).toBe(imageData.data);
  });

  it.each([
    ["HTMLImageElement", { complete: false, naturalWidth: 600, naturalHeight: 400 }],
    ["HTMLImageElement", { complete: true, naturalWidth: 0, naturalHeight: 0 }],
    ["HTMLVideoElement", { readyState: 1, videoWidth: 320, videoHeight: 240 }],
    ["VideoFrame", { displayWidth: 0, displayHeight: 0 }],
    ["ImageBitmap", { width: 0, height: 0 }],
  ])("says of an %s of whatever window that it is not there to be drawn: %o", (name, sides) => {
    const source = { ...sides, [Symbol.toStringTag]: name } as unknown as ImageSource;
    expect(() => toRawImage(source)).toThrow(
      expect.objectContaining({ name: "SamError", argument: "image", got: expect.stringContaining(name), expected: "loaded and open" }),
    );
  });

  it.each<[what: string, source: unknown, words: RegExp]>([
    ["null", null, /ImageData, ImageBitmap, a canvas, a loaded image, a video frame, or .* got null/],
    ["a string", "slice.png", /got the string "slice.png"\. Decode a file with createImageBitmap/],
    ["a 0×0 image", { data: pixels(0, 0, 1), width: 0, height: 0, channels: 1 }, /image must be 1 to 16384 pixels wide and high, got 0×0/],
    ["a 20000×20000 image", { data: pixels(1, 1, 1), width: 20000, height: 20000, channels: 1 }, /got 20000×20000/],
    ["a fractional side", { data: pixels(2, 2, 1), width: 2.5, height: 2, channels: 1 }, /got 2\.5×2/],
    ["NaN sides", { data: pixels(2, 2, 1), width: Number.NaN, height: 2, channels: 1 }, /got NaN×2/],
    [
      "16-bit pixels",
      { data: new Uint16Array(4), width: 2, height: 2, channels: 1 },
      /image\.data must be a Uint8Array or Uint8ClampedArray, got a Uint16Array\. Window/,
    ],
    ["a plain array", { data: [1, 2, 3, 4], width: 2, height: 2, channels: 1 }, /got an array of 4/],
    ["two channels", { data: pixels(2, 2, 2), width: 2, height: 2, channels: 2 }, /image\.channels must be 1 .* got 2/],
    ["too few bytes", { data: pixels(2, 2, 3), width: 2, height: 3, channels: 3 }, /18 bytes \(2×3×3\), got 12/],
  ])("refuses %s", (_what, source, words) => {
    const attempt = () => toRawImage(source as ImageSource);
    expect(attempt).toThrow(words);
    expect(attempt).toThrow(SamError);
    try {
      attempt();
    } catch (error) {
      expect((error as SamError).code).toBe("image");
    }
  });
});
