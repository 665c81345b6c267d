// measure and convert-mask: what files of labels hold, in numbers or in another format.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type LabelFormat, type LabelOptions, type Opened, type Segmentation, writeLabelFiles } from "../formats/index.ts";
import type { Geometry, PlaneName } from "../volume/geometry.ts";
import { Labelmap } from "../volume/labelmap.ts";
import { type LaidLabels, layLabels, ownLabels } from "../volume/lay.ts";
import { measure } from "../volume/measure.ts";
import { measuresCsv } from "../volume/measures_csv.ts";
import { planeView } from "../volume/plane.ts";
import { planeMap } from "../volume/plane_map.ts";
import { drawOnPlane } from "../volume/plane_labels.ts";
import { stackedLabels } from "../volume/stack.ts";
import type { Slice, Volume } from "../volume/volume.ts";
import type { Environment } from "./environment.ts";
import { openPaths } from "./open_paths.ts";
import { expectNewFolder, writeFolder } from "./output_folder.ts";
import { checkDestinations, writeAll } from "./outputs.ts";
import { Terminal } from "./terminal.ts";
import { CommandError, UsageError } from "./usage.ts";

export interface MeasureOptions {
  readonly labels: string;
  readonly csv?: string;
  readonly resample?: boolean;
}

export async function measureCommand(path: string, options: MeasureOptions, environment: Environment): Promise<void> {
  const { signal, stdout, stderr } = environment;
  const terminal = new Terminal(stderr);
  const file = options.csv === "-" ? undefined : options.csv;
  const destinations = { "--csv": file };
  await checkDestinations(destinations, [path, options.labels]);
  const volume = onlyVolume(await openPaths([path], terminal, signal), path);
  const { labelmap, notes, files } = await labelsOn(volume, options.labels, terminal, signal, options.resample);
  await checkDestinations(destinations, [...volume.files, ...files]);
  const measures = await measure(labelmap, volume, signal);
  for (const note of [...volume.notes, ...notes, ...measures.notes]) stderr.write(`${note}\n`);
  const csv = measuresCsv(measures, volume.unit);
  if (file) await writeAll(new Map([[file, csv]]), signal);
  else stdout.write(csv);
}

export interface ConvertMaskOptions {
  readonly on?: string;
  readonly resample?: boolean;
  readonly format?: "png" | "dataset";
  readonly gray?: boolean;
  readonly overlaps?: "refuse" | "file-each";
}

const FORMATS: readonly (readonly [ending: RegExp, format: LabelFormat])[] = [
  [/\.nii\.gz$/i, "nifti"],
  [/\.seg\.nrrd$/i, "seg-nrrd"],
  [/\.dcm$/i, "dicom-seg"],
  [/\.json$/i, "coco"],
  [/\.png$/i, "png"],
];

/** By a file's name; undefined for one that is none of labels. */
export function labelFormatOf(path: string): { readonly format: LabelFormat; readonly stem: string } | undefined {
  const [ending, format] = FORMATS.find(([ending]) => ending.test(path)) ?? [];
  return ending && format ? { format, stem: path.replace(ending, "") } : undefined;
}

/** A DICOM segmentation belongs to the series it was drawn on. */
export function expectSeries(out: string, { dicom, format }: Volume, path: string): void {
  if (labelFormatOf(out)?.format !== "dicom-seg" || dicom) return;
  throw new UsageError(`${out}: a DICOM segmentation belongs to a DICOM series, and ${path} is ${format}: name a file that ends in .nii.gz or .seg.nrrd`);
}

/** Files of a format, under the name that was given, or, where they are several, under names made of it. */
export async function labelFiles(labelmap: Labelmap, volume: Volume, out: string, options: LabelOptions): Promise<Map<string, Uint8Array>> {
  const { format, stem } = labelFormatOf(out) as { format: LabelFormat; stem: string };
  const files = new Map<string, Uint8Array>();
  for await (const { path, data } of writeLabelFiles(labelmap, volume, format, stem, options)) files.set(path, data);
  const [[, only] = []] = files;
  return files.size === 1 && only ? new Map([[out, only]]) : files;
}

export async function convertMask(from: string, to: string, options: ConvertMaskOptions, environment: Environment): Promise<void> {
  const { signal, stderr } = environment;
  const terminal = new Terminal(stderr);
  const { on, resample, gray, overlaps } = options;
  const folder = options.format;
  if (!folder && !labelFormatOf(to))
    throw new UsageError(`${to}: name a file that ends in .nii.gz, .seg.nrrd, .dcm, .json (COCO) or .png, or a folder with --format png or dataset`);
  if (folder) await expectNewFolder(to);
  else await checkDestinations({ OUT: to }, on ? [from, on] : [from]);
  const grid = on ? onlyVolume(await openPaths([on], terminal, signal), on) : undefined;
  const { labelmap, volume, notes, files: read } = await labelsOn(grid, from, terminal, signal, resample);
  if (!folder) await checkDestinations({ OUT: to }, [...(grid?.files ?? []), ...read]);
  for (const note of notes) stderr.write(`${note}\n`);
  const how: LabelOptions = { ...(gray && { gray }), ...(overlaps && { overlaps }), signal };
  if (!folder) {
    const files = await labelFiles(labelmap, volume, to, how);
    // Names that were made of the one given replace nothing.
    if (files.size > 1) for (const path of files.keys()) await expectFree(path);
    return writeAll(files, signal);
  }
  if (folder === "dataset" && !grid) throw new UsageError("a dataset folder has pictures too: name their volume with --on");
  const stem = basename(from).replace(/\..*$/, "");
  await writeFolder(to, writeLabelFiles(labelmap, volume, folder, stem, { ...how, planes: ["stored"], leastArea: 0, leastAspect: 0 }), signal);
}

