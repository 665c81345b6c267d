/**
 * Files in, volumes out: any heap of images, series, volumes, segmentations and archives, told apart by what is in them.
 * @module formats
 */
import { type ByteSource, blobSource, isByteSource } from "../bytes/byte_source.ts";
import { SamError } from "../errors.ts";
import { expectOptions } from "../option_names.ts";
import { describe, isList } from "../options.ts";
import type { Segmentation } from "../volume/segmentation.ts";
import type { Volume } from "../volume/volume.ts";
import { Heap } from "./heap.ts";
import { type Kind, READERS } from "./kinds.ts";
import type { FileEntry, PixelDecoders, ReadContext, Refused } from "./reader.ts";
import { reasonOf } from "./reason.ts";

export { kindOf } from "../bytes/sniff.ts";
export { isCmykJpeg } from "./jpeg/odd.ts";
export { damageWords, isWhole, type Mended, mendPicture } from "./mend.ts";
export { type IntensityRange, robustRange, spreadBytes, toEightBits } from "../image/intensity.ts";
export type { Segment, SegmentFrame, Segmentation } from "../volume/segmentation.ts";
export type { DecodedPixels, FileEntry, PixelDecoders, Refused } from "./reader.ts";

export type { DicomWebOptions, SeriesItem, Stored, StudyItem } from "./dicomweb/index.ts";
export type { ServerOptions } from "./dicomweb/server.ts";
export { dicomWebSeries, dicomWebStudies, fromDicomWeb, toDicomWeb } from "./server.ts";
export type { CocoOptions } from "./write_coco.ts";
export type { DatasetOptions, WrittenFile } from "./write_dataset.ts";
export type { LabelFormat, LabelOptions } from "./write_labels.ts";
export { writeLabelFiles, writeLabels } from "./write_labels.ts";
export type { PngOptions } from "./write_png.ts";
export type { SegOptions } from "./write_seg.ts";

export interface OpenOptions {
  /** For compressed DICOM pixels and pictures; without them such files are refused by name. */
  readonly decoders?: PixelDecoders;
  readonly signal?: AbortSignal;
  /** Files looked at so far, of how many; archives count once they are unpacked. */
  readonly onProgress?: (progress: OpenProgress) => void;
  /** A file that was not given but lies beside one that was: the voxels of a header, on a disk. */
  readonly beside?: (path: string) => FileEntry | undefined;
}

export interface OpenProgress {
  readonly done: number;
  readonly total: number;
  /** The packed file that is being read (`.nii.gz`, `.tar.gz`), in packed bytes. */
  readonly unpacking?: { readonly file: string; readonly loaded: number; readonly total: number };
}

export interface Opened {
  readonly volumes: readonly Volume[];
  readonly segmentations: readonly Segmentation[];
  readonly refused: readonly Refused[];
}

/**
 * Opens all that can be opened: headers are read, voxels when a slice is asked for. A file that is damaged or of another kind is in `refused`
 * and stops no other. Throws what `signal` is aborted with, and a SamError where what was given is no list of files.
 */
export async function openFiles(files: Iterable<File | FileEntry | ByteSource>, options: OpenOptions = {}): Promise<Opened> {
  await expectOptions(options, ["decoders", "signal", "onProgress", "beside"], "file", "openFiles");
  const { signal, decoders, onProgress, beside } = options;
  let done = 0;
  const told = (count: number, unpacking?: OpenProgress["unpacking"]) => {
    done += count;
    onProgress?.({ done, total: heap.entries.length, ...(unpacking && { unpacking }) });
  };
  const context: ReadContext = { ...(decoders && { decoders }), ...(signal && { signal }), onProgress: (unpacking) => told(0, unpacking) };
  const refused: Refused[] = [];
  const volumes: Volume[] = [];
  const segmentations: Segmentation[] = [];
  const refuse = (file: string, error: unknown) => {
    signal?.throwIfAborted();
    refused.push({ file, reason: reasonOf(error) });
  };
  const heap = new Heap(listOf(files).map(entryOf), beside);
  await heap.sort(context, refuse);
  told(heap.entries.length - heap.waiting());
  for (const { kinds, together, read } of READERS) {
    const wanted = heap.take(kinds);
    // Of a heap some readers need all at once: slices are files of their own.
    for (const group of together ? [wanted] : wanted.map((entry) => [entry])) {
      const left = group.filter((entry) => !heap.used(entry));
      if (left.length === 0) continue;
      signal?.throwIfAborted();
      try {
        const result = await read(left, heap.companions, context);
        volumes.push(...result.volumes);
        segmentations.push(...(result.segmentations ?? []));
        refused.push(...result.refused);
      } catch (error) {
        refuse((left[0] as FileEntry).path, error);
      }
      told(left.length);
    }
  }
  for (const { entry, kind } of heap.rest()) refused.push({ file: entry.path, reason: unreadReason(entry.path, kind) });
  signal?.throwIfAborted();
  return { volumes, segmentations, refused };
}

const NO_FILE = "Of bytes make a File: new File([bytes], name). In Node: new File([await fs.openAsBlob(path)], path).";

function misgiven(argument: string, expected: string, got: unknown): SamError {
  return new SamError({ code: "file", op: "openFiles", argument, expected, got: describe(got), remedy: NO_FILE });
}

function listOf(files: unknown): (File | FileEntry | ByteSource)[] {
  if (!isList(files)) throw misgiven("files", "a list of files", files);
  return [...(files as Iterable<File>)];
}

function entryOf(file: File | FileEntry | ByteSource, index: number): FileEntry {
  if (isByteSource(file)) return { path: file.label, source: file };
  if (typeof file === "object" && file !== null && "source" in file && isByteSource(file.source) && typeof file.path === "string")
    return { path: file.path.replaceAll("\\", "/"), source: file.source };
  // By what it can do, so that one of another realm passes.
  const given = file as File | undefined;
  if (typeof given?.slice !== "function" || typeof given.name !== "string")
    throw misgiven(`files[${index}]`, "a File, { path, source } or a byte source", file);
  const path = given.webkitRelativePath || given.name;
  return { path, source: blobSource(given, path) };
}

/** What a file should be by its name, where it is not. */
const NAMES: readonly (readonly [end: RegExp, what: string])[] = [
  [/\.(dcm|dicom|ima)$/i, "a DICOM file"],
  [/\.nii(\.gz)?$/i, "a NIfTI file"],
  [/\.nrrd$|\.nhdr$/i, "an NRRD file"],
  [/\.mh[ad]$/i, "a MetaImage file"],
  [/\.tiff?$/i, "a TIFF file"],
  [/\.png$/i, "a PNG file"],
  [/\.jpe?g$/i, "a JPEG file"],
];

function unreadReason(path: string, kind: Kind | undefined): string {
  const meant = NAMES.find(([end]) => end.test(path))?.[1];
  if (meant) return `This is not ${meant}, as its name says, but ${kind?.name ?? "a damaged or unknown one"}: fetch it again, or convert it again.`;
  if (!kind) return "This is no image that is known: open DICOM, NIfTI, NRRD, MetaImage, TIFF, PNG or JPEG files, or an archive of them.";
  return `This is ${kind.name}, which is not read here: open DICOM, NIfTI, NRRD, MetaImage, TIFF, PNG or JPEG files, or an archive of them.`;
}
