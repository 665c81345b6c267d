import { describe, expect, it } from "vitest";
import { affineOf, flipRasLps, type Geometry, geometryOf, indexToPatient, letters, patientToIndex, planeOf, type Vector3 } from "../../src/volume/geometry.ts";
import { edgeLetters, fittedSize, pixelAspect } from "../../src/volume/display.ts";
import { planeView } from "../../src/volume/plane.ts";
import { planeMap, toVolumeIndex } from "../../src/volume/plane_map.ts";
import type { Slice, Volume } from "../../src/volume/volume.ts";
import { plainVolume } from "./plain_volume.ts";

const turn = (degrees: number) => (degrees * Math.PI) / 180;
const [c, s] = [Math.cos(turn(20)), Math.sin(turn(20))];
const OBLIQUE: Geometry = {
  spacing: { betweenColumns: 0.8, betweenRows: 1.1, betweenSlices: 3 },
  origin: [11, -22, 33],
  direction: [c, -s, 0, s, c, 0, 0, 0, 1],
};
const GAPS: Geometry = {
  ...OBLIQUE,
  sliceOrigins: [
    [11, -22, 33],
    [11, -22, 36],
    [11, -22, 45],
    [11, -22, 48],
  ],
};
const SHEARED = geometryOf([1, 0.3, 0, 5, 0, 1, 0, 6, 0, 0.2, 4, 7]) as Geometry;

/** Stored slices are axial, coronal or sagittal, with axes turned around at will; each value tells its own voxel. */
function volume(geometry: Geometry): Volume {
  const [columns, rows, slices] = [4, 3, 5];
  return plainVolume({
    columns,
    rows,
    slices,
    geometry,
    slice: async (k) => ({ data: Int16Array.from({ length: 12 }, (_, i) => 100 * k + 10 * Math.floor(i / 4) + (i % 4)), rows, columns, samples: 1 }),
  });
}

describe("geometry", () => {
  it.each([
    ["oblique", OBLIQUE],
    ["gaps", GAPS],
    ["sheared", SHEARED],
  ])("indices go to the patient and back: %s", (_, geometry) => {
    for (const index of [
      [0, 0, 0],
      [3, 1, 2],
      [1.5, 2.25, 0.5],
      [-2, 7, 3.5],
      [0, 0, 1.75],
    ] as Vector3[]) {
      const back = patientToIndex(geometry, indexToPatient(geometry, index));
      back.forEach((value, i) => {
        expect(value).toBeCloseTo(index[i] as number, 9);
      });
    }
  });

  it("an affine gives spacing, directions and origin, and comes back", () => {
    const affine = affineOf(OBLIQUE);
    const again = affineOf(geometryOf(affine) as Geometry);
    again.forEach((value, i) => {
      expect(value).toBeCloseTo(affine[i] as number, 12);
    });
    expect(flipRasLps(flipRasLps(affine))).toEqual(affine);
    expect(geometryOf([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0])).toBeUndefined();
    expect(geometryOf([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, Number.NaN, 0])).toBeUndefined();
  });

  it("names directions by one letter, or two where they lean", () => {
    expect(letters([1, 0, 0])).toBe("L");
    expect(letters([-0.9, -0.43, 0])).toBe("RA");
    expect(letters([0.05, 0.1, -0.99])).toBe("F");
    expect(edgeLetters({ ...OBLIQUE, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] })).toEqual({ left: "R", right: "L", top: "A", bottom: "P" });
    expect(edgeLetters({ ...OBLIQUE, unoriented: true })).toBeUndefined();
    expect(edgeLetters(undefined)).toBeUndefined();
    expect(planeOf(OBLIQUE)).toEqual({ plane: "axial", degrees: 0 });
    expect(planeOf({ ...OBLIQUE, direction: [1, 0, 0, 0, 0, 1, 0, -1, 0] }).plane).toBe("coronal");
  });
});

describe("a pixel", () => {
  it("is shown at its true shape, and square where no shape is known", () => {
    const side = planeView(volume(OBLIQUE), "sagittal");
    const { across, down } = pixelAspect(side.geometry);
    expect([across, down / across]).toEqual([1, expect.closeTo(3 / 1.1, 9)]);
    const { width, height } = fittedSize(side, { width: 400, height: 400 });
    expect(height).toBeCloseTo(400, 9);
    expect(width / height).toBeCloseTo((side.columns * 1.1) / (side.rows * 3), 9);
    expect(fittedSize({ columns: 10, rows: 5 }, { width: 400, height: 400 })).toEqual({ width: 400, height: 200 });
    const spacing = { betweenColumns: 0, betweenRows: Number.NaN, betweenSlices: 1 };
    for (const odd of [undefined, { ...OBLIQUE, spacing }]) expect(pixelAspect(odd)).toEqual({ across: 1, down: 1 });
  });
});

