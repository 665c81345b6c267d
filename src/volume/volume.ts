// A volume is lazy: what it is, at once; its slices, when they are looked at. A single picture is a volume of one slice.
import type { Geometry } from "./geometry.ts";
import type { Label } from "./labelmap.ts";

export type SliceData = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

export interface Slice {
  /** Values in the modality's units (HU, say: slope, intercept or LUT applied, no window), [rows, columns, samples]. Nobody's to write to. */
  readonly data: SliceData;
  readonly rows: number;
  readonly columns: number;
  /** Gray (a second sample is its alpha), or RGB of 8 or 16 bits (a fourth is alpha, or CMYK where the file says it). */
  readonly samples: Samples;
}

export type Samples = 1 | 2 | 3 | 4;

/** A file's own window. `linear` and the others as DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3 have them; a LUT maps values to 0…1. */
export interface Window {
  readonly name: string;
  readonly center: number;
  readonly width: number;
  readonly shape: "linear" | "linear-exact" | "sigmoid";
  readonly lut?: { readonly first: number; readonly entries: Float32Array };
}

export interface Volume {
  /** What to call it: series description, file name. Never a patient's name. */
  readonly name: string;
  readonly format: string;
  /** CT, MR, US, … where the file says it. */
  readonly modality?: string;
  /** HU, SUV, … where the file says it. */
  readonly unit?: string;
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  readonly samples: Samples;
  /** Absent: the file gives no sizes in mm, and measurements are in pixels. */
  readonly geometry?: Geometry;
  readonly windows: readonly Window[];
  /** Low values are shown bright (MONOCHROME1, min-is-white); values are never turned. */
  readonly inverted: boolean;
  /** Value `i` is shown as the RGB of 8 bits at `3 i`: pictures with a palette keep their indices as values. */
  readonly palette?: Uint8Array;
  /** Values from `low` to `high` are no measurements: left out of statistics and automatic windows. */
  readonly padding?: { readonly low: number; readonly high: number };
  /** Names of the files, in slice order; a multi-frame file once. */
  readonly files: readonly string[];
  /** Sentences for the user: gaps, tilt, missing spacing, lossy compression. */
  readonly notes: readonly string[];
  /** How colours or gray are stored, by DICOM's name. */
  readonly photometric?: string;
  /** UID of the DICOM transfer syntax. */
  readonly transferSyntax?: string;
  /** All slices of the file or series in their own order, where this volume is a part of them: a time point, an echo; or has them sorted. */
  readonly whole?: Volume;
  /** What its values mean, where the file names them: labels, not an image. */
  readonly labels?: readonly Label[];
  /** What a label file that lies on these voxels repeats of this one, bit for bit. */
  readonly nifti?: NiftiHeader;
  readonly dicom?: DicomSource;
  /** Of slice `index`, from 0. Throws a SamError of code "file" that names the file; reads nothing else. */
  slice(index: number, options?: { readonly signal?: AbortSignal }): Promise<Slice>;
}

export interface NiftiHeader {
  /** The 348 bytes of NIfTI-1 or the 540 of NIfTI-2, as in the file. */
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
}

/** What a DICOM segmentation repeats of the images it was drawn on. */
export interface DicomSource {
  /**
   * Elements of the patient, study, series, frame of reference and equipment modules of the first slice, by tag as eight hexadecimal digits
   * ("0020000d"): value representation and value, as text in the file's character set.
   */
  readonly elements: ReadonlyMap<string, { readonly vr: string; readonly value: string }>;
  /** The instance of each slice, in slice order; `frame` counts from 1, in multi-frame files only. */
  readonly instances: readonly { readonly sopClass: string; readonly sopInstance: string; readonly frame?: number }[];
}
