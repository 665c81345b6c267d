// Files of an evaluation: the dataset, its images and its masks.
import { createHash } from "node:crypto";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { kindOf, nameOfKind } from "../bytes/sniff.ts";
import { DATASET_FILE, type Entry, type ImageEntry, parseDataset } from "../eval/dataset.ts";
import type { Mode } from "../eval/modes.ts";
import { plainPath } from "../eval/names.ts";
import type { Notice, Problem } from "../eval/results.ts";
import { truthOf } from "../eval/truth.ts";
import type { RawImage } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import { readAnyImage, readAnyPixels } from "./evaluation_images.ts";
import type { ImageFile } from "./image_file.ts";
import { expectFree } from "./own_mask.ts";
import { CommandError, reasonOf, UsageError } from "./usage.ts";

export interface Dataset {
  /** The folder's name, or the file's: paths differ between machines that share the work. */
  readonly name: string;
  /** Of the dataset file's text. */
  readonly fingerprint: string;
  readonly entries: readonly Entry[];
  readonly notices: readonly string[];
  /** An image or the pixels of a mask, by its path in the dataset file. Throw an Error whose message is for the user. */
  image(path: string): Promise<ImageFile>;
  mask(path: string): Promise<MaskPixels>;
}

type MaskPixels = Awaited<ReturnType<typeof readAnyPixels>> & { readonly jpeg?: boolean };

/** A folder that holds `label2image_test.json`, or such a file. */
export async function openDataset(path: string): Promise<Dataset> {
  const found = await stat(path).catch((cause) => {
    throw new CommandError(`cannot read the dataset ${path}: ${reasonOf(cause)}`, { cause });
  });
  const file = found.isDirectory() ? join(path, DATASET_FILE) : path;
  const text = await readText(file, "the dataset");
  const folder = dirname(resolve(file));
  const entries = parseDataset(text, file);
  const windows = sep === "/" && entries.some(({ mask, image }) => `${mask}${image}`.includes("\\"));
  return {
    notices: windows ? [`${file} has Windows' backslashes in its paths: they are taken as forward slashes where no file has such a name`] : [],
    name: basename(resolve(path)),
    fingerprint: createHash("sha256").update(text).digest("hex").slice(0, 16),
    entries,
    async image(entry) {
      const path = await whereIs(entry, folder);
      const image = await explained(entry, path, readAnyImage(path));
      return { ...image, notices: image.notices.map((message) => message.replace(path, "it")) };
    },
    async mask(entry) {
      const path = await whereIs(entry, folder);
      return { ...(await explained(entry, path, readAnyPixels(path))), jpeg: await isJpeg(path) };
    },
  };
}

/** Beside the dataset file, or beside its folder. */
async function whereIs(entry: string, folder: string): Promise<string> {
  const beside = resolve(folder, entry);
  for (const path of [beside, resolve(dirname(folder), entry)]) {
    for (const spelling of new Set([path, path.replaceAll("\\", "/")])) if (await stat(spelling).catch(() => undefined)) return spelling;
  }
  return beside;
}

/** Why a file of the list may be missing, where its name tells; else nothing. */
async function missingWords(entry: string, path: string): Promise<string> {
  if (/^([A-Za-z]:[\\/]|\\\\)/.test(entry)) return ". It is a path of a Windows machine: list paths from the dataset's folder";
  const alike = (name: string) => name.normalize("NFC").trim().toLowerCase();
  const near = (await readdir(dirname(path)).catch(() => [])).find((name) => alike(name) === alike(basename(path)));
  return near === undefined ? "" : `. Its folder has ${JSON.stringify(near)}: write the name as it is there, capitals, spaces and accents too`;
}

/** What is said of a missing file, with what may be the reason. */
async function explained<T>(entry: string, path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof CommandError) || (await stat(path).catch(() => undefined))) throw error;
    throw new CommandError(`${error.message}${await missingWords(entry, path)}`, { cause: error });
  }
}

/** More would not fit a string, and lists no dataset. */
const MOST_TEXT = 256 << 20;

