import { describe, expect, it } from "vitest";
import { DRAW } from "../../app/samples/draw.ts";
import { SAMPLES } from "../../app/open/samples.ts";
import type { Structure } from "../../app/samples/structure.ts";
import { suggestionOf } from "../../app/annotate/truth.ts";
import { en } from "../../app/words/en.ts";
import { QUICK } from "../support/quick.ts";
import { boundsOf, runsOf } from "../../src/volume/index.ts";

const DIRECTIONS = [0, 1, 2, 3, 4, 5, 6, 7].map((eighth) => [Math.cos((Math.PI * eighth) / 4), Math.sin((Math.PI * eighth) / 4)] as const);

describe.each(SAMPLES)("the $id sample", ({ id }) => {
  const suggestion = en[`sample.try.${id}`];
  const draw = DRAW[id];
  const { picture, structures } = draw();
  const { width, height } = picture;

  if (!QUICK)
    it("is the same every time, to the byte, and so are its true masks", () => {
      const again = draw();
      expect(Buffer.compare(Buffer.from(again.picture.data.buffer), Buffer.from(picture.data.buffer))).toBe(0);
      expect(again.structures.map(({ name }) => name)).toEqual(structures.map(({ name }) => name));
      for (const [index, { mask }] of again.structures.entries()) expect(Buffer.compare(mask, (structures[index] as Structure).mask)).toBe(0);
    });

  it("has opaque pixels over a wide range of levels, few of them at the ends of it but for the background", () => {
    const levels = new Array<number>(256).fill(0);
    let opaque = true;
    for (let i = 0; i < picture.data.length; i += 4) {
      opaque &&= picture.data[i + 3] === 255;
      const level = Math.max(picture.data[i] as number, picture.data[i + 1] as number, picture.data[i + 2] as number);
      levels[level] = (levels[level] as number) + 1;
    }
    expect(opaque).toBe(true);
    expect(levels.filter((count) => count > 0).length).toBeGreaterThan(150);
    expect(levels[255] as number).toBeLessThan(0.1 * width * height);
  });

  it("suggests its first structure", () => {
    expect(structures.length).toBeGreaterThanOrEqual(2);
    expect(suggestion.replace(/^(the|one) /, "")).toBe(structures[0]?.name);
  });

  it("has true masks: zeros and ones at the picture's size, more than a few, that fit a box in it", () => {
    for (const { name, mask } of structures) {
      expect(mask.length, name).toBe(width * height);
      expect(mask.every((pixel) => pixel <= 1)).toBe(true);
      const area = mask.reduce((sum, pixel) => sum + pixel, 0);
      expect(area, name).toBeGreaterThan(100);
      expect(area, name).toBeLessThan(0.5 * width * height);
      const [x0, y0, x1, y1] = boundsOf(runsOf(mask), width) as [number, number, number, number];
      expect(0 <= x0 && x0 < x1 && x1 <= width && 0 <= y0 && y0 < y1 && y1 <= height, name).toBe(true);
      const rows = Array.from({ length: height }, (_, y) => mask.subarray(y * width, (y + 1) * width));
      const filled = rows.flatMap((row, y) => (row.includes(1) ? [y] : []));
      expect([filled[0], (filled.at(-1) as number) + 1], name).toEqual([y0, y1]);
      expect(Math.min(...filled.map((y) => (rows[y] as Uint8Array).indexOf(1))), name).toBe(x0);
      expect(Math.max(...filled.map((y) => (rows[y] as Uint8Array).lastIndexOf(1))) + 1, name).toBe(x1);
    }
  });

  it("suggests the box around its first structure's true mask", () => {
    const { what, box } =
      suggestionOf(
        suggestion,
        width,
        structures.map(({ name, mask }) => ({ name, index: 0, runs: runsOf(mask) })),
      ) ?? {};
    expect(what).toBe(suggestion);
    expect(box).toEqual(boundsOf(runsOf((structures[0] as Structure).mask), width));
  });

  it("shows each structure where its mask is: the levels there are spread otherwise than just outside", () => {
    for (const { name, mask } of structures) {
      const gap = gapOf(mask);
      expect(gap, name).toBeGreaterThan(0.2);
    }
  });

  /** The widest gap (Kolmogorov-Smirnov, 0..1) between how levels are spread in the mask and three to eight pixels outside of it. */
  function gapOf(mask: Uint8Array): number {
    const [inside, outside] = [new Uint32Array(256), new Uint32Array(256)];
    const near = (x: number, y: number, reach: number) =>
      DIRECTIONS.some(([dx, dy]) => {
        const [u, v] = [x + Math.round(dx * reach), y + Math.round(dy * reach)];
        return u >= 0 && v >= 0 && u < width && v < height && mask[v * width + u] === 1;
      });
    const [x0, y0, x1, y1] = boundsOf(runsOf(mask), width) as [number, number, number, number];
    for (let y = Math.max(0, y0 - 8); y < Math.min(height, y1 + 8); y++) {
      for (let x = Math.max(0, x0 - 8); x < Math.min(width, x1 + 8); x++) {
        const i = y * width + x;
        if (mask[i] === 0 && (!near(x, y, 8) || near(x, y, 2))) continue;
        const [red, green, blue] = picture.data.subarray(4 * i) as unknown as [number, number, number];
        const levels = mask[i] === 1 ? inside : outside;
        const level = Math.round((red + green + blue) / 3);
        levels[level] = (levels[level] as number) + 1;
      }
    }
    const [all, others] = [inside, outside].map((levels) => levels.reduce((sum, count) => sum + count, 0)) as [number, number];
    let [gap, below] = [0, 0];
    for (let level = 0; level < 256; level++) {
      below += (inside[level] as number) / all - (outside[level] as number) / others;
      gap = Math.max(gap, Math.abs(below));
    }
    return gap;
  }
});
