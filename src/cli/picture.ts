// One slice of anything, as the 8-bit picture that the network sees.
import type { RawImage } from "../image/image.ts";
import { dot, type Geometry, indexToPatient, type PlaneName, type Vector3 } from "../volume/geometry.ts";
import { between, firstWindow, percentileWindow, planeView, presets, render, type Volume, volumeMinMax, type Window } from "../volume/index.ts";
import { openPaths } from "./open_paths.ts";
import type { Terminal } from "./terminal.ts";
import { CommandError, UsageError } from "./usage.ts";

export interface PictureOptions {
  /** From 0, in the order of the plane. */
  readonly slice?: number;
  /** Along the plane's normal, LPS, mm: the slice nearest to it. */
  readonly position?: number;
  readonly plane?: PlaneName;
  /** From 1, in the order that info gives. */
  readonly volume?: number;
  readonly window?: string;
}

export interface Picture {
  readonly image: RawImage;
  /** For a report: what was chosen. */
  readonly chosen: { readonly volume: string; readonly slice: number; readonly slices: number; readonly window: string };
  readonly notes: readonly string[];
  /** That the volume is read of. */
  readonly files: readonly string[];
}

/** Whether anything was asked for that only a volume has. */
export function asksForSlice({ slice, position, plane, volume, window }: PictureOptions): boolean {
  return [slice, position, plane, volume, window].some((value) => value !== undefined);
}

/** Throws a UsageError where what was asked for is not there, and a CommandError where nothing opens. */
export async function openPicture(path: string, options: PictureOptions, terminal: Terminal, signal: AbortSignal): Promise<Picture> {
  const { stored, view, slice, window } = await openView(path, options, terminal, signal);
  return { ...(await pictureOf(view, slice, window, signal)), files: stored.files };
}

/** A slice of a volume, in the plane and through the window that were asked for. */
export interface View {
  /** As the file has it. */
  readonly stored: Volume;
  /** In the plane; as it is stored where none was asked for. */
  readonly view: Volume;
  readonly plane?: PlaneName;
  readonly slice: number;
  readonly window: Window;
}

export async function pictureOf(view: Volume, slice: number, window: Window, signal: AbortSignal): Promise<Omit<Picture, "files">> {
  const image = render(await view.slice(slice, { signal }), window, view);
  const chosen = {
    volume: view.name,
    slice,
    slices: view.slices,
    window: `${window.name} (${Number(window.center.toPrecision(6))}, ${Number(window.width.toPrecision(6))})`,
  };
  return { image, chosen, notes: view.notes };
}

/** The volume of a path, the `number`-th from 1 where it has several. */
export async function openStored(path: string, number: number | undefined, terminal: Terminal, signal: AbortSignal): Promise<Volume> {
  const { volumes, refused } = await openPaths([path], terminal, signal);
  if (volumes.length === 0) {
    const [first] = refused;
    throw new CommandError(first ? `cannot open ${first.file}: ${first.reason}` : `cannot open ${path}: there is no image in it`);
  }
  return choose(volumes, number, path);
}

export async function openView(path: string, options: PictureOptions, terminal: Terminal, signal: AbortSignal): Promise<View> {
  const stored = await openStored(path, options.volume, terminal, signal);
  const view = options.plane ? planeView(stored, options.plane) : stored;
  const slice = sliceOf(view, options, path);
  const window = await shownWindow(stored, view, slice, options.window, signal);
  return { stored, view, slice, window, ...(options.plane && { plane: options.plane }) };
}

function choose(volumes: readonly Volume[], number: number | undefined, path: string): Volume {
  const chosen = volumes[(number ?? 1) - 1];
  const list = volumes.slice(0, 20).map(({ name, slices }, i) => `${i + 1}: ${name} (${slices} slices)`);
  if (!chosen) throw new UsageError(`--volume ${number}: ${path} has ${volumes.length}: ${list.join(", ")}`);
  if (number === undefined && volumes.length > 1) throw new UsageError(`${path} has ${volumes.length} volumes, choose one with --volume: ${list.join(", ")}`);
  return chosen;
}

function sliceOf(volume: Volume, { slice, position }: PictureOptions, path: string): number {
  const { slices, geometry } = volume;
  if (slice !== undefined && position !== undefined) throw new UsageError("--slice and --position are two ways to say the same: give one");
  if (slice !== undefined && slice >= slices) throw new UsageError(`--slice ${slice}: ${path} has ${slices} slices, so it must be from 0 to ${slices - 1}`);
  if (slice !== undefined) return slice;
  if (position === undefined) {
    if (slices > 1) throw new UsageError(`${path} has ${slices} slices: choose one with --slice, from 0 to ${slices - 1}, or with --position in mm`);
    return 0;
  }
  if (!geometry || geometry.unoriented)
    throw new UsageError(`--position ${position}: ${path} does not say where its slices lie; use --slice, from 0 to ${slices - 1}`);
  const places = Array.from({ length: slices }, (_, i) => placeOf(geometry, i));
  const nearest = places.reduce((best, place, i) => (Math.abs(place - position) < Math.abs((places[best] as number) - position) ? i : best), 0);
  const step = Math.max(...places.slice(1).map((place, i) => Math.abs(place - (places[i] as number))), geometry.spacing.betweenSlices);
  if (Math.abs((places[nearest] as number) - position) > step) {
    const [low, high] = [Math.min(...places), Math.max(...places)].map((place) => Number(place.toFixed(2)));
    throw new UsageError(`--position ${position} is outside: the slices of ${path} lie from ${low} to ${high} mm`);
  }
  return nearest;
}

/** Of the slice's first voxel, along the patient axis that the normal is nearest to. */
function placeOf(geometry: Geometry, index: number): number {
  const normal: Vector3 = [geometry.direction[2], geometry.direction[5], geometry.direction[8]];
  const most = normal.map(Math.abs).indexOf(Math.max(...normal.map(Math.abs)));
  const axis = [0, 1, 2].map((i) => (i === most ? 1 : 0)) as unknown as Vector3;
  return dot(indexToPatient(geometry, [0, 0, index]), axis);
}

/** What a slice is shown through: colours as they are stored, others as `--window` has it. */
export function shownWindow(stored: Volume, view: Volume, index: number, text: string | undefined, signal: AbortSignal): Promise<Window> {
  return view.samples >= 3 || view.palette ? Promise.resolve(between("as stored", 0, 255)) : windowOf(stored, view, index, text, signal);
}

/** `text` as `--window` has it. */
export async function windowOf(stored: Volume, volume: Volume, index: number, text: string | undefined, signal: AbortSignal): Promise<Window> {
  if (text === undefined) return firstWindow(stored, signal);
  if (text === "auto") return percentileWindow([(await volume.slice(index, { signal })).data], volume.padding);
  if (text === "minmax") return volumeMinMax(stored, signal);
  const numbers = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const [center, width] = numbers;
  if (numbers.length === 2 && center !== undefined && width !== undefined && numbers.every(Number.isFinite) && width > 0) {
    return { name: "given", center, width, shape: "linear" };
  }
  const known = [...volume.windows, ...presets(volume.modality)];
  const found = known.find(({ name }) => name.toLowerCase() === text.toLowerCase());
  if (found) return found;
  const names = ["auto", "minmax", ...known.map(({ name }) => name)].join(", ");
  throw new UsageError(`--window must be center,width with a width above 0, for instance 40,400, or one of ${names}; got ${text}`);
}
