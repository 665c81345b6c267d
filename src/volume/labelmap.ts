// What is drawn on a volume: for each label and slice the runs of its pixels. Memory is taken by what is drawn, not by the volume's size.
import { refused } from "./fail.ts";
import type { Code } from "./segmentation.ts";
import { difference, NO_RUNS, pixelCount, type Runs, runsOf, paintRuns, sameRuns, union } from "./runs.ts";

export interface Label {
  /** From 1; its value in label files. */
  readonly id: number;
  readonly name: string;
  /** sRGB, 0 to 255. */
  readonly color: readonly [red: number, green: number, blue: number];
  /** SNOMED CT terms for DICOM. */
  readonly category?: Code;
  readonly type?: Code;
  /** Nothing changes it, neither drawing on it nor others over it. */
  readonly locked?: boolean;
}

/** What becomes of other labels' pixels where one is drawn: they give way, they stay, or both hold them. */
export type Overlap = "replace" | "keep" | "allow";

/** What one step changed, of pixels or of a label's own properties: enough to take it back, do it again, or keep it (a plain value, as `structuredClone` takes it). */
export type LabelmapChange = RunsChange | LabelChange;

export interface RunsChange {
  readonly label: number;
  readonly slice: number;
  readonly before: Runs;
  readonly after: Runs;
}

export interface LabelChange {
  readonly label: number;
  readonly slice?: undefined;
  /** Missing: the label was, or is, not there. */
  readonly before?: Label | undefined;
  readonly after?: Label | undefined;
}

/** All of a labelmap as a plain value, to keep in a database; with the changes since, it is what is there now. */
export interface SavedLabelmap {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  readonly labels: readonly Label[];
  readonly drawn: readonly { readonly label: number; readonly slice: number; readonly runs: Runs }[];
}

export class Labelmap {
  readonly #labels = new Map<number, Label>();
  /** Label id → slice → runs; never empty ones. */
  readonly #runs = new Map<number, Map<number, Runs>>();

  constructor(
    readonly columns: number,
    readonly rows: number,
    readonly slices: number,
    labels: Iterable<Label> = [],
  ) {
    const sides = [columns, rows, slices];
    if (!sides.every((side) => Number.isInteger(side) && side >= 1) || columns * rows > 2 ** 31) {
      throw labelError("sides", "whole sides of at least 1, at most 2^31 pixels a slice", sides.join("×"), "Take them from the volume.");
    }
    for (const label of labels) this.setLabel(label);
  }

