import { describe, expect, it } from "vitest";
import { packRuns, sampleRuns, unpackRuns } from "../../app/annotate/run_lengths.ts";

function maskOf(rows: readonly string[]) {
  const data = Uint8Array.from([...rows.join("")], (mark) => (mark === "#" ? 1 : 0));
  return { data, width: rows[0]?.length ?? 0, height: rows.length };
}

const MASKS = [["....", "...."], ["####", "####"], ["#..#", ".##.", "...#"], ["..##", "##.."], ["#"], ["."]].map(maskOf);

describe("run lengths", () => {
  it("come back as the same mask, with its area", () => {
    for (const mask of MASKS) {
      const runs = packRuns(mask);
      expect(unpackRuns(runs)).toEqual(mask);
      expect(runs.area).toBe(mask.data.reduce((sum, pixel) => sum + pixel, 0));
      expect(sampleRuns(runs, mask.width, mask.height)).toEqual(mask);
    }
    expect([...packRuns(maskOf(["#..#", ".##.", "...#"])).lengths]).toEqual([0, 1, 2, 1, 1, 2, 4, 1]);
  });

  it("are sampled as the pixels would be, smaller and larger", () => {
    const [width, height] = [37, 23];
    const data = Uint8Array.from({ length: width * height }, (_, i) => ((i * 7919) % 11 < 4 ? 1 : 0));
    const runs = packRuns({ data, width, height });
    for (const [w, h] of [
      [5, 4],
      [80, 61],
      [37, 90],
    ] as const) {
      const sampled = sampleRuns(runs, w, h);
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++) {
          const at = Math.floor(((y + 0.5) * height) / h) * width + Math.floor(((x + 0.5) * width) / w);
          expect(sampled.data[y * w + x]).toBe(data[at]);
        }
    }
  });

  it("of a round mask of 12 megapixels take a five-hundredth of its bytes", () => {
    const [width, height] = [4000, 3000];
    const data = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (Math.hypot(x - 2000, y - 1500) < 1200) data[y * width + x] = 1;
    expect(packRuns({ data, width, height }).lengths.byteLength).toBeLessThan(data.length / 500);
  });
});
