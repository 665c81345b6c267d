// What can be done on the page, as functions: buttons, keys and gestures all end here.
import type { Opened } from "../src/formats/index.ts";
import type { Box, Mask } from "../src/index.ts";
import type { Volume, Window } from "../src/volume/index.ts";
import { baseName, imageOfPrompts, maskPng, promptFile, readPromptFile, saveBlob } from "./open/download.ts";
import type { Engine, Source } from "./model/engine.ts";
import { byName, canvasOf, isPrompts, isWeights, openImage } from "./open/images.ts";
import type { Inference, Result } from "./model/inference.ts";
import { bitsOf, isMaskName, maskOwner } from "./open/mask_file.ts";
import { type Runs, unpackRuns } from "./annotate/run_lengths.ts";
import type { Problems } from "./panels/problems.ts";
import type { Picture } from "./open/samples.ts";
import {
  addPoint,
  clear,
  isEmpty,
  type Previous,
  type PromptPoint,
  probabilitiesOf,
  redo,
  removeBox,
  removePoint,
  replace,
  type Session,
  setBox,
  undo,
} from "./annotate/session.ts";
import {
  atSlice,
  firstSlice,
  idOf,
  inPlane,
  isPicture,
  keeping,
  keyOf,
  openServer,
  openVolumes,
  type Plane,
  pictureOf,
  type SliceOf,
  windowFrom,
} from "./open/slices.ts";
import { chosenCandidate, currentStudy, hasUnsaved, newStudy, type State, type Store, type Study } from "./state.ts";

export interface Shown {
  readonly result: Result;
  /** At full size: the one that is shown, and no other. */
  readonly mask: Mask;
  readonly area: number;
  readonly index: number;
  readonly score: number;
}

export class Desk {
  readonly store: Store;
  readonly #engine: Engine;
  readonly #inference: Inference;
  readonly #problems: Problems;
  #opened = 0;
  /** The slice that is being read. */
  #wanted: SliceOf | null = null;
  #unpacked: { readonly runs: Runs; readonly mask: Mask } | null = null;

  constructor(store: Store, engine: Engine, inference: Inference, problems: Problems) {
    this.store = store;
    this.#engine = engine;
    this.#inference = inference;
    this.#problems = problems;
  }

