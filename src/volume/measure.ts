// Sizes and values of what is drawn, in mm and the modality's units where the volume gives them, else in pixels.
import { add, axis, dot, type Geometry, length, pixelArea, thicknesses } from "./geometry.ts";
import type { Label, Labelmap } from "./labelmap.ts";
import { pixelCount, type Runs, rowRuns } from "./runs.ts";
import type { SliceData, Volume } from "./volume.ts";
import { isMeasured } from "./window.ts";

export interface Values {
  /** Of measured values: padding and what is no number are left out; NaN where there are none. SD is the population's. */
  readonly mean: number;
  readonly sd: number;
  readonly min: number;
  readonly max: number;
}

export interface SliceMeasures extends Values {
  readonly label: Label;
  /** From 0. */
  readonly slice: number;
  readonly pixels: number;
  /** mm², or pixels. */
  readonly area: number;
  /** The largest distance of two points of the outline, and the smallest distance of two parallel lines around it; mm, or pixels. */
  readonly longest: number;
  readonly shortest: number;
}

export interface LabelMeasures extends Values {
  readonly label: Label;
  readonly voxels: number;
  /** ml, or voxels. */
  readonly volume: number;
  /** Of the slice where it is longest. */
  readonly longest: number;
  readonly shortest: number;
  readonly slices: readonly SliceMeasures[];
}

export interface Measures {
  readonly labels: readonly LabelMeasures[];
  /** "mm": areas are mm², volumes ml. "pixels": the volume gives no sizes, and everything is counted. */
  readonly unit: "mm" | "pixels";
  /** What the numbers rest on, for the user. */
  readonly notes: readonly string[];
}

/** See fetched.ts. */
export async function measure(labelmap: Labelmap, volume: Volume, signal?: AbortSignal): Promise<Measures> {
  const { geometry } = volume;
  const notes: string[] = [];
  if (!geometry) notes.push("The file gives no voxel sizes: areas, volumes and diameters are counted in pixels.");
  if (geometry?.sliceOrigins) notes.push("Slices are not evenly spaced: each counts for half the way to its neighbours, across gaps too.");
  if (volume.samples > 1) notes.push("Values are those of the first colour.");
  const thick = thicknesses(geometry, volume.slices);
  const drawn = new Set(labelmap.labels.flatMap(({ id }) => labelmap.drawnSlices(id)));
  const found = new Map<number, (SliceMeasures & { readonly sum: number; readonly squares: number; readonly count: number })[]>();
  for (const slice of [...drawn].sort((a, b) => a - b)) {
    const { data, samples } = await volume.slice(slice, signal ? { signal } : {});
    for (const label of labelmap.labels) {
      const runs = labelmap.runs(label.id, slice);
      if (runs.length === 0) continue;
      const pixels = pixelCount(runs);
      const one = geometry ? pixelArea(geometry) : 1;
      const sums = sumsOf(runs, data, samples, volume.padding);
      const list = found.get(label.id) ?? [];
      found.set(label.id, list);
      list.push({ label, slice, pixels, area: pixels * one, ...diameters(runs, labelmap.columns, geometry), ...sums, ...valuesFrom([sums]) });
    }
  }
  const labels = labelmap.labels.map((label): LabelMeasures => {
    const slices = found.get(label.id) ?? [];
    const longest = slices.reduce<SliceMeasures | undefined>((most, slice) => (most && most.longest >= slice.longest ? most : slice), undefined);
    const ml = slices.reduce((sum, { area, slice }) => sum + area * (thick[slice] as number), 0) / 1000;
    const voxels = slices.reduce((sum, { pixels }) => sum + pixels, 0);
    const tidy = slices.map(({ sum: _, squares: __, count: ___, ...rest }) => rest);
    const size = { longest: longest?.longest ?? 0, shortest: longest?.shortest ?? 0 };
    return { label, voxels, volume: geometry ? ml : voxels, ...size, ...valuesFrom(slices), slices: tidy };
  });
  return { labels, unit: geometry ? "mm" : "pixels", notes };
}

