import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { frame } from "../../src/image/image.ts";
import { maskInputOfRuns } from "../../src/volume/coverage.ts";
import { editLabel } from "../../src/volume/edit.ts";
import type { Geometry } from "../../src/volume/geometry.ts";
import { indexToPatient } from "../../src/volume/geometry.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import { boundary, grow, type Grid, shrink, smooth, type Stack } from "../../src/volume/morphology.ts";
import { connectedParts, connectedVolumes, dropIslands, fillHoles, keepLargest } from "../../src/volume/parts.ts";
import { boundsOf, difference, intersection, NO_RUNS, paintRuns, pixelCount, runsOf, union } from "../../src/volume/runs.ts";

// Made by scipy: make_morphology.py.
const truth = JSON.parse(readFileSync(new URL("morphology.json", import.meta.url), "utf8"));
const [slices, rows, columns] = truth.shape as [number, number, number];
const straight: Geometry = {
  spacing: { betweenColumns: truth.spacing[2], betweenRows: truth.spacing[1], betweenSlices: truth.spacing[0] },
  origin: [4, -7, 11],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const stackOf = (volume: readonly number[][]): Stack => new Map(volume.flatMap((runs, k) => (runs.length ? [[k, Uint32Array.from(runs)] as const] : [])));
const mask = stackOf(truth.mask);
const grid: Grid = { columns, rows, slices, geometry: straight };
const all = <T>(of: (slice: number) => T) => Array.from({ length: slices }, (_, k) => of(k));
const lists = (of: (slice: number) => Uint32Array) => all((k) => [...of(k)]);

describe("operations on labels, as scipy has them", () => {
  it.each([false, true])("margins and majorities, through slices: %s", (through) => {
    const which = through ? 1 : 0;
    expect(lists((k) => grow(mask, k, grid, truth.mm, through))).toEqual(truth.grow[which]);
    expect(lists((k) => shrink(mask, k, grid, truth.mm / 2, through))).toEqual(truth.shrink[which]);
    expect(lists((k) => smooth(mask, k, grid, truth.mm, through))).toEqual(truth.smooth[which]);
  });

  it("boundaries, holes and parts", () => {
    const at = (k: number) => mask.get(k) ?? NO_RUNS;
    expect(lists((k) => boundary(at(k), columns, rows))).toEqual(truth.boundary);
    expect(lists((k) => fillHoles(at(k), columns, rows))).toEqual(truth.filled);
    const sizes = (corners: boolean) =>
      connectedVolumes(mask, columns, corners).map((part) => [...part.values()].reduce((sum, runs) => sum + pixelCount(runs), 0));
    expect(sizes(false)).toEqual(truth.parts[0]);
    expect(sizes(true)).toEqual(truth.parts[1]);
  });

  const taking: Readonly<Record<string, (runs: Uint32Array) => unknown>> = {
    boundary: (runs) => boundary(runs, columns, rows),
    boundsOf: (runs) => boundsOf(runs, columns),
    connectedParts: (runs) => connectedParts(runs, columns),
    difference: (runs) => difference(runs, NO_RUNS),
    dropIslands: (runs) => dropIslands(runs, columns, 3),
    fillHoles: (runs) => fillHoles(runs, columns, rows),
    intersection: (runs) => intersection(NO_RUNS, runs),
    keepLargest: (runs) => keepLargest(runs, columns),
    maskInputOfRuns: (runs) => maskInputOfRuns(runs, frame(columns, rows, 64, "resize"), 16),
    paintRuns: (runs) => paintRuns(runs, new Uint8Array(columns * rows)),
    pixelCount,
    union: (runs) => union(runs, NO_RUNS),
  };
  it.each(Object.keys(taking))("%s refuses a mask in place of its runs", (name) => {
    const given = { data: new Uint8Array(columns * rows), width: columns, height: rows };
    for (const other of [given, given.data, undefined, "x", [0, 4]])
      expect(() => taking[name]?.(other as never)).toThrow(new RegExp(`^${name}: runs must be runs, got .*runsOf`));
    expect(() => runsOf(given as never)).toThrow(/a mask's data/);
  });
});

/** Every pair of voxels, where they lie in the patient. */
function grownTwin(stack: Stack, geometry: Geometry, mm: number): number[][] {
  const voxels = [...stack].flatMap(([k, runs]) => [...new Uint8Array(columns * rows).keys()].flatMap((i) => (inside(runs, i) ? [place(geometry, i, k)] : [])));
  return all((k) => [
    ...runsOf(
      Uint8Array.from({ length: columns * rows }, (_, i) => {
        const p = place(geometry, i, k);
        return voxels.some((q) => Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) <= mm + 1e-7) ? 1 : 0;
      }),
    ),
  ]);
}
const place = (geometry: Geometry, i: number, k: number) => indexToPatient(geometry, [i % columns, Math.floor(i / columns), k]);
const inside = (runs: Uint32Array, i: number) => runs.some((begin, at) => at % 2 === 0 && begin <= i && i < (runs[at + 1] as number));

describe("margins where voxels lie otherwise", () => {
  const few: Stack = new Map([
    [1, Uint32Array.of(4 * columns + 5, 4 * columns + 9, 5 * columns + 6, 5 * columns + 8)],
    [4, Uint32Array.of(columns - 2, columns + 3)],
  ]);
  const [c, s] = [Math.cos(0.4), Math.sin(0.4)];
  const cases: Record<string, Geometry> = {
    oblique: { ...straight, direction: [c, -s, 0, s, c, 0, 0, 0, 1] },
    reversed: { ...straight, direction: [1, 0, 0, 0, 1, 0, 0, 0, -1] },
    sheared: { ...straight, direction: [1, s, 0, 0, c, 0, 0, 0, 1] },
    tilted: { ...straight, sliceOrigins: all((k) => [4, -7 + 0.9 * k, 11 + 2.5 * k] as const) },
    "with a gap": { ...straight, sliceOrigins: all((k) => [4, -7, 11 + (k > 2 ? 9 : 0) + 1.5 * k] as const) },
  };
  it.each(Object.keys(cases))("%s", (name) => {
    const geometry = cases[name] as Geometry;
    expect(lists((k) => grow(few, k, { ...grid, geometry }, 4.2, true))).toEqual(grownTwin(few, geometry, 4.2));
  });
});

describe("editLabel", () => {
  const drawn = () => {
    const map = new Labelmap(
      columns,
      rows,
      slices,
      [1, 2].map((id) => ({ id, name: `L${id}`, color: [id, 2, 3] as const })),
    );
    for (const [k, runs] of mask) map.draw(1, k, runs);
    return map;
  };

  it("gives changes that take it back, and takes nothing from other labels", () => {
    const map = drawn();
    const beside = grow(mask, 2, grid, 1.4);
    map.draw(2, 2, beside, "keep");
    const before = map.save();
    const changes = editLabel(map, 1, { kind: "grow", mm: truth.mm }, { geometry: straight, through: true });
    expect(changes.length).toBeGreaterThan(3);
    expect(map.runs(2, 2)).toEqual(before.drawn.find(({ label }) => label === 2)?.runs);
    expect(map.overlapping(2)).toBeUndefined();
    map.revert(changes);
    expect(map.save()).toEqual(before);
    map.apply(changes);
    const kept = Labelmap.restore(structuredClone(map.save()));
    expect(kept.save()).toEqual(map.save());
  });

  it("keeps the largest and drops islands, by mm² on slices and by mm³ through them", () => {
    const sizes = truth.parts[1] as number[];
    const largest = drawn();
    editLabel(largest, 1, { kind: "keep-largest" }, { through: true, geometry: straight });
    expect(largest.voxels(1)).toBe(sizes[0]);
    const voxel = 3 * 1.3 * 0.8;
    const dropped = drawn();
    editLabel(dropped, 1, { kind: "drop-islands", below: 3 * voxel }, { through: true, geometry: straight });
    expect(dropped.voxels(1)).toBe(sizes.filter((size) => size >= 3).reduce((sum, size) => sum + size, 0));
    const one = drawn();
    const touched = editLabel(one, 1, { kind: "drop-islands", below: 20 * 1.3 * 0.8 }, { slices: [0, 3], geometry: straight });
    expect(new Set(touched.map(({ slice }) => slice))).toEqual(new Set([0, 3]));
    expect(() => editLabel(one, 1, { kind: "grow", mm: Number.NaN })).toThrow(/grow: mm must be a number from 0, got NaN/);
  });

  it("brings back labels that were renamed or removed", () => {
    const map = drawn();
    const before = map.save();
    const changes = [
      ...map.setLabel({ id: 1, name: "liver", color: [9, 9, 9] }),
      ...map.removeLabel(1),
      ...map.setLabel({ id: 7, name: "new", color: [1, 1, 1] }),
    ];
    expect(map.labels.map(({ name }) => name)).toEqual(["L2", "new"]);
    map.revert(changes);
    expect({ ...map.save(), labels: [...map.labels].sort((a, b) => a.id - b.id) }).toEqual({ ...before, drawn: map.save().drawn });
    map.apply(changes);
    expect(map.labels.map(({ name }) => name)).toEqual(["L2", "new"]);
  });

  it("grows an organ of 400 slices by 5 mm in seconds", () => {
    const big = new Labelmap(512, 512, 400, [{ id: 1, name: "organ", color: [1, 2, 3] }]);
    const disc = runsOf(Uint8Array.from({ length: 512 * 512 }, (_, i) => (((i % 512) - 250) ** 2 + (Math.floor(i / 512) - 260) ** 2 < 8000 ? 1 : 0)));
    for (let k = 100; k < 300; k++) big.draw(1, k, disc);
    const geometry: Geometry = { ...straight, spacing: { betweenColumns: 0.8, betweenRows: 0.8, betweenSlices: 2 } };
    const start = performance.now();
    editLabel(big, 1, { kind: "grow", mm: 5 }, { geometry, through: true });
    console.log(`margin of 5 mm through 200 of 400 slices: ${(performance.now() - start).toFixed(0)} ms`);
    expect(big.drawnSlices(1)).toHaveLength(204);
  });
});
