// Images to try at once, drawn by this project: no patient's, and each the same on every visit.

export type { Picture } from "../samples/field.ts";
export type { Drawing, Structure } from "../samples/structure.ts";

export interface Sample {
  readonly id: SampleId;
  /** The modality, as a caption. */
  readonly name: string;
  /** What is worth a try, in words: the first of its structures. */
  readonly suggestion: string;
}

export type SampleId = "ct" | "mr" | "ultrasound" | "xray" | "dermoscopy" | "microscopy";

/** The first one is shown when the page opens. */
export const SAMPLES: readonly Sample[] = [
  { id: "ct", name: "CT, abdomen", suggestion: "the right kidney" },
  { id: "mr", name: "MR, head", suggestion: "the enhancing tumour" },
  { id: "ultrasound", name: "Ultrasound, liver", suggestion: "the cyst" },
  { id: "xray", name: "X-ray, chest", suggestion: "the nodule" },
  { id: "dermoscopy", name: "Dermoscopy", suggestion: "the lesion" },
  { id: "microscopy", name: "Microscopy, nuclei", suggestion: "one nucleus" },
];
