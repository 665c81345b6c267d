// JSON files that hold labels: COCO, and the lists of a SAM-Med2D dataset folder.
import type { Segmentation } from "../volume/segmentation.ts";
import { badFile, CUT_OFF, DAMAGED } from "./fail.ts";
import { DATASET_LISTS, datasetSegmentations } from "./read_dataset.ts";
import { cocoSegmentations, isCoco, recordOf } from "./read_coco.ts";
import type { Companions, FileEntry, ReadContext, ReadResult } from "./reader.ts";

const MOST = 1 << 29;

/** Other JSON is refused by what it holds. */
export async function readJson(entry: FileEntry, companions: Companions, context: ReadContext = {}): Promise<ReadResult> {
  const { path, source } = entry;
  if (source.size > MOST) throw badFile(path, "a JSON file of at most 512 MB", `${Math.round(source.size / 1e6)} MB`, "Split it.");
  const bytes = await source.read(0, source.size, context.signal);
  const file = parsed(bytes, path);
  if (isCoco(file)) return found(cocoSegmentations(file, path));
  if (isDatasetList(file)) {
    // A folder has two lists, from images and from masks: of the same volume they are one.
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    const others = DATASET_LISTS.map((name) => `${folder}${name}`).filter((name) => name !== path);
    const lists = [file];
    for (const name of others) {
      const other = companions(name);
      if (other && other.source.size <= MOST) lists.push(parsed(await other.source.read(0, other.source.size, context.signal), name));
    }
    return found(await datasetSegmentations(lists.filter(isDatasetList), path, companions, context));
  }
  if ("points" in file || "prompts" in file) throw badFile(path, "labels", "prompts", "Open the image or volume that they were set on first.");
  throw badFile(path, "labels: COCO, or the list of a SAM-Med2D dataset folder", "another JSON file", DAMAGED);
}

function parsed(bytes: Uint8Array, path: string): Readonly<Record<string, unknown>> {
  try {
    return recordOf(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    throw badFile(path, "a JSON file", "one that is damaged or cut off", CUT_OFF);
  }
}

const found = (segmentations: readonly Segmentation[]): ReadResult => ({ volumes: [], segmentations, refused: [] });

/** Mask to image, or image to masks. */
function isDatasetList(file: Readonly<Record<string, unknown>>): boolean {
  const entries = Object.entries(file);
  const isPicture = (path: unknown) => typeof path === "string" && /\.(png|jpe?g|bmp|tiff?)$/i.test(path);
  return entries.length > 0 && entries.every(([name, value]) => isPicture(name) && (isPicture(value) || (Array.isArray(value) && value.every(isPicture))));
}
