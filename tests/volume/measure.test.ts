import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Labelmap } from "../../src/volume/labelmap.ts";
import { diameters, measure } from "../../src/volume/measure.ts";
import { readMeasuresCsv } from "../../src/volume/read_measures.ts";
import { measuresCsv } from "../../src/volume/measures_csv.ts";
import { runsOf } from "../../src/volume/runs.ts";
import type { Volume } from "../../src/volume/volume.ts";

const truth = JSON.parse(readFileSync(new URL("measures.json", import.meta.url), "utf8"));
const [slices, rows, columns] = truth.shape as [number, number, number];
const [betweenColumns, betweenRows, betweenSlices] = truth.spacing as [number, number, number];

/** The shape and image of make_measures.py. */
function drawn(): { volume: Volume; labelmap: Labelmap } {
  const labelmap = new Labelmap(columns, rows, slices, [
    { id: 1, name: '=a "b", c', color: [1, 2, 3] },
    { id: 2, name: "empty", color: [1, 2, 3] },
  ]);
  const angle = (25 * Math.PI) / 180;
  const pixel = (i: number) => [i % columns, Math.floor(i / columns)] as const;
  for (let k = 0; k < slices; k++) {
    const mask = Uint8Array.from({ length: rows * columns }, (_, i) => {
      const [x, y] = pixel(i);
      const [a, b] = [(x - 38) * betweenColumns, (y - 30) * betweenRows];
      const u = a * Math.cos(angle) + b * Math.sin(angle);
      const v = -a * Math.sin(angle) + b * Math.cos(angle);
      return (u / 22) ** 2 + (v / 11) ** 2 + (((k - 3) * betweenSlices) / 14) ** 2 < 1 ? 1 : 0;
    });
    labelmap.draw(1, k, mask);
  }
  const volume: Volume = {
    name: "v",
    format: "NIfTI-1",
    columns,
    rows,
    slices,
    samples: 1,
    windows: [],
    inverted: false,
    files: [],
    notes: [],
    geometry: { spacing: { betweenColumns, betweenRows, betweenSlices }, origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] },
    slice: async (k) => {
      const data = Int16Array.from({ length: rows * columns }, (_, i) => Math.round(20 * Math.sin(pixel(i)[0] / 5) + 3 * pixel(i)[1] - 100 * k));
      return { data, rows, columns, samples: 1 };
    },
  };
  return { volume, labelmap };
}

describe("measures", () => {
  it("are SimpleITK's", async () => {
    const { volume, labelmap } = drawn();
    const { labels, unit, notes } = await measure(labelmap, volume);
    expect([unit, notes]).toEqual(["mm", []]);
    const [one, empty] = labels as [(typeof labels)[0], (typeof labels)[0]];
    expect(one.voxels).toBe(truth.voxels);
    expect(one.volume).toBeCloseTo(truth.volume_ml, 6);
    for (const key of ["mean", "sd", "min", "max"] as const) expect(one[key]).toBeCloseTo(truth[key], 6);
    expect(one.slices.map(({ slice, pixels }) => [slice, pixels])).toEqual(truth.slices.map((s: { slice: number; pixels: number }) => [s.slice, s.pixels]));
    one.slices.forEach((slice, i) => {
      expect(slice.area).toBeCloseTo(truth.slices[i].area, 6);
      expect(slice.longest).toBeCloseTo(truth.slices[i].longest, 6);
      expect(Math.abs(slice.shortest / truth.slices[i].shortest - 1)).toBeLessThan(1e-3);
    });
    expect(empty).toMatchObject({ voxels: 0, volume: 0, longest: 0, mean: Number.NaN });
  });

  it("count gaps by the true positions, and pixels where there are no sizes", async () => {
    const { volume, labelmap } = drawn();
    const geometry = volume.geometry as NonNullable<Volume["geometry"]>;
    const at = [0, 4, 8, 20, 24, 28, 32].map((z) => [0, 0, z] as const);
    const gaps = await measure(labelmap, { ...volume, geometry: { ...geometry, sliceOrigins: at } });
    expect(gaps.notes.join()).toContain("not evenly spaced");
    const thick = [4, 4, 8, 8, 4, 4, 4];
    const expected = truth.slices.reduce((sum: number, { slice, area }: { slice: number; area: number }) => sum + area * (thick[slice] as number), 0) / 1000;
    expect(gaps.labels[0]?.volume).toBeCloseTo(expected, 6);
    const { geometry: _, ...flat } = volume;
    const pixels = await measure(labelmap, flat);
    expect(pixels.unit).toBe("pixels");
    expect(pixels.labels[0]?.volume).toBe(truth.voxels);
    expect(pixels.notes.join()).toContain("in pixels");
  });

  it("leave padding and what is no number out of values, not out of areas", async () => {
    const { volume, labelmap } = drawn();
    const odd: Volume = {
      ...volume,
      padding: { low: -2000, high: -2000 },
      slice: async () => ({
        data: Float32Array.from({ length: rows * columns }, (_, i) => (i % 3 === 0 ? -2000 : i % 3 === 1 ? Number.NaN : 5)),
        rows,
        columns,
        samples: 1,
      }),
    };
    expect((await measure(labelmap, odd)).labels[0]).toMatchObject({ voxels: truth.voxels, mean: 5, sd: 0, min: 5, max: 5 });
  });

  it("of one pixel are its own sides", () => {
    expect(diameters(runsOf([0, 1, 0, 0]), 2)).toEqual({ longest: 1, shortest: expect.closeTo(Math.SQRT1_2, 12) });
  });

  it("go into CSV that no spreadsheet runs", async () => {
    const { volume, labelmap } = drawn();
    const lines = measuresCsv(await measure(labelmap, volume), "HU").split("\n");
    expect(lines[0]).toBe("label,id,slice,voxels,area_mm2,volume_ml,mean_HU,sd_HU,min_HU,max_HU,longest_mm,shortest_mm");
    expect(lines[1]?.startsWith(`"'=a ""b"", c",1,${truth.slices[0].slice},`)).toBe(true);
    expect(lines.at(-2)).toBe("empty,2,,0,,0,,,,,0,0");
  });

  it("come back from CSV, as it was written or saved again by a spreadsheet", async () => {
    const { volume, labelmap } = drawn();
    const measures = await measure(labelmap, volume);
    const text = measuresCsv(measures, "HU");
    const { rows, unit, values } = readMeasuresCsv(text);
    expect([unit, values]).toEqual(["mm", "HU"]);
    expect(rows.map(({ label, id, slice }) => [label, id, slice])).toEqual(
      measures.labels.flatMap(({ label, slices }) => [...slices.map((one) => [label.name, label.id, one.slice]), [label.name, label.id, undefined]]),
    );
    const whole = rows.find(({ slice }) => slice === undefined);
    expect(whole).toMatchObject({ voxels: measures.labels[0]?.voxels, volume: Number(measures.labels[0]?.volume.toPrecision(9)) });
    expect(rows.at(-1)).toMatchObject({ voxels: 0, mean: Number.NaN });
    expect(readMeasuresCsv(`\ufeff${text.replaceAll("\n", "\r\n").trimEnd()}`).rows).toEqual(rows);
    expect(() => readMeasuresCsv(text.replace("label,id", "name,id"), "t.csv")).toThrow(/line 1.*the columns label, id/s);
    expect(() => readMeasuresCsv(`${text}x,1,2\n`, "t.csv")).toThrow(/a name and 11 numbers/);
    expect(() => readMeasuresCsv("", "t.csv")).toThrow(/got nothing/);
  });
});
