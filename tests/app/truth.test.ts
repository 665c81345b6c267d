import { describe, expect, it } from "vitest";
import { closest, dice } from "../../app/annotate/truth.ts";
import { runsOf } from "../../src/volume/index.ts";

const bits = (text: string) => runsOf(Uint8Array.from(text, Number));

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
});

describe("the closest true mask", () => {
  const [wide, narrow] = [
    { name: "wide", index: 0, runs: bits("111100") },
    { name: "narrow", index: 0, runs: bits("011000") },
  ];

  it("is the one with the highest Dice, also where one lies in the other", () => {
    expect(closest(bits("011000"), [wide, narrow])).toEqual({ truth: narrow, dice: 1 });
    expect(closest(bits("111110"), [wide, narrow])).toEqual({ truth: wide, dice: 8 / 9 });
  });

  it("is none where nothing overlaps, where the mask is empty, and on an image without structures", () => {
    expect(closest(bits("000011"), [wide, narrow])).toBeNull();
    expect(closest(bits("000000"), [wide, narrow])).toBeNull();
    expect(closest(bits("111111"), [])).toBeNull();
  });

  it("is the same value when asked again: nothing is drawn anew", () => {
    const mask = bits("110000");
    expect(closest(mask, [wide])).toBe(closest(mask, [wide]));
    // A truth that is opened later counts.
    expect(closest(mask, [wide, { name: "same", index: 0, runs: mask }])?.dice).toBe(1);
  });
});