  /** The result for what is asked now, or null while there is none. */
  shown(state: State = this.store.state): Shown | null {
    const study = currentStudy(state);
    const result = study && !isEmpty(study.session.now) ? this.#inference.resultOf(study.session.now) : undefined;
    if (!study || !result) {
      this.#unpacked = null;
      return null;
    }
    const { masks, scores, best } = result;
    const index = Math.min(masks.length - 1, chosenCandidate(study, best));
    const runs = masks[index] as Runs;
    if (this.#unpacked?.runs !== runs) this.#unpacked = { runs, mask: unpackRuns(runs) };
    return { result, mask: this.#unpacked.mask, area: runs.area, index, score: scores[index] as number };
  }

  /** Asks for what the current image and prompts need; a repeated question costs nothing. */
  ask(): void {
    const { settings } = this.store.state;
    const study = currentStudy(this.store.state);
    if (!study) return;
    const { width, height, data } = study.picture;
    this.#inference.want({ image: study.id, pixels: { data, width, height, channels: 4 }, prompts: study.session.now, settings });
  }

  retry(): void {
    this.#inference.retry();
  }

  addPoint(point: PromptPoint): void {
    this.#prompt((session) => addPoint(session, point, this.#previous()));
  }

  setBox(box: Box): void {
    this.#prompt((session) => setBox(session, box, this.#previous()));
  }

  removePoint(index: number): void {
    this.#prompt((session) => removePoint(session, index));
  }

  removeBox(): void {
    this.#prompt(removeBox);
  }

  undo(): void {
    this.#prompt(undo);
  }

  redo(): void {
    this.#prompt(redo);
  }

  clear(): void {
    this.#prompt(clear);
  }

  choose(index: number): void {
    const shown = this.shown();
    const study = currentStudy(this.store.state);
    if (!shown || !study || index >= shown.result.masks.length) return;
    this.store.updateStudy(study.id, ({ session }) => ({ choice: { prompts: session.now, index } }));
  }

  select(id: string): void {
    this.store.set({ current: id });
  }

  /** Takes an opened image off the filmstrip; asks first if prompts would be lost. */
  close(id: string): void {
    const { studies, current } = this.store.state;
    const index = studies.findIndex((study) => study.id === id);
    const study = studies[index];
    if (
      !study ||
      (hasUnsaved(study) && !confirm(`Close ${study.name}? Its ${this.#inference.resultOf(study.session.now) ? "mask was" : "prompts were"} not saved.`))
    )
      return;
    const left = studies.filter((other) => other !== study);
    this.store.set({ studies: left, current: current === id ? (left[Math.min(index, left.length - 1)]?.id ?? null) : current });
    this.#inference.forget(id);
  }

  /**
   * Images join the filmstrip in the order people count in, the first of them is shown; weights are loaded, a prompt file is applied to the
   * image that is shown, a mask that was saved here becomes the true mask of its image.
   */
  async openFiles(files: readonly File[]): Promise<void> {
    const weights = files.filter(({ name }) => isWeights(name));
    if (weights.length > 0) void this.load({ kind: "file", files: weights });
    const failures: { name: string; error: unknown }[] = [];
    const others = files.filter((other) => !weights.includes(other)).sort(byName);
    const pictures = await Promise.all(others.map(async (file) => isPrompts(file.name) || isMaskName(file.name) || (await isPicture(file))));
    const volumes = others.filter((_, i) => !pictures[i]);
    const images = others.filter(({ name }, i) => pictures[i] && !isPrompts(name) && !isMaskName(name));
    const after: { last: string | null } = { last: null };
    if (volumes.length > 0) failures.push(...(await this.#openVolumes(volumes, after)));
    // Images first: masks and prompts that came along belong to them.
    for (const file of [...images, ...others.filter((other) => !images.includes(other) && !volumes.includes(other))]) {
      try {
        if (isPrompts(file.name)) this.#applyPrompts(await file.text(), file.name);
        else await this.#openImage(file, after);
      } catch (error) {
        failures.push({ name: file.name || "pasted image", error });
      }
    }
    this.#problems.showBatch(files.length, failures);
  }

  /** Series, volumes and pictures in formats that browsers do not read. Gives what was not opened. */
  async #openVolumes(files: readonly File[], after: { last: string | null }): Promise<{ name: string; error: unknown }[]> {
    try {
      const opened = await openVolumes(files);
      return await this.#addVolumes(opened, counted(files.length - opened.refused.length, "file"), after);
    } catch (error) {
      return [{ name: files[0]?.name ?? "files", error }];
    }
  }

  /** Series of a DICOMweb server. Throws a SamError where it cannot be asked. */
  async openServer(server: Parameters<typeof openServer>[0]): Promise<void> {
    const opened = await openServer(server);
    const slices = opened.volumes.reduce((sum, volume) => sum + volume.slices, 0);
    const failures = await this.#addVolumes(opened, counted(slices, "slice"), { last: null });
    this.#problems.showBatch(opened.volumes.length + failures.length, failures);
  }

  /** Gives what was not opened. */
  async #addVolumes({ volumes, segmentations, refused }: Opened, what: string, after: { last: string | null }) {
    const failures: { name: string; error: unknown }[] = refused.map(({ file, reason }) => ({ name: file, error: reason }));
    for (const volume of volumes) {
      await this.#addVolume(volume, after).catch((error: unknown) => failures.push({ name: volume.name, error }));
    }
    const notes = volumes.flatMap(({ name, slices, columns, rows, notes: own }) => [`${name}: ${counted(slices, "slice")} of ${columns} × ${rows}.`, ...own]);
    if (segmentations.length > 0) notes.push(`${segmentations.length} DICOM segmentations were read; the page does not draw them yet.`);
    if (notes.length > 0) this.#problems.tell(`${what} opened as ${counted(volumes.length, "volume")}`, notes.join(" "));
    return failures;
  }

  async #addVolume(volume: Volume, after: { last: string | null }): Promise<void> {
    const slice = await firstSlice(`volume-${++this.#opened}`, volume);
    const picture = await pictureOf(slice);
    this.#insert(
      newStudy({ id: idOf(slice), name: volume.name, origin: "file", picture, canvas: canvasOf(picture), slice, suggestion: null, structures: [] }),
      after,
    );
  }

