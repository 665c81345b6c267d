// Labels of one grid laid onto the voxels of another: as they are where the voxels are the same, in whatever order they are stored; resampled only when asked.
import { SamError } from "../errors.ts";
import { expectOptions } from "../option_names.ts";
import { labelmapOfSegmentation, ownLabelmap } from "./from_segmentation.ts";
import { labelmapOf } from "./from_volume.ts";
import { add, type Geometry, indexToPatient, patientToIndex, type Vector3 } from "./geometry.ts";
import { differences, gridWords } from "./grid_words.ts";
import { Labelmap } from "./labelmap.ts";
import { NO_RUNS, type Runs, rowRuns, union } from "./runs.ts";
import type { Segmentation } from "./segmentation.ts";
import type { Volume } from "./volume.ts";

export interface LayOptions {
  /** Labels of another grid: each voxel takes the label of the nearest one. Without it they are refused, and how the grids differ is said. */
  readonly resample?: "nearest";
  readonly signal?: AbortSignal;
}

/** Labels and where they lie. */
export interface LaidLabels {
  readonly labelmap: Labelmap;
  /** Sentences for the user: what was taken by position, cut off, thresholded, or has no name. */
  readonly notes: readonly string[];
}

/** Of a voxel: files round positions. */
const TOLERANCE = 0.1;

/** See fetched.ts. */
export async function layLabels(source: Volume | Segmentation, volume: Volume, options: LayOptions = {}): Promise<LaidLabels> {
  await expectOptions(options, ["resample", "signal"], "file", "layLabels");
  const { signal, resample } = options;
  let refused: unknown;
  if ("segments" in source) {
    try {
      return await labelmapOfSegmentation(source, volume, signal);
    } catch (error) {
      if (!(error instanceof SamError) || error.code !== "file" || !source.direction || !volume.geometry) throw error;
      refused = error;
    }
    expectSamePatientSpace(source, volume);
  }
  const own = await ownLabels(source, signal);
  const { geometry } = own;
  const placed = geometry && !geometry.unoriented && volume.geometry && !volume.geometry.unoriented;
  if (!placed) {
    const { labelmap } = own;
    if (labelmap.columns !== volume.columns || labelmap.rows !== volume.rows || labelmap.slices !== volume.slices) throw apart(source.name, own, volume);
    const missing = !geometry || geometry.unoriented ? source.name : volume.name;
    const known = Boolean(geometry) !== Boolean(volume.geometry);
    return { labelmap, notes: known ? [...own.notes, `${missing} does not say how it lies: labels are laid voxel on voxel.`] : own.notes };
  }
  const exact = sameVoxels(own, geometry, volume);
  if (exact) return { labelmap: exact.labelmap, notes: [...own.notes, ...exact.notes] };
  // Most files of volumes know one step alone: what was written on uneven slices lies on them slice by slice.
  const { sliceOrigins, ...even } = volume.geometry as Geometry;
  const sameSlices =
    sliceOrigins && !geometry.sliceOrigins && own.labelmap.slices === volume.slices && sameVoxels(own, geometry, { ...volume, geometry: even });
  if (sameSlices) {
    const note = `The slices of ${volume.name} are unevenly spaced, which ${source.name} cannot say: labels are laid slice by slice.`;
    return { labelmap: sameSlices.labelmap, notes: [...own.notes, ...sameSlices.notes, note] };
  }
  if (resample !== "nearest") throw apart(source.name, own, volume, refused);
  const note = `The labels lie on another grid (${gridWords(own.labelmap, geometry)}): each voxel took the nearest one's label.`;
  return { labelmap: nearest(own.labelmap, geometry, volume, signal), notes: [...own.notes, note] };
}

export interface OwnLabels extends LaidLabels {
  readonly geometry?: Geometry | undefined;
  /** Slices are there only where something is: a step from one to the next may leave some out. */
  readonly sparse?: boolean;
}

export async function ownLabels(source: Volume | Segmentation, signal?: AbortSignal): Promise<OwnLabels> {
  if ("segments" in source) return ownLabelmap(source, signal);
  const unnamed = source.labels ? [] : ["The file names no labels: they are numbered by their values."];
  return { labelmap: await labelmapOf(source, undefined, signal), geometry: source.geometry, notes: unnamed };
}

/** Where every drawn voxel lies on a voxel of the volume, and neighbours on neighbours; undefined where they do not. */
function sameVoxels({ labelmap, sparse }: OwnLabels, own: Geometry, volume: Volume): LaidLabels | undefined {
  const geometry = volume.geometry as Geometry;
  const sides = [volume.columns, volume.rows, volume.slices] as const;
  const to = (x: number, y: number, z: number) => patientToIndex(geometry, indexToPatient(own, [x, y, z]));
  const places = new Map<number, Place>();
  const drawn = new Set(labelmap.labels.flatMap(({ id }) => labelmap.drawnSlices(id)));
  for (const slice of drawn.size > 0 ? drawn : [0]) {
    const [origin, right, below, next] = [to(0, 0, slice), to(1, 0, slice), to(0, 1, slice), to(0, 0, slice + 1)].map((a, i, [o]) =>
      i ? add(a, o as Vector3, -1) : a,
    ) as [Vector3, Vector3, Vector3, Vector3];
    const alone = sparse || labelmap.slices === 1;
    if (!(isWhole(origin) && isStep(right, labelmap.columns) && isStep(below, labelmap.rows) && (alone || isStep(next, 1)))) return undefined;
    places.set(slice, { origin: rounded(origin), right: rounded(right), below: rounded(below) });
  }
  const made = new Labelmap(...sides, labelmap.labels);
  let [outside, all] = [0, 0];
  for (const { id } of labelmap.labels) {
    const found = new Map<number, number[]>();
    for (const [slice, runs] of labelmap.stack(id)) {
      const { origin, right, below } = places.get(slice) as Place;
      for (const [y, begin, end] of rowRuns(runs, labelmap.columns)) {
        for (let x = begin; x < end; x++, all++) {
          const [i, j, k] = [0, 1, 2].map((n) => (origin[n] as number) + x * (right[n] as number) + y * (below[n] as number)) as [number, number, number];
          if (i < 0 || j < 0 || k < 0 || i >= sides[0] || j >= sides[1] || k >= sides[2]) {
            outside++;
            continue;
          }
          const pixels = found.get(k) ?? [];
          found.set(k, pixels);
          pixels.push(j * sides[0] + i);
        }
      }
    }
    for (const [slice, pixels] of found) made.draw(id, slice, runsAt(pixels), "allow");
  }
  if (outside === all && all > 0) return undefined;
  return { labelmap: made, notes: outside > 0 ? [`${outside} of ${all} voxels of the labels lie outside of the volume and are left out.`] : [] };
}