async function expectFree(path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) throw new UsageError(`${path} would be written, and is there already: name another file`);
}

/** Before any work: names that will be made of the one given, one a slice, replace nothing. */
export async function expectFreeSlices(out: string, { slices }: Volume, remedy: string): Promise<void> {
  const { format, stem } = labelFormatOf(out) ?? {};
  if (format !== "png" || stem === undefined || slices === 1) return;
  const made = /^_\d{4,}\.png$/i;
  const there = (await readdir(dirname(out)).catch(() => [])).find((name) => name.startsWith(basename(stem)) && made.test(name.slice(basename(stem).length)));
  if (there !== undefined) throw new UsageError(`${join(dirname(out), there)} is there already, and a slice may be written to this name: ${remedy}`);
}

/** The labels of a file on `volume`, or on their own voxels without one. */
export async function labelsOn(
  volume: Volume | undefined,
  path: string,
  terminal: Terminal,
  signal: AbortSignal,
  resample?: boolean,
): Promise<LaidLabels & { readonly volume: Volume; readonly files: readonly string[] }> {
  const source = await labelSource(volume, path, terminal, signal);
  const { files } = source;
  if (volume && "segments" in source) {
    const drawn = await inDirection(source, volume, signal);
    if (drawn) return { ...drawn, volume, files };
  }
  if (volume) return { ...(await layLabels(source, volume, { signal, ...(resample && { resample: "nearest" }) })), volume, files };
  const { labelmap, geometry, notes } = await ownLabels(source, signal);
  if (!("segments" in source)) return { labelmap, notes, volume: source, files };
  const own = source.format === "dicom-seg" ? [`${path} is written on the slices it has itself: name its series with --on for all of them.`] : [];
  return { labelmap, notes: [...notes, ...own], volume: gridOf(source.name, labelmap, geometry), files };
}

/** The one segmentation or volume of a path; of several, those that can belong to the volume. Pictures of single slices are stacked. */
async function labelSource(volume: Volume | undefined, path: string, terminal: Terminal, signal: AbortSignal): Promise<Volume | Segmentation> {
  const { volumes, segmentations, refused } = await openPaths([path], terminal, signal);
  const fits = ({ columns, rows, name }: Segmentation) => !volume || DIRECTION.test(name) || (columns === volume.columns && rows === volume.rows);
  const fitting = segmentations.length > 1 ? segmentations.filter(fits) : segmentations;
  const [segmentation, another] = fitting;
  if (segmentation && !another) return segmentation;
  if (segmentations.length > 0) {
    const names = segmentations.slice(0, 3).map(({ name, columns, rows }) => `${name} (${columns}×${rows})`);
    throw new CommandError(
      `${path} holds ${segmentations.length} segmentations (${names.join("; ")}${segmentations.length > 3 ? " …" : ""}): name the file of one`,
    );
  }
  const alone = volumes.length === 1 && volumes[0]?.slices === 1 && (volume?.slices ?? 1) > 1 && volumes[0].format === "PNG";
  const stacked = volumes.length > 1 || alone ? stackedLabels(volumes, volume?.slices) : undefined;
  return stacked ?? onlyVolume({ volumes, segmentations, refused }, path);
}

/** As files of a dataset folder are named: `…--x`, slices along the patient's axes. */
const DIRECTION = /--([xyz])$/;
const PLANES: Record<string, PlaneName> = { x: "sagittal", y: "coronal", z: "axial" };

/** The masks of a dataset's slices along a patient axis, drawn on the volume that they were cut of. */
async function inDirection(source: Segmentation, volume: Volume, signal: AbortSignal): Promise<LaidLabels | undefined> {
  const plane = source.format === "dataset" ? PLANES[DIRECTION.exec(source.name)?.[1] ?? ""] : undefined;
  if (!plane || !volume.geometry) return undefined;
  const view = planeView(volume, plane);
  const { labelmap, notes } = await layLabels(source, view, { signal });
  const made = new Labelmap(volume.columns, volume.rows, volume.slices, labelmap.labels);
  const map = planeMap(volume.geometry, plane);
  for (const { id } of labelmap.labels) for (const [slice, runs] of labelmap.stack(id)) drawOnPlane(made, id, map, slice, runs, "allow");
  return { labelmap: made, notes };
}

/** A volume of nothing but places, to write labels on. */
function gridOf(name: string, { columns, rows, slices }: Labelmap, geometry: Geometry | undefined): Volume {
  const nothing: Slice = { data: new Uint8Array(columns * rows), columns, rows, samples: 1 };
  const fixed = { format: "labels", samples: 1, windows: [], inverted: false, files: [], notes: [] } as const;
  return { name, columns, rows, slices, ...(geometry && { geometry }), ...fixed, slice: async () => nothing };
}

export function onlyVolume({ volumes, refused }: Opened, path: string): Volume {
  const [volume, another] = volumes;
  if (another)
    throw new CommandError(
      `${path} holds ${volumes.length} volumes (${volumes
        .slice(0, 3)
        .map(({ name }) => name)
        .join("; ")} …): name the file or folder of one`,
    );
  if (volume) return volume;
  throw new CommandError(`${path}: ${refused[0]?.reason ?? "it holds no volume"}`);
}
