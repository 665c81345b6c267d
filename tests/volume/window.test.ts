import { describe, expect, it } from "vitest";
import { render } from "../../src/volume/render.ts";
import type { SliceData, Window } from "../../src/volume/volume.ts";
import { between, gray, minMaxWindow, percentileWindow, presets } from "../../src/volume/window.ts";

const win = (shape: Window["shape"], center: number, width: number): Window => ({ name: "", center, width, shape });
const row = (data: SliceData) => ({ data, rows: 1, columns: data.length, samples: 1 as const });

describe("the formulas of DICOM PS3.3 C.11.2.1", () => {
  it("linear: y = (x − (c − 0.5)) / (w − 1) + 0.5, black up to c − 0.5 − (w − 1)/2", () => {
    // The standard's example: center 2048, width 4096 maps 0 to 0 and 4095 to the brightest.
    const full = gray(win("linear", 2048, 4096));
    expect(full(0)).toBe(0);
    expect(full(4095)).toBe(1);
    expect(full(2047.5)).toBe(0.5);
    // Width 1 is a step at c − 0.5.
    const step = gray(win("linear", 100, 1));
    expect([step(99), step(99.5), step(99.6), step(100)]).toEqual([0, 0, 1, 1]);
    const small = gray(win("linear", 0, 100));
    expect(small(-50)).toBe(0);
    expect(small(49)).toBe(1);
    expect(small(0)).toBeCloseTo(0.5 / 99 + 0.5, 12);
  });

  it("linear exact: y = (x − c) / w + 0.5", () => {
    const exact = gray(win("linear-exact", 0, 100));
    expect([exact(-50), exact(-25), exact(0), exact(50), exact(1000)]).toEqual([0, 0.25, 0.5, 1, 1]);
  });

  it("sigmoid: y = 1 / (1 + exp(−4 (x − c) / w))", () => {
    const sigmoid = gray(win("sigmoid", 10, 20));
    expect(sigmoid(10)).toBe(0.5);
    expect(sigmoid(20)).toBeCloseTo(1 / (1 + Math.exp(-2)), 12);
    expect(sigmoid(0)).toBeCloseTo(1 / (1 + Math.exp(2)), 12);
  });

  it("a table: values before it take its first entry, values behind it its last", () => {
    const lut = gray({ ...win("linear", 0, 1), lut: { first: 10, entries: Float32Array.of(0, 0.25, 1) } });
    expect([lut(-5), lut(10), lut(11), lut(12), lut(99)]).toEqual([0, 0, 0.25, 1, 1]);
  });

  it("takes what is no number for black", () => {
    for (const shape of ["linear", "linear-exact", "sigmoid"] as const) expect(gray(win(shape, 0, 10))(Number.NaN)).toBe(0);
  });
});

describe("windows made from values", () => {
  it("min–max leaves out padding and what is no number", () => {
    const data = Float32Array.of(-2000, Number.NaN, 5, 40, Number.POSITIVE_INFINITY, 25);
    const made = minMaxWindow([data], { low: -2000, high: -2000 });
    expect(gray(made)(5)).toBe(0);
    expect(gray(made)(40)).toBe(1);
  });

  it("automatic leaves out single bright values", () => {
    const data = Int16Array.from({ length: 10_000 }, (_, i) => (i < 20 ? 30_000 : i < 4000 ? -2000 : i % 100));
    const { center, width } = percentileWindow([data], { low: -2000, high: -2000 });
    expect(center).toBeCloseTo(49.5, 0);
    expect(width).toBeCloseTo(99, 0);
  });

  it("of one value, of nothing, is finite", () => {
    for (const data of [Int16Array.of(7, 7), new Int16Array(0), Float32Array.of(Number.NaN)]) {
      for (const made of [minMaxWindow([data]), percentileWindow([data], undefined)]) {
        expect(Number.isFinite(made.center) && made.width > 0).toBe(true);
      }
    }
  });

  it("presets are CT's", () => {
    expect(presets("CT").find(({ name }) => name === "lung")).toEqual({ name: "lung", center: -600, width: 1500, shape: "linear" });
    expect(presets("MR")).toEqual([]);
  });
});

describe("render", () => {
  it("gives 8-bit gray, turned around where low values are bright", () => {
    const slice = row(Int16Array.of(-10, 0, 5, 10, 20));
    const window = between("", 0, 10);
    expect([...render(slice, window).data]).toEqual([0, 0, 128, 255, 255]);
    expect([...render(slice, window, { inverted: true }).data]).toEqual([255, 255, 128, 0, 0]);
    expect(render(slice, window)).toMatchObject({ width: 5, height: 1, channels: 1 });
  });

  it("is the same by table and value by value", () => {
    for (const kind of [Int8Array, Uint8Array, Int16Array, Uint16Array]) {
      const data = Uint32Array.from({ length: 20_000 }, (_, i) => Math.imul(i, 2654435761) >>> 0);
      const many = kind.from(data as unknown as number[]);
      const byTable = render(row(many), win("linear", 30, 200)).data;
      const one = render(row(Float64Array.from(many)), win("linear", 30, 200)).data;
      expect(byTable).toEqual(one);
    }
  });

  it("keeps colours of 8 bits, scales those of 16, leaves alpha out, looks indices up", () => {
    const rgb = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), rows: 1, columns: 2, samples: 3 as const };
    expect([...render(rgb, between("", 0, 1)).data]).toEqual([1, 2, 3, 4, 5, 6]);
    const rgba16 = { data: Uint16Array.of(65535, 0, 257, 9), rows: 1, columns: 1, samples: 4 as const };
    expect([...render(rgba16, between("", 0, 1)).data]).toEqual([255, 0, 1]);
    const indices = row(Uint8Array.of(1, 0, 9));
    expect([...render(indices, between("", 0, 1), { palette: Uint8Array.of(1, 2, 3, 4, 5, 6) }).data]).toEqual([4, 5, 6, 1, 2, 3, 0, 0, 0]);
  });

  it("refuses a slice whose values do not fill it", () => {
    expect(() => render({ data: new Uint8Array(5), rows: 2, columns: 3, samples: 1 }, between("", 0, 1))).toThrow(/2×3×1 values, got 5/);
  });
});
