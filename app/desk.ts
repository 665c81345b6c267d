// What can be done on the page, as functions: buttons, keys and gestures all end here.
import { type Box, maskInputOf } from "../src/index.ts";
import { pixelCount, type Runs, toViewIndex, type Vector3, type Window } from "../src/volume/index.ts";
import { Annotator, nameOfLabel } from "./annotate/annotator.ts";
import { type Case, currentWork, hasWork, objectOf, type Place, type Shown, type Work } from "./annotate/case.ts";
import { colourOf } from "./annotate/labels.ts";
import { addPoint, addPoints, isEmpty, movePoint, NO_PROMPTS, type Previous, type PromptPoint, removeBox, removePoint, setBox } from "./annotate/prompts.ts";
import { proposalsOf } from "./annotate/through.ts";
import type { Engine, Source } from "./model/engine.ts";
import type { Inference, Result } from "./model/inference.ts";
import { Opening, shownSlice } from "./open/opening.ts";
import { closedSamples, rememberClosed, type SampleId } from "./open/samples.ts";
import { setOf } from "./open/sets.ts";
import { atSlice, idOf, inPlane, type Plane, type SliceOf, windowFrom } from "./open/slices.ts";
import type { Problems } from "./panels/problems.tsx";
import { crossOf, mapTo, sidesOf } from "./stage/linked.ts";
import type { Pixel } from "./stage/view.ts";
import { currentCase, listedCases, type State, type Store } from "./state.ts";
import { t, type WordKey } from "./words/words.ts";

/** What the model says to the prompts of the current object on the slice that is shown. */
export interface Answer {
  readonly result: Result;
  readonly index: number;
  readonly score: number;
}

/** Answers in less are worth asking for at every rest of the pointer. */
const QUICK_MS = 100;

export class Desk {
  readonly store: Store;
  readonly annotator: Annotator;
  readonly opening: Opening;
  readonly problems: Problems;
  /** A case left the list, with all that was done on it. */
  onClosed: (id: string) => void = () => {};
  #decodeMs = Number.POSITIVE_INFINITY;
  readonly #engine: Engine;
  readonly #inference: Inference;
  /** The slice that is being read. */
  #wanted: SliceOf | null = null;

  constructor(store: Store, engine: Engine, inference: Inference, problems: Problems) {
    this.store = store;
    this.#engine = engine;
    this.#inference = inference;
    this.problems = problems;
    this.annotator = new Annotator(store);
    this.opening = new Opening(this, problems);
  }

  get case(): Case | null {
    return currentCase(this.store.state);
  }

  get work(): Work | null {
    return this.case && currentWork(this.case);
  }

  /** Null while there is none. */
  answer(state: State = this.store.state): Answer | null {
    const of = currentCase(state);
    const work = of?.shown ? currentWork(of) : null;
    const result = work && !isEmpty(work.prompts) ? this.#inference.resultOf(work.prompts) : undefined;
    if (!work || !result) return null;
    const index = Math.min(result.count - 1, work.choice?.prompts === work.prompts ? work.choice.index : result.best);
    return { result, index, score: result.scores[index] as number };
  }

  /** The mask of the current object, as the slice that is shown has it. */
  mask(state: State = this.store.state): { readonly runs: Runs; readonly area: number } | null {
    const of = currentCase(state);
    if (!of?.shown) return null;
    const runs = this.annotator.runs(of, of.object);
    return runs.length === 0 ? null : { runs, area: pixelCount(runs) };
  }

  /** Asks for what the current image and prompts need; a repeated question costs nothing. */
  ask(): void {
    const { settings } = this.store.state;
    const of = this.case;
    if (!of?.shown) return;
    const { width, height, data } = of.shown.picture;
    const { prompts } = currentWork(of);
    const whose = { id: of.id, object: of.object, place: of.place };
    this.#inference.want({ image: of.shown.id, pixels: { data, width, height, channels: 4 }, prompts, settings, of: whose });
  }

  /** The model for who goes through many pictures; null while there is none. */
  guest(): ReturnType<Inference["guest"]> {
    return this.#inference.guest(this.store.state.settings);
  }

