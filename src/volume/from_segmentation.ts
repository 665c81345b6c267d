// Segments of a file laid onto the volume they were drawn on: by the images they name, else by where their frames lie in the patient.
import { SamError } from "../errors.ts";
import { labelColor } from "./from_volume.ts";
import { axis, type Geometry, indexToPatient, length, patientToIndex, type Vector3 } from "./geometry.ts";
import { Labelmap } from "./labelmap.ts";
import { type Runs, runsOf, union } from "./runs.ts";
import type { Segmentation } from "./segmentation.ts";
import type { Volume } from "./volume.ts";

/** Of a millimetre, and of a voxel: files round positions. */
const TOLERANCE = 0.05;

/** Overlaps stay. Fractional segments count from half on, and `notes` says so. Throws where the segmentation lies on another grid, saying how they differ. */
export async function labelmapOfSegmentation(
  segmentation: Segmentation,
  volume: Volume,
  signal?: AbortSignal,
): Promise<{ readonly labelmap: Labelmap; readonly notes: readonly string[] }> {
  expectSameGrid(segmentation, volume);
  const { segments, frames, kind, maximum } = segmentation;
  const labels = segments.map(({ number, label, color, category, type }) => ({
    id: number,
    name: label,
    color: color ?? labelColor(number),
    ...(category ? { category } : {}),
    ...(type ? { type } : {}),
  }));
  const labelmap = new Labelmap(volume.columns, volume.rows, volume.slices, labels);
  const notes = kind === "fractional" ? ["The segments are fractional: voxels count from half of the maximum on."] : [];
  const byInstance = new Map(volume.dicom?.instances.map(({ sopInstance, frame }, slice) => [`${sopInstance} ${frame ?? ""}`, slice]));
  for (const [index, { segment, position, references }] of frames.entries()) {
    const named = references.map(({ sopInstance, frame }) => byInstance.get(`${sopInstance} ${frame ?? ""}`)).find((slice) => slice !== undefined);
    const slice = named ?? sliceAt(position, volume);
    if (slice === undefined)
      throw differs(
        segmentation,
        volume,
        `a frame ${position ? `at ${position.map((mm) => mm.toFixed(1)).join(", ")} mm` : "without a position"}, where the volume has no slice`,
      );
    const voxels = await segmentation.frame(index, signal ? { signal } : {});
    const put = (id: number, runs: Runs) => labelmap.draw(id, slice, union(labelmap.runs(id, slice), runs), "allow");
    if (kind === "labelmap") for (const { number } of segments) put(number, runsOf(Array.from(voxels, (value) => (value === number ? 1 : 0))));
    else if (segment !== undefined) put(segment, runsOf(kind === "fractional" ? voxels.map((value) => (2 * value >= maximum ? 1 : 0)) : voxels));
  }
  return { labelmap, notes };
}

function sliceAt(position: Vector3 | undefined, { geometry, slices }: Volume): number | undefined {
  if (!position || !geometry) return undefined;
  const at = patientToIndex(geometry, position);
  const slice = Math.round(at[2]);
  if (slice < 0 || slice >= slices) return undefined;
  const [x, y, z] = indexToPatient(geometry, [0, 0, slice]);
  const off = length([position[0] - x, position[1] - y, position[2] - z]);
  return off <= Math.max(TOLERANCE, TOLERANCE * geometry.spacing.betweenSlices) ? slice : undefined;
}

function expectSameGrid(segmentation: Segmentation, volume: Volume): void {
  const { rows, columns, direction, spacing } = segmentation;
  if (rows !== volume.rows || columns !== volume.columns)
    throw differs(segmentation, volume, `${columns}×${rows} pixels on a volume of ${volume.columns}×${volume.rows}`);
  const { geometry } = volume;
  if (!geometry) return;
  if (direction) {
    const own: Geometry = { ...geometry, direction };
    const turned = ([0, 1] as const).some((which) => {
      const [a, b] = [axis(own, which), axis(geometry, which)];
      return length([a[0] - b[0], a[1] - b[1], a[2] - b[2]]) > 1e-2;
    });
    if (turned) throw differs(segmentation, volume, "rows and columns that run in other directions");
  }
  if (!spacing) return;
  for (const key of ["betweenColumns", "betweenRows"] as const) {
    const [a, b] = [spacing[key], geometry.spacing[key]];
    if (Math.abs(a - b) > 1e-2 * b) throw differs(segmentation, volume, `pixels of ${a.toFixed(3)} mm on a volume of ${b.toFixed(3)} mm`);
  }
}

function differs(segmentation: Segmentation, volume: Volume, got: string): SamError {
  const expected = `segments on the voxels of ${volume.name}`;
  return new SamError({ code: "file", op: segmentation.name, expected, got, remedy: "Open it with the series it was drawn on." });
}
