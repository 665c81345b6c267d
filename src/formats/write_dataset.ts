// A volume and its labels as the folder that SAM-Med2D was trained and evaluated on: 8-bit pictures of slices, a mask a file, two lists.
import { planeView } from "../volume/plane.ts";
import type { Geometry, PlaneName } from "../volume/geometry.ts";
import type { Label, Labelmap } from "../volume/labelmap.ts";
import { planeMap } from "../volume/plane_map.ts";
import { runsOnPlane } from "../volume/plane_labels.ts";
import { connectedParts } from "../volume/parts.ts";
import { pixelCount, paintRuns, type Runs } from "../volume/runs.ts";
import { render } from "../volume/render.ts";
import type { RawImage } from "../image/image.ts";
import type { Volume, Window } from "../volume/volume.ts";
import { volumeMinMax } from "../volume/window.ts";
import { writeGrayPng, writeRgbPng } from "./write_png.ts";

/** What is left out, and why it is the published rule: the defaults are the paper's. */
export interface DatasetOptions {
  /** Slices along these; default all three. `stored`: only as the file has them. */
  readonly planes?: readonly (PlaneName | "stored")[];
  /** To 8 bits; default the least to the greatest value of the whole volume. */
  readonly window?: Window;
  /** Masks of a smaller share of the picture are left out; default 0.00153, 100 pixels of 256 × 256. */
  readonly leastArea?: number;
  /** Slices whose short side is below this share of the long one are left out; default 0.5. */
  readonly leastAspect?: number;
  /** A mask for each connected part, instead of one for each label. */
  readonly parts?: boolean;
  /** Names of files: `modality--dataset--case--…`; default what the volume says. */
  readonly modality?: string;
  readonly dataset?: string;
  readonly case?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface DatasetMask {
  /** Below the folder, with forward slashes. */
  readonly path: string;
  readonly label: Label;
  readonly runs: Runs;
}

/** A slice with something on it. */
export interface DatasetSlice {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  picture(): Promise<RawImage>;
  readonly masks: readonly DatasetMask[];
}

const PAPER = { leastArea: 100 / 256 ** 2, leastAspect: 0.5 };
/** Directions as the published files name them. */
const LETTERS: Record<PlaneName | "stored", string> = { axial: "z", coronal: "y", sagittal: "x", stored: "s" };
const BARE: Geometry = { spacing: { betweenColumns: 1, betweenRows: 1, betweenSlices: 1 }, origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] };

/** Slices without a mask that is large enough are left out. A volume without orientation is cut along its own axes. */
export async function* datasetSlices(labelmap: Labelmap, volume: Volume, options: DatasetOptions = {}): AsyncGenerator<DatasetSlice, void> {
  const { planes = ["sagittal", "coronal", "axial"], leastArea = PAPER.leastArea, leastAspect = PAPER.leastAspect, signal, onProgress } = options;
  const placed: Volume = volume.geometry ? volume : { ...volume, geometry: BARE };
  const window = options.window ?? (await volumeMinMax(volume, signal));
  const views = planes.map((plane) => ({ plane, view: plane === "stored" ? volume : planeView(placed, plane) }));
  const total = views.reduce((sum, { view }) => sum + view.slices, 0);
  const names = structureNames(labelmap.labels);
  let done = 0;
  for (const { plane, view } of views) {
    const wide = Math.min(view.columns, view.rows) >= leastAspect * Math.max(view.columns, view.rows);
    for (let slice = 0; slice < view.slices; slice++) {
      signal?.throwIfAborted();
      onProgress?.({ done: ++done, total });
      const stem = `${stemOf(volume, options)}--${LETTERS[plane]}_${String(slice).padStart(4, "0")}`;
      const runsOf = (id: number) =>
        plane === "stored" ? labelmap.runs(id, slice) : runsOnPlane(labelmap, id, planeMap(placed.geometry as Geometry, plane), slice);
      const masks = !wide
        ? []
        : labelmap.labels.flatMap((label) => {
            const runs = runsOf(label.id);
            const shapes = options.parts ? connectedParts(runs, view.columns, true) : [runs];
            return shapes
              .filter((shape) => large(shape, view, leastArea))
              .map(
                (shape, i): DatasetMask => ({
                  path: `masks/${stem}--${names.get(label.id)}_${String(i).padStart(3, "0")}.png`,
                  label,
                  runs: shape,
                }),
              );
          });
      if (masks.length === 0) continue;
      const picture = async () => render(await view.slice(slice, signal ? { signal } : {}), window, view);
      yield { path: `images/${stem}.png`, width: view.columns, height: view.rows, picture, masks };
    }
  }
}

