// Axial, coronal and sagittal views of a volume: its own voxels, in the order a radiologist looks at them, nothing interpolated.
import { expectKnown, refused, expectVolume } from "./fail.ts";
import { axis, type Direction, type Geometry, indexToPatient, type PlaneName, type Vector3 } from "./geometry.ts";
import { type PlaneMap, planeMap, toVolumeIndex } from "./plane_map.ts";
import type { Slice, SliceData, Volume } from "./volume.ts";

/**
 * The volume seen in a plane, with its geometry; pixels have their true sizes in `geometry.spacing`. A view across the stored slices reads all of them
 * once and keeps them, all views of a volume the same; where they take more than `bytes`, it reads them once for each part of the view that fits. Throws a SamError of code "file" where the volume does not say how it lies.
 */
export function planeView(volume: Volume, plane: PlaneName, options: { readonly bytes?: number } = {}): Volume {
  expectVolume("planeView", volume);
  expectKnown("planeView", options, ["bytes"]);
  const { bytes = 256e6 } = options;
  const { geometry } = volume;
  const refuse = (expected: string, got: unknown, remedy: string) => refused(volume.name, undefined, expected, got, remedy);
  if (!geometry) throw refuse("a volume that says how it lies in the patient", "one without an orientation", "Look at its slices as they are stored.");
  const map = planeMap(geometry, plane);
  const sides: Vector3 = [volume.columns, volume.rows, volume.slices];
  const [columns, rows, slices] = map.axes.map((own) => sides[own] as number) as [number, number, number];
  // Fetched when somebody looks across the stored slices.
  const across = map.axes[2] === 2 ? undefined : once(async () => (await import("./across.ts")).slicesAcross(volume, map, bytes));
  return {
    ...volume,
    name: `${volume.name}, ${plane}`,
    columns,
    rows,
    slices,
    geometry: viewGeometry(geometry, map, sides),
    slice: async (index, options) => {
      if (!Number.isInteger(index) || index < 0 || index >= slices)
        throw refuse(`a slice from 0 to ${slices - 1}`, index, "Ask for a slice that the view has.");
      if (across) return (await across())(index, options?.signal);
      const [, , own] = toVolumeIndex(map, sides, [0, 0, index]);
      return cut(await volume.slice(own, options), map, sides, index, columns, rows);
    },
  };
}

/** A stored slice as the view has it: turned and mirrored. */
function cut({ samples, data, columns: width }: Slice, map: PlaneMap, sides: Vector3, index: number, columns: number, rows: number): Slice {
  const out = new (data.constructor as new (length: number) => SliceData)(columns * rows * samples);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = toVolumeIndex(map, sides, [column, row, index]);
      const from = (y * width + x) * samples;
      for (let s = 0; s < samples; s++) out[at++] = data[from + s] as number;
    }
  }
  return { data: out, rows, columns, samples };
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

/** What `make` gives, made when it is first asked for; again where that failed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
