// DICOM files of a heap: images by series and as volumes, segmentations, and a word on whatever holds no image.
import type { Segmentation } from "../../volume/segmentation.ts";
import type { FileEntry, ReadContext, ReadResult, Refused } from "../reader.ts";
import { reasonOf } from "../reason.ts";
import { type DicomFile, openDicom } from "./file.ts";
import { type DicomImage, describeImage } from "./image.ts";
import { checkPacked } from "./pixels.ts";
import { isSegmentation, readSegmentation } from "./segmentation.ts";
import { LOSSY } from "./syntax.ts";
import { TAG } from "./tags.ts";
import { volumesOf } from "./volumes.ts";

/** Headers read at a time: disks and browsers answer several requests faster than one after another. */
const AT_ONCE = 16;

export async function readDicom(entries: readonly FileEntry[], context: ReadContext): Promise<ReadResult> {
  const refused: Refused[] = [];
  const images: (DicomImage | undefined)[] = new Array(entries.length).fill(undefined);
  const segmentations: Segmentation[] = [];
  let next = 0;
  const work = async () => {
    while (next < entries.length) {
      const at = next++;
      const entry = entries[at] as FileEntry;
      context.signal?.throwIfAborted();
      try {
        const image = await imageOf(await openDicom(entry, context.signal), context);
        if (isSegmentation(image)) segmentations.push(readSegmentation(image, context.decoders));
        else images[at] = image;
      } catch (error) {
        context.signal?.throwIfAborted();
        refused.push({ file: entry.path, reason: reasonOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, entries.length) }, work));
  return {
    volumes: volumesOf(
      images.filter((image) => image !== undefined),
      context.decoders,
    ),
    segmentations,
    refused,
  };
}

/** What a file says of its image, and of how its pixels came to be. Throws a SamError of code "file". */
export async function imageOf(file: DicomFile, { decoders, signal }: ReadContext): Promise<DicomImage> {
  const image = describeImage(file);
  const notes = [...image.notes];
  const packed = !file.frame && (file.syntax.packing !== undefined || image.pixels.length === undefined);
  const { lossy } = packed ? await checkPacked(image, decoders, signal) : { lossy: false };
  if (lossy || LOSSY.has(file.syntax.uid) || file.dataset.text(TAG.LossyImageCompression) === "01") notes.push("The pixels were compressed with loss.");
  if (file.dataset.texts(TAG.ImageType).includes("MOSAIC"))
    notes.push("This is a Siemens mosaic: one picture of many slices side by side, shown as it is stored.");
  return { ...image, notes };
}
