import { describe, expect, it } from "vitest";
import { correction, firstPrompts, toSquare } from "../../src/eval/prompts.ts";
import { Random } from "../../src/eval/random.ts";
import { largestRegionBox } from "../../src/eval/regions.ts";
import { frame } from "../../src/image/image.ts";
import type { Mask } from "../../src/image/mask.ts";

function mask(...rows: string[]): Mask {
  return { data: Uint8Array.from(rows.join(""), (cell) => (cell === "#" ? 1 : 0)), width: (rows[0] as string).length, height: rows.length };
}

const rows = ({ data, width, height }: Mask) =>
  Array.from({ length: height }, (_, y) => Array.from(data.subarray(y * width, (y + 1) * width), (bit) => (bit ? "#" : ".")).join(""));

describe("largestRegionBox", () => {
  it("joins pixels that touch at a corner", () => {
    expect(largestRegionBox(mask("#...", ".#..", "..#.", "...."))).toEqual([0, 0, 3, 3]);
  });

  it("takes the region with most pixels, the first of equals", () => {
    expect(largestRegionBox(mask("##..#", "....#", "....#"))).toEqual([4, 0, 5, 3]);
    expect(largestRegionBox(mask("##.##"))).toEqual([0, 0, 2, 1]);
  });

  it("goes around a ring, and finds nothing in nothing", () => {
    expect(largestRegionBox(mask("###", "#.#", "###"))).toEqual([0, 0, 3, 3]);
    expect(largestRegionBox(mask("...", "..."))).toBeNull();
  });

  it("holds a region as large as an image without growing the stack", () => {
    expect(largestRegionBox({ data: new Uint8Array(512 * 512).fill(1), width: 512, height: 512 })).toEqual([0, 0, 512, 512]);
  });
});

describe("toSquare", () => {
  it("pads in the middle where the mask is smaller", () => {
    expect(rows(toSquare(mask("##"), frame(2, 1, 4, "pad")))).toEqual(["....", ".##.", "....", "...."]);
  });

  it("stretches by nearest neighbour where it is not", () => {
    expect(rows(toSquare(mask("#...", "...#"), frame(4, 2, 4, "pad")))).toEqual(["#...", "#...", "...#", "...#"]);
    expect(rows(toSquare(mask("#.#.#.#.", "........"), frame(8, 2, 4, "pad")))).toEqual(["####", "####", "....", "...."]);
  });
});

describe("prompts", () => {
  const square = mask("....", ".##.", ".##.", "....");

  it("draws the first point inside, and the box around", () => {
    for (let seed = 0; seed < 50; seed++) {
      const first = firstPrompts(square, new Random(seed, "m"));
      expect(first?.box).toEqual([1, 1, 3, 3]);
      expect(first?.point.label).toBe(1);
      expect([1, 2]).toContain(first?.point.x);
      expect([1, 2]).toContain(first?.point.y);
    }
    expect(firstPrompts(mask("..", ".."), new Random(0, "m"))).toBeNull();
  });

  it("corrects what is missing with 1, what is too much with 0, nothing with -1", () => {
    const draw = (current: Mask) => Array.from({ length: 60 }, (_, seed) => correction(current.data, square, new Random(seed, "m")));
    expect(new Set(draw(mask("....", ".#..", ".##.", "....")).map((point) => JSON.stringify(point)))).toEqual(new Set(['{"x":2,"y":1,"label":1}']));
    expect(new Set(draw(mask("...#", ".##.", ".##.", "....")).map((point) => JSON.stringify(point)))).toEqual(new Set(['{"x":3,"y":0,"label":0}']));
    const both = draw(mask("...#", ".#..", ".##.", "....")).map(({ label }) => label);
    expect(new Set(both)).toEqual(new Set([0, 1]));
    const none = draw(square);
    expect(none.every(({ label }) => label === -1)).toBe(true);
    expect(new Set(none.map(({ x, y }) => y * 4 + x)).size).toBeGreaterThan(10);
  });
});
