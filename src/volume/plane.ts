// Axial, coronal and sagittal views of a volume: its own voxels, in the order a radiologist looks at them, nothing interpolated.
import { SamError } from "../errors.ts";
import { axis, type Direction, type Geometry, indexToPatient, type PlaneName, type Vector3 } from "./geometry.ts";
import type { Slice, SliceData, Volume } from "./volume.ts";

/** Patient axes (x to the left, y to the back, z to the head) that columns, rows and slices of a view grow along, and their signs. */
const VIEWS: Record<PlaneName, readonly (readonly [patientAxis: number, sign: 1 | -1])[]> = {
  axial: [
    [0, 1],
    [1, 1],
    [2, 1],
  ],
  coronal: [
    [0, 1],
    [2, -1],
    [1, 1],
  ],
  sagittal: [
    [1, 1],
    [2, -1],
    [0, 1],
  ],
};

/** For each axis of the view: which index of the volume (0 column, 1 row, 2 slice) it runs along, and whether backwards. */
export interface PlaneMap {
  readonly axes: readonly [number, number, number];
  readonly backwards: readonly [boolean, boolean, boolean];
}

/** Each axis of the volume goes to the patient axis it is nearest to; of oblique volumes the views are as oblique as the volume. */
export function planeMap(geometry: Geometry, plane: PlaneName): PlaneMap {
  const directions = [axis(geometry, 0), axis(geometry, 1), axis(geometry, 2)];
  // The assignment with the largest sum of cosines: never two axes to one.
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const;
  const closeness = (order: readonly number[]) => order.reduce((sum, own, patient) => sum + Math.abs(directions[own]?.[patient] as number), 0);
  const best = orders.reduce((a, b) => (closeness(b) > closeness(a) + 1e-9 ? b : a));
  const view = VIEWS[plane];
  const axes = view.map(([patient]) => best[patient] as number) as [number, number, number];
  const backwards = view.map(([patient, sign], i) => (directions[axes[i] as number]?.[patient] as number) * sign < 0) as [boolean, boolean, boolean];
  return { axes, backwards };
}

/** A voxel of the view, as (column, row, slice), in the volume. */
export function toVolumeIndex({ axes, backwards }: PlaneMap, sides: Vector3, view: Vector3): Vector3 {
  const out: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < 3; i++) {
    const own = axes[i] as number;
    out[own] = backwards[i] ? (sides[own] as number) - 1 - (view[i] as number) : (view[i] as number);
  }
  return out;
}

/** A voxel of the volume, in the view: (column, row, slice). */
export function toViewIndex({ axes, backwards }: PlaneMap, sides: Vector3, voxel: Vector3): Vector3 {
  return axes.map((own, i) => (backwards[i] ? (sides[own] as number) - 1 - (voxel[own] as number) : (voxel[own] as number))) as unknown as Vector3;
}

/**
 * The volume seen in a plane, with its geometry; pixels have their true sizes in `geometry.spacing`. A view across the stored slices reads all of them
 * once and keeps them. Throws a SamError of code "file" where the volume does not say how it lies.
 */
export function planeView(volume: Volume, plane: PlaneName): Volume {
  const { geometry } = volume;
  if (!geometry) {
    const facts = { code: "file", op: volume.name, expected: "a volume that says how it lies in the patient", got: "one without an orientation" } as const;
    throw new SamError({ ...facts, remedy: "Look at its slices as they are stored." });
  }
  const map = planeMap(geometry, plane);
  const sides: Vector3 = [volume.columns, volume.rows, volume.slices];
  const [columns, rows, slices] = map.axes.map((own) => sides[own] as number) as [number, number, number];
  const whole = keptSlices(volume);
  return {
    ...volume,
    name: `${volume.name}, ${plane}`,
    columns,
    rows,
    slices,
    geometry: viewGeometry(geometry, map, sides),
    slice: async (index, options) => {
      if (!Number.isInteger(index) || index < 0 || index >= slices) {
        throw new SamError({
          code: "file",
          op: volume.name,
          expected: `a slice from 0 to ${slices - 1}`,
          got: `${index}`,
          remedy: "Ask for a slice that the view has.",
        });
      }
      const across = map.axes[2] !== 2;
      const own = across ? 0 : (toVolumeIndex(map, sides, [0, 0, index])[2] as number);
      const stored = across ? await whole(options?.signal) : [await volume.slice(own, options)];
      return cut(stored, own, map, sides, index, columns, rows);
    },
  };
}

function cut(stored: readonly Slice[], first: number, map: PlaneMap, sides: Vector3, index: number, columns: number, rows: number): Slice {
  const { samples, data } = stored[0] as Slice;
  const out = new (data.constructor as new (length: number) => SliceData)(columns * rows * samples);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y, z] = toVolumeIndex(map, sides, [column, row, index]);
      const from = (y * sides[0] + x) * samples;
      const source = (stored[z - first] as Slice).data;
      for (let s = 0; s < samples; s++) out[at++] = source[from + s] as number;
    }
  }
  return { data: out, rows, columns, samples };
}

function keptSlices(volume: Volume): (signal?: AbortSignal) => Promise<readonly Slice[]> {
  let kept: Promise<readonly Slice[]> | undefined;
  return (signal) => {
    kept ??= (async () => {
      const all: Slice[] = [];
      for (let i = 0; i < volume.slices; i++) all.push(await volume.slice(i, signal ? { signal } : {}));
      return all;
    })().catch((error) => {
      kept = undefined;
      throw error;
    });
    return kept;
  };
}

function viewGeometry(geometry: Geometry, map: PlaneMap, sides: Vector3): Geometry {
  const { betweenColumns, betweenRows, betweenSlices } = geometry.spacing;
  const steps = [betweenColumns, betweenRows, betweenSlices];
  const along = map.axes.map((own, i) => {
    const [x, y, z] = axis(geometry, own as 0 | 1 | 2);
    return (map.backwards[i] ? [-x, -y, -z] : [x, y, z]) as unknown as Vector3;
  }) as [Vector3, Vector3, Vector3];
  const [a, b, c] = map.axes.map((own) => steps[own] as number) as [number, number, number];
  const at = (slice: number) => indexToPatient(geometry, toVolumeIndex(map, sides, [0, 0, slice]));
  const count = sides[map.axes[2]] as number;
  const direction = [0, 1, 2].flatMap((row) => along.map((vector) => vector[row] as number)) as unknown as Direction;
  const { sliceOrigins: _, ...rest } = geometry;
  const uneven = geometry.sliceOrigins && map.axes[2] === 2;
  const made = { ...rest, spacing: { betweenColumns: a, betweenRows: b, betweenSlices: c }, origin: at(0), direction };
  return uneven ? { ...made, sliceOrigins: Array.from({ length: count }, (_, i) => at(i)) } : made;
}
