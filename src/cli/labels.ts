// measure and convert-mask: what files of labels hold, in numbers or in another format.
import { type LabelFormat, type Opened, writeLabels } from "../formats/index.ts";
import type { Geometry } from "../volume/geometry.ts";
import type { Labelmap } from "../volume/labelmap.ts";
import { type LaidLabels, layLabels, ownLabels } from "../volume/lay.ts";
import { measure, measuresCsv } from "../volume/measure.ts";
import type { Slice, Volume } from "../volume/volume.ts";
import type { Environment } from "./environment.ts";
import { openPaths } from "./open_paths.ts";
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
  await checkDestinations({ "--csv": file }, [path, options.labels]);
  const volume = onlyVolume(await openPaths([path], terminal, signal), path);
  const { labelmap, notes } = await labelsOn(volume, options.labels, terminal, signal, options.resample);
  const measures = await measure(labelmap, volume, signal);
  for (const note of [...volume.notes, ...notes, ...measures.notes]) stderr.write(`${note}\n`);
  const csv = measuresCsv(measures, volume.unit);
  if (file) await writeAll(new Map([[file, csv]]), signal);
  else stdout.write(csv);
}

export interface ConvertMaskOptions {
  readonly on?: string;
  readonly resample?: boolean;
}

const FORMATS: readonly (readonly [ending: RegExp, format: LabelFormat])[] = [
  [/\.nii\.gz$/i, "nifti"],
  [/\.seg\.nrrd$/i, "seg-nrrd"],
  [/\.dcm$/i, "dicom-seg"],
];

export async function convertMask(from: string, to: string, { on, resample }: ConvertMaskOptions, environment: Environment): Promise<void> {
  const { signal, stderr } = environment;
  const terminal = new Terminal(stderr);
  const [, format] = FORMATS.find(([ending]) => ending.test(to)) ?? [];
  if (!format) throw new UsageError(`${to}: name a file that ends in .nii.gz, .seg.nrrd or .dcm`);
  await checkDestinations({ OUT: to }, on ? [from, on] : [from]);
  const grid = on ? onlyVolume(await openPaths([on], terminal, signal), on) : undefined;
  const { labelmap, volume, notes } = await labelsOn(grid, from, terminal, signal, resample);
  for (const note of notes) stderr.write(`${note}\n`);
  await writeAll(new Map([[to, await writeLabels(labelmap, volume, format)]]), signal);
}

/** The labels of a file on `volume`, or on their own voxels without one. */
export async function labelsOn(
  volume: Volume | undefined,
  path: string,
  terminal: Terminal,
  signal: AbortSignal,
  resample?: boolean,
): Promise<LaidLabels & { readonly volume: Volume }> {
  const opened = await openPaths([path], terminal, signal);
  const [segmentation, another] = opened.segmentations;
  const source = segmentation && !another && opened.volumes.length === 0 ? segmentation : onlyVolume(opened, path);
  if (volume) return { ...(await layLabels(source, volume, { signal, ...(resample && { resample: "nearest" }) })), volume };
  const { labelmap, geometry, notes } = await ownLabels(source, signal);
  if (!("segments" in source)) return { labelmap, notes, volume: source };
  const own = source.format === "dicom-seg" ? [`${path} is written on the slices it has itself: name its series with --on for all of them.`] : [];
  return { labelmap, notes: [...notes, ...own], volume: gridOf(source.name, labelmap, geometry) };
}

/** A volume of nothing but places, to write labels on. */
function gridOf(name: string, { columns, rows, slices }: Labelmap, geometry: Geometry | undefined): Volume {
  const nothing: Slice = { data: new Uint8Array(columns * rows), columns, rows, samples: 1 };
  const fixed = { format: "labels", samples: 1, windows: [], inverted: false, files: [], notes: [] } as const;
  return { name, columns, rows, slices, ...(geometry && { geometry }), ...fixed, slice: async () => nothing };
}

function onlyVolume({ volumes, refused }: Opened, path: string): Volume {
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
