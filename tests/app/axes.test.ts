import { describe, expect, it } from "vitest";
import { type Axes, axesAlong, type Line, movedAxes } from "../../app/annotate/axes.ts";
import { runsOf } from "../../src/volume/index.ts";

const PLACE = { plane: "stored", index: 3 } as const;
const grid = { width: 100, height: 80 };

/** An ellipse, with half axes of so many pixels. */
function ellipse({ width, height }: { width: number; height: number }, x0: number, y0: number, a: number, b: number) {
  return runsOf(
    Uint8Array.from({ length: width * height }, (_, i) => Number((((i % width) + 0.5 - x0) / a) ** 2 + ((Math.floor(i / width) + 0.5 - y0) / b) ** 2 <= 1)),
  );
}

const lengthOf = ([[x0, y0], [x1, y1]]: Line, ratio = 1) => Math.hypot(x1 - x0, (y1 - y0) * ratio);

function expectRight({ long, short }: Axes, ratio = 1): void {
  const [a, b] = [long, short].map(([[x0, y0], [x1, y1]]) => [x1 - x0, (y1 - y0) * ratio] as const) as [readonly [number, number], readonly [number, number]];
  expect((a[0] * b[0] + a[1] * b[1]) / (Math.hypot(...a) * Math.hypot(...b))).toBeCloseTo(0, 6);
}

describe("the two axes of a lesion", () => {
  it("are the line that was drawn and the longest way across it within the mask", () => {
    const axes = axesAlong(
      [
        [20, 40],
        [80, 40],
      ],
      ellipse(grid, 50, 40, 30, 12),
      grid,
      PLACE,
    );
    expect(lengthOf(axes.long)).toBe(60);
    expect(lengthOf(axes.short)).toBeGreaterThan(22);
    expect(lengthOf(axes.short)).toBeLessThan(25);
    expectRight(axes);
    expect(axes.place).toEqual(PLACE);
  });

  it("are at a right angle in the patient, where pixels are taller than wide", () => {
    const tall = { width: 100, height: 60, ratio: 2.5 };
    const axes = axesAlong(
      [
        [30, 20],
        [70, 40],
      ],
      ellipse(tall, 50, 30, 30, 12),
      tall,
      PLACE,
    );
    expectRight(axes, 2.5);
    expectRight(movedAxes(axes, ["short", 1], [90, 5], tall), 2.5);
    expectRight(movedAxes(axes, ["long", 0], [10, 10], tall), 2.5);
  });

  it("where there is no mask: half as long, through the middle", () => {
    const axes = axesAlong(
      [
        [10, 10],
        [50, 10],
      ],
      new Uint32Array(0),
      grid,
      PLACE,
    );
    expect(lengthOf(axes.short)).toBe(20);
    expect(axes.short).toEqual([
      [30, 0],
      [30, 20],
    ]);
  });

  it("are moved by their ends: the short one along and across the long one, never over it; it goes with the long one", () => {
    const axes = axesAlong(
      [
        [10, 40],
        [50, 40],
      ],
      new Uint32Array(0),
      grid,
      PLACE,
    );
    const longer = movedAxes(axes, ["short", 1], [20, 60], grid);
    expect(longer.short).toEqual([
      [20, 30],
      [20, 60],
    ]);
    expect(longer.long).toEqual(axes.long);
    expect(movedAxes(longer, ["short", 1], [20, 10], grid).short).toEqual([
      [20, 30],
      [20, 40],
    ]);
    const turned = movedAxes(longer, ["long", 1], [10, 80], grid);
    expectRight(turned);
    expect(lengthOf(turned.short)).toBeCloseTo(30, 6);
    // A quarter of the way along, as before.
    expect(turned.short[0][1]).toBeCloseTo(50, 6);
  });

  it("of no length are no number gone wrong", () => {
    const { short } = axesAlong(
      [
        [5, 5],
        [5, 5],
      ],
      new Uint32Array(0),
      grid,
      PLACE,
    );
    expect(short.flat().every(Number.isFinite)).toBe(true);
  });
});
