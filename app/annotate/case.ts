// A case: an image, a series or a volume, with the objects that were marked on it. Plain values, but for the labelmap, whose changes are counted.
import type { Box } from "../../src/index.ts";
import type { Labelmap, LabelmapChange, Runs, RunsChange, Vector3 } from "../../src/volume/index.ts";
import type { Picture } from "../open/samples.ts";
import type { Plane, SliceOf } from "../open/slices.ts";
import type { Axes } from "./axes.ts";
import { isEmpty, NO_PROMPTS, type Prompts } from "./prompts.ts";

export type Status = "todo" | "doing" | "done" | "flagged";
export const STATUSES: readonly Status[] = ["todo", "doing", "done", "flagged"];

/** Something marked on a case: one organ, one nucleus. Its number is its label's id in the labelmap. */
export interface ObjectOf {
  readonly id: number;
  /** The label it is one of. */
  readonly label: number;
  readonly visible: boolean;
  readonly locked: boolean;
  /** Its two diameters, measured by hand on one of its slices. */
  readonly axes?: Axes;
}

/** How a mask came about. */
export type Origin = "model" | "hand" | "copied" | "interpolated" | "propagated" | "imported" | "found";

/** What was said about an object on a slice of a plane, and what came of it. The mask itself is in the labelmap. */
export interface Work {
  readonly prompts: Prompts;
  /** The candidate that was picked by hand, and for which prompts. */
  readonly choice: { readonly prompts: Prompts; readonly index: number } | null;
  /** Whether the labelmap has the mask of these prompts: of which model and settings; of an earlier day (`kept`); or not yet. */
  readonly made: string | null;
  readonly origin: Origin | null;
  readonly accepted: boolean;
  /** What this mask took from other objects: given back when a better one takes its place. */
  readonly taken: readonly RunsChange[];
}

export const NO_WORK: Work = { prompts: NO_PROMPTS, choice: null, made: null, origin: null, accepted: false, taken: [] };

/** Made from other slices, and accepted by nobody yet. */
export function isProposed({ origin, accepted }: Work): boolean {
  return !accepted && (origin === "propagated" || origin === "interpolated" || origin === "copied");
}

/** A slice of a plane. */
export interface Place {
  readonly plane: Plane;
  readonly index: number;
}

/** Words of the page with what is filled in. */
export interface Said {
  readonly key: string;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** One step: enough to take it back, to do it again, and to say what it was. */
export interface Entry {
  readonly what: Said;
  readonly place: Place;
  readonly works: readonly { readonly key: string; readonly before: Work | null; readonly after: Work | null }[];
  readonly objects: readonly [before: readonly ObjectOf[], after: readonly ObjectOf[]] | null;
  /** The current object. */
  readonly object: readonly [before: number, after: number];
  readonly changes: readonly LabelmapChange[];
}

export interface Journal {
  readonly past: readonly Entry[];
  readonly future: readonly Entry[];
}

/** A mask that is known to be right, on one stored slice. */
export interface Truth {
  readonly name: string;
  /** Its value in the file it comes from. */
  readonly id?: number;
  readonly index: number;
  readonly runs: Runs;
}

/** The picture on the stage. */
export interface Shown {
  /** Names the picture to the model: another slice, plane or window is another one. */
  readonly id: string;
  readonly picture: Picture;
  readonly canvas: HTMLCanvasElement;
  readonly slice: SliceOf | null;
}

export interface Sides {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
}

export interface Case {
  readonly id: string;
  readonly name: string;
  readonly origin: "sample" | "file";
  /** Tells its files when they are opened again. */
  readonly key: string;
  /** Their names where they are kept on this machine. */
  readonly files?: readonly string[];
  /** As stored; null until it was opened once. */
  readonly sides: Sides | null;
  readonly shown: Shown | null;
  /** Where it was looked at last. */
  readonly place: Place;
  /** The stored voxel that the crosshair between the planes was put on; null is the middle. Across the plane that is shown, its slice counts. */
  readonly cross: Vector3 | null;
  readonly labelmap: Labelmap | null;
  /** Counts the changes of the labelmap. */
  readonly edits: number;
  readonly objects: readonly ObjectOf[];
  readonly object: number;
  readonly works: ReadonlyMap<string, Work>;
  readonly journal: Journal;
  readonly status: Status;
  readonly note: string;
  /** A structure that is worth a try: what it is, and a box around it in original pixels. */
  readonly suggestion: { readonly what: string; readonly box: Box } | null;
  /** Samples have them, and files can be opened as such. */
  readonly truths: readonly Truth[];
}

export const workKey = (object: number, { plane, index }: Place) => `${object}|${plane}|${index}`;

export function placeOfKey(key: string): Place & { readonly object: number } {
  const [object, plane, index] = key.split("|") as [string, Plane, string];
  return { object: Number(object), plane, index: Number(index) };
}

export function newCase(facts: Pick<Case, "id" | "name" | "origin"> & Partial<Case>): Case {
  return {
    key: "",
    sides: null,
    shown: null,
    place: { plane: "stored", index: 0 },
    cross: null,
    labelmap: null,
    edits: 0,
    objects: [{ id: 1, label: 1, visible: true, locked: false }],
    object: 1,
    works: new Map(),
    journal: { past: [], future: [] },
    status: "todo",
    note: "",
    suggestion: null,
    truths: [],
    ...facts,
  };
}

/** Those of the slice that is shown. */
export function truthsHere({ truths, place }: Case): readonly Truth[] {
  return place.plane === "stored" ? truths.filter(({ index }) => index === place.index) : [];
}

/** Of the current object where the case is looked at. */
export function currentWork({ works, object, place }: Case): Work {
  return works.get(workKey(object, place)) ?? NO_WORK;
}

export function objectOf({ objects, object }: Case): ObjectOf | undefined {
  return objects.find(({ id }) => id === object);
}

/** Whether nothing was said about an object or drawn of it, on any slice. */
export function isUntouched({ labelmap, works, objects }: Case, id: number): boolean {
  if (objects.find((object) => object.id === id)?.axes) return false;
  if (labelmap?.labels.some((label) => label.id === id) && labelmap.drawnSlices(id).length > 0) return false;
  for (const [key, { prompts }] of works) if (placeOfKey(key).object === id && !isEmpty(prompts)) return false;
  return true;
}

/** Whether anything at all was said about it. */
export function hasWork(of: Case): boolean {
  return of.objects.some(({ id }) => !isUntouched(of, id));
}