  /** The newest batch first: it is what one looks for; within it, the order of opening, and the first is shown. */
  #insert(study: Study, after: { last: string | null }): void {
    const { studies, current } = this.store.state;
    const place = studies.findIndex((other) => other.id === after.last) + 1;
    this.store.set({ studies: [...studies.slice(0, place), study, ...studies.slice(place)], current: after.last === null ? study.id : current });
    after.last = study.id;
  }

  toSlice(index: number): Promise<void> {
    return this.#turn((slice) => atSlice(slice, index));
  }

  bySlices(step: number): Promise<void> {
    return this.#turn((slice) => atSlice(slice, slice.index + step));
  }

  toPlane(plane: Plane): Promise<void> {
    return this.#turn((slice) => inPlane(slice, plane));
  }

  toWindow(window: Window): Promise<void> {
    return this.#turn((slice) => ({ ...slice, window }));
  }

  async toWindowFrom(from: "automatic" | "min–max"): Promise<void> {
    const slice = currentStudy(this.store.state)?.slice;
    if (slice) await this.toWindow(await windowFrom(slice, from));
  }

  /** Shows another slice of the volume that is shown. While one is read, only the latest wish counts. */
  async #turn(change: (slice: SliceOf) => SliceOf): Promise<void> {
    const study = currentStudy(this.store.state);
    if (!study?.slice) return;
    const from = this.#wanted?.tile === study.slice.tile ? this.#wanted : study.slice;
    const wanted = change(from);
    // Back at the slice that is shown: what is being read is wanted no more.
    this.#wanted = idOf(wanted) === study.id ? null : wanted;
    if (!this.#wanted) return;
    try {
      const picture = await pictureOf(wanted);
      if (this.#wanted !== wanted) return;
      this.#showSlice(wanted, picture);
    } catch (error) {
      this.#problems.show(error);
    } finally {
      if (this.#wanted === wanted) this.#wanted = null;
    }
  }

  #showSlice(wanted: SliceOf, picture: Picture): void {
    const { studies, current } = this.store.state;
    const before = studies.find(({ slice }) => slice?.tile === wanted.tile);
    if (!before?.slice) return;
    const kept = keeping({ ...before, slice: before.slice });
    const slice = { ...wanted, kept };
    const fresh = newStudy({ id: idOf(slice), name: before.name, origin: "file", picture, canvas: canvasOf(picture), slice, suggestion: null, structures: [] });
    const study = { ...fresh, ...kept.get(keyOf(slice)) };
    this.store.set({ studies: studies.map((other) => (other === before ? study : other)), current: current === before.id ? study.id : current });
    this.#inference.forget(before.id);
  }

  async #openImage(file: File, after: { last: string | null }): Promise<void> {
    const { picture, notice } = await openImage(file, file.name || "pasted image");
    if (this.#takeMask(file.name, picture)) return;
    const id = `file-${++this.#opened}`;
    const name = file.name || `Pasted image ${this.#opened}`;
    this.#insert(newStudy({ id, name, origin: "file", picture, canvas: canvasOf(picture), suggestion: null, structures: [] }), after);
    if (notice) this.#problems.tell("Shown with a window", notice);
  }

  /** A mask by its name, two values and size, beside the image it is of. */
  #takeMask(name: string, picture: Picture): boolean {
    if (!isMaskName(name)) return false;
    const owner = this.store.state.studies.find(
      (study) => baseName(study.name) === maskOwner(name) && study.picture.width === picture.width && study.picture.height === picture.height,
    );
    const mask = owner && bitsOf(picture);
    if (!owner || !mask) return false;
    const structures = [...owner.structures.filter((other) => other.name !== name), { name, mask }];
    this.store.updateStudy(owner.id, () => ({ structures }));
    this.#problems.tell("A mask was opened", `${name} is compared with what is predicted on ${owner.name}, as its true mask.`);
    return true;
  }

  #applyPrompts(text: string, name: string): void {
    const study = currentStudy(this.store.state);
    if (!study) return;
    const image = imageOfPrompts(text);
    const isOf = ({ name: known, picture }: Study) => image?.name === known && image.width === picture.width && image.height === picture.height;
    if (!image || isOf(study)) {
      this.#setPrompts(text, name, study.id);
      return;
    }
    const set = (target: Study) => ({
      label: `Set them on ${target.name}`,
      run: () => {
        try {
          this.#setPrompts(text, name, target.id);
        } catch (error) {
          this.#problems.show(error);
        }
      },
    });
    const owner = this.store.state.studies.find(isOf);
    const { width, height } = study.picture;
    const words = `${name} is of ${image.name}, ${image.width} × ${image.height}; the image shown is ${study.name}, ${width} × ${height}. Nothing was set.`;
    this.#problems.tell("Prompts of another image", words, owner ? [set(owner), set(study)] : [set(study)]);
  }

  #setPrompts(text: string, name: string, id: string): void {
    const study = this.store.state.studies.find((known) => known.id === id);
    if (!study) return;
    const { points, box, chosen } = readPromptFile(text, name, study.picture.width, study.picture.height);
    this.select(id);
    this.#prompt((session) => replace(session, points, box));
    if (chosen !== undefined) this.store.updateStudy(id, ({ session }) => ({ choice: { prompts: session.now, index: chosen } }));
  }

  load(source: Source): Promise<void> {
    return this.#engine.load(source, this.store.state.adapter);
  }

  cancelLoad(): void {
    this.#engine.cancel();
  }

  async saveMask(): Promise<void> {
    const study = currentStudy(this.store.state);
    const shown = this.shown();
    if (!study || !shown) return;
    const saved = { prompts: study.session.now, choice: study.choice };
    saveBlob(await maskPng(shown.mask), `${fileName(study)}-mask.png`);
    this.store.updateStudy(study.id, () => ({ saved }));
  }

  savePrompts(): void {
    const study = currentStudy(this.store.state);
    if (!study || isEmpty(study.session.now)) return;
    const { width, height } = study.picture;
    const file = promptFile({ name: study.name, width, height }, study.session.now, this.#resultFacts());
    saveBlob(new Blob([`${JSON.stringify(file, null, 2)}\n`], { type: "application/json" }), `${fileName(study)}-prompts.json`);
    // A mask is not saved by saving what led to it.
    if (!this.shown()) this.store.updateStudy(study.id, ({ session, choice }) => ({ saved: { prompts: session.now, choice } }));
  }

  #resultFacts() {
    const shown = this.shown();
    const { model } = this.store.state;
    if (!shown || model.kind !== "ready") return undefined;
    const { name, meaningless } = model.model;
    return { model: name, meaningless, scores: [...shown.result.scores], chosen: shown.index, area: shown.area };
  }

  /** What the next round starts from: the mask that is shown, or, while it is still on its way, the one before it. */
  #previous(): Previous | null {
    const { refine, model } = this.store.state;
    const study = currentStudy(this.store.state);
    if (!refine || !study || model.kind !== "ready") return null;
    const shown = this.shown();
    if (!shown) return study.session.now.previous;
    const { logits, masks } = shown.result;
    // Of long ago, and not yet decoded again: a round from nothing is better than one from another mask.
    if (!logits) return null;
    return { probabilities: probabilitiesOf(logits, masks.length, shown.index), model: model.number };
  }

  #prompt(change: (session: Session) => Session): void {
    const study: Study | null = currentStudy(this.store.state);
    if (study) this.store.updateStudy(study.id, ({ session }) => ({ session: change(session) }));
  }
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Of what is saved: the image's, with the slice it is of. */
function fileName({ name, slice }: Study): string {
  return slice && slice.view.slices > 1 ? `${baseName(name)}-${slice.plane === "stored" ? "" : `${slice.plane}-`}${slice.index + 1}` : baseName(name);
}
