import { describe, expect, it } from "vitest";
import { overlap, quantile, summarise } from "../../src/eval/metrics.ts";
import { Random } from "../../src/eval/random.ts";

describe("overlap", () => {
  it.each([
    [[1, 1, 0, 0], [1, 0, 1, 0], 0.5, 1 / 3],
    [[1, 1, 0, 0], [1, 1, 0, 0], 1, 1],
    [[0, 0, 1, 1], [1, 1, 0, 0], 0, 0],
    [[0, 0, 0, 0], [0, 0, 0, 0], 1, 1],
    [[0, 0, 0, 0], [1, 0, 0, 0], 0, 0],
  ])("%j against %j", (mask, truth, dice, iou) => {
    const result = overlap(Uint8Array.from(mask), Uint8Array.from(truth));
    // The protocol's epsilon of 1e-7.
    expect(Math.abs(result.dice - dice)).toBeLessThan(2e-7);
    expect(Math.abs(result.iou - iou)).toBeLessThan(2e-7);
  });
});

describe("summarise", () => {
  it("gives mean, median and an interval around the mean, the same for the same seed", () => {
    const values = Array.from({ length: 200 }, (_, i) => (i % 10) / 10);
    const summary = summarise(values, 3);
    expect(summary.mean).toBeCloseTo(0.45, 12);
    expect(summary.median).toBeCloseTo(0.45, 12);
    // The standard error of 200 values of this spread is 0.0203: the interval is about 1.96 of them to each side.
    expect(summary.ci95[0]).toBeGreaterThan(0.4);
    expect(summary.ci95[0]).toBeLessThan(0.42);
    expect(summary.ci95[1]).toBeGreaterThan(0.48);
    expect(summary.ci95[1]).toBeLessThan(0.5);
    expect(summarise(values, 3)).toEqual(summary);
    expect(summarise(values, 4).ci95).not.toEqual(summary.ci95);
  });

  it("has no interval to speak of for one value, and no numbers for none", () => {
    expect(summarise([0.25], 0)).toEqual({ mean: 0.25, median: 0.25, ci95: [0.25, 0.25] });
    expect(() => summarise([], 0)).toThrow(/at least one value/);
  });
});

describe("quantile", () => {
  it("is numpy's default", () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([4, 1, 2, 3], 0.5)).toBe(2.5);
    expect(quantile([0, 10], 0.025)).toBeCloseTo(0.25, 12);
  });
});

describe("Random", () => {
  it("depends on seed and name only, and reaches every number evenly", () => {
    const draw = (seed: number, name: string) => {
      const random = new Random(seed, name);
      return Array.from({ length: 6000 }, () => random.below(6));
    };
    expect(draw(1, "a")).toEqual(draw(1, "a"));
    expect(draw(1, "a")).not.toEqual(draw(2, "a"));
    expect(draw(1, "a")).not.toEqual(draw(1, "b"));
    for (let face = 0; face < 6; face++) {
      // 1000 expected, standard deviation 29.
      expect(Math.abs(draw(1, "a").filter((drawn) => drawn === face).length - 1000)).toBeLessThan(120);
    }
  });
});