function large(runs: Runs, { columns, rows }: Volume, share: number): boolean {
  const pixels = pixelCount(runs);
  return pixels > 0 && pixels >= share * columns * rows;
}

export interface WrittenFile {
  /** Below the folder, with forward slashes. */
  readonly path: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The folder's files one after another, the lists last: `image2label_train.json` and `label2image_test.json`, which `evaluate` reads. */
export async function* writeDataset(labelmap: Labelmap, volume: Volume, options: DatasetOptions = {}): AsyncGenerator<WrittenFile, void> {
  const slices: DatasetSlice[] = [];
  for await (const slice of datasetSlices(labelmap, volume, options)) {
    const { data, width, height, channels } = await slice.picture();
    const bytes = data instanceof Uint8Array ? data : Uint8Array.from(data);
    yield { path: slice.path, data: channels === 1 ? await writeGrayPng(bytes, width, height) : await writeRgbPng(bytes, width, height) };
    for (const { path, runs } of slice.masks) yield { path, data: await writeGrayPng(paintRuns(runs, new Uint8Array(width * height), 255), width, height) };
    slices.push(slice);
  }
  for (const [path, text] of datasetLists(slices)) yield { path, data: new TextEncoder().encode(text) };
}

/** The two lists, by file name: image to masks for training, mask to image for evaluation. */
export function datasetLists(slices: readonly DatasetSlice[]): [path: string, text: string][] {
  const train = Object.fromEntries(slices.map(({ path, masks }) => [path, masks.map((mask) => mask.path)]));
  const test = Object.fromEntries(slices.flatMap(({ path, masks }) => masks.map((mask) => [mask.path, path])));
  return [
    ["image2label_train.json", `${JSON.stringify(train, null, 2)}\n`],
    ["label2image_test.json", `${JSON.stringify(test, null, 2)}\n`],
  ];
}

function stemOf(
  volume: Volume,
  { modality = volume.modality?.toLowerCase() ?? "unknown", dataset = "volume", case: name = volume.name }: DatasetOptions,
): string {
  return [modality, dataset, name.replace(/\.(nii|nrrd|mha|mhd|dcm|tiff?)(\.gz)?$/i, "")].map((part) => plain(part)).join("--");
}

/** Letters, digits and single hyphens: two hyphens part the names. */
function plain(text: string): string {
  return (
    text
      .replace(/[^\p{L}\p{N}_.-]+/gu, "_")
      .replace(/-{2,}/g, "-")
      .replace(/^[-._]+|[-._]+$/g, "") || "unnamed"
  );
}

/** Each label's, no two alike, none ending in a number, which would be taken for a part's. */
function structureNames(labels: readonly Label[]): Map<number, string> {
  const taken = new Set<string>();
  return new Map(
    labels.map(({ id, name }) => {
      const own = plain(name).toLowerCase();
      const base = /\d$/.test(own) ? `${own}-` : own;
      let made = base;
      for (let i = 0; taken.has(made); i++) made = `${base}-${String.fromCharCode(97 + (i % 26))}${i >= 26 ? "-x" : ""}`;
      taken.add(made);
      return [id, made];
    }),
  );
}
