import { describe, expect, it } from "vitest";
import { axis, type Geometry, indexToPatient, type Vector3 } from "../../src/volume/geometry.ts";
import type { Labelmap } from "../../src/volume/labelmap.ts";
import { layLabels, ownLabels } from "../../src/volume/lay.ts";
import { planeView } from "../../src/volume/plane.ts";
import { runsOf } from "../../src/volume/runs.ts";
import type { Segmentation } from "../../src/volume/segmentation.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { plainVolume } from "./plain_volume.ts";

const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
const GEOMETRY: Geometry = {
  spacing: { betweenColumns: 0.7, betweenRows: 1.3, betweenSlices: 4 },
  origin: [-50.5, 20.25, 100],
  direction: [c, -s, 0, s, c, 0, 0, 0, 1],
};
type Inside = (column: number, row: number, slice: number) => number;
const values: Inside = (x, y, z) => (x > 2 && x < 7 && y > 1 && y < 5 && z > 0 && z < 4 ? 1 + (x % 2) : 0);

function volumeOf(of: Inside, geometry: Geometry | undefined = GEOMETRY, [columns, rows, slices]: Vector3 = [10, 8, 6]): Volume {
  const data = (z: number) => Uint8Array.from({ length: columns * rows }, (_, i) => of(i % columns, Math.floor(i / columns), z));
  return plainVolume({
    columns,
    rows,
    slices,
    ...(geometry && { geometry }),
    slice: async (z) => ({ data: data(z), rows, columns, samples: 1 }),
  });
}
const valuesOf = (map: Labelmap) => Array.from({ length: map.slices }, (_, k) => [...map.values(k)]);
const expected = async () => valuesOf((await ownLabels(volumeOf(values))).labelmap);
const flipped = (which: 0 | 1 | 2, sides: Vector3, geometry = GEOMETRY): Geometry => {
  const last = [0, 1, 2].map((i) => (i === which ? (sides[i] as number) - 1 : 0)) as unknown as Vector3;
  const direction = geometry.direction.map((value, i) => (i % 3 === which ? -value : value)) as unknown as Geometry["direction"];
  return { ...geometry, origin: indexToPatient(geometry, last), direction };
};

describe("labels laid on a volume", () => {
  it("stay where they are on the same grid, and say that the file names none", async () => {
    const { labelmap, notes } = await layLabels(
      volumeOf(values),
      volumeOf(() => 0),
    );
    expect(valuesOf(labelmap)).toEqual(await expected());
    expect(notes).toEqual(["The file names no labels: they are numbered by their values."]);
  });

  it.each([0, 1, 2] as const)("are found where axis %i runs backwards", async (which) => {
    const sides: Vector3 = [10, 8, 6];
    const at = (x: number, y: number, z: number) => [x, y, z].map((v, i) => (i === which ? (sides[i] as number) - 1 - v : v)) as [number, number, number];
    const { labelmap } = await layLabels(
      volumeOf((x, y, z) => values(...at(x, y, z)), flipped(which, sides)),
      volumeOf(() => 0),
    );
    expect(valuesOf(labelmap)).toEqual(await expected());
  });

  it.each(["axial", "coronal", "sagittal"] as const)("are found where they are stored as %s slices", async (plane) => {
    const { labelmap } = await layLabels(
      planeView(volumeOf(values), plane),
      volumeOf(() => 0),
    );
    expect(valuesOf(labelmap)).toEqual(await expected());
  });

  it("may be a part of the volume, or reach beyond it", async () => {
    const part = volumeOf((x, y, z) => values(x + 2, y + 1, z + 1), { ...GEOMETRY, origin: indexToPatient(GEOMETRY, [2, 1, 1]) }, [6, 5, 3]);
    expect(
      valuesOf(
        (
          await layLabels(
            part,
            volumeOf(() => 0),
          )
        ).labelmap,
      ),
    ).toEqual(await expected());
    const beyond = await layLabels(
      volumeOf(values),
      volumeOf(() => 0, { ...GEOMETRY, origin: indexToPatient(GEOMETRY, [4, 0, 0]) }),
    );
    expect(beyond.notes.at(-1)).toBe("9 of 36 voxels of the labels lie outside of the volume and are left out.");
  });

  it("are refused on another grid, with every difference named, and resampled when asked", async () => {
    const target = volumeOf(() => 0);
    const refused = async (labels: Volume) =>
      layLabels(labels, target).then(
        () => "",
        (error: Error) => error.message,
      );
    const fine: Geometry = { ...GEOMETRY, spacing: { betweenColumns: 0.35, betweenRows: 0.65, betweenSlices: 2 } };
    const twice = volumeOf((x, y, z) => values(Math.floor((x + 1) / 2), Math.floor((y + 1) / 2), Math.floor((z + 1) / 2)), fine, [20, 16, 12]);
    expect(await refused(twice)).toMatch(/20×16×12 voxels instead of 10×8×6, voxels of 0\.35×0\.65×2 mm instead of 0\.7×1\.3×4 mm.*resample/);
    const laid = await layLabels(twice, target, { resample: "nearest" });
    expect(valuesOf(laid.labelmap)).toEqual(await expected());
    expect(laid.notes.at(-1)).toMatch(/on another grid \(20×16×12 voxels of 0\.35×0\.65×2 mm\)/);
    // Every second voxel is one of the volume's: laid voxel by voxel there would be holes.
    const coarse: Geometry = { ...GEOMETRY, spacing: { betweenColumns: 1.4, betweenRows: 2.6, betweenSlices: 8 } };
    expect(await refused(volumeOf((x) => x, coarse, [5, 4, 3]))).toMatch(/5×4×3 voxels/);
    expect(await refused(volumeOf(values, { ...GEOMETRY, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] }))).toMatch(/other directions \(by 17°\)/);
    expect(await refused(volumeOf(values, { ...GEOMETRY, origin: [-50.2, 20.25, 100] }))).toMatch(/first voxel at -50\.2, 20\.3, 100\.0 mm instead of -50\.5/);
    expect(
      await refused(volumeOf(values, { ...GEOMETRY, sliceOrigins: [0, 1, 2, 3, 4, 5].map((k) => [-50.5, 20.25, 100 + 4 * k + (k > 2 ? 2 : 0)] as const) })),
    ).toMatch(/other steps between slices/);
    expect(await refused(volumeOf(values, { ...GEOMETRY, origin: [900, 0, 0] }))).toMatch(/first voxel at 900/);
  });

  it("of a file with one step between slices lie on uneven ones slice by slice, and that is said", async () => {
    const uneven: Geometry = { ...GEOMETRY, sliceOrigins: [0, 1, 2, 4, 5, 6].map((k) => [-50.5, 20.25 + 0.3 * k, 100 + 4 * k] as const) };
    const { labelmap, notes } = await layLabels(
      volumeOf(values),
      volumeOf(() => 0, uneven),
    );
    expect(valuesOf(labelmap)).toEqual(await expected());
    expect(notes.at(-1)).toMatch(/unevenly spaced, which v cannot say: labels are laid slice by slice/);
  });

  it("without positions go voxel on voxel, and that is said", async () => {
    const { unoriented: _, ...rest } = GEOMETRY as Geometry & { unoriented?: true };
    const bare = { ...volumeOf(values), geometry: undefined } as unknown as Volume;
    const { labelmap, notes } = await layLabels(
      bare,
      volumeOf(() => 0, rest),
    );
    expect(valuesOf(labelmap)).toEqual(await expected());
    expect(notes.at(-1)).toBe("v does not say how it lies: labels are laid voxel on voxel.");
    await expect(
      layLabels(
        { ...bare, slices: 5 },
        volumeOf(() => 0),
      ),
    ).rejects.toThrow(/10×8×5 voxels instead of 10×8×6/);
  });
});