/** A JSON file's text; what is none is named. */
export async function readText(path: string, what: string): Promise<string> {
  let bytes: Buffer;
  try {
    if ((await stat(path)).size > MOST_TEXT)
      throw new CommandError(`cannot read ${what} ${path}: it is larger than ${MOST_TEXT >> 20} MB, so it is no list of files`);
    bytes = await readFile(path);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`cannot read ${what} ${path}: ${reasonOf(cause)}`, { cause });
  }
  const kind = kindOf(bytes.subarray(0, 512));
  if (kind?.id === "utf16") throw new CommandError(`${path}: expected ${what} as JSON in UTF-8, got text in UTF-16. Save it as UTF-8`);
  if (bytes.length > 0 && kind?.medium !== "text" && bytes.includes(0))
    throw new CommandError(`${path}: expected ${what} as a JSON file, got ${nameOfKind(bytes.subarray(0, 512))}`);
  return bytes.toString("utf8");
}

/**
 * Where each mask is saved below the folder of results: its own path as PNG, which never leaves that folder, and of which no
 * two are equal, also where capitals make no difference.
 */
export function savedNames(entries: readonly Entry[]): Map<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const { mask } of entries) {
    const parts = plainPath(mask)
      .split("/")
      .filter((part) => part !== "")
      .map((part) => (part === ".." ? "up" : part.replace(/[<>:"|?*\p{Cc}]/gu, "_")));
    const stem = join(...parts).replace(/\.png$/i, "");
    let name = `${stem}.png`;
    for (let i = 2; taken.has(name.toLowerCase()); i++) name = `${stem}_${i}.png`;
    taken.add(name.toLowerCase());
    names.set(mask, name);
  }
  return names;
}

/** Below the folder of results. */
export function savedPath(folder: string, mode: Mode, name: string): string {
  return join(folder, mode === "box" ? "box" : `points_${mode}`, name);
}

/** Before any work: masks replace only masks that this command wrote. */
export async function expectSavable(folder: string, entries: readonly Entry[], modes: readonly Mode[]): Promise<void> {
  if (folder === "") throw new UsageError("--save-masks is empty: name a folder");
  const found = await stat(folder).catch(() => undefined);
  if (!found) return;
  if (!found.isDirectory()) throw new UsageError(`--save-masks ${folder} is no folder: name one`);
  for (const mode of modes)
    for (const name of savedNames(entries).values()) await expectFree(savedPath(folder, mode, name), "name another folder with --save-masks");
}

export interface LoadedImage {
  readonly entry: ImageEntry;
  /** Missing where the file could not be used. */
  readonly image?: RawImage;
  readonly targets: readonly { readonly entry: Entry; readonly truth: Mask }[];
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
}

/** An image and its masks; what cannot be used becomes a problem, and the run goes on. */
export async function loadImage(dataset: Dataset, entry: ImageEntry): Promise<LoadedImage> {
  let image: ImageFile;
  try {
    image = await dataset.image(entry.image);
  } catch (error) {
    return { entry, targets: [], notices: [], problems: [{ file: entry.image, message: wordsOf(error), indices: entry.masks.map(({ index }) => index) }] };
  }
  const targets: { entry: Entry; truth: Mask }[] = [];
  const problems: Problem[] = [];
  const turned: string[] = [];
  for (const mask of entry.masks) {
    try {
      const { jpeg = false, ...pixels } = await dataset.mask(mask.mask);
      const { width, height, orientation } = image;
      const context = { width, height, jpeg, ...(orientation === undefined ? {} : { orientation }) };
      targets.push({ entry: mask, truth: truthOf(pixels, context) });
      if (orientation !== undefined && pixels.orientation === undefined) turned.push(mask.mask);
    } catch (error) {
      problems.push({ file: mask.mask, message: wordsOf(error), indices: [mask.index] });
    }
  }
  const notices = image.notices.map((message) => ({ file: entry.image, message }));
  if (turned.length > 0) {
    const message = `it is turned upright by its EXIF orientation ${image.orientation}, and its masks have none: they must be drawn on the upright picture`;
    notices.push({ file: entry.image, message });
  }
  return { entry, image, targets, problems, notices };
}

async function isJpeg(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer[0] === 0xff;
  } finally {
    await file.close();
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
