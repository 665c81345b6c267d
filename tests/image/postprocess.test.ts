import { describe, expect, it } from "vitest";
import { type Fit, frame } from "../../src/image/image.ts";
import { bilinear, thresholdTwin, upsampleTwin } from "../../src/image/postprocess.ts";

function logits(side: number): Float32Array {
  return Float32Array.from({ length: side * side }, (_, i) => (((i * 7919 + 13) % 101) - 50) / 10);
}

// tests/reference/postprocess.py (PyTorch, two steps of interpolate, align_corners false) on those logits: the values at
// `places`, the sum of all, and how many are above zero.
const REFERENCE: readonly [width: number, height: number, size: number, side: number, fit: Fit, values: number[], sum: number, inside: number][] = [
  [13, 9, 16, 4, "resize", [-3.7, -3.522596, -1.5, -0.725, 2.038194, -2.8], -10.755632, 55],
  [5, 7, 16, 4, "pad", [-1.698438, -1.4625, 1.6125, -0.920313, -2.257812, -1.720312], -17.21875, 11],
  [16, 16, 16, 4, "pad", [-3.7, -3.7, -1.5, 0.225, -2.332813, -2.8], -23.999998, 122],
  [20, 11, 16, 4, "long-side", [-3.7, -3.7, -1.5, 0.485, 2.915681, 2.425], 100.988639, 125],
  [300, 1, 32, 8, "resize", [0, 0, 3.45, -0.745333, 2.07, 3.45], 138.750022, 159],
  [31, 32, 32, 8, "resize", [-3.7, -3.675202, 4.8, -0.95, 1.052822, 2.1], -10.361319, 479],
];

function places(width: number, length: number): number[] {
  return [0, 1, width - 1, Math.floor(length / 2), Math.floor(length / 3), length - 1];
}

describe("upsampleTwin", () => {
  it.each(REFERENCE)("%i×%i by %i from %i, %s: PyTorch's values", (w, h, size, side, fit, values, sum, inside) => {
    const upsampled = upsampleTwin(logits(side), side, frame(w, h, size, fit));
    expect(upsampled.length).toBe(w * h);
    // Six printed decimals.
    for (const [i, index] of places(w, w * h).entries()) expect(upsampled[index]).toBeCloseTo(values[i] as number, 5);
    // Single-precision rounding of some hundred values between -5 and 5.
    expect(Math.abs(upsampled.reduce((total, value) => total + value, 0) - sum)).toBeLessThan(1e-3);
    expect(thresholdTwin(upsampled).reduce((total, value) => total + value, 0)).toBe(inside);
  });

  it("is not one direct step", () => {
    const direct = bilinear(logits(4), 4, 4, 13, 9);
    const twice = upsampleTwin(logits(4), 4, frame(13, 9, 16, "resize"));
    expect(direct[2]).toBeCloseTo(-2.5962, 4); // PyTorch's one step
    expect(Math.max(...direct.map((value, i) => Math.abs(value - (twice[i] as number))))).toBeGreaterThan(0.1);
  });
});

describe("bilinear", () => {
  const values = Float32Array.of(1, 2, 4, 8, 16, 32); // [2, 3]

  it("is PyTorch's interpolate with align_corners false, enlarging and shrinking without antialiasing", () => {
    const larger = [1, 1.4, 2, 3.2, 4, 4.5, 6.3, 9, 14.4, 18, 8, 11.2, 16, 25.6, 32];
    for (const [i, value] of bilinear(values, 3, 2, 5, 3).entries()) expect(value).toBeCloseTo(larger[i] as number, 5);
    expect([...bilinear(values, 3, 2, 2, 1)]).toEqual([5.625, 15.75]);
  });

  it("changes nothing at the same size", () => {
    expect(bilinear(values, 3, 2, 3, 2)).toEqual(values);
  });
});