/** Frames where something is, of one segment; positions as given. */
function segmentation(geometry: Geometry, more: Partial<Segmentation> = {}): Segmentation {
  const { spacing, direction } = geometry;
  return {
    name: "s",
    format: "dicom-seg",
    kind: "binary",
    maximum: 1,
    rows: 8,
    columns: 10,
    segments: [{ number: 1, label: "liver" }],
    frames: [1, 2, 3].map((k) => ({ segment: 1, position: indexToPatient(geometry, [0, 0, k]), references: [] })),
    direction,
    spacing,
    referencedSeries: ["1.2.3"],
    files: [],
    notes: [],
    frame: async (index) => Uint8Array.from({ length: 80 }, (_, i) => (values(i % 10, Math.floor(i / 10), index + 1) ? 1 : 0)),
    ...more,
  };
}
const dicom = (frameOfReference: string, series = "1.2.3"): Partial<Volume> => ({
  dicom: {
    elements: new Map([
      ["00200052", { vr: "UI", value: frameOfReference }],
      ["0020000e", { vr: "UI", value: series }],
    ]),
    instances: [],
  },
});

describe("segmentations laid on a volume", () => {
  const binary = async () => (await expected()).map((slice) => slice.map((value) => (value ? 1 : 0)));

  it("that is stored in another order, or is another series of the same space", async () => {
    const sides: Vector3 = [10, 8, 6];
    const turned = { ...volumeOf(() => 0, flipped(1, sides)), ...dicom("9") };
    const { labelmap } = await layLabels(segmentation(GEOMETRY, { frameOfReference: "9" }), turned);
    const rows = (slice: number[]) =>
      Array.from({ length: 8 }, (_, y) => slice.slice(10 * y, 10 * y + 10))
        .reverse()
        .flat();
    expect(valuesOf(labelmap)).toEqual((await binary()).map(rows));
    const another = await layLabels(segmentation(GEOMETRY), { ...volumeOf(() => 0), ...dicom("9", "7.7") });
    expect(valuesOf(another.labelmap)).toEqual(await binary());
    expect(another.notes).toEqual(["The segmentation was drawn on another series: it is laid by where it lies in the patient."]);
  });

  it("are refused in another frame of reference, whatever is asked for", async () => {
    const volume = { ...volumeOf(() => 0), ...dicom("8", "7.7") };
    const given = segmentation(GEOMETRY, { frameOfReference: "9" });
    await expect(layLabels(given, volume, { resample: "nearest" })).rejects.toThrow(/frame of reference.*series 1\.2\.3/);
  });

  it("have a grid of their own, with steps where nothing is drawn", async () => {
    const own = await ownLabels(segmentation(GEOMETRY));
    expect([own.labelmap.slices, own.geometry?.sliceOrigins, own.geometry?.spacing]).toEqual([3, undefined, GEOMETRY.spacing]);
    expect(axis(own.geometry as Geometry, 2)).toEqual([0, 0, 1]);
    const frames = [1, 3].map((k) => ({ segment: 1, position: indexToPatient(GEOMETRY, [0, 0, k]), references: [] }));
    const sparse = segmentation(GEOMETRY, { frames, frame: async () => new Uint8Array(80).fill(1, 12, 15) });
    const { labelmap } = await layLabels(sparse, { ...volumeOf(() => 0, flipped(2, [10, 8, 6])) });
    expect(labelmap.drawnSlices(1)).toEqual([2, 4]);
    expect(labelmap.runs(1, 2)).toEqual(runsOf(new Uint8Array(80).fill(1, 12, 15)));
    await expect(ownLabels(segmentation(GEOMETRY, { direction: undefined as never }))).rejects.toThrow(/where they lie in the patient/);
  });
});
