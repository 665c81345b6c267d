// Images to try at once, drawn by this project: no patient's, and each the same on every visit.

import type { Runs } from "../../src/volume/index.ts";
import type { Picture } from "../samples/field.ts";

export type { Picture };

/** As the worker draws it. */
export interface DrawnSample {
  readonly id: SampleId;
  readonly picture: Picture;
  readonly truths: readonly { readonly name: string; readonly index: number; readonly runs: Runs }[];
}

export interface Sample {
  readonly id: SampleId;
}

export type SampleId = "ct" | "mr" | "ultrasound" | "xray" | "dermoscopy" | "microscopy";

/** The first one is shown when the page opens; their names and what is worth a try are among the page's words. */
export const SAMPLES: readonly Sample[] = [{ id: "ct" }, { id: "mr" }, { id: "ultrasound" }, { id: "xray" }, { id: "dermoscopy" }, { id: "microscopy" }];

const KEY = "closed-samples";

/** Those that were taken off the list: they are not drawn again until they are asked for. */
export function closedSamples(): readonly SampleId[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return SAMPLES.map(({ id }) => id).filter((id) => Array.isArray(kept) && kept.includes(id));
  } catch {
    return [];
  }
}

export function rememberClosed(ids: readonly SampleId[]): void {
  try {
    if (ids.length > 0) localStorage.setItem(KEY, JSON.stringify(ids));
    else localStorage.removeItem(KEY);
  } catch {
    // Storage may be forbidden; then all are there at the next start.
  }
}
