// A volume is lazy: what it is, at once; its slices, when they are looked at. A single picture is a volume of one slice.
import type { Geometry } from "./geometry.ts";

export type SliceData = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

export interface Slice {
  /** Values in the modality's units (HU, say: slope, intercept or LUT applied, no window), [rows, columns, samples]. Nobody's to write to. */
  readonly data: SliceData;
  readonly rows: number;
  readonly columns: number;
  /** Gray, or RGB of 8 or 16 bits. */
  readonly samples: 1 | 3;
}

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
  readonly samples: 1 | 3;
  /** Absent: the file gives no sizes in mm, and measurements are in pixels. */
  readonly geometry?: Geometry;
  readonly windows: readonly Window[];
  /** Low values are shown bright (MONOCHROME1, min-is-white); values are never turned. */
  readonly inverted: boolean;
  /** Values from `low` to `high` are no measurements: left out of statistics and automatic windows. */
  readonly padding?: { readonly low: number; readonly high: number };
  /** Names of the files, in slice order; a multi-frame file once. */
  readonly files: readonly string[];
  /** Sentences for the user: gaps, tilt, missing spacing, lossy compression. */
  readonly notes: readonly string[];
  /** Of slice `index`, from 0. Throws a SamError of code "file" that names the file; reads nothing else. */
  slice(index: number, options?: { readonly signal?: AbortSignal }): Promise<Slice>;
}
