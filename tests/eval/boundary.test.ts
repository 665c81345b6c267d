import { describe, expect, it } from "vitest";
import { baselinesOf } from "../../src/eval/baselines.ts";
import { boundaryF } from "../../src/eval/boundary.ts";
import { countRegions } from "../../src/eval/regions.ts";
import { frame } from "../../src/image/image.ts";
import type { Mask } from "../../src/image/mask.ts";
import reference from "./boundary_reference.json";

function draw(width: number, height: number, discs: readonly (readonly number[])[]): Mask {
  const inside = (x: number, y: number) => discs.some(([cx = 0, cy = 0, radius = 0]) => (x - cx) ** 2 + (y - cy) ** 2 < radius ** 2);
  return { width, height, data: Uint8Array.from({ length: width * height }, (_, i) => (inside(i % width, Math.floor(i / width)) ? 1 : 0)) };
}

describe("against SciPy's distance transform and labels", () => {
  it.each(reference.map((value, i) => [i, value] as const))("case %d", (_i, { width, height, mask, truth, boundary, parts, box, point, ellipse, discs }) => {
    const [found, wanted] = [draw(width, height, mask), draw(width, height, truth)];
    expect(boundaryF(found, wanted)).toBeCloseTo(boundary, 12);
    expect(boundaryF(wanted, found)).toBeCloseTo(boundary, 12);
    expect(countRegions(found)).toBe(parts);
    if (!box || !point) return;
    // Prompts are in model pixels, in which the image is centred.
    const framing = frame(width, height, 256, "pad");
    const [x0, y0, x1, y1] = box.map((value, i) => value + (i % 2 === 0 ? framing.left : framing.top)) as [number, number, number, number];
    const first = { box: [x0, y0, x1, y1] as const, point: { x: (point[0] as number) + framing.left, y: (point[1] as number) + framing.top } };
    const naive = baselinesOf(first, wanted, framing);
    expect(naive.ellipse).toBeCloseTo(ellipse as number, 12);
    for (const [i, value] of naive.discs.entries()) expect(value).toBeCloseTo(discs?.[i] as number, 12);
  });
});

describe("boundaryF", () => {
  it("knows empty masks", () => {
    const [none, some] = [draw(9, 9, []), draw(9, 9, [[4, 4, 3]])];
    expect([boundaryF(none, none), boundaryF(none, some), boundaryF(some, none)]).toEqual([1, 0, 0]);
  });
});