  /** Whether the model answered the last prompts so soon that it can be asked at every rest of the pointer. */
  get quick(): boolean {
    const answer = this.answer();
    if (answer) this.#decodeMs = answer.result.decodeMs;
    return this.#decodeMs < QUICK_MS;
  }

  /** The mask that a point here would give; null where nothing can be asked now. */
  async peek(pixel: Pixel, signal: AbortSignal): Promise<Runs | null> {
    const { settings, preview, tool } = this.store.state;
    const of = this.case;
    if (!of?.shown || !(preview ?? this.quick) || (tool !== "positive" && tool !== "negative") || objectOf(of)?.locked) return null;
    const { width, height, data } = of.shown.picture;
    const prompts = addPoint(currentWork(of).prompts, { ...pixel, label: tool === "positive" ? 1 : 0 }, this.#previous());
    return this.#inference.peek({ image: of.shown.id, pixels: { data, width, height, channels: 4 }, prompts, settings }, signal);
  }

  retry(): void {
    this.#inference.retry();
  }

  /** Names model and settings, to tell what a mask was made by. */
  madeBy({ model, settings }: State = this.store.state): string {
    return `${model.kind === "ready" ? model.number : "-"} ${JSON.stringify(settings)}`;
  }

  addPoint(point: PromptPoint): void {
    const previous = this.#previous();
    this.annotator.setPrompts({ key: point.label === 1 ? "step.positive" : "step.negative" }, (prompts) => addPoint(prompts, point, previous));
  }

  addPoints(points: readonly PromptPoint[]): void {
    const previous = this.#previous();
    this.annotator.setPrompts({ key: "step.scribble" }, (prompts) => addPoints(prompts, points, previous));
  }

  setBox(box: Box): void {
    const previous = this.#previous();
    this.annotator.setPrompts({ key: "step.box" }, (prompts) => setBox(prompts, box, previous));
  }

  movePoint(index: number, to: Pixel): void {
    this.annotator.setPrompts({ key: "step.move" }, (prompts) => movePoint(prompts, index, to));
  }

  removePoint(index: number): void {
    this.pointAt(null);
    this.annotator.setPrompts({ key: "step.remove" }, (prompts) => removePoint(prompts, index));
  }

  removeBox(): void {
    this.pointAt(null);
    this.annotator.setPrompts({ key: "step.remove" }, removeBox);
  }

  pointAt(pointed: State["pointed"]): void {
    if (pointed !== this.store.state.pointed) this.store.set({ pointed });
  }

  /** Axes while they are what is drawn; else the prompt that is pointed at; else what was said about the object here, and its mask. */
  clear(): void {
    const { case: of, store } = this;
    const { pointed, tool } = store.state;
    const { points, box } = this.work?.prompts ?? NO_PROMPTS;
    if (of && tool === "axes" && objectOf(of)?.axes) this.annotator.change(of.object, { axes: undefined });
    else if (pointed === "box" && box) this.removeBox();
    else if (typeof pointed === "number" && points[pointed]) this.removePoint(pointed);
    else if (!this.work || isEmpty(this.work.prompts)) this.annotator.draw({ key: "step.clear" }, new Uint32Array(0));
    else this.annotator.setPrompts({ key: "step.clear" }, () => NO_PROMPTS);
  }

  undo(): void {
    this.#step(true);
  }

  redo(): void {
    this.#step(false);
  }

  /** To where the step was, and says what it was. */
  #step(back: boolean): void {
    const entry = this.annotator.step(back);
    if (!entry) return;
    const step = t(entry.what.key as WordKey, entry.what.values);
    const where = t("step.where", entry.what.values);
    this.store.set({ said: `${t(back ? "undone" : "redone", { step })}${where}` });
    const place = this.case?.place;
    if (place && (place.plane !== entry.place.plane || place.index !== entry.place.index)) void this.toPlace(entry.place);
  }

