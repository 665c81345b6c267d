// Images to try at once, drawn by this project: no patient's, and each the same on every visit.

export type { Picture } from "../samples/field.ts";
export type { Drawing, Structure } from "../samples/structure.ts";

export interface Sample {
  readonly id: SampleId;
}

export type SampleId = "ct" | "mr" | "ultrasound" | "xray" | "dermoscopy" | "microscopy";

/** The first one is shown when the page opens; their names and what is worth a try are among the page's words. */
export const SAMPLES: readonly Sample[] = [{ id: "ct" }, { id: "mr" }, { id: "ultrasound" }, { id: "xray" }, { id: "dermoscopy" }, { id: "microscopy" }];
