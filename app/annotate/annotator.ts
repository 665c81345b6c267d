// What is done to the case on the desk: each step goes through `#commit`, which notes how to take it back.
import {
  type Labelmap,
  type LabelmapChange,
  type PlaneMap,
  planeMap,
  type Runs,
  type RunsChange,
  drawOnPlane,
  runsOnPlane,
  union,
} from "../../src/volume/index.ts";
import type { Result } from "../model/inference.ts";
import { currentCase, type Store } from "../state.ts";
import type { Axes } from "./axes.ts";
import {
  type Case,
  currentWork,
  type Entry,
  isUntouched,
  NO_WORK,
  type ObjectOf,
  objectOf,
  type Origin,
  type Place,
  placeOfKey,
  type Said,
  type Work,
  workKey,
} from "./case.ts";
import { joined, noted, stepped } from "./journal.ts";
import { type LabelOf, toLabel } from "./labels.ts";
import { isEmpty, NO_PROMPTS, type Prompts } from "./prompts.ts";

interface Drawn {
  readonly object: number;
  readonly place: Place;
  readonly runs: Runs;
  readonly work: Partial<Work>;
}

interface Step {
  readonly what: Said;
  readonly works?: readonly (readonly [key: string, work: Work])[];
  readonly objects?: readonly ObjectOf[];
  readonly object?: number;
  readonly changes?: readonly LabelmapChange[];
}

/** Scrolled through a volume, cuts are not kept for ever. */
const MOST_CUTS = 200;
const NOTHING: Runs = new Uint32Array(0);

export class Annotator {
  readonly #store: Store;
  #cuts = new Map<string, Runs>();
  #cutsOf = "";

  constructor(store: Store) {
    this.#store = store;
  }

