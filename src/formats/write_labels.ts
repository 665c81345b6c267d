// Labels to files: each writer is fetched when it is first asked for.
import type { Labelmap } from "../volume/labelmap.ts";
import type { Volume } from "../volume/volume.ts";
import type { SegOptions } from "./write_seg.ts";

/** `nifti`: .nii.gz; `seg-nrrd`: 3D Slicer's segmentation; `dicom-seg`: a DICOM segmentation of the series. */
export type LabelFormat = "nifti" | "seg-nrrd" | "dicom-seg";

/**
 * The bytes of a file with the labels on the voxels of `volume`, the one they were drawn on. Throws a SamError of code "file" where labels overlap and
 * the format holds one a voxel, or where a DICOM segmentation is asked for on what is no DICOM series.
 */
export async function writeLabels(labelmap: Labelmap, volume: Volume, format: LabelFormat, options: SegOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  if (format === "nifti") return (await import("./write_nifti.ts")).writeNiftiLabels(labelmap, volume);
  if (format === "seg-nrrd") return (await import("./write_nrrd.ts")).writeSegNrrd(labelmap, volume);
  if (format === "dicom-seg") return (await import("./write_seg.ts")).writeDicomSeg(labelmap, volume, options);
  throw new TypeError(`expected nifti, seg-nrrd or dicom-seg, got ${JSON.stringify(format)}`);
}
