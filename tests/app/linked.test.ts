// Planes looked at together: which, and where the crosshair lies in each.
import { describe, expect, it } from "vitest";
import type { Case } from "../../app/annotate/case.ts";
import { colourOfPlane, crossIn, crossOf, placeOfCross, planesTogether, voxelAt } from "../../app/stage/linked.ts";
import type { Direction, Vector3, Volume } from "../../src/volume/index.ts";

function volume(direction: Direction, slices = 30): Volume {
  const geometry = { spacing: { betweenColumns: 1, betweenRows: 1, betweenSlices: 3 }, origin: [0, 0, 0] as Vector3, direction };
  return {
    name: "v",
    format: "test",
    columns: 40,
    rows: 50,
    slices,
    samples: 1,
    geometry,
    windows: [],
    inverted: false,
    files: [],
    notes: [],
  } as unknown as Volume;
}

const AXIAL: Direction = [1, 0, 0, 0, 1, 0, 0, 0, 1];
/** Rows run to the front: as NIfTI files in RAS order are stored. */
const UPSIDE_DOWN: Direction = [-1, 0, 0, 0, -1, 0, 0, 0, 1];
/** Columns to the back, rows to the feet, slices to the left. */
const SAGITTAL: Direction = [0, 0, 1, 1, 0, 0, 0, -1, 0];

const at = (of: Volume, plane: Case["place"]["plane"], index: number, cross: Vector3 | null = null) =>
  ({ shown: { slice: { volume: of } }, place: { plane, index }, cross }) as unknown as Case;

describe("planes together", () => {
  it("have stored slices stand for their plane where they lie as it does, or are shown", () => {
    expect(planesTogether(volume(AXIAL), "stored")).toEqual(["stored", "coronal", "sagittal"]);
    expect(planesTogether(volume(AXIAL), "coronal")).toEqual(["stored", "coronal", "sagittal"]);
    expect(planesTogether(volume(AXIAL), "axial")).toEqual(["axial", "coronal", "sagittal"]);
    expect(planesTogether(volume(SAGITTAL), "axial")).toEqual(["axial", "coronal", "stored"]);
    expect(planesTogether(volume(UPSIDE_DOWN), "coronal")).toEqual(["axial", "coronal", "sagittal"]);
    expect(planesTogether(volume(UPSIDE_DOWN), "stored")).toEqual(["stored", "coronal", "sagittal"]);
  });

  it("are none of a single slice, or where nothing says how it lies", () => {
    expect(planesTogether(volume(AXIAL, 1), "stored")).toEqual([]);
    const { geometry: _, ...unknown } = volume(AXIAL);
    expect(planesTogether(unknown, "stored")).toEqual([]);
  });
});

describe.each([
  ["axial", AXIAL],
  ["upside down", UPSIDE_DOWN],
  ["sagittal", SAGITTAL],
] as const)("the crosshair of a volume stored %s", (_, direction) => {
  it("is on the same voxel in every plane", () => {
    const of = volume(direction);
    const voxel: Vector3 = [11, 23, 7];
    for (const plane of ["stored", "axial", "coronal", "sagittal"] as const) {
      const place = placeOfCross(of, plane, voxel);
      expect(voxelAt(of, place, crossIn(of, plane, voxel).at), plane).toEqual(voxel);
      expect(crossOf(at(of, plane, place.index, voxel)), plane).toEqual(voxel);
    }
  });

  it("is in the middle until it was put somewhere, and goes along with the slice that is shown", () => {
    const of = volume(direction);
    expect(crossOf(at(of, "stored", 3))).toEqual([20, 25, 3]);
    const place = placeOfCross(of, "coronal", [20, 25, 15]);
    const moved = crossOf(at(of, "coronal", place.index + 2, [20, 25, 15])) as Vector3;
    expect(placeOfCross(of, "coronal", moved).index).toBe(place.index + 2);
    expect(placeOfCross(of, "sagittal", moved)).toEqual(placeOfCross(of, "sagittal", [20, 25, 15]));
  });

  it("has lines in the colours of the planes that they are", () => {
    const of = volume(direction);
    const { column, row } = crossIn(of, "axial", [0, 0, 0]);
    expect(column).toBe(colourOfPlane(of, "sagittal"));
    expect(row).toBe(colourOfPlane(of, "coronal"));
  });
});