  get labels(): readonly Label[] {
    return [...this.#labels.values()];
  }

  /** Adds a label, or changes its name, colour, codes or lock. Ids are from 1 to 65535, as label files hold them. */
  setLabel(label: Label): readonly LabelmapChange[] {
    if (!Number.isInteger(label.id) || label.id < 1 || label.id > 65535)
      throw labelError("id", "a whole number from 1 to 65535", `${label.id}`, "Number labels from 1.");
    if (typeof label.name !== "string") throw labelError("name", "a name", label.name, "Give each label one.");
    return [this.#name(label.id, label)];
  }

  /** Takes a label out with all that is drawn of it. */
  removeLabel(id: number): readonly LabelmapChange[] {
    this.#known(id);
    return [...this.drawnSlices(id).map((slice) => this.#put(id, slice, NO_RUNS)), this.#name(id, undefined)];
  }

  /** As `save` gave it, perhaps in another session. Throws a SamError where it is none. */
  static restore({ columns, rows, slices, labels, drawn }: SavedLabelmap): Labelmap {
    const made = new Labelmap(columns, rows, slices, labels);
    for (const { label, slice, runs } of drawn) made.#restored(label, slice, runs);
    return made;
  }

  save(): SavedLabelmap {
    const { columns, rows, slices, labels } = this;
    const drawn = labels.flatMap(({ id }) => this.drawnSlices(id).map((slice) => ({ label: id, slice, runs: this.runs(id, slice) })));
    return { columns, rows, slices, labels, drawn };
  }

  #restored(label: number, slice: number, runs: Runs): void {
    this.#expect(label, slice, runs);
    this.#put(label, slice, runs);
  }

  /** Empty where nothing is drawn. */
  runs(label: number, slice: number): Runs {
    return this.#runs.get(label)?.get(slice) ?? NO_RUNS;
  }

  /** Slice → runs, never empty ones; as it is now, also after later changes. */
  stack(label: number): ReadonlyMap<number, Runs> {
    return new Map(this.#runs.get(label));
  }

  mask(label: number, slice: number): Uint8Array {
    return paintRuns(this.runs(label, slice), new Uint8Array(this.columns * this.rows));
  }

  /** Slices on which something of the label is, rising. */
  drawnSlices(label: number): number[] {
    return [...(this.#runs.get(label)?.keys() ?? [])].sort((a, b) => a - b);
  }

  voxels(label: number): number {
    let count = 0;
    for (const runs of this.#runs.get(label)?.values() ?? []) count += pixelCount(runs);
    return count;
  }

  /**
   * Makes `drawn` the label's pixels of a slice. `keep` leaves out what other labels hold; `replace` takes it from them, but for locked ones.
   * A mask is [rows, columns] of 0 and others. Gives what changed, of this label and of others; nothing of a locked label.
   */
  draw(label: number, slice: number, drawn: Runs | Uint8Array, overlap: Overlap = "replace"): readonly RunsChange[] {
    const area = this.columns * this.rows;
    if (drawn instanceof Uint8Array && drawn.length !== area) {
      throw labelError("mask", `${area} pixels (${this.columns}×${this.rows})`, `${drawn.length}`, "Draw at the volume's own size.");
    }
    let runs = drawn instanceof Uint8Array ? runsOf(drawn) : drawn;
    if (this.#expect(label, slice, runs).locked) return [];
    const changes: RunsChange[] = [];
    if (overlap !== "allow") {
      for (const other of this.#labels.values()) {
        const theirs = other.id === label ? NO_RUNS : this.runs(other.id, slice);
        if (theirs.length === 0) continue;
        if (overlap === "keep" || other.locked) runs = difference(runs, theirs);
        else this.#note(changes, other.id, slice, difference(theirs, runs));
      }
    }
    this.#note(changes, label, slice, runs);
    return changes;
  }

  /** Does changes again, in order. */
  apply(changes: readonly LabelmapChange[]): void {
    for (const change of changes) this.#set(change, "after");
  }

  /** Takes changes back, the last one first. */
  revert(changes: readonly LabelmapChange[]): void {
    for (const change of [...changes].reverse()) this.#set(change, "before");
  }

  /** Label values of a slice, [rows, columns], 0 where nothing is. Throws where labels overlap: such a slice is no picture of values. */
  values(slice: number): Uint8Array | Uint16Array {
    const ids = [...this.#labels.keys()];
    const out = Math.max(0, ...ids) > 255 ? new Uint16Array(this.columns * this.rows) : new Uint8Array(this.columns * this.rows);
    const over = this.overlapping(slice);
    if (over) {
      throw labelError(
        "labels",
        `labels that do not overlap on slice ${slice}`,
        over.map((id) => this.#known(id).name).join(" and "),
        "Write a file for each, or a DICOM segmentation.",
      );
    }
    for (const id of ids) paintRuns(this.runs(id, slice), out, id);
    return out;
  }

  /** Two labels that hold a pixel together, if any. */
  overlapping(slice: number): [number, number] | undefined {
    let all = NO_RUNS;
    const ids = [...this.#labels.keys()].filter((id) => this.runs(id, slice).length > 0);
    for (const id of ids) {
      const runs = this.runs(id, slice);
      const both = union(all, runs);
      if (pixelCount(both) < pixelCount(all) + pixelCount(runs)) {
        const first = ids.find((other) => pixelCount(difference(this.runs(other, slice), runs)) < pixelCount(this.runs(other, slice))) as number;
        return [first, id];
      }
      all = both;
    }
    return undefined;
  }

  /** What the runs take, in bytes. */
  get bytes(): number {
    let sum = 0;
    for (const slices of this.#runs.values()) for (const runs of slices.values()) sum += runs.byteLength;
    return sum;
  }

  #expect(label: number, slice: number, runs: Runs): Label {
    const own = this.#known(label);
    if (!Number.isInteger(slice) || slice < 0 || slice >= this.slices)
      throw labelError("slice", `a slice from 0 to ${this.slices - 1}`, `${slice}`, "Count slices from 0.");
    const area = this.columns * this.rows;
    if (runs.length > 0 && (runs.at(-1) as number) > area) throw labelError("runs", `pixels below ${area}`, `${runs.at(-1)}`, "Draw at the volume's own size.");
    return own;
  }

  #known(id: number): Label {
    const label = this.#labels.get(id);
    if (label) return label;
    throw labelError("label", `one of ${[...this.#labels.keys()].join(", ") || "no labels yet"}`, `${id}`, "Add it with setLabel first.");
  }

  #set(change: LabelmapChange, which: "before" | "after"): void {
    if (change.slice === undefined) this.#name(change.label, change[which]);
    else this.#put(change.label, change.slice, change[which]);
  }

  #name(id: number, after: Label | undefined): LabelChange {
    const before = this.#labels.get(id);
    if (after) this.#labels.set(id, after);
    else this.#labels.delete(id);
    return { label: id, before, after };
  }

  #note(changes: RunsChange[], label: number, slice: number, after: Runs): void {
    if (!sameRuns(this.runs(label, slice), after)) changes.push(this.#put(label, slice, after));
  }

  #put(label: number, slice: number, after: Runs): RunsChange {
    const slices = this.#runs.get(label) ?? new Map<number, Runs>();
    const before = slices.get(slice) ?? NO_RUNS;
    if (after.length > 0) slices.set(slice, after);
    else slices.delete(slice);
    this.#runs.set(label, slices);
    return { label, slice, before, after };
  }
}

function labelError(argument: string, expected: string, got: unknown, remedy: string): Error {
  return refused("labelmap", argument, expected, got, remedy);
}