  choose(index: number): void {
    const answer = this.answer();
    // One of long ago is being decoded again: until then it has no candidates to choose from.
    if (answer?.result.logits) this.annotator.choose(answer.result, index, this.madeBy());
  }

  /** The next candidate, or the one before. */
  turnCandidate(step: 1 | -1): void {
    const answer = this.answer();
    if (answer) this.choose((answer.index + step + answer.result.count) % answer.result.count);
  }

  /** Marks the object as right and goes on with the next one of its label. */
  accept(): void {
    const of = this.case;
    const object = of && objectOf(of);
    if (!of || !object) return;
    const proposed = proposalsOf(of);
    const here = proposed.includes(of.place.index);
    if (!this.annotator.accept()) return;
    // Of proposals the next one is looked at: forwards first.
    const left = proposed.filter((index) => index !== of.place.index);
    const next = left.find((index) => index > of.place.index) ?? left.at(-1);
    if (!here) this.annotator.newObject(object.label);
    else if (next !== undefined) void this.toSlice(next);
  }

  /** The same, with the next case that is not done; this one is. */
  acceptCase(): void {
    const of = this.case;
    if (!of) return;
    this.annotator.accept();
    this.store.updateCase(of.id, () => ({ status: "done" }));
    const { cases } = this.store.state;
    const at = cases.findIndex(({ id }) => id === of.id);
    const next = [...cases.slice(at + 1), ...cases.slice(0, at)].find(({ status }) => status === "todo" || status === "doing");
    if (next) this.select(next.id);
    else this.store.set({ said: t("cases.alldone") });
  }

  /** A label by its key: its object, or the next one of it; a label that is not there yet is made. */
  toLabel(id: number): void {
    const { labels } = this.store.state;
    if (!labels.some((label) => label.id === id)) {
      this.store.set({ labels: [...labels, { id, name: t("label.new", { n: id }), colour: colourOf(id) }].sort((a, b) => a.id - b.id) });
    }
    this.annotator.toLabel(id);
  }

  nameOf(object: number): string {
    return nameOfLabel(this.store.state.labels, this.case?.objects.find(({ id }) => id === object)?.label);
  }

  select(id: string): void {
    this.#wanted = null;
    this.store.set({ current: id, said: "" });
    void this.opening.show(id);
  }

  /** The next case in the list, or the one before. */
  turnCase(step: 1 | -1): void {
    const cases = listedCases(this.store.state);
    const next = cases[cases.findIndex(({ id }) => id === this.store.state.current) + step];
    if (next) this.select(next.id);
  }

  mark(status: Case["status"]): void {
    const of = this.case;
    if (of) this.store.updateCase(of.id, (now) => ({ status: now.status === status ? "doing" : status }));
  }

  /** Takes a case off the list; asks first if work would go with it. */
  close(id: string): void {
    const { cases, current } = this.store.state;
    const index = cases.findIndex((of) => of.id === id);
    const of = cases[index];
    if (!of || (hasWork(of) && !confirm(t("case.close", { name: of.name })))) return;
    const left = cases.filter((other) => other !== of);
    const next = current === id ? (left[Math.min(index, left.length - 1)]?.id ?? null) : current;
    this.store.set({ cases: left, current: next });
    if (of.origin === "sample") this.#closeSample(of, left);
    this.opening.reads.delete(id);
    this.opening.sources.delete(id);
    this.onClosed(id);
    if (of.shown) this.#inference.forget(of.shown.id);
    if (next) void this.opening.show(next);
  }