/** In voxels of the volume: the first pixel of a slice of labels, and what one column or row further is. */
interface Place {
  readonly origin: Vector3;
  readonly right: Vector3;
  readonly below: Vector3;
}

const rounded = (a: Vector3) => a.map(Math.round) as unknown as Vector3;
const isWhole = (a: Vector3) => a.every((value) => Math.abs(value - Math.round(value)) <= TOLERANCE);

/** One voxel along one axis; over `count` of them it goes astray by less than the tolerance. */
function isStep(a: Vector3, count: number): boolean {
  const whole = rounded(a);
  return (
    whole.filter((value) => value !== 0).length === 1 &&
    Math.max(...whole.map(Math.abs)) === 1 &&
    a.every((v, i) => Math.abs(v - (whole[i] as number)) * count <= TOLERANCE)
  );
}

function runsAt(pixels: number[]): Runs {
  pixels.sort((a, b) => a - b);
  return union(Uint32Array.from(pixels.flatMap((pixel) => [pixel, pixel + 1])), NO_RUNS);
}

function nearest(labelmap: Labelmap, own: Geometry, volume: Volume, signal: AbortSignal | undefined): Labelmap {
  const geometry = volume.geometry as Geometry;
  const made = new Labelmap(volume.columns, volume.rows, volume.slices, labelmap.labels);
  const masks = new Map<string, Uint8Array>();
  const maskOf = (id: number, slice: number) => {
    const key = `${id} ${slice}`;
    const mask = masks.get(key) ?? labelmap.mask(id, slice);
    masks.set(key, mask);
    return mask;
  };
  const ids = labelmap.labels.map(({ id }) => ({ id, slices: new Set(labelmap.drawnSlices(id)) }));
  for (let slice = 0; slice < volume.slices; slice++) {
    signal?.throwIfAborted();
    const [origin, column, row] = (
      [
        [0, 0],
        [1, 0],
        [0, 1],
      ] as const
    ).map(([x, y]) => patientToIndex(own, indexToPatient(geometry, [x, y, slice]))) as [Vector3, Vector3, Vector3];
    const found = ids.map(() => [] as number[]);
    for (let y = 0; y < volume.rows; y++) {
      for (let x = 0; x < volume.columns; x++) {
        const [i, j, k] = [0, 1, 2].map((n) =>
          Math.round((origin[n] as number) + x * ((column[n] as number) - (origin[n] as number)) + y * ((row[n] as number) - (origin[n] as number))),
        ) as [number, number, number];
        if (i < 0 || j < 0 || k < 0 || i >= labelmap.columns || j >= labelmap.rows || k >= labelmap.slices) continue;
        for (const [n, { id, slices }] of ids.entries())
          if (slices.has(k) && maskOf(id, k)[j * labelmap.columns + i]) (found[n] as number[]).push(y * volume.columns + x);
      }
    }
    for (const [n, { id }] of ids.entries()) if ((found[n] as number[]).length > 0) made.draw(id, slice, runsAt(found[n] as number[]), "allow");
  }
  return made;
}

function apart(name: string, { labelmap, geometry }: OwnLabels, volume: Volume, cause?: unknown): SamError {
  const expected = `labels on the voxels of ${volume.name}`;
  const got = differences({ ...sidesOf(labelmap), geometry }, { ...sidesOf(volume), geometry: volume.geometry }).join(", ");
  const remedy =
    geometry && volume.geometry ? "Open the labels that were drawn on it, or ask for the nearest voxels (resample)." : "Open the labels that were drawn on it.";
  return new SamError({ code: "file", op: name, expected, got, remedy }, { cause });
}

function sidesOf({ columns, rows, slices }: { readonly columns: number; readonly rows: number; readonly slices: number }) {
  return { columns, rows, slices };
}

/** Positions of another frame of reference mean other places. */
function expectSamePatientSpace({ name, frameOfReference, referencedSeries }: Segmentation, volume: Volume): void {
  const own = volume.dicom?.elements.get("00200052")?.value;
  if (!frameOfReference || !own || frameOfReference === own) return;
  const expected = `segments in the frame of reference of ${volume.name}`;
  const got = `another one${referencedSeries[0] ? `: it was drawn on the series ${referencedSeries[0]}` : ""}`;
  throw new SamError({ code: "file", op: name, expected, got, remedy: "Open it with the series it was drawn on." });
}
