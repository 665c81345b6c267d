// Segments as a file has them: frames of voxels that lie on images by reference or by position. Nothing is laid onto a volume yet.
import type { Direction, Geometry, Vector3 } from "./geometry.ts";

/** A term of a dictionary, SNOMED CT say. */
export interface Code {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

export interface Segment {
  /** From 1; in a label map the value of its voxels, where 0 is the background. */
  readonly number: number;
  readonly label: string;
  readonly category?: Code;
  readonly type?: Code;
  /** AUTOMATIC, SEMIAUTOMATIC or MANUAL. */
  readonly algorithm?: string;
  readonly algorithmName?: string;
  /** sRGB, 0 to 255. */
  readonly color?: readonly [red: number, green: number, blue: number];
}

export interface SegmentFrame {
  /** Its number; absent in a label map, whose frames hold all segments. */
  readonly segment?: number;
  /** Centre of its first voxel, LPS, mm. */
  readonly position?: Vector3;
  /** Where the file has all slices of a volume, from 0. */
  readonly slice?: number;
  /** The images it was drawn on; `frame` counts from 1, in multi-frame images only. */
  readonly references: readonly { readonly sopInstance: string; readonly frame?: number }[];
}

export interface Segmentation {
  readonly name: string;
  readonly format: string;
  /** Voxels are 0 or 1; 0 to `maximum`; numbers of segments. */
  readonly kind: "binary" | "fractional" | "labelmap";
  readonly maximum: number;
  readonly rows: number;
  readonly columns: number;
  readonly segments: readonly Segment[];
  readonly frames: readonly SegmentFrame[];
  /** Absent where the file gives no orientation. */
  readonly direction?: Direction;
  readonly spacing?: { readonly betweenColumns: number; readonly betweenRows: number; readonly betweenSlices?: number };
  /** Of a file that has all slices of a volume. */
  readonly geometry?: Geometry;
  /** DICOM's UID of the space that positions are in. */
  readonly frameOfReference?: string;
  /** Series of the images it belongs to. */
  readonly referencedSeries: readonly string[];
  readonly files: readonly string[];
  readonly notes: readonly string[];
  /** Voxels of frame `index`, from 0: [rows, columns]. Throws a SamError of code "file". */
  frame(index: number, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array | Uint16Array>;
}

/** Voxels of each segment that are not 0, in the order of `segments`; of a label map those of its value. */
export async function countVoxels(segmentation: Segmentation, signal?: AbortSignal): Promise<number[]> {
  const counts = new Map(segmentation.segments.map(({ number }) => [number, 0]));
  for (const [index, { segment }] of segmentation.frames.entries()) {
    const voxels = await segmentation.frame(index, signal ? { signal } : {});
    for (const value of voxels) {
      const number = segmentation.kind === "labelmap" ? value : value !== 0 ? segment : undefined;
      if (number !== undefined) counts.set(number, (counts.get(number) ?? 0) + 1);
    }
  }
  return segmentation.segments.map(({ number }) => counts.get(number) ?? 0);
}
