// Planes of a volume that are looked at together: which they are, and where the crosshair that links them lies in each.
import { planeMap, type PlaneMap, type PlaneName, planeOf, toViewIndex, toVolumeIndex, type Vector3, type Volume } from "../../src/volume/index.ts";
import type { Case, Place } from "../annotate/case.ts";
import type { Plane } from "../open/slices.ts";
import type { Cross } from "./ink.ts";
import type { Pixel } from "./view.ts";

const NAMES: readonly PlaneName[] = ["axial", "coronal", "sagittal"];
/** As 3D Slicer has them. */
const COLOURS: Readonly<Record<PlaneName, string>> = { axial: "#ff6a5e", coronal: "#6ee06e", sagittal: "#ffd54a" };
const AS_STORED: PlaneMap = { axes: [0, 1, 2], backwards: [false, false, false] };

export function sidesOf({ columns, rows, slices }: Volume): Vector3 {
  return [columns, rows, slices];
}

export function mapTo({ geometry }: Volume, plane: Plane): PlaneMap {
  return plane === "stored" || !geometry ? AS_STORED : planeMap(geometry, plane);
}

/**
 * Axial, coronal, sagittal, in this order; none where the volume does not say how it lies. Slices as they are stored stand for the plane that they lie in
 * while they are shown, and wherever they are that plane's own pixels, so that what was said about them is seen.
 */
export function planesTogether(volume: Volume, shown: Plane): readonly Plane[] {
  const { geometry, slices } = volume;
  if (!geometry || slices < 2) return [];
  const own = planeOf(geometry).plane;
  const { axes, backwards } = planeMap(geometry, own);
  const same = axes.every((axis, i) => axis === i) && !backwards[0] && !backwards[1];
  return NAMES.map((name) => (name === own && shown !== own && (same || shown === "stored") ? "stored" : name));
}

/** What a plane is called where planes are told apart: stored slices by the one they lie in. */
export function nameOfPlane({ geometry }: Volume, plane: Plane): PlaneName | "stored" {
  return plane === "stored" && geometry ? planeOf(geometry).plane : plane;
}

export function colourOfPlane(volume: Volume, plane: Plane): string {
  const name = nameOfPlane(volume, plane);
  return name === "stored" ? "#ffffff" : COLOURS[name];
}

/** The stored voxel that all planes show: across the plane on the stage, the slice that is shown. */
export function crossOf({ shown, place, cross }: Case): Vector3 | null {
  const volume = shown?.slice?.volume;
  if (!volume) return null;
  const sides = sidesOf(volume);
  const [x, y, z] = cross ?? (sides.map((side) => Math.floor(side / 2)) as unknown as Vector3);
  const map = mapTo(volume, place.plane);
  const across = map.axes[2];
  const voxel: [number, number, number] = [x, y, z];
  voxel[across] = toVolumeIndex(map, sides, [0, 0, place.index])[across] as number;
  return voxel;
}

/** The slice of a plane that the crosshair is on. */
export function placeOfCross(volume: Volume, plane: Plane, cross: Vector3): Place {
  return { plane, index: toViewIndex(mapTo(volume, plane), sidesOf(volume), cross)[2] };
}

/** The stored voxel under a pixel of a plane's slice. */
export function voxelAt(volume: Volume, { plane, index }: Place, { x, y }: Pixel): Vector3 {
  return toVolumeIndex(mapTo(volume, plane), sidesOf(volume), [x, y, index]);
}

/** The crosshair in a plane: each line is the plane that it is of, in its colour. */
export function crossIn(volume: Volume, plane: Plane, cross: Vector3): Cross {
  const map = mapTo(volume, plane);
  const [x, y] = toViewIndex(map, sidesOf(volume), cross);
  const seen = (axis: number) => {
    const { geometry } = volume;
    const name = geometry && NAMES.find((one) => planeMap(geometry, one).axes[2] === axis);
    return name ? COLOURS[name] : "#ffffff";
  };
  return { at: { x, y }, column: seen(map.axes[0]), row: seen(map.axes[1]) };
}
