import { describe, expect, it } from "vitest";
import { boundsOf, closest, dice } from "../../app/annotate/truth.ts";

const bits = (text: string) => Uint8Array.from(text, Number);

describe("dice", () => {
  it("is 1 for equal masks, 0 for masks apart, and between by what they share", () => {
    expect(dice(bits("0110"), bits("0110"))).toBe(1);
    expect(dice(bits("1100"), bits("0011"))).toBe(0);
    expect(dice(bits("1110"), bits("0110"))).toBeCloseTo(4 / 5);
    expect(dice(bits("0110"), bits("1110"))).toBeCloseTo(4 / 5);
  });

  it("counts two empty masks as equal, an empty one and another as apart", () => {
    expect(dice(bits("000"), bits("000"))).toBe(1);
    expect(dice(bits("000"), bits("010"))).toBe(0);
  });

  it("refuses masks of two sizes", () => {
    expect(() => dice(bits("00"), bits("000"))).toThrow(/2 and 3 pixels/);
  });
});

describe("the closest structure", () => {
  const [wide, narrow] = [
    { name: "wide", mask: bits("111100") },
    { name: "narrow", mask: bits("011000") },
  ];
  const predicted = (text: string) => ({ data: bits(text), width: 3, height: 2 });

  it("is the one with the highest Dice, also where one lies in the other", () => {
    expect(closest(predicted("011000"), [wide, narrow])).toEqual({ structure: narrow, dice: 1 });
    expect(closest(predicted("111110"), [wide, narrow])).toEqual({ structure: wide, dice: 8 / 9 });
  });

  it("is none where nothing overlaps, where the mask is empty, and on an image without structures", () => {
    expect(closest(predicted("000011"), [wide, narrow])).toBeNull();
    expect(closest(predicted("000000"), [wide, narrow])).toBeNull();
    expect(closest(predicted("111111"), [])).toBeNull();
  });

  it("is the same value when asked again: nothing is drawn anew", () => {
    const mask = predicted("110000");
    expect(closest(mask, [wide])).toBe(closest(mask, [wide]));
  });
});

describe("the bounds of a mask", () => {
  it("hold all that is set, half open", () => {
    expect(boundsOf(bits("0000" + "0110" + "0010"), 4)).toEqual([1, 1, 3, 3]);
    expect(boundsOf(bits("1001"), 4)).toEqual([0, 0, 4, 1]);
  });
});
