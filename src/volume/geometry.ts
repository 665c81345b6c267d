// Where voxels lie in the patient: LPS, millimetres, voxel centres, as in DICOM and ITK. Other conventions are turned at a reader's door.

export type Vector3 = readonly [x: number, y: number, z: number];

/** 3×3, row-major: its columns are the directions, in LPS, of growing column, row and slice index, each of length 1. */
export type Direction = readonly [number, number, number, number, number, number, number, number, number];

export interface Geometry {
  /** Between the centres of neighbouring columns, rows and slices, mm. Of slices: along the third direction, the commonest step. */
  readonly spacing: { readonly betweenColumns: number; readonly betweenRows: number; readonly betweenSlices: number };
  /** Centre of the first voxel of the first slice, LPS, mm. */
  readonly origin: Vector3;
  readonly direction: Direction;
  /** Centre of the first voxel of each slice, LPS, mm, where slices are not one regular step along the normal apart: gaps, unequal steps, tilt. */
  readonly sliceOrigins?: readonly Vector3[];
  /** Only sizes are known: origin and direction say nothing of the patient, and no letters of orientation are shown. */
  readonly unoriented?: true;
}

/** 3×4, row-major: (column, row, slice, 1) → LPS or, by its maker's word, another system. */
export type Affine = readonly number[];

/** Direction of growing column (0), row (1) or slice (2) index; of length 1. */
export function axis({ direction }: Geometry, which: 0 | 1 | 2): Vector3 {
  return [direction[which] as number, direction[3 + which] as number, direction[6 + which] as number];
}

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function add(a: Vector3, b: Vector3, times = 1): Vector3 {
  return [a[0] + times * b[0], a[1] + times * b[1], a[2] + times * b[2]];
}

export function length(a: Vector3): number {
  return Math.hypot(...a);
}

export function normalized(a: Vector3): Vector3 {
  const long = length(a);
  return long > 0 ? [a[0] / long, a[1] / long, a[2] / long] : a;
}

/** Where slice `index` begins; between slices of unequal steps, in proportion. */
function sliceOrigin(geometry: Geometry, index: number): Vector3 {
  const { sliceOrigins, spacing, origin } = geometry;
  if (!sliceOrigins || sliceOrigins.length < 2) return add(origin, axis(geometry, 2), index * spacing.betweenSlices);
  const low = Math.max(0, Math.min(sliceOrigins.length - 2, Math.floor(index)));
  const [a, b] = [sliceOrigins[low], sliceOrigins[low + 1]] as [Vector3, Vector3];
  return add(a, add(b, a, -1), index - low);
}

/** Voxel indices, fractions allowed, to LPS in mm. */
export function indexToPatient(geometry: Geometry, [column, row, slice]: Vector3): Vector3 {
  const { betweenColumns, betweenRows } = geometry.spacing;
  return add(add(sliceOrigin(geometry, slice), axis(geometry, 0), column * betweenColumns), axis(geometry, 1), row * betweenRows);
}

/** LPS in mm to voxel indices with fractions; outside the volume they go on beyond its ends. */
export function patientToIndex(geometry: Geometry, point: Vector3): Vector3 {
  const { betweenColumns, betweenRows } = geometry.spacing;
  const normal = cross(axis(geometry, 0), axis(geometry, 1));
  const slice = sliceAt(geometry, dot(point, normal));
  const rest = add(point, sliceOrigin(geometry, slice), -1);
  // The two in-plane directions need not be at a right angle (a sheared affine).
  const [u, v] = [axis(geometry, 0), axis(geometry, 1)];
  const [uv, ru, rv] = [dot(u, v), dot(rest, u), dot(rest, v)];
  const scale = 1 - uv * uv;
  return [(ru - uv * rv) / scale / betweenColumns, (rv - uv * ru) / scale / betweenRows, slice];
}

/** The slice index, with fractions, whose plane lies at `distance` along the normal of the slices. */
function sliceAt(geometry: Geometry, distance: number): number {
  const normal = cross(axis(geometry, 0), axis(geometry, 1));
  const { sliceOrigins } = geometry;
  if (!sliceOrigins || sliceOrigins.length < 2) {
    return (distance - dot(geometry.origin, normal)) / (dot(axis(geometry, 2), normal) * geometry.spacing.betweenSlices);
  }
  const at = sliceOrigins.map((origin) => dot(origin, normal));
  const rising = (at.at(-1) as number) >= (at[0] as number);
  let low = 0;
  while (low < at.length - 2 && (rising ? distance >= (at[low + 1] as number) : distance <= (at[low + 1] as number))) low++;
  const step = (at[low + 1] as number) - (at[low] as number);
  return step === 0 ? low : low + (distance - (at[low] as number)) / step;
}

