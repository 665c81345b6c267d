// Which axis of a volume runs along which axis of a view, and whether backwards.
import { axis, type Geometry, type PlaneName, type Vector3 } from "./geometry.ts";

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