interface Sums {
  readonly count: number;
  readonly sum: number;
  /** Of squared distances to this slice's own mean, so that large values lose no digits. */
  readonly squares: number;
  readonly min: number;
  readonly max: number;
}

function sumsOf(runs: Runs, data: SliceData, samples: number, padding: Volume["padding"]): Sums {
  const measured = isMeasured(padding);
  let [count, sum, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const each = (visit: (value: number) => void) => {
    for (let i = 0; i < runs.length; i += 2) {
      for (let at = runs[i] as number; at < (runs[i + 1] as number); at++) {
        const value = data[at * samples] as number;
        if (measured(value)) visit(value);
      }
    }
  };
  each((value) => {
    count++;
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  });
  let squares = 0;
  const mean = sum / count;
  each((value) => {
    squares += (value - mean) ** 2;
  });
  return { count, sum, squares, min, max };
}

function valuesFrom(parts: readonly Sums[]): Values {
  const count = parts.reduce((total, part) => total + part.count, 0);
  if (count === 0) return { mean: Number.NaN, sd: Number.NaN, min: Number.NaN, max: Number.NaN };
  const mean = parts.reduce((total, part) => total + part.sum, 0) / count;
  const squares = parts.reduce((total, part) => total + part.squares + (part.count === 0 ? 0 : part.count * (part.sum / part.count - mean) ** 2), 0);
  const min = Math.min(...parts.map((part) => part.min));
  const max = Math.max(...parts.map((part) => part.max));
  return { mean, sd: Math.sqrt(squares / count), min, max };
}

type Point = readonly [number, number];

/**
 * Of the outline half a pixel outside the pixels' centres, along rows and along columns: where marching squares has its points.
 * Pixels of one row count by their ends alone, since the hull needs no others.
 */
export function diameters(runs: Runs, columns: number, geometry?: Geometry): { longest: number; shortest: number } {
  const points: Point[] = [];
  const [u, v] = geometry
    ? [axis(geometry, 0), axis(geometry, 1)]
    : ([
        [1, 0, 0],
        [0, 1, 0],
      ] as const);
  const [du, dv] = geometry ? [geometry.spacing.betweenColumns, geometry.spacing.betweenRows] : [1, 1];
  const skew = dot(u, v);
  const straight = length(add(v, u, -skew));
  const place = (x: number, y: number): Point => [x * du + y * dv * skew, y * dv * straight];
  for (const [row, begin, end] of rowRuns(runs, columns)) {
    points.push(place(begin - 0.5, row), place(end - 0.5, row));
    for (const x of [begin, end - 1]) points.push(place(x, row - 0.5), place(x, row + 0.5));
  }
  const hull = convexHull(points);
  let longest = 0;
  for (const a of hull) for (const b of hull) longest = Math.max(longest, Math.hypot(a[0] - b[0], a[1] - b[1]));
  let shortest = Number.POSITIVE_INFINITY;
  hull.forEach((a, i) => {
    const b = hull[(i + 1) % hull.length] as Point;
    const [ex, ey] = [b[0] - a[0], b[1] - a[1]];
    const long = Math.hypot(ex, ey);
    if (long === 0) return;
    const width = Math.max(...hull.map((p) => Math.abs(ex * (p[1] - a[1]) - ey * (p[0] - a[0])) / long));
    shortest = Math.min(shortest, width);
  });
  return { longest, shortest: Number.isFinite(shortest) ? shortest : 0 };
}

/** Andrew's monotone chain. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (ordered: readonly Point[]) => {
    const out: Point[] = [];
    for (const p of ordered) {
      while (out.length >= 2) {
        const [a, b] = out.slice(-2) as [Point, Point];
        if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 1e-12) break;
        out.pop();
      }
      out.push(p);
    }
    return out.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}
