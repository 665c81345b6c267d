// DICOM files that hold no image, by the class they are of: so that each is called by its name.
import { badFile } from "../fail.ts";
import type { Element } from "./dataset.ts";
import type { DicomFile } from "./file.ts";
import { TAG } from "./tags.ts";

const OPEN_IMAGES = "It holds no image: open the images that belong to it.";

const CLASSES: readonly (readonly [start: string, what: string, remedy?: string])[] = [
  ["1.2.840.10008.1.3.10", "a DICOMDIR, the index of a DICOM disc", "It is not an image: open the folder that it lists."],
  ["1.2.840.10008.5.1.4.1.1.88.59", "a key object selection, a list of images"],
  ["1.2.840.10008.5.1.4.1.1.88", "a structured report (SR)"],
  ["1.2.840.10008.5.1.4.1.1.9", "a waveform (ECG, audio or the like)"],
  ["1.2.840.10008.5.1.4.1.1.481.3", "an RT structure set, which holds contours"],
  ["1.2.840.10008.5.1.4.1.1.481.5", "an RT plan"],
  ["1.2.840.10008.5.1.4.1.1.481.8", "an RT ion plan"],
  ["1.2.840.10008.5.1.4.1.1.481", "a radiotherapy record"],
  ["1.2.840.10008.5.1.4.1.1.104.1", "a PDF document"],
  ["1.2.840.10008.5.1.4.1.1.104.2", "a clinical document (CDA)"],
  ["1.2.840.10008.5.1.4.1.1.104", "a surface or model, or another document"],
  ["1.2.840.10008.5.1.4.1.1.11", "a presentation state"],
  ["1.2.840.10008.5.1.4.1.1.66.1", "a spatial registration"],
  ["1.2.840.10008.5.1.4.1.1.66.2", "fiducials"],
  ["1.2.840.10008.5.1.4.1.1.66.3", "a deformable registration"],
  ["1.2.840.10008.5.1.4.1.1.66.5", "a surface segmentation, which holds meshes"],
  ["1.2.840.10008.5.1.4.1.1.66.6", "a tractography"],
  ["1.2.840.10008.5.1.4.1.1.67", "a mapping to real-world values"],
  ["1.2.840.10008.5.1.4.1.1.4.2", "an MR spectroscopy"],
  ["1.2.840.10008.5.1.4.1.1.66", "raw data of a scanner"],
  ["1.2.840.10008.5.1.4.38", "a hanging protocol"],
];

/** Its pixels, or a SamError that says what the file holds instead. */
export function expectImage({ dataset, pixels, path, notes }: DicomFile): Element {
  const sopClass = dataset.text(TAG.SOPClassUID) ?? "";
  const directory = dataset.has(0x00041220) ? CLASSES[0] : undefined;
  const found = directory ?? CLASSES.find(([start]) => sopClass === start || sopClass.startsWith(`${start}.`));
  if (pixels && !directory) return pixels;
  if (found) throw badFile(path, "an image", found[1], found[2] ?? OPEN_IMAGES);
  const where = notes.find((note) => note.includes("transfer syntax"));
  const what = where ? "a DICOM file that names no transfer syntax and has no pixels" : "a DICOM file without pixels";
  throw badFile(path, "an image", what, "There is no image in it: open another file.");
}
