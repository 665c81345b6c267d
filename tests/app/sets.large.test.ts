// The sets to practise on: the same on every day, no two cases alike, each with truths that a person could find.
import { describe, expect, it } from "vitest";
import { drawLesion, LESIONS } from "../../app/samples/sets/lesions.ts";
import { drawNuclei } from "../../app/samples/sets/nuclei.ts";
import { drawSlice, ORGANS, SERIES } from "../../app/samples/sets/series.ts";
import type { Structure } from "../../app/samples/structure.ts";

const areaOf = (mask: Uint8Array) => mask.reduce((sum, pixel) => sum + pixel, 0);

/** Mean green within the mask, and without. */
function levels({ data }: { readonly data: Uint8ClampedArray }, mask: Uint8Array): [number, number] {
  const sums = [0, 0];
  for (let i = 0; i < mask.length; i++) sums[1 - (mask[i] as number)] = (sums[1 - (mask[i] as number)] as number) + (data[4 * i + 1] as number);
  const area = areaOf(mask);
  return [(sums[0] as number) / area, (sums[1] as number) / (mask.length - area)];
}

describe("20 skin lesions", () => {
  const drawn = Array.from({ length: LESIONS }, (_, number) => drawLesion(number));

  it("are the same every time, and all different", () => {
    expect(Buffer.compare(Buffer.from(drawLesion(7).picture.data.buffer), Buffer.from(drawn[7]?.picture.data.buffer ?? new ArrayBuffer(0)))).toBe(0);
    expect(new Set(drawn.map(({ structures }) => areaOf((structures[0] as Structure).mask))).size).toBe(LESIONS);
  });

  it("have one lesion each, darker than the skin, whole within the picture", () => {
    for (const { picture, structures } of drawn) {
      const [{ name, mask }] = structures as [Structure];
      expect(name).toBe("lesion");
      const share = areaOf(mask) / mask.length;
      expect(share).toBeGreaterThan(0.015);
      expect(share).toBeLessThan(0.4);
      const [inside, outside] = levels(picture, mask);
      expect(inside).toBeLessThan(outside - 15);
      const { width, height } = picture;
      for (let x = 0; x < width; x++) expect((mask[x] as number) + (mask[(height - 1) * width + x] as number)).toBe(0);
      for (let y = 0; y < height; y++) expect((mask[y * width] as number) + (mask[y * width + width - 1] as number)).toBe(0);
    }
  });
});

it("nuclei: at least 12, apart from each other, darker than what is around them", () => {
  const { picture, structures } = drawNuclei();
  expect(structures.length).toBeGreaterThanOrEqual(12);
  const all = new Uint8Array(picture.width * picture.height);
  for (const { mask } of structures) {
    expect(areaOf(mask)).toBeGreaterThan(400);
    for (let i = 0; i < mask.length; i++) all[i] = (all[i] as number) + (mask[i] as number);
  }
  expect(Math.max(...new Set(all))).toBe(1);
  const [inside, outside] = levels(picture, all);
  expect(inside).toBeLessThan(outside - 60);
});

it("a CT series of 40 slices: five organs, each in one stretch of slices, changing little from one to the next, all of them on the middle slice", () => {
  const slices = Array.from({ length: SERIES.slices }, (_, index) => drawSlice(index));
  expect(Buffer.compare(Buffer.from(drawSlice(20).values.buffer), Buffer.from(slices[20]?.values.buffer ?? new ArrayBuffer(0)))).toBe(0);
  const areas = ORGANS.map((_, organ) => slices.map(({ parts }) => parts.reduce((sum, part) => sum + Number(part === organ + 1), 0)));
  const levels = { liver: [85, 125], spleen: [100, 140], "right kidney": [150, 205], "left kidney": [150, 205], aorta: [150, 230] } as const;
  for (const [organ, name] of ORGANS.entries()) {
    const area = areas[organ] as number[];
    const there = area.flatMap((pixels, index) => (pixels > 0 ? [index] : []));
    expect(there.length, name).toBeGreaterThanOrEqual(20);
    expect(there.at(-1), name).toBe((there[0] as number) + there.length - 1);
    expect(area[SERIES.slices / 2], name).toBeGreaterThan(150);
    for (const index of there.slice(3, -3))
      expect(Math.abs(Math.log((area[index + 1] as number) / (area[index] as number))), `${name}, slice ${index}`).toBeLessThan(0.45);
    const middle = slices[SERIES.slices / 2];
    let sum = 0;
    for (let i = 0; i < (middle?.parts.length ?? 0); i++) if (middle?.parts[i] === organ + 1) sum += middle.values[i] as number;
    const mean = sum / (area[SERIES.slices / 2] as number);
    const [low, high] = levels[name];
    expect(mean, name).toBeGreaterThan(low);
    expect(mean, name).toBeLessThan(high);
  }
});
