// A case as it is kept, and back: plain values that a database takes.
import { Labelmap, type Runs } from "../../src/volume/index.ts";
import { type Case, newCase, NO_WORK, type ObjectOf, type Origin, type Place, type Sides, type Status, type Work } from "../annotate/case.ts";
import { toLabel, type LabelOf } from "../annotate/labels.ts";
import type { Prompts } from "../annotate/prompts.ts";

export interface CaseRecord {
  readonly id: string;
  /** Tells its files when they are opened again. */
  readonly key: string;
  readonly name: string;
  readonly origin: Case["origin"];
  readonly sides: Sides | null;
  readonly place: Place;
  readonly objects: readonly ObjectOf[];
  readonly object: number;
  readonly status: Status;
  readonly note: string;
  /** Its place in the list. */
  readonly order: number;
  /** Its files as they lie on this machine, when they were kept there. */
  readonly files?: readonly string[];
}

export interface WorkRecord {
  readonly points: Prompts["points"];
  readonly box: Prompts["box"];
  readonly choice: number | null;
  readonly origin: Origin | null;
  readonly accepted: boolean;
}

export function recordOf({ id, key, name, origin, sides, place, objects, object, status, note, files }: Case, order: number): CaseRecord {
  return { id, key, name, origin, sides, place, objects, object, status, note, order, ...(files && { files }) };
}

/** The masks that rounds started from are not kept: they mean something to the model that made them only. */
export function workRecord({ prompts: { points, box }, choice, origin, accepted }: Work): WorkRecord {
  return { points, box, choice: choice?.index ?? null, origin, accepted };
}

function workOf({ points, box, choice, origin, accepted }: WorkRecord): Work {
  const prompts = { points, box, previous: null };
  return { ...NO_WORK, prompts, choice: choice === null ? null : { prompts, index: choice }, made: "kept", origin, accepted };
}

export interface Kept {
  readonly record: CaseRecord;
  readonly works: readonly (readonly [key: string, work: WorkRecord])[];
  readonly masks: readonly { readonly object: number; readonly slice: number; readonly runs: Runs }[];
}

export function caseOf({ record, works, masks }: Kept, labels: readonly LabelOf[]): Case {
  const { order: _, ...facts } = record;
  return newCase({ ...facts, works: new Map(works.map(([key, work]) => [key, workOf(work)])), labelmap: labelmapOf(record, masks, labels) });
}

function labelmapOf({ sides, objects }: CaseRecord, masks: Kept["masks"], labels: readonly LabelOf[]): Labelmap | null {
  if (!sides) return null;
  const labelmap = new Labelmap(
    sides.columns,
    sides.rows,
    sides.slices,
    objects.map((object) => ({ ...toLabel(object, labels), locked: false })),
  );
  const known = new Set(objects.map(({ id }) => id));
  for (const { object, slice, runs } of masks) if (known.has(object) && slice < sides.slices) labelmap.draw(object, slice, runs, "allow");
  return labelmap;
}
