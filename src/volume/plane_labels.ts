// Labels in a view across the stored slices: looked at and drawn there, kept as runs of the stored slices.
import { expectLabelmap, expectRuns } from "./fail.ts";
import type { Vector3 } from "./geometry.ts";
import type { Labelmap, LabelmapChange, Overlap } from "./labelmap.ts";
import { type PlaneMap, toVolumeIndex } from "./plane_map.ts";
import { difference, intersection, NO_RUNS, type Runs, rowRuns, runsOf, union } from "./runs.ts";

/** What a label has on slice `index` of a view, in the view's pixels: row · view columns + column. */
export function runsOnPlane(labelmap: Labelmap, label: number, map: PlaneMap, index: number): Runs {
  const { sides, columns, rows, across, at } = viewOf(labelmap, map, index);
  const mask = new Uint8Array(columns * rows);
  const place = (which: 0 | 1, stored: readonly number[]) => {
    const own = map.axes[which];
    return map.backwards[which] ? (sides[own] as number) - 1 - (stored[own] as number) : (stored[own] as number);
  };
  for (const slice of across === 2 ? [at] : labelmap.drawnSlices(label)) {
    for (const [y, begin, end] of rowRuns(labelmap.runs(label, slice), sides[0])) {
      if (across === 1 && y !== at) continue;
      const [from, to] = across === 0 ? [Math.max(begin, at), Math.min(end, at + 1)] : [begin, end];
      for (let x = from; x < to; x++) mask[place(1, [x, y, slice]) * columns + place(0, [x, y, slice])] = 1;
    }
  }
  return runsOf(mask);
}

/** Makes `runs`, in the view's pixels, what the label has on slice `index` of a view; what it has elsewhere stays. Overlaps and locks as in `Labelmap.draw`. */
export function drawOnPlane(labelmap: Labelmap, label: number, map: PlaneMap, index: number, runs: Runs, overlap?: Overlap): readonly LabelmapChange[] {
  expectLabelmap("drawOnPlane", labelmap);
  expectRuns("drawOnPlane", runs);
  const { sides, columns, across, at } = viewOf(labelmap, map, index);
  const drawn = new Map<number, number[]>();
  for (const [row, begin, end] of rowRuns(runs, columns)) {
    for (let column = begin; column < end; column++) {
      const [x, y, z] = toVolumeIndex(map, sides, [column, row, index]);
      const pixels = drawn.get(z) ?? [];
      drawn.set(z, pixels);
      pixels.push(y * sides[0] + x);
    }
  }
  const seen = covered(across, at, sides);
  const slices = across === 2 ? [at] : [...new Set([...labelmap.drawnSlices(label), ...drawn.keys()])].sort((a, b) => a - b);
  return slices.flatMap((slice) => {
    const before = labelmap.runs(label, slice);
    const added = runsAt(drawn.get(slice) ?? []);
    if (added.length === 0 && intersection(before, seen).length === 0) return [];
    return labelmap.draw(label, slice, union(difference(before, seen), added), overlap);
  });
}

function viewOf({ columns, rows, slices }: Labelmap, map: PlaneMap, index: number) {
  const sides: Vector3 = [columns, rows, slices];
  const across = map.axes[2];
  const at = toVolumeIndex(map, sides, [0, 0, index])[across] as number;
  return { sides, columns: sides[map.axes[0]] as number, rows: sides[map.axes[1]] as number, across, at };
}

/** The pixels of a stored slice that the view's slice goes through. */
function covered(across: number, at: number, [columns, rows]: Vector3): Runs {
  if (across === 2) return Uint32Array.of(0, columns * rows);
  if (across === 1) return Uint32Array.of(at * columns, (at + 1) * columns);
  return Uint32Array.from(Array.from({ length: rows }, (_, y) => [y * columns + at, y * columns + at + 1]).flat());
}

function runsAt(pixels: readonly number[]): Runs {
  const edges = [...pixels].sort((a, b) => a - b).flatMap((pixel) => [pixel, pixel + 1]);
  // Touching ones are joined.
  return union(Uint32Array.from(edges), NO_RUNS);
}
