// Where voxels lie in the patient: LPS, millimetres, voxel centres, as in DICOM and ITK. Other conventions are turned at a reader's door.

export type Vector3 = readonly [x: number, y: number, z: number];

/** 3×3, row-major: its columns are the directions, in LPS, of growing column, row and slice index, each of length 1. */
export type Direction = readonly [number, number, number, number, number, number, number, number, number];

export interface Geometry {
  /** Between the centres of neighbouring columns, rows and slices, mm. Of slices: along the normal of the plane, the commonest step. */
  readonly spacing: { readonly betweenColumns: number; readonly betweenRows: number; readonly betweenSlices: number };
  /** Centre of the first voxel of the first slice, LPS, mm. */
  readonly origin: Vector3;
  readonly direction: Direction;
  /** Centre of the first voxel of each slice, LPS, mm, where slices are not one regular step along the normal apart: gaps, unequal steps, tilt. */
  readonly sliceOrigins?: readonly Vector3[];
}