  /** A set can be opened once more when all of it is gone; the samples of the start come back when they are asked for. */
  #closeSample(of: Case, left: readonly Case[]): void {
    const set = setOf(of);
    if (set && !left.some((other) => setOf(other) === set)) this.store.set({ sets: this.store.state.sets.filter((other) => other !== set) });
    if (!set) rememberClosed([...closedSamples(), of.id as SampleId]);
  }

  toSlice(index: number): Promise<void> {
    return this.#turn((slice) => atSlice(slice, index));
  }

  bySlices(step: number): Promise<void> {
    return this.#turn((slice) => atSlice(slice, slice.index + step));
  }

  /** Looks at another plane, through the crosshair. */
  toPlane(plane: Plane): Promise<void> {
    const of = this.case;
    const cross = of && crossOf(of);
    if (cross) this.store.updateCase(of.id, () => ({ cross }));
    return this.#turn((slice) => {
      const next = inPlane(slice, plane);
      return cross ? atSlice(next, toViewIndex(mapTo(slice.volume, plane), sidesOf(slice.volume), cross)[2]) : next;
    });
  }

  /** Puts the crosshair between the planes on a stored voxel: all of them show what it is on. */
  toCross(voxel: Vector3): Promise<void> {
    const of = this.case;
    const slice = of?.shown?.slice;
    if (!of || !slice) return Promise.resolve();
    this.store.updateCase(of.id, () => ({ cross: voxel }));
    return this.toSlice(toViewIndex(mapTo(slice.volume, of.place.plane), sidesOf(slice.volume), voxel)[2]);
  }

  /** What a view beside the stage shows comes onto the stage: it is at hand. */
  bring(shown: Shown): void {
    const of = this.case;
    if (!of || !shown.slice || of.shown?.slice?.tile !== shown.slice.tile) return;
    this.#wanted = null;
    const cross = crossOf(of);
    this.store.updateCase(of.id, () => ({ cross }));
    this.#showSlice(of.id, shown.slice, shown);
  }

  toPlace({ plane, index }: Place): Promise<void> {
    return this.#turn((slice) => atSlice(slice.plane === plane ? slice : inPlane(slice, plane), index));
  }

  toWindow(window: Window): Promise<void> {
    return this.#turn((slice) => ({ ...slice, window }));
  }

  async toWindowFrom(from: "automatic" | "min–max"): Promise<void> {
    const slice = this.case?.shown?.slice;
    if (slice) await this.toWindow(await windowFrom(slice, from));
  }

  /** Shows another slice of the volume that is shown. While one is read, only the latest wish counts. */
  async #turn(change: (slice: SliceOf) => SliceOf): Promise<void> {
    const of = this.case;
    const shown = of?.shown;
    if (!of || !shown?.slice) return;
    const from = this.#wanted?.tile === shown.slice.tile ? this.#wanted : shown.slice;
    const wanted = change(from);
    // Back at the slice that is shown: what is being read is wanted no more.
    this.#wanted = idOf(wanted) === shown.id ? null : wanted;
    if (!this.#wanted) return;
    try {
      const next = await shownSlice(wanted);
      if (this.#wanted !== wanted || this.case?.id !== of.id) return;
      this.#showSlice(of.id, wanted, next);
    } catch (error) {
      this.problems.show(error);
    } finally {
      if (this.#wanted === wanted) this.#wanted = null;
    }
  }

  #showSlice(id: string, { plane, index }: SliceOf, shown: Shown): void {
    const { said } = this.store.state;
    this.store.updateCase(id, () => ({ shown, place: { plane, index } }));
    if (said) this.store.set({ said });
  }

  load(source: Source): Promise<void> {
    return this.#engine.load(source, this.store.state.adapter);
  }

  cancelLoad(): void {
    this.#engine.cancel();
  }

  /** What the next round starts from: the mask that is shown, or, while it is still on its way, the one before it. */
  #previous(): Previous | null {
    const { refine, model } = this.store.state;
    const { work } = this;
    if (!work) return null;
    const { previous } = work.prompts;
    const mask = isEmpty(work.prompts) ? this.mask() : null;
    // What was drawn, copied or read from a file is corrected, not replaced.
    if (mask || (previous && "drawn" in previous && !refine)) return mask ? { drawn: mask.runs } : previous;
    if (!refine || model.kind !== "ready") return null;
    const answer = this.answer();
    if (!answer) return work.prompts.previous;
    const { logits, ...result } = answer.result;
    // Of long ago, and not yet decoded again: a round from nothing is better than one from another mask.
    if (!logits) return null;
    return { probabilities: maskInputOf({ ...result, logits }, answer.index), model: model.number };
  }
}
