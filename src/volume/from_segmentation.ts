// Segments of a file laid onto the volume they were drawn on: by the images they name, else by where their frames lie in the patient.
import { SamError } from "../errors.ts";
import { labelColor } from "./label_color.ts";
import { axis, dot, type Geometry, indexToPatient, length, patientToIndex, type Vector3 } from "./geometry.ts";
import { type Label, Labelmap } from "./labelmap.ts";
import { type Runs, runsByValue, runsOf, union } from "./runs.ts";
import type { Segment, Segmentation, SegmentFrame } from "./segmentation.ts";
import type { Volume } from "./volume.ts";

/** Of a millimetre, and of a voxel: files round positions. */
const TOLERANCE = 0.05;

interface OwnLabelmap {
  readonly labelmap: Labelmap;
  readonly geometry?: Geometry;
  readonly sparse: boolean;
  readonly notes: readonly string[];
}

/** See fetched.ts. */
export async function labelmapOfSegmentation(
  segmentation: Segmentation,
  volume: Volume,
  signal?: AbortSignal,
): Promise<{ readonly labelmap: Labelmap; readonly notes: readonly string[] }> {
  expectSameGrid(segmentation, volume);
  const byInstance = new Map(volume.dicom?.instances.map(({ sopInstance, frame }, slice) => [`${sopInstance} ${frame ?? ""}`, slice]));
  let placed = 0;
  const sliceOf = ({ position, references, slice: numbered }: SegmentFrame) => {
    const named = references.map(({ sopInstance, frame }) => byInstance.get(`${sopInstance} ${frame ?? ""}`)).find((slice) => slice !== undefined);
    const slice = named ?? sliceAt(position, volume);
    if (slice !== undefined && named === undefined) placed++;
    if (slice !== undefined) return slice;
    // Files of pictures know no places, only numbers.
    if (!position && references.length === 0 && !segmentation.direction && numbered !== undefined && numbered < volume.slices) return numbered;
    throw differs(
      segmentation,
      volume,
      `a frame ${position ? `at ${position.map((mm) => mm.toFixed(1)).join(", ")} mm` : numbered === undefined ? "without a position" : `of slice ${numbered}`}, where the volume has no slice`,
    );
  };
  const slices = segmentation.frames.map(sliceOf);
  const own = volume.dicom?.elements.get("00200052")?.value;
  const { frameOfReference, referencedSeries } = segmentation;
  if (placed > 0 && own && frameOfReference && own !== frameOfReference)
    throw differs(segmentation, volume, `one in another frame of reference${referencedSeries[0] ? `, drawn on the series ${referencedSeries[0]}` : ""}`);
  const drawn = await drawnFrames(segmentation, slices, volume, signal);
  const series = volume.dicom?.elements.get("0020000e")?.value;
  const another = placed > 0 && series && referencedSeries.length > 0 && !referencedSeries.includes(series);
  return {
    ...drawn,
    notes: another ? [...drawn.notes, "The segmentation was drawn on another series: it is laid by where it lies in the patient."] : drawn.notes,
  };
}

/** On the segmentation's own voxels: a slice for each place that frames have, in order along their normal. */
export async function ownLabelmap(segmentation: Segmentation, signal?: AbortSignal): Promise<OwnLabelmap> {
  const { frames, geometry, direction, spacing, rows, columns } = segmentation;
  if (geometry || (!direction && frames.every(({ slice }) => slice !== undefined))) {
    const slices = 1 + Math.max(0, ...frames.map(({ slice = 0 }) => slice));
    const placed = frames.map(({ slice = 0 }) => slice);
    return { ...(await drawnFrames(segmentation, placed, { columns, rows, slices }, signal)), ...(geometry && { geometry }), sparse: false };
  }
  if (!direction || !spacing || frames.some(({ position }) => !position)) {
    const facts = { code: "file", op: segmentation.name, expected: "frames that say where they lie in the patient", got: "frames without" } as const;
    throw new SamError({ ...facts, remedy: "Open it with the series it was drawn on." });
  }
  const normal: Vector3 = [direction[2], direction[5], direction[8]];
  const at = frames.map(({ position }) => dot(position as Vector3, normal));
  const places = [...new Set([...at].sort((a, b) => a - b).map((mm) => Math.round(mm * 100)))];
  const placed = at.map((mm) => places.indexOf(Math.round(mm * 100)));
  const origins = places.map((_, k) => frames[placed.indexOf(k)]?.position as Vector3);
  const steps = places.slice(1).map((mm, i) => (mm - (places[i] as number)) / 100);
  const betweenSlices = steps.length > 0 ? Math.min(...steps) : (spacing.betweenSlices ?? 1);
  const regular = steps.every((step) => Math.abs(step - betweenSlices) < TOLERANCE * betweenSlices);
  const made: Geometry = {
    spacing: { betweenColumns: spacing.betweenColumns, betweenRows: spacing.betweenRows, betweenSlices },
    origin: origins[0] as Vector3,
    direction,
    ...(regular ? {} : { sliceOrigins: origins }),
  };
  return { ...(await drawnFrames(segmentation, placed, { columns, rows, slices: places.length }, signal)), geometry: made, sparse: true };
}

async function drawnFrames(
  segmentation: Segmentation,
  slices: readonly number[],
  sides: { readonly columns: number; readonly rows: number; readonly slices: number },
  signal: AbortSignal | undefined,
): Promise<{ readonly labelmap: Labelmap; readonly notes: readonly string[] }> {
  const { segments, frames, kind, maximum } = segmentation;
  const labelmap = new Labelmap(sides.columns, sides.rows, sides.slices, segments.map(labelOf));
  const notes = kind === "fractional" ? ["The segments are fractional: voxels count from half of the maximum on."] : [];
  const unnamed = new Set<number>();
  const known = new Set(segments.map(({ number }) => number));
  for (const [index, { segment }] of frames.entries()) {
    const slice = slices[index] as number;
    const voxels = await segmentation.frame(index, signal ? { signal } : {});
    const put = (id: number, runs: Runs) => {
      if (!known.has(id)) {
        known.add(id);
        unnamed.add(id);
        labelmap.setLabel({ id, name: `Label ${id}`, color: labelColor(id) });
      }
      labelmap.draw(id, slice, union(labelmap.runs(id, slice), runs), "allow");
    };
    if (kind === "labelmap") for (const [id, runs] of runsByValue(voxels)) put(id, runs);
    else if (segment !== undefined) put(segment, runsOf(kind === "fractional" ? voxels.map((value) => (2 * value >= maximum ? 1 : 0)) : voxels));
  }
  if (unnamed.size > 0) notes.push(`The file does not name ${unnamed.size > 1 ? "the values" : "the value"} ${[...unnamed].join(", ")}: numbered by value.`);
  return { labelmap, notes };
}

function labelOf({ number, label, color, category, type }: Segment): Label {
  return { id: number, name: label, color: color ?? labelColor(number), ...(category ? { category } : {}), ...(type ? { type } : {}) };
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