  get #case(): Case | null {
    const { state } = this.#store;
    const of = currentCase(state);
    // Of two tabs only one writes.
    return of?.shown && of.labelmap && state.saving.kind !== "reader" ? of : null;
  }

  /** The pixels of an object on a slice, if no other than on the one that is shown. */
  runs(of: Case, object: number, place = of.place): Runs {
    if (!of.labelmap?.labels.some(({ id }) => id === object)) return NOTHING;
    const map = planeMapOf({ ...of, place });
    if (!map) return of.labelmap.runs(object, place.index);
    // Cutting across the stored slices takes a while: once for each state of the labelmap.
    const stamp = `${of.id} ${of.edits}`;
    if (stamp !== this.#cutsOf || this.#cuts.size > MOST_CUTS) [this.#cuts, this.#cutsOf] = [new Map(), stamp];
    const key = `${object} ${place.plane} ${place.index}`;
    const known = this.#cuts.get(key) ?? runsOnPlane(of.labelmap, object, map, place.index);
    this.#cuts.set(key, known);
    return known;
  }

  /** A step on the prompts of the current object, where it is looked at. */
  setPrompts(what: Said, change: (prompts: Prompts) => Prompts, choice: Work["choice"] = null): void {
    const of = this.#case;
    const object = of && objectOf(of);
    if (!of || !object || object.locked) return;
    const work = currentWork(of);
    const prompts = change(work.prompts);
    if (prompts === work.prompts) return;
    const key = workKey(of.object, of.place);
    const next: Work = { ...work, prompts, choice: choice && { ...choice, prompts }, made: null, origin: "model", accepted: false };
    // Without prompts nothing is left of their mask but what they corrected; what was drawn by hand before them is in the journal.
    const { previous } = prompts;
    const drawn = previous && "drawn" in previous ? previous.drawn : null;
    const changes = isEmpty(prompts) ? this.#draw(of, of.object, drawn ?? NOTHING, work.taken) : null;
    const none: Work = { ...NO_WORK, prompts, ...(drawn && { origin: "hand" }) };
    this.#commit(of, { what, works: [[key, isEmpty(prompts) ? none : next]], ...(changes && { changes: changes.all }) });
  }

  /** Prompts on many slices, of any labels, as one step: each goes to the first object of its label that has nothing there, else to a new one. */
  setManyPrompts(what: Said, given: readonly { readonly label: number; readonly place: Place; readonly prompts: Prompts }[]): void {
    const of = this.#case;
    if (!of || given.length === 0) return;
    const objects = [...of.objects];
    const works = new Map<string, Work>();
    const free = (id: number, place: Place) => {
      const key = workKey(id, place);
      return !works.has(key) && isEmpty((of.works.get(key) ?? NO_WORK).prompts) && !of.works.get(key)?.origin;
    };
    for (const { label, place, prompts } of given) {
      const found = objects.find(({ id, label: own, locked }) => own === label && !locked && free(id, place));
      const id = found?.id ?? 1 + Math.max(0, ...objects.map((object) => object.id));
      if (!found) objects.push({ id, label, visible: true, locked: false });
      works.set(workKey(id, place), { ...NO_WORK, prompts, origin: "model" });
    }
    this.#commit(of, { what, works: [...works], ...(objects.length > of.objects.length && { objects }) });
  }

  /** The mask of prompts has arrived: it becomes the object's, as part of the step that asked for it. */
  take(of: Case, object: number, place: Place, prompts: Prompts, result: Result, by: string): void {
    const key = workKey(object, place);
    const work = of.works.get(key);
    if (!work || work.prompts !== prompts || !of.labelmap) return;
    // What was accepted, or drawn on an earlier day, changes by a new prompt only.
    if (work.made !== null && (work.made === by || work.accepted || work.made === "kept")) return;
    const index = work.choice?.prompts === prompts ? Math.min(work.choice.index, result.count - 1) : result.best;
    const drawn = this.#draw({ ...of, place }, object, result.mask(index), work.taken);
    const next: Work = { ...work, made: by, origin: "model", taken: drawn.taken };
    const last = of.journal.past.at(-1);
    const asked = last?.works.some((one) => one.key === key && one.after?.prompts === prompts);
    if (!asked) {
      this.#commit(of, { what: { key: "step.mask" }, works: [[key, next]], changes: drawn.all }, place);
      return;
    }
    const journal = joined(of.journal, { works: [{ key, before: work, after: next }], changes: drawn.all });
    this.#store.updateCase(of.id, (now) => ({ journal, works: new Map(now.works).set(key, next), edits: now.edits + 1 }), {
      keys: [key],
      drawn: drawnIn(drawn.all),
    });
  }

  /** Another of the candidate masks. */
  choose(result: Result, index: number, by: string): void {
    const of = this.#case;
    if (!of || index >= result.count || objectOf(of)?.locked) return;
    const work = currentWork(of);
    const drawn = this.#draw(of, of.object, result.mask(index), work.taken);
    const next: Work = { ...work, choice: { prompts: work.prompts, index }, made: by, origin: "model", accepted: false, taken: drawn.taken };
    this.#commit(of, { what: { key: "step.candidate", values: { n: index + 1 } }, works: [[workKey(of.object, of.place), next]], changes: drawn.all });
  }

  /** A mask that was drawn, cut or copied: prompts that led to the one before it no longer describe it. */
  draw(what: Said, runs: Runs, origin: Origin = "hand"): void {
    const of = this.#case;
    if (!of || objectOf(of)?.locked) return;
    const { all } = this.#draw(of, of.object, runs, []);
    if (all.length === 0) return;
    this.#commit(of, { what, works: [[workKey(of.object, of.place), { ...NO_WORK, origin }]], changes: all });
  }

  /** Marks what is shown of the current object as right. */
  accept(): boolean {
    const of = this.#case;
    if (!of) return false;
    const work = currentWork(of);
    if (work.accepted || this.runs(of, of.object).length === 0) return false;
    this.#commit(of, { what: { key: "step.accept" }, works: [[workKey(of.object, of.place), { ...work, accepted: true }]] });
    return true;
  }

  /** Selects the object that comes next to be marked: one of the label, empty; an empty one that is there is taken. */
  newObject(label: number): void {
    const of = this.#case;
    if (!of) return;
    const empty = of.objects.find((other) => isUntouched(of, other.id));
    if (empty) {
      const objects = empty.label === label ? of.objects : of.objects.map((other) => (other === empty ? { ...other, label } : other));
      this.#store.updateCase(of.id, () => ({ objects, object: empty.id }));
      return;
    }
    const id = 1 + Math.max(0, ...of.objects.map((other) => other.id));
    const objects = [...of.objects, { id, label, visible: true, locked: false }];
    this.#commit(of, { what: { key: "step.new" }, objects, object: id });
  }

  /** The object of a label that a key asks for: the latest, or the one before it when it is selected already; a new one where there is none. */
  toLabel(label: number): void {
    const of = this.#case;
    if (!of) return;
    const current = objectOf(of);
    const own = of.objects.filter((other) => other.label === label && !isUntouched(of, other.id));
    const at = own.findIndex(({ id }) => id === current?.id);
    if (own.length === 0) this.newObject(label);
    else this.select((own[at > 0 ? at - 1 : own.length - 1] as ObjectOf).id);
  }

  select(object: number): void {
    const of = currentCase(this.#store.state);
    if (of && of.object !== object) this.#store.updateCase(of.id, () => ({ object }));
  }

  /** The next object, or the one before. */
  turn(step: 1 | -1): void {
    const of = this.#case;
    if (!of || of.objects.length === 0) return;
    const at = of.objects.findIndex(({ id }) => id === of.object);
    this.select((of.objects[(at + step + of.objects.length) % of.objects.length] as ObjectOf).id);
  }

  remove(object: number): void {
    const of = this.#case;
    if (!of?.labelmap || of.objects.find(({ id }) => id === object)?.locked) return;
    const changes = of.labelmap.labels.some(({ id }) => id === object) ? of.labelmap.removeLabel(object) : [];
    const left = of.objects.filter(({ id }) => id !== object);
    const objects = left.length > 0 ? left : [{ id: object + 1, label: 1, visible: true, locked: false }];
    const next = of.object === object ? (objects.at(-1) as ObjectOf).id : of.object;
    const gone = [...of.works].filter(([key]) => placeOfKey(key).object === object).map(([key]) => [key, NO_WORK] as const);
    this.#commit(of, { what: { key: "step.delete" }, objects, object: next, works: gone, changes });
  }

  /** Everything of `from` becomes part of `into`, on every slice. */
  merge(from: number, into: number): void {
    const of = this.#case;
    if (!of?.labelmap || from === into) return;
    if ([from, into].some((one) => of.objects.find(({ id }) => id === one)?.locked)) return;
    const { labelmap } = of;
    this.#know(of);
    const changes: LabelmapChange[] = [];
    const moved = labelmap.drawnSlices(from).map((slice) => [slice, labelmap.runs(from, slice)] as const);
    changes.push(...labelmap.removeLabel(from));
    for (const [slice, runs] of moved) changes.push(...labelmap.draw(into, slice, union(labelmap.runs(into, slice), runs), "allow"));
    const gone = [...of.works].filter(([key]) => [from, into].includes(placeOfKey(key).object));
    const works = gone.map(([key, work]) => [key, placeOfKey(key).object === from ? NO_WORK : { ...work, prompts: NO_PROMPTS, made: null }] as const);
    this.#commit(of, { what: { key: "step.merge" }, objects: of.objects.filter(({ id }) => id !== from), object: into, works, changes });
  }

  /** Its label, its lock, its axes: steps like any other. Whether it is seen is none. */
  change(object: number, patch: Partial<Pick<ObjectOf, "label" | "locked">> & { readonly axes?: Axes | undefined }): void {
    const of = this.#case;
    if (!of) return;
    const objects = of.objects.map((other) => (other.id === object ? changed(other, patch) : other));
    this.#commit(of, { what: { key: "axes" in patch ? "step.axes" : patch.label === undefined ? "step.lock" : "step.label" }, objects });
  }

  show(object: number | "all", visible: boolean): void {
    const of = currentCase(this.#store.state);
    if (of)
      this.#store.updateCase(of.id, () => ({ objects: of.objects.map((other) => (object === "all" || other.id === object ? { ...other, visible } : other)) }));
  }

  /** Takes the last step back, or does it again, and looks where it was. Gives what it was. */
  step(back: boolean): Entry | null {
    const of = currentCase(this.#store.state);
    if (!of?.labelmap) return null;
    this.#know(of);
    const done = stepped(of, back);
    if (!done) return null;
    const { next, entry } = done;
    const { works, journal, objects, object, edits } = next;
    this.#store.updateCase(of.id, () => ({ works, journal, objects, object, edits }), {
      keys: entry.works.map(({ key }) => key),
      drawn: drawnIn(entry.changes),
    });
    return entry;
  }

  /** Several masks at once, of any objects and slices: one step. Used where slices are filled in between, propagated or read from a file. */
  drawMany(what: Said, masks: readonly Drawn[], objects?: readonly ObjectOf[], object?: number): void {
    const of = this.#case;
    if (!of) return;
    const known = objects ? { ...of, objects } : of;
    const changes: LabelmapChange[] = [];
    const works: [string, Work][] = [];
    for (const { object, place, runs, work } of masks) {
      const drawn = this.#draw({ ...known, place }, object, runs, []);
      changes.push(...drawn.all);
      works.push([workKey(object, place), { ...NO_WORK, ...work, taken: drawn.taken }]);
    }
    this.#commit(of, { what, works, changes, ...(objects && { objects }), ...(object !== undefined && { object }) });
  }

  /** A mask that somebody is to look at: all of one run of them are one step. */
  propose(id: string, what: Said, { object, place, runs, work }: Drawn, more: boolean): void {
    const of = this.#store.state.cases.find((one) => one.id === id);
    if (!of?.labelmap || of.objects.find((one) => one.id === object)?.locked) return;
    const key = workKey(object, place);
    const drawn = this.#draw({ ...of, place }, object, runs, []);
    const after: Work = { ...NO_WORK, ...work, taken: drawn.taken };
    const last = of.journal.past.at(-1);
    if (!more || last?.what.key !== what.key) {
      this.#commit(of, { what, works: [[key, after]], changes: drawn.all });
      return;
    }
    const journal = joined(of.journal, { works: [{ key, before: of.works.get(key) ?? null, after }], changes: drawn.all });
    const touched = { keys: [key], drawn: drawnIn(drawn.all) };
    this.#store.updateCase(id, (now) => ({ journal, works: new Map(now.works).set(key, after), edits: now.edits + 1 }), touched);
  }

  /** All proposals of the current object on these slices of the plane that is shown are right. */
  acceptAll(slices: readonly number[]): void {
    const of = this.#case;
    if (!of || slices.length === 0) return;
    const keys = slices.map((index) => workKey(of.object, { plane: of.place.plane, index }));
    this.#commit(of, { what: { key: "step.accept" }, works: keys.map((key) => [key, { ...(of.works.get(key) ?? NO_WORK), accepted: true }] as const) });
  }

  /** Makes `runs` the object's pixels where the case is looked at; `taken` is what the mask before took from others. */
  #draw(of: Case, object: number, runs: Runs, taken: readonly RunsChange[]): { all: RunsChange[]; taken: RunsChange[] } {
    const labelmap = of.labelmap as Labelmap;
    this.#know(of);
    const all: RunsChange[] = [];
    for (const { label, slice, before, after } of taken) {
      const now = labelmap.runs(label, slice);
      // Only where nobody drew on it since.
      if (now.length !== after.length || now.some((value, i) => value !== after[i])) continue;
      const change = { label, slice, before: now, after: before };
      labelmap.apply([change]);
      all.push(change);
    }
    const { overlap } = this.#store.state;
    const map = planeMapOf(of);
    const drawn = map ? drawOnPlane(labelmap, object, map, of.place.index, runs, overlap) : labelmap.draw(object, of.place.index, runs, overlap);
    const own = drawn.filter((change): change is RunsChange => change.slice !== undefined);
    return { all: [...all, ...own], taken: own.filter(({ label }) => label !== object) };
  }

  /** The labelmap knows an object once something is drawn of it. */
  #know({ labelmap, objects }: Case): void {
    for (const object of objects) labelmap?.setLabel(toLabel(object, this.#store.state.labels));
  }

  #commit(of: Case, { what, works = [], objects, object = of.object, changes = [] }: Step, place: Place = of.place): void {
    const entry: Entry = {
      what: { ...what, values: { ...this.#wordsOf(of, object, place), ...what.values } },
      place,
      works: works.map(([key, after]) => ({ key, before: of.works.get(key) ?? null, after: after === NO_WORK ? null : after })),
      objects: objects ? [of.objects, objects] : null,
      object: [of.object, object],
      changes,
    };
    const next = new Map(of.works);
    for (const { key, after } of entry.works) {
      if (after) next.set(key, after);
      else next.delete(key);
    }
    this.#store.updateCase(
      of.id,
      (now) => ({
        journal: noted(now.journal, entry),
        works: next,
        object,
        edits: now.edits + 1,
        ...(objects && { objects }),
        ...(now.status === "todo" && { status: "doing" }),
      }),
      { keys: entry.works.map(({ key }) => key), drawn: drawnIn(changes) },
    );
  }

  #wordsOf(of: Case, object: number, place: Place): Record<string, string | number> {
    const label = of.objects.find(({ id }) => id === object)?.label;
    return { object: nameOfLabel(this.#store.state.labels, label), slice: place.index + 1, many: of.sides && of.sides.slices > 1 ? 1 : 0 };
  }
}

function changed({ axes, ...object }: ObjectOf, patch: Parameters<Annotator["change"]>[1]): ObjectOf {
  const { axes: next = axes, ...rest } = patch;
  return { ...object, ...rest, ...("axes" in patch ? patch.axes && { axes: patch.axes } : next && { axes: next }) };
}

export function nameOfLabel(labels: readonly LabelOf[], id: number | undefined): string {
  return labels.find((label) => label.id === id)?.name ?? `${id ?? ""}`;
}

function drawnIn(changes: readonly LabelmapChange[]): (readonly [object: number, slice: number])[] {
  return changes.flatMap(({ label, slice }) => (slice === undefined ? [] : [[label, slice] as const]));
}

function planeMapOf({ shown, place }: Case): PlaneMap | null {
  const geometry = shown?.slice?.volume.geometry;
  return geometry && place.plane !== "stored" ? planeMap(geometry, place.plane) : null;
}
