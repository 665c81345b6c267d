import { describe, expect, it } from "vitest";
import { robustRange, spreadBytes, toEightBits } from "../../src/image/intensity.ts";

/** 0…999 once each, times `scale`, and `offset`. */
const ramp = (scale = 1, offset = 0) => Uint16Array.from({ length: 1000 }, (_, i) => i * scale + offset);
const shown = (values: Uint16Array) => toEightBits(values, robustRange(values));

describe("the range 16 bits are shown by", () => {
  it("lies between the 0.5 % and the 99.5 % quantile", () => {
    expect(robustRange(ramp(4))).toEqual({ low: 5 * 4, high: 994 * 4 });
    expect([shown(ramp(4))[0], shown(ramp(4))[999]]).toEqual([0, 255]);
  });

  it("is moved by no hot or dead pixel", () => {
    for (const odd of [0, 65535]) {
      const values = ramp(4, 100);
      values[500] = odd;
      const range = robustRange(values);
      expect(Math.abs(range.low - robustRange(ramp(4, 100)).low)).toBeLessThanOrEqual(4);
      expect(Math.abs(range.high - robustRange(ramp(4, 100)).high)).toBeLessThanOrEqual(4);
    }
  });

  it("gives the same bytes at any offset and scale", () => {
    expect(shown(ramp(1, 32768))).toEqual(shown(ramp()));
    expect(shown(ramp(60))).toEqual(shown(ramp()));
    expect(
      toEightBits(
        Int16Array.from(ramp(), (v) => v - 1024),
        { low: -1019, high: -30 },
      ),
    ).toEqual(toEightBits(ramp(), { low: 5, high: 994 }));
  });

  it("shows a structure too small for the quantiles, bright or dark", () => {
    const bright = new Uint16Array(10_000).fill(300);
    bright.set([900, 1000, 1100]);
    expect(robustRange(bright)).toEqual({ low: 300, high: 1100 });
    const dark = bright.map((value) => 2000 - value);
    expect(robustRange(dark)).toEqual({ low: 900, high: 1700 });
  });

  it("knows one value, none, and values that are no numbers", () => {
    expect(shown(new Uint16Array(9).fill(700))).toEqual(new Uint8Array(9));
    expect(robustRange(new Uint16Array(0))).toEqual({ low: 0, high: 1 });
    expect(robustRange(Float32Array.of(Number.NaN, -1, 3, Number.POSITIVE_INFINITY))).toEqual({ low: -1, high: 3 });
    expect([...toEightBits(Float32Array.of(Number.NaN, -1, 1, 3), { low: -1, high: 3 })]).toEqual([0, 0, 128, 255]);
  });

  it("leaves padding out", () => {
    expect(robustRange(Int16Array.of(-2000, -2000, -2000, 10, 20, 30), { low: -2000, high: -2000 })).toEqual({ low: 10, high: 30 });
  });
});

describe("spreadBytes", () => {
  it("gives bytes back that were written as 16 bits", () => {
    expect(spreadBytes(Uint16Array.of(0, 257, 65535))).toEqual(Uint8Array.of(0, 1, 255));
    expect(spreadBytes(Uint16Array.of(0, 256, 65280))).toEqual(Uint8Array.of(0, 1, 255));
    expect(spreadBytes(Uint16Array.of(0, 257, 512))).toBeUndefined();
  });
});
