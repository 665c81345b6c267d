// Files of an evaluation: the dataset and its masks, and the journal a run can be resumed from.
import { createHash } from "node:crypto";
import { appendFile, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DATASET_FILE, type Entry, type ImageEntry, parseDataset } from "../eval/dataset.ts";
import type { FirstPrompts } from "../eval/prompts.ts";
import type { CaseResult, Problem, Settings } from "../eval/results.ts";
import type { RawImage } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import { readImage } from "./image_file.ts";
import { CommandError, reasonOf } from "./usage.ts";

export interface Dataset {
  /** The folder's name, or the file's: paths differ between machines that share the work. */
  readonly name: string;
  /** Of the dataset file's text. */
  readonly fingerprint: string;
  readonly entries: readonly Entry[];
  /** Where a path of the dataset file is: beside the file, or beside its folder. */
  resolve(path: string): Promise<string>;
}

/** A folder that holds `label2image_test.json`, or such a file. */
export async function openDataset(path: string): Promise<Dataset> {
  const found = await stat(path).catch((cause) => {
    throw new CommandError(`cannot read the dataset ${path}: ${reasonOf(cause)}`, { cause });
  });
  const file = found.isDirectory() ? join(path, DATASET_FILE) : path;
  const text = await readText(file, "the dataset");
  const folder = dirname(resolve(file));
  return {
    name: basename(resolve(path)),
    fingerprint: createHash("sha256").update(text).digest("hex").slice(0, 16),
    entries: parseDataset(text, file),
    async resolve(entry) {
      const beside = resolve(folder, entry);
      if (await stat(beside).catch(() => undefined)) return beside;
      const above = resolve(dirname(folder), entry);
      return (await stat(above).catch(() => undefined)) ? above : beside;
    },
  };
}

export async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new CommandError(`cannot read ${what} ${path}: ${reasonOf(cause)}`, { cause });
  }
}

export interface LoadedImage {
  readonly entry: ImageEntry;
  /** Missing where the file could not be used. */
  readonly image?: RawImage;
  readonly targets: readonly { readonly entry: Entry; readonly truth: Mask }[];
  readonly problems: readonly Problem[];
}

/** An image and its masks; what cannot be used becomes a problem, and the run goes on. */
export async function loadImage(dataset: Dataset, entry: ImageEntry): Promise<LoadedImage> {
  let image: RawImage;
  try {
    image = await readImage(await dataset.resolve(entry.image));
  } catch (error) {
    return { entry, targets: [], problems: [{ file: entry.image, message: wordsOf(error), indices: entry.masks.map(({ index }) => index) }] };
  }
  const targets: { entry: Entry; truth: Mask }[] = [];
  const problems: Problem[] = [];
  for (const mask of entry.masks) {
    try {
      targets.push({ entry: mask, truth: await readTruth(await dataset.resolve(mask.mask), image) });
    } catch (error) {
      problems.push({ file: mask.mask, message: wordsOf(error), indices: [mask.index] });
    }
  }
  return { entry, image, targets, problems };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A mask of 0 and 1, or of 0 and 255, at the size of its image. */
async function readTruth(path: string, image: RawImage): Promise<Mask> {
  const { data, width, height, channels } = await readImage(path);
  if (width !== image.width || height !== image.height) throw new CommandError(`the mask is ${width}×${height}, its image ${image.width}×${image.height}`);
  const truth = new Uint8Array(width * height);
  const inside = data.includes(255) ? 255 : 1;
  for (let i = 0; i < truth.length; i++) {
    const value = data[i * channels] as number;
    let same = true;
    for (let c = 1; c < channels; c++) same &&= data[i * channels + c] === value;
    if (!same || (value !== 0 && value !== inside)) {
      const got = [...data.subarray(i * channels, (i + 1) * channels)].join(",");
      throw new CommandError(`the mask must hold 0 and 1, or 0 and 255, got ${got} at ${i % width},${Math.floor(i / width)}`);
    }
    if (value !== 0) truth[i] = 1;
  }
  if (!truth.includes(1)) throw new CommandError("the mask is empty");
  return { data: truth, width, height };
}

/** What one image added to a run. */
export interface JournalEntry {
  readonly image: string;
  readonly cases: readonly CaseResult[];
  readonly problems: readonly Problem[];
  /** What its masks started from. */
  readonly first: readonly (readonly [mask: string, FirstPrompts])[];
  /** Whether it was encoded, and the seconds that encoding, decoding and scoring took. */
  readonly encoded: boolean;
  readonly seconds: number;
}

/** One line an image, so that an ended run loses at most the image it was at. */
export class Journal {
  private constructor(
    private readonly path: string | undefined,
    /** Of an earlier run with the same settings. */
    readonly before: readonly JournalEntry[],
  ) {}

  /** Without a path nothing is kept. A journal of other settings is refused, not overwritten. */
  static async open(path: string | undefined, settings: Settings, shard: string): Promise<Journal> {
    if (path === undefined) return new Journal(undefined, []);
    const head = JSON.stringify({ settings, shard });
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) {
      await writeFile(path, `${head}\n`).catch((cause) => {
        throw new CommandError(`cannot write ${path}: ${reasonOf(cause)}`, { cause });
      });
      return new Journal(path, []);
    }
    const [first, ...lines] = text.split("\n");
    if (first !== head) {
      throw new CommandError(`${path} was left by a run with other settings: repeat that command to finish it, or delete the file`);
    }
    // A last line without its end was cut off while it was written.
    const whole = lines.slice(0, -1);
    await writeFile(path, [head, ...whole, ""].join("\n"));
    return new Journal(
      path,
      whole.map((line) => JSON.parse(line) as JournalEntry),
    );
  }

  async add(entry: JournalEntry): Promise<void> {
    if (this.path !== undefined) await appendFile(this.path, `${JSON.stringify(entry)}\n`);
  }

  async remove(): Promise<void> {
    if (this.path !== undefined) await rm(this.path, { force: true });
  }
}