/** (column, row, slice, 1) → LPS. Slices of unequal steps are taken as regular. */
export function affineOf({ spacing, origin, direction }: Geometry): Affine {
  const steps = [spacing.betweenColumns, spacing.betweenRows, spacing.betweenSlices];
  return [0, 1, 2].flatMap((row) => [...[0, 1, 2].map((column) => (direction[3 * row + column] as number) * (steps[column] as number)), origin[row] as number]);
}

/** From a 3×4 affine to LPS: columns become directions of length 1 and their lengths the spacing. Undefined where one is 0 or not finite. */
export function geometryOf(affine: Affine): Geometry | undefined {
  const column = (c: number): Vector3 => [affine[c] as number, affine[4 + c] as number, affine[8 + c] as number];
  const steps = [0, 1, 2].map((c) => length(column(c))) as [number, number, number];
  const units = [0, 1, 2].map((c) => normalized(column(c))) as [Vector3, Vector3, Vector3];
  const origin = column(3);
  const turn = dot(cross(units[0], units[1]), units[2]);
  if (![...steps, ...origin, turn].every(Number.isFinite) || steps.some((step) => step === 0) || Math.abs(turn) < 1e-6) return undefined;
  const direction = [0, 1, 2].flatMap((row) => units.map((unit) => unit[row] as number)) as unknown as Direction;
  return { spacing: { betweenColumns: steps[0], betweenRows: steps[1], betweenSlices: steps[2] }, origin, direction };
}

/** RAS ↔ LPS: x and y change sign. */
export function flipRasLps(affine: Affine): Affine {
  return affine.map((value, i) => (i < 8 ? -value || 0 : value));
}

/** How far the three directions are from right angles, as the largest cosine between two of them. */
export function shear(geometry: Geometry): number {
  const [a, b, c] = [axis(geometry, 0), axis(geometry, 1), axis(geometry, 2)];
  return Math.max(Math.abs(dot(a, b)), Math.abs(dot(a, c)), Math.abs(dot(b, c)));
}

const TOWARDS = ["L", "P", "H"] as const;
const AWAY = ["R", "A", "F"] as const;

/** Where a direction leads: "L", "R", "A", "P", "H" (head), "F" (feet), with the others it leans to by more than 15 degrees: "LA". */
export function letters(direction: Vector3): string {
  return [0, 1, 2]
    .sort((a, b) => Math.abs(direction[b] as number) - Math.abs(direction[a] as number))
    .filter((i, rank) => rank === 0 || Math.abs(direction[i] as number) > 0.26)
    .slice(0, 2)
    .map((i) => ((direction[i] as number) < 0 ? AWAY : TOWARDS)[i])
    .join("");
}

export type PlaneName = "axial" | "coronal" | "sagittal";

/** The plane that the stored slices are nearest to, and by how many degrees they are off it. */
export function planeOf(geometry: Geometry): { readonly plane: PlaneName; readonly degrees: number } {
  const normal = normalized(cross(axis(geometry, 0), axis(geometry, 1))).map(Math.abs);
  const most = normal.indexOf(Math.max(...normal));
  const degrees = (Math.acos(Math.min(1, normal[most] as number)) * 180) / Math.PI;
  return { plane: (["sagittal", "coronal", "axial"] as const)[most] as PlaneName, degrees };
}

/** Of one pixel, mm². */
export function pixelArea(geometry: Geometry): number {
  const { betweenColumns, betweenRows } = geometry.spacing;
  const skew = dot(axis(geometry, 0), axis(geometry, 1));
  return betweenColumns * betweenRows * Math.sqrt(1 - skew * skew);
}

/** What each slice counts for along the normal of the slices, mm: half the way to its neighbours; 1 without a geometry. */
export function thicknesses(geometry: Geometry | undefined, slices: number): number[] {
  if (!geometry) return new Array(slices).fill(1);
  const [u, v] = [axis(geometry, 0), axis(geometry, 1)];
  const normal = normalized(cross(u, v));
  const { sliceOrigins } = geometry;
  const even = geometry.spacing.betweenSlices * Math.abs(dot(axis(geometry, 2), normal));
  if (!sliceOrigins || sliceOrigins.length < 2) return new Array(slices).fill(even);
  const at = sliceOrigins.map((origin) => dot(origin, normal));
  const step = (a: number, b: number) => (at[a] === undefined || at[b] === undefined ? even : Math.abs((at[b] as number) - (at[a] as number)));
  return at.map((_, i) => (step(i - 1, i) + step(i, i + 1)) / 2);
}
