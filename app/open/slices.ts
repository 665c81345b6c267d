// Volumes on the desk: which slice of which plane is shown, through which window.
import type { DicomWebOptions, Opened } from "../../src/formats/index.ts";
import {
  type PlaneName,
  planeView,
  presets,
  render,
  SliceCache,
  type Volume,
  volumeMinMax,
  type Window,
  firstWindow,
  percentileWindow,
} from "../../src/volume/index.ts";
import { type CodecPool, codecPool } from "./codec_pool.ts";
import { opening } from "./progress.ts";
import type { Picture } from "./samples.ts";

export type Plane = PlaneName | "stored";

/** The slice that a case shows. */
export interface SliceOf {
  /** The volume's, whatever slice is shown. */
  readonly tile: string;
  readonly volume: Volume;
  readonly plane: Plane;
  /** The volume as it lies in the plane. */
  readonly view: Volume;
  readonly index: number;
  readonly window: Window;
  readonly windows: readonly Window[];
}

/** Another slice, plane or window is another picture to the model. */
export const idOf = ({ tile, plane, index, window }: Pick<SliceOf, "tile" | "plane" | "index" | "window">) =>
  `${tile} ${plane} ${index} ${window.name} ${window.center} ${window.width} ${window.shape}`;

export function planesOf({ geometry, slices }: Volume): readonly Plane[] {
  return geometry && slices > 1 ? ["stored", "axial", "coronal", "sagittal"] : ["stored"];
}

/** Opens a volume at its middle, through its own window, else one from its values. */
export async function firstSlice(tile: string, volume: Volume): Promise<SliceOf> {
  const window = await firstWindow(volume);
  const own = volume.windows.length > 0 ? volume.windows : [window];
  return {
    tile,
    volume,
    plane: "stored",
    view: volume,
    index: Math.floor(volume.slices / 2),
    window,
    windows: [...own, ...presets(volume.modality)],
  };
}

/** The slice of that index, or the last one in that direction. */
export function atSlice(slice: SliceOf, index: number): SliceOf {
  return { ...slice, index: Math.max(0, Math.min(slice.view.slices - 1, index)) };
}

export function inPlane(slice: SliceOf, plane: Plane): SliceOf {
  const view = plane === "stored" ? slice.volume : viewOf(slice.volume, plane);
  return { ...slice, plane, view, index: Math.floor(view.slices / 2) };
}

/** Of the volume that was turned last: a view across its slices holds all of them. */
let turned: { readonly volume: Volume; readonly views: Map<PlaneName, Volume> } | undefined;

function viewOf(volume: Volume, plane: PlaneName): Volume {
  if (turned?.volume !== volume) turned = { volume, views: new Map() };
  const view = turned.views.get(plane) ?? planeView(volume, plane);
  turned.views.set(plane, view);
  return view;
}

/** As the network sees it, with the alpha that canvases want. */
export async function pictureOf({ view, index, window }: SliceOf, signal?: AbortSignal): Promise<Picture> {
  const { data, width, height, channels } = render(await view.slice(index, signal ? { signal } : {}), window, view);
  const rgba = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = data[channels * i + (channels === 1 ? 0 : c)] as number;
    rgba[4 * i + 3] = 255;
  }
  return { data: rgba, width, height };
}

/** From the values of the slice that is shown, or of the whole volume. */
export async function windowFrom({ view, volume, index }: SliceOf, from: "automatic" | "min–max"): Promise<Window> {
  if (from === "automatic") return { ...percentileWindow([(await view.slice(index)).data], volume.padding), name: from };
  return { ...(await volumeMinMax(volume)), name: from };
}

/** Dragged: to the right wider, downwards brighter, a full stage for about the window's own width. */
export function draggedWindow({ center, width, shape }: Window, dx: number, dy: number): Window {
  const wider = Math.max(1e-9, width * Math.exp(dx / 200));
  return { name: "by hand", center: center - (dy / 300) * width, width: wider, shape: shape === "sigmoid" ? "linear" : shape };
}

let shared: { readonly decoders: CodecPool; readonly slices: SliceCache } | undefined;

/** Decoders and decoded slices, for all that is open together: the memory is bounded whatever is opened. */
export function keeper() {
  shared ??= { decoders: codecPool(), slices: new SliceCache() };
  return shared;
}

/** What the heap of files is that came along: nothing leaves the page, and what is compressed is decoded by parts fetched for it. */
export async function openVolumes(files: readonly File[]): Promise<Opened> {
  const { openFiles } = await import("../../src/formats/index.ts");
  return keptOpen(await opening((options) => openFiles(files, { ...options, decoders: keeper().decoders })));
}

type Server = Pick<DicomWebOptions, "url" | "study" | "series" | "authorize">;

/** Where volumes came from, if from a server: what is drawn on them may go back there. */
const servers = new WeakMap<Volume, Server>();
export const serverOfVolume = (volume: Volume): Server | undefined => servers.get(volume);

/** Series of a DICOMweb server. */
export async function openServer(server: Server): Promise<Opened> {
  const { fromDicomWeb } = await import("../../src/formats/index.ts");
  const opened = keptOpen(await opening((options) => fromDicomWeb({ ...server, ...options, decoders: keeper().decoders })));
  for (const volume of opened.volumes) servers.set(volume, server);
  return opened;
}

/** Nothing where its user stopped it. */
function keptOpen(opened: Opened | undefined): Opened {
  return opened ? { ...opened, volumes: opened.volumes.map((volume) => keeper().slices.of(volume)) } : { volumes: [], segmentations: [], refused: [] };
}

/** What browsers decode themselves; everything else is for the readers of formats. */
export async function isPicture(file: Blob): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const text = String.fromCharCode(...head);
  return /^(\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF....WEBP|....ftyp(avif|avis))/s.test(text);
}
