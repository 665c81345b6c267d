import { describe, expect, it } from "vitest";
import { areaRuns } from "../../app/annotate/strokes.ts";
import { dice } from "../../app/annotate/truth.ts";
import { runsOf } from "../../src/volume/index.ts";
import { type Bits, contours, polygonsOf } from "../../app/annotate/contour.ts";

function bits(...rows: string[]): Bits {
  const width = rows[0]?.length ?? 0;
  return { data: Uint8Array.from(rows.join(""), (c) => (c === "#" ? 1 : 0)), width, height: rows.length };
}

/** Twice the enclosed area, positive when clockwise on the screen. */
function turn(loop: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < loop.length; i += 2) {
    const [x0, y0, x1, y1] = [loop[i], loop[i + 1], loop[(i + 2) % loop.length], loop[(i + 3) % loop.length]] as [number, number, number, number];
    sum += x0 * y1 - x1 * y0;
  }
  return Math.sign(sum);
}

describe("contours", () => {
  it("of nothing are none", () => {
    expect(contours(bits("...", "..."))).toEqual([]);
  });

  it("of one pixel pass the middles of its four edges", () => {
    expect(contours(bits("...", ".#.", "..."))).toEqual([[1.5, 1, 2, 1.5, 1.5, 2, 1, 1.5]]);
  });

  it("of a ring are two, the hole the other way round", () => {
    const loops = contours(bits("#####", "#...#", "#...#", "#####"));
    expect(loops.map(turn)).toEqual([1, -1]);
    expect(loops.map((loop) => loop.length / 2)).toEqual([18, 10]);
  });

  it("keep pixels that touch at a corner apart", () => {
    expect(contours(bits("#.", ".#")).length).toBe(2);
    expect(contours(bits(".#", "#.")).length).toBe(2);
  });

  it("reach the image's border", () => {
    const [loop] = contours(bits("##", "##"));
    expect(loop?.length).toBe(16);
    expect(Math.max(...(loop ?? []))).toBe(2);
  });

  it("have as many points as the mask has border edges, for any mask", () => {
    let state = 7;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    for (const [width, height] of [
      [1, 1],
      [13, 7],
      [31, 32],
    ] as const) {
      for (let trial = 0; trial < 20; trial++) {
        const mask: Bits = { data: Uint8Array.from({ length: width * height }, () => (random() < 0.55 ? 1 : 0)), width, height };
        const at = (x: number, y: number) => (x >= 0 && y >= 0 && x < width && y < height ? (mask.data[y * width + x] as number) : 0);
        let edges = 0;
        for (let y = 0; y <= height; y++) for (let x = 0; x <= width; x++) edges += Math.abs(at(x, y) - at(x - 1, y)) + Math.abs(at(x, y) - at(x, y - 1));
        expect(contours(mask).reduce((sum, loop) => sum + loop.length / 2, 0)).toBe(edges);
      }
    }
  });
});

describe("polygons", () => {
  const size = { width: 60, height: 50 };
  const disc = (inside: (x: number, y: number) => boolean) =>
    runsOf(Uint8Array.from({ length: size.width * size.height }, (_, i) => Number(inside(i % size.width, Math.floor(i / size.width)))));

  it("of few corners cover what the mask covers, to the tolerance, holes left out", () => {
    const ring = disc((x, y) => Math.hypot(x - 28, y - 24) < 20 && Math.hypot(x - 28, y - 24) > 8);
    const polygons = polygonsOf(ring, size, 1);
    expect(polygons.length).toBe(2);
    for (const corners of polygons) expect(corners.length).toBeLessThan(24);
    expect(dice(areaRuns(polygons, size), ring)).toBeGreaterThan(0.96);
    expect(areaRuns(polygonsOf(ring, size, 0), size)).toEqual(ring);
  });

  it("of single pixels and none are kept, and are none", () => {
    const one = disc((x, y) => x === 3 && y === 4);
    expect(areaRuns(polygonsOf(one, size, 5), size)).toEqual(one);
    expect(polygonsOf(new Uint32Array(0), size, 1)).toEqual([]);
  });
});
