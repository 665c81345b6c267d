// measure and convert-mask: what files of labels hold, in numbers or in another format.
import { type LabelFormat, type Opened, writeLabels } from "../formats/index.ts";
import { labelmapOfSegmentation } from "../volume/from_segmentation.ts";
import { labelmapOf } from "../volume/from_volume.ts";
import type { Labelmap } from "../volume/labelmap.ts";
import { measure, measuresCsv } from "../volume/measure.ts";
import type { Volume } from "../volume/volume.ts";
import type { Environment } from "./environment.ts";
import { openPaths } from "./open_paths.ts";
import { checkDestinations, writeAll } from "./outputs.ts";
import { Terminal } from "./terminal.ts";
import { CommandError, UsageError } from "./usage.ts";

export interface MeasureOptions {
  readonly labels: string;
  readonly csv?: string;
}

export async function measureCommand(path: string, options: MeasureOptions, environment: Environment): Promise<void> {
  const { signal, stdout, stderr } = environment;
  const terminal = new Terminal(stderr);
  const file = options.csv === "-" ? undefined : options.csv;
  await checkDestinations({ "--csv": file }, [path, options.labels]);
  const volume = onlyVolume(await openPaths([path], terminal, signal), path);
  const { labelmap, notes } = await labelsOn(volume, options.labels, terminal, signal);
  const measures = await measure(labelmap, volume, signal);
  for (const note of [...volume.notes, ...notes, ...measures.notes]) stderr.write(`${note}\n`);
  const csv = measuresCsv(measures, volume.unit);
  if (file) await writeAll(new Map([[file, csv]]), signal);
  else stdout.write(csv);
}

export interface ConvertMaskOptions {
  readonly on?: string;
}

const FORMATS: readonly (readonly [ending: RegExp, format: LabelFormat])[] = [
  [/\.nii\.gz$/i, "nifti"],
  [/\.seg\.nrrd$/i, "seg-nrrd"],
  [/\.dcm$/i, "dicom-seg"],
];

export async function convertMask(from: string, to: string, { on }: ConvertMaskOptions, environment: Environment): Promise<void> {
  const { signal, stderr } = environment;
  const terminal = new Terminal(stderr);
  const [, format] = FORMATS.find(([ending]) => ending.test(to)) ?? [];
  if (!format) throw new UsageError(`${to}: name a file that ends in .nii.gz, .seg.nrrd or .dcm`);
  await checkDestinations({ OUT: to }, on ? [from, on] : [from]);
  const grid = on ? onlyVolume(await openPaths([on], terminal, signal), on) : undefined;
  const { labelmap, volume, notes } = await labelsOn(grid, from, terminal, signal);
  for (const note of notes) stderr.write(`${note}\n`);
  await writeAll(new Map([[to, await writeLabels(labelmap, volume, format)]]), signal);
}

interface LaidLabels {
  readonly labelmap: Labelmap;
  readonly volume: Volume;
  readonly notes: readonly string[];
}

/** The labels of a file on `volume`, or on their own voxels without one. */
async function labelsOn(volume: Volume | undefined, path: string, terminal: Terminal, signal: AbortSignal): Promise<LaidLabels> {
  const opened = await openPaths([path], terminal, signal);
  const [segmentation, another] = opened.segmentations;
  if (segmentation && !another) {
    if (!volume) throw new UsageError(`${path} is a DICOM segmentation: name the series it was drawn on with --on`);
    return { ...(await labelmapOfSegmentation(segmentation, volume, signal)), volume };
  }
  const labels = onlyVolume(opened, path);
  if (volume) expectSameGrid(labels, volume, path);
  return { labelmap: await labelmapOf(labels, undefined, signal), volume: volume ?? labels, notes: [] };
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

/** Says how two volumes lie apart, before a number is taken from one at the places of the other. */
function expectSameGrid(labels: Volume, volume: Volume, path: string): void {
  const sides = ({ columns, rows, slices }: Volume) => `${columns}×${rows}×${slices}`;
  const apart = (what: string) => new CommandError(`${path} does not lie on ${volume.name}: ${what}. Open the labels that were drawn on it`);
  if (sides(labels) !== sides(volume)) throw apart(`${sides(labels)} voxels instead of ${sides(volume)}`);
  const [a, b] = [labels.geometry, volume.geometry];
  if (!a || !b) return;
  const far = (x: readonly number[], y: readonly number[]) => Math.max(...x.map((value, i) => Math.abs(value - (y[i] as number))));
  if (far(a.direction, b.direction) > 1e-3) throw apart("its axes run in other directions");
  if (far(Object.values(a.spacing), Object.values(b.spacing)) > 1e-2)
    throw apart(`voxels of ${Object.values(a.spacing).join("×")} mm instead of ${Object.values(b.spacing).join("×")} mm`);
  if (far(a.origin, b.origin) > 0.1)
    throw apart(`it begins at ${a.origin.map((mm) => mm.toFixed(1)).join(", ")} mm instead of ${b.origin.map((mm) => mm.toFixed(1)).join(", ")} mm`);
}
