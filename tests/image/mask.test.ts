import { describe, expect, it } from "vitest";
import { area, boundingBox, type Mask, unpackBits } from "../../src/image/mask.ts";

function mask(...rows: string[]): Mask {
  const data = Uint8Array.from(rows.join(""), (cell) => (cell === "#" ? 1 : 0));
  return { data, width: (rows[0] as string).length, height: rows.length };
}

describe("mask", () => {
  it("has an area and a half-open bounding box", () => {
    const drawn = mask("....", ".#..", "...#", "....");
    expect(area(drawn)).toBe(2);
    expect(boundingBox(drawn)).toEqual([1, 1, 4, 3]);
    expect(boundingBox(mask("##", "##"))).toEqual([0, 0, 2, 2]);
  });

  it("has no box where it is empty", () => {
    expect(area(mask("...", "..."))).toBe(0);
    expect(boundingBox(mask("...", "..."))).toBeNull();
  });

  it("unpacks bits row by row across word borders, the sign bit included", () => {
    const drawn = unpackBits(Uint32Array.of(0x80000001, 0x2), 17, 2);
    expect([...drawn.data.entries()].filter(([, bit]) => bit).map(([i]) => i)).toEqual([0, 31, 33]);
    expect(drawn.data.length).toBe(34);
  });
});
