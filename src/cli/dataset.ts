// dataset: a volume and its labels as the folder that SAM-Med2D is trained and evaluated on; or as such a dataset in memory.
import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import { parseDataset } from "../eval/dataset.ts";
import {
  type DatasetMask,
  type DatasetOptions,
  type DatasetSlice,
  datasetLists,
  datasetSlices,
  type WrittenFile,
  writeDataset,
} from "../formats/write_dataset.ts";
import { paintRuns } from "../volume/runs.ts";
import type { Environment } from "./environment.ts";
import type { Dataset } from "./evaluation_files.ts";
import { labelsOn, onlyVolume } from "./labels.ts";
import { openPaths } from "./open_paths.ts";
import { windowOf } from "./picture.ts";
import { expectNewFolder, writeFolder } from "./output_folder.ts";
import { Terminal } from "./terminal.ts";
import { CommandError } from "./usage.ts";

/** The rules by which slices and masks are taken. */
export interface DatasetRules {
  readonly planes?: DatasetOptions["planes"];
  readonly window?: string;
  readonly minArea?: number;
  readonly minAspect?: number;
  readonly parts?: boolean;
  readonly modality?: string;
  readonly datasetName?: string;
  readonly case?: string;
  readonly resample?: boolean;
}

export interface DatasetCommandOptions extends DatasetRules {
  readonly labels: string;
  readonly out: string;
}

/** The folder appears when it is whole. */
export async function datasetCommand(path: string, options: DatasetCommandOptions, environment: Environment): Promise<void> {
  const { signal, stderr } = environment;
  const terminal = new Terminal(stderr);
  const { out } = options;
  await expectNewFolder(out);
  const { labelmap, volume, rules } = await labelled(path, options, terminal, signal);
  const written = await writeFolder(out, expectSome(writeDataset(labelmap, volume, rules), path), signal);
  terminal.clear();
  const count = (folder: string) => written.filter((name) => name.startsWith(`${folder}/`)).length;
  terminal.say(`${out}: ${count("images")} images, ${count("masks")} masks`);
}

async function* expectSome(files: AsyncGenerator<WrittenFile, void>, path: string): AsyncGenerator<WrittenFile, void> {
  let masks = 0;
  for await (const file of files) {
    if (file.path.startsWith("masks/")) masks++;
    else if (file.path.endsWith(".json") && masks === 0) throw new CommandError(nothingLeft(path));
    yield file;
  }
}

/** The same dataset without a folder: pictures are made when they are asked for. */
export async function datasetOf(path: string, labels: string, options: DatasetRules, terminal: Terminal, signal: AbortSignal): Promise<Dataset> {
  const { labelmap, volume, rules } = await labelled(path, { ...options, labels }, terminal, signal);
  const slices: DatasetSlice[] = [];
  for await (const slice of datasetSlices(labelmap, volume, rules)) slices.push(slice);
  terminal.clear();
  if (slices.length === 0) throw new CommandError(nothingLeft(path));
  const [, text] = datasetLists(slices).find(([name]) => name.startsWith("label2image")) as [string, string];
  const images = new Map(slices.map((slice) => [slice.path, slice]));
  const masks = new Map<string, [DatasetSlice, DatasetMask]>(slices.flatMap((slice) => slice.masks.map((mask) => [mask.path, [slice, mask]] as const)));
  return {
    name: basename(resolve(path)),
    fingerprint: createHash("sha256").update(text).digest("hex").slice(0, 16),
    entries: parseDataset(text, path),
    notices: [],
    async image(name) {
      return { ...(await (images.get(name) as DatasetSlice).picture()), notices: [] };
    },
    async mask(name) {
      const [{ width, height }, { runs }] = masks.get(name) as [DatasetSlice, DatasetMask];
      return { data: paintRuns(runs, new Uint8Array(width * height), 255), width, height, channels: 1 };
    },
  };
}

async function labelled(path: string, options: DatasetRules & { readonly labels: string }, terminal: Terminal, signal: AbortSignal) {
  const whole = onlyVolume(await openPaths([path], terminal, signal), path);
  const { labelmap, volume, notes } = await labelsOn(whole, options.labels, terminal, signal, options.resample);
  for (const note of [...whole.notes, ...notes]) terminal.notice(note);
  const { planes, minArea: leastArea, minAspect: leastAspect, parts, modality, datasetName, window } = options;
  const rules: DatasetOptions = {
    ...(planes && { planes }),
    ...(leastArea !== undefined && { leastArea }),
    ...(leastAspect !== undefined && { leastAspect }),
    ...(parts && { parts }),
    ...(modality !== undefined && { modality }),
    ...(datasetName !== undefined && { dataset: datasetName }),
    ...(options.case !== undefined && { case: options.case }),
    ...(window !== undefined && { window: await windowOf(volume, volume, Math.floor(volume.slices / 2), window, signal) }),
    signal,
    onProgress: ({ done, total }) => terminal.progress(`Cutting slices  ${done} of ${total}`),
  };
  return { labelmap, volume, rules };
}

function nothingLeft(path: string): string {
  return `${path}: no slice has a mask that is large enough: lower --min-area, or --min-aspect for slices that are long and narrow`;
}
