import { describe, expect, it } from "vitest";
import { difference, quantile, summarise } from "../../src/bench/statistics.ts";
import { detectQuantum, nextRepeats } from "../../src/gpu/profiler.ts";

describe("summarise", () => {
  it("gives median, p95 and the distance of the quartiles", () => {
    const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(summarise(samples)).toEqual({ median: 50.5, p95: 95, min: 1, max: 100, spread: (75.25 - 25.75) / 50.5, count: 100 });
  });

  it("takes one sample, and refuses none", () => {
    expect(summarise([3])).toEqual({ median: 3, p95: 3, min: 3, max: 3, spread: 0, count: 1 });
    expect(() => summarise([])).toThrow("no samples");
  });

  it("has the largest of few samples as p95, and no spread around zero", () => {
    expect(summarise([1, 2, 9]).p95).toBe(9);
    expect(summarise([0, 0, 0]).spread).toBe(0);
  });

  it("lies between ranks", () => expect(quantile([0, 10], 0.25)).toBe(2.5));
});

describe("difference", () => {
  const of = (median: number, spread: number) => ({ ...summarise([median]), spread });

  it("is noise within the larger spread, and never below 3 %", () => {
    expect(difference(of(100, 0.1), of(109, 0.02))).toMatchObject({ verdict: "same", noise: 0.1 });
    expect(difference(of(100, 0), of(102, 0))).toMatchObject({ verdict: "same", noise: 0.03 });
  });

  it("is faster or slower beyond it", () => {
    expect(difference(of(100, 0.01), of(80, 0.01)).verdict).toBe("faster");
    expect(difference(of(100, 0.01), of(130, 0.2)).verdict).toBe("slower");
  });
});

describe("detectQuantum", () => {
  it("sees a clock of 100 µs, whatever it is an offset of", () => {
    const readings = [0n, 0n, 3n, 4n, 4n, 9n, 20n, 21n].map((tick) => 123_456_700_000n + tick * 100_000n);
    expect(detectQuantum(readings)).toEqual({ quantumNs: 100_000, quantised: true });
  });

  it("sees a step that is no whole number of nanoseconds", () => {
    const readings = [1, 2, 5, 9, 14].map((tick) => BigInt(Math.round(tick * 65_536.4)));
    const { quantumNs, quantised } = detectQuantum(readings);
    expect(quantumNs).toBeCloseTo(65_536, -1);
    expect(quantised).toBe(true);
  });

  it("does not take a fine clock for a coarse one", () => {
    expect(detectQuantum([0n, 1_700n, 4_100n, 9_350n, 12_000n]).quantised).toBe(false);
    expect(detectQuantum([0n, 1n, 3n])).toEqual({ quantumNs: 1, quantised: false });
    expect(detectQuantum([5n, 5n])).toEqual({ quantumNs: 0, quantised: false });
  });
});

describe("nextRepeats", () => {
  it("stays where the reading is long enough", () => expect(nextRepeats(3, 2.1, 2)).toBe(3));
  it("grows to the target and a little more", () => expect(nextRepeats(1, 0.5, 2)).toBe(5));
  it("grows carefully where nothing was measured, and ends", () => {
    expect(nextRepeats(1, 0, 2)).toBe(16);
    expect(nextRepeats(1024, 0, 2)).toBe(1024);
  });
});