describe("planes", () => {
  const stored: [string, Geometry["direction"]][] = [
    ["axial", [1, 0, 0, 0, 1, 0, 0, 0, 1]],
    ["as NIfTI stores it", [-1, 0, 0, 0, -1, 0, 0, 0, 1]],
    ["sagittal", [0, 0, -1, 1, 0, 0, 0, -1, 0]],
    ["coronal", [1, 0, 0, 0, 0, -1, 0, -1, 0]],
    ["oblique", OBLIQUE.direction],
  ];
  it.each(stored)("shows the same voxel at the same place of the patient: %s", async (_, direction) => {
    const geometry = { ...OBLIQUE, direction };
    const source = volume(geometry);
    for (const plane of ["axial", "coronal", "sagittal"] as const) {
      const view = planeView(source, plane);
      const map = planeMap(geometry, plane);
      for (let k = 0; k < view.slices; k++) {
        const { data } = await view.slice(k);
        for (const [x, y] of [
          [0, 0],
          [view.columns - 1, 0],
          [1, view.rows - 1],
        ] as const) {
          const value = data[y * view.columns + x] as number;
          const own: Vector3 = [value % 10, Math.floor(value / 10) % 10, Math.floor(value / 100)];
          expect(toVolumeIndex(map, [4, 3, 5], [x, y, k])).toEqual(own);
          const [a, b] = [indexToPatient(view.geometry as Geometry, [x, y, k]), indexToPatient(geometry, own)];
          a.forEach((at, i) => {
            expect(at).toBeCloseTo(b[i] as number, 9);
          });
        }
      }
      const { left = "", top = "" } = edgeLetters(view.geometry) ?? {};
      expect([left[0], top[0]]).toEqual(plane === "axial" ? ["R", "A"] : plane === "coronal" ? ["R", "H"] : ["A", "H"]);
    }
  });

  it("reads the stored slices once for all views, and within its bytes where they are many", async () => {
    const source = volume(OBLIQUE);
    let reads = 0;
    const counted = () => ({
      ...source,
      slice: (index: number) => {
        reads++;
        return source.slice(index);
      },
    });
    const all = async (view: Volume) => {
      const slices: Slice[] = [];
      for (let k = 0; k < view.slices; k++) slices.push(await view.slice(k));
      return slices;
    };
    const own = counted();
    const [coronal, sagittal] = [await all(planeView(own, "coronal")), await all(planeView(own, "sagittal"))];
    // And the first once more by each view, to know how large it is.
    expect(reads).toBe(own.slices + 2);
    for (const bytes of [1, 100, 200]) {
      reads = 0;
      const small = counted();
      const view = planeView(small, "coronal", { bytes });
      for (let k = 0; k < view.slices; k++) expect(await view.slice(k)).toEqual(coronal[k]);
      expect(reads).toBeLessThanOrEqual(1 + view.slices * small.slices);
      const side = planeView(small, "sagittal", { bytes });
      for (let k = 0; k < side.slices; k++) expect(await side.slice(k)).toEqual(sagittal[k]);
    }
  });

  it("goes on where somebody else who waited for the same slices stops", async () => {
    const source = volume(OBLIQUE);
    const slow = {
      ...source,
      slice: async (index: number, { signal }: { signal?: AbortSignal } = {}) => {
        await new Promise((done) => setTimeout(done));
        signal?.throwIfAborted();
        return source.slice(index);
      },
    };
    for (const bytes of [1e9, 100]) {
      const view = planeView(slow, "coronal", { bytes });
      const stop = new AbortController();
      const [first, second] = [view.slice(0, { signal: stop.signal }), view.slice(0)];
      stop.abort(new Error("stopped"));
      await expect(first).rejects.toThrow("stopped");
      expect(await second).toEqual(await planeView(source, "coronal").slice(0));
    }
  });

  it("keeps gaps of the stored slices", () => {
    const view = planeView(volume({ ...GAPS, sliceOrigins: [...(GAPS.sliceOrigins ?? []), [11, -22, 51]] }), "axial");
    expect(view.geometry?.sliceOrigins?.map(([, , z]) => z)).toEqual([33, 36, 45, 48, 51]);
  });

  it("refuses a volume that does not say how it lies", () => {
    const { geometry: _, ...flat } = volume(OBLIQUE);
    expect(() => planeView(flat, "coronal")).toThrow(/how it lies/);
  });
});
