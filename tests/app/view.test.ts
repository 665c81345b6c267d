import { describe, expect, it } from "vitest";
import { boxBetween, fitting, nearestPixel, panned, pixelAt, revealing, toImage, toStage, zoomed } from "../../app/stage/view.ts";

const STAGE = { width: 801, height: 603 };
const IMAGES = [
  { width: 512, height: 512 },
  { width: 3000, height: 101 },
  { width: 1, height: 1 },
  { width: 7, height: 16384 },
];

describe("stage and original pixels", () => {
  it.each(IMAGES)("$width × $height: every pixel's middle comes back, whatever the zoom", (image) => {
    let view = fitting(image, STAGE);
    for (const factor of [1, 1.7, 3.1, 0.6, 8, 0.01]) {
      view = zoomed(view, image, STAGE, factor, 400.5, 77.25);
      for (const [u, v] of [
        [0, 0],
        [0.5, 0.5],
        [0.999, 0.999],
      ] as const) {
        const pixel = { x: Math.floor(u * image.width), y: Math.floor(v * image.height) };
        expect(pixelAt(view, image, ...toStage(view, pixel.x + 0.5, pixel.y + 0.5))).toEqual(pixel);
      }
    }
  });

  it.each([1, 1.25, 1.5, 2, 3])("a pointer given in device pixels at ratio %d means the same place as in CSS pixels", (ratio) => {
    const image = { width: 512, height: 400 };
    const css = fitting(image, STAGE);
    const device = fitting(image, { width: STAGE.width * ratio, height: STAGE.height * ratio }, 12 * ratio);
    for (let i = 0; i < 200; i++) {
      const [x, y] = [((i * 37.3) % 780) + 10.13, ((i * 91.7) % 590) + 5.21];
      const [there, here] = [toImage(device, x * ratio, y * ratio), toImage(css, x, y)];
      expect(there[0]).toBeCloseTo(here[0], 9);
      expect(there[1]).toBeCloseTo(here[1], 9);
    }
  });

  it("knows its borders: the last pixel belongs to the image, what follows does not", () => {
    const image = { width: 10, height: 20 };
    const view = { scale: 4, x: 100, y: 50, ratio: 1 };
    expect(pixelAt(view, image, 100, 50)).toEqual({ x: 0, y: 0 });
    expect(pixelAt(view, image, 139.99, 129.99)).toEqual({ x: 9, y: 19 });
    expect(pixelAt(view, image, 140, 60)).toBeNull();
    expect(pixelAt(view, image, 99.99, 60)).toBeNull();
    expect(nearestPixel(view, image, -500, 9000)).toEqual({ x: 0, y: 19 });
  });

  it("a box covers both its corner pixels, whichever comes first", () => {
    expect(boxBetween({ x: 5, y: 9 }, { x: 2, y: 9 })).toEqual([2, 9, 6, 10]);
    expect(boxBetween({ x: 2, y: 2 }, { x: 2, y: 2 })).toEqual([2, 2, 3, 3]);
  });
});

it("pixels that are taller than wide are hit where they are seen, and the whole image fits", () => {
  const image = { width: 200, height: 40, ratio: 5 };
  const view = zoomed(fitting(image, STAGE), image, STAGE, 2, 500, 300);
  for (const pixel of [
    { x: 0, y: 0 },
    { x: 150, y: 39 },
  ]) {
    expect(pixelAt(view, image, ...toStage(view, pixel.x + 0.5, pixel.y + 0.5))).toEqual(pixel);
  }
  const [left, top] = toStage(fitting(image, STAGE), 0, 0);
  const [right, bottom] = toStage(fitting(image, STAGE), 200, 40);
  expect(bottom - top).toBeCloseTo(right - left, 9);
  expect(bottom).toBeLessThan(STAGE.height);
});

describe("zooming", () => {
  const image = { width: 512, height: 400 };
  const fit = fitting(image, STAGE);

  it("keeps what is under the pointer under the pointer", () => {
    const before = toImage(fit, 30, 280);
    let view = fit;
    for (let i = 0; i < 12; i++) {
      view = zoomed(view, image, STAGE, 1.2, 30, 280);
      const after = toImage(view, 30, 280);
      expect(after[0]).toBeCloseTo(before[0], 9);
      expect(after[1]).toBeCloseTo(before[1], 9);
    }
  });

  it("never shows less than the whole image, nor a pixel larger than makes sense", () => {
    expect(zoomed(fit, image, STAGE, 0.1, 10, 10)).toEqual(fit);
    expect(zoomed(fit, image, STAGE, 1e9, 10, 10).scale).toBe(24);
  });

  it("keeps the stage's middle on the image", () => {
    const near = zoomed(fit, image, STAGE, 4, 400, 300);
    const pushed = panned(near, image, STAGE, 1e6, -1e6);
    expect(pushed.x).toBe(STAGE.width / 2);
    expect(pushed.y).toBeCloseTo(STAGE.height / 2 - image.height * near.scale, 9);
  });

  it("follows the keyboard's cursor", () => {
    const near = zoomed(fit, image, STAGE, 6, 0, 0);
    const shown = revealing(near, image, STAGE, { x: 500, y: 390 });
    const [x, y] = toStage(shown, 500.5, 390.5);
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x).toBeLessThanOrEqual(STAGE.width);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThanOrEqual(STAGE.height);
    expect(revealing(shown, image, STAGE, { x: 500, y: 390 })).toEqual(shown);
  });
});
