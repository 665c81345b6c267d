// Labels to files: each writer is fetched when it is first asked for.
import { SamError } from "../errors.ts";
import { expectOptions, namesOf } from "../option_names.ts";
import { describe } from "../options.ts";
import { Labelmap } from "../volume/labelmap.ts";
import type { Volume } from "../volume/volume.ts";
import type { CocoOptions } from "./write_coco.ts";
import type { DatasetOptions, WrittenFile } from "./write_dataset.ts";
import type { PngOptions } from "./write_png.ts";
import type { SegOptions } from "./write_seg.ts";

/**
 * `nifti`: .nii.gz; `seg-nrrd`: 3D Slicer's segmentation; `dicom-seg`: a DICOM segmentation of the series; `png`: a label picture for each slice with
 * something on it; `coco`: polygons and run lengths; `dataset`: the folder SAM-Med2D is trained and evaluated on.
 */
export type LabelFormat = "nifti" | "seg-nrrd" | "dicom-seg" | "png" | "coco" | "dataset";

export interface LabelOptions extends SegOptions, PngOptions, CocoOptions, DatasetOptions {
  /**
   * What `nifti` and `png`, which hold one label a voxel, do with labels that overlap: refuse them, by default, or write a file for each label.
   * The other formats hold overlaps.
   */
  readonly overlaps?: "refuse" | "file-each";
}

const NAMES = namesOf<Required<LabelOptions>>({
  overlaps: 1,
  model: 1,
  description: 1,
  date: 1,
  gray: 1,
  shapes: 1,
  fileName: 1,
  planes: 1,
  window: 1,
  leastArea: 1,
  leastAspect: 1,
  parts: 1,
  modality: 1,
  dataset: 1,
  case: 1,
  signal: 1,
  onProgress: 1,
});
const FORMATS: readonly LabelFormat[] = ["nifti", "seg-nrrd", "dicom-seg", "png", "coco", "dataset"];
const ENDINGS = { nifti: ".nii.gz", "seg-nrrd": ".seg.nrrd", "dicom-seg": ".dcm", coco: ".json" } as const;

/**
 * The bytes of the one file of `nifti`, `seg-nrrd`, `dicom-seg` or `coco`, or of a `png` of a single slice. Throws a SamError of code "file" where labels
 * overlap and the format holds one a voxel, where a DICOM segmentation is asked for on what is no DICOM series, and where several files are needed.
 */
export async function writeLabels(labelmap: Labelmap, volume: Volume, format: LabelFormat, options: LabelOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const files: WrittenFile[] = [];
  for await (const file of writeLabelFiles(labelmap, volume, format, "labels", options)) files.push(file);
  if (files.length === 1) return (files[0] as WrittenFile).data;
  const got = `${files.length} files`;
  throw new SamError({ code: "file", op: "writeLabels", argument: "format", expected: "a format of one file", got, remedy: "Use writeLabelFiles." });
}

/**
 * All files of a format, their paths below a folder: `stem` with the format's ending; for `png` `stem_0012.png`, one a slice (`stem.png` of a volume of
 * one), for `dataset` paths of its own. Throws as `writeLabels` does.
 */
export async function* writeLabelFiles(
  labelmap: Labelmap,
  volume: Volume,
  format: LabelFormat,
  stem: string,
  options: LabelOptions = {},
): AsyncGenerator<WrittenFile, void> {
  await expectOptions(options, NAMES, "file", "writeLabels");
  if (!FORMATS.includes(format)) {
    const got = describe(format);
    throw new SamError({ code: "file", op: "writeLabels", argument: "format", expected: `one of ${FORMATS.join(", ")}`, got, remedy: "Choose one of them." });
  }
  if (format === "dataset") {
    yield* (await import("./write_dataset.ts")).writeDataset(labelmap, volume, options);
    return;
  }
  const single = format === "nifti" || format === "png";
  if (single && options.overlaps === "file-each" && overlapping(labelmap)) {
    for (const label of labelmap.labels) yield* filesOf(only(labelmap, label.id), volume, format, `${stem}_${plain(label.name)}`, options);
    return;
  }
  yield* filesOf(labelmap, volume, format, stem, options);
}

async function* filesOf(
  labelmap: Labelmap,
  volume: Volume,
  format: Exclude<LabelFormat, "dataset">,
  stem: string,
  options: LabelOptions,
): AsyncGenerator<WrittenFile, void> {
  if (format === "png") {
    const { writeLabelPng } = await import("./write_png.ts");
    const drawn = [...new Set(labelmap.labels.flatMap(({ id }) => labelmap.drawnSlices(id)))].sort((a, b) => a - b);
    const name = (slice: number) => (labelmap.slices === 1 ? stem : `${stem}_${String(slice).padStart(4, "0")}`);
    for (const slice of drawn.length > 0 ? drawn : [0]) yield { path: `${name(slice)}.png`, data: await writeLabelPng(labelmap, slice, options) };
    return;
  }
  const path = `${stem}${ENDINGS[format]}`;
  if (format === "nifti") yield { path, data: await (await import("./write_nifti.ts")).writeNiftiLabels(labelmap, volume) };
  else if (format === "seg-nrrd") yield { path, data: await (await import("./write_nrrd.ts")).writeSegNrrd(labelmap, volume) };
  else if (format === "dicom-seg") yield { path, data: (await import("./write_seg.ts")).writeDicomSeg(labelmap, volume, options) };
  else yield { path, data: (await import("./write_coco.ts")).writeCoco(labelmap, volume, options) };
}

function overlapping(labelmap: Labelmap): boolean {
  for (let slice = 0; slice < labelmap.slices; slice++) if (labelmap.overlapping(slice)) return true;
  return false;
}

function only(labelmap: Labelmap, id: number): Labelmap {
  const made = new Labelmap(
    labelmap.columns,
    labelmap.rows,
    labelmap.slices,
    labelmap.labels.filter((label) => label.id === id).map((label) => ({ ...label, locked: false })),
  );
  for (const [slice, runs] of labelmap.stack(id)) made.draw(id, slice, runs);
  return made;
}

function plain(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, "_").replace(/^[-._]+|[-._]+$/g, "") || "label";
}
