// Files that were chosen, dropped or pasted, told apart and brought to the desk as cases.
import type { Opened } from "../../src/formats/index.ts";
import { Labelmap, runsOf, type Volume } from "../../src/volume/index.ts";
import { type Case, newCase, type Shown } from "../annotate/case.ts";
import type { Desk } from "../desk.ts";
import type { ProblemAction, Problems } from "../panels/problems.tsx";
import { currentCase } from "../state.ts";
import { Told } from "../words/errors.ts";
import { t } from "../words/words.ts";
import { baseName, imageOfPrompts, readPromptFile } from "./download.ts";
import { byName, canvasOf, isPrompts, isWeights, openImage, restOf } from "./images.ts";
import { bitsOf, isMaskName, maskOwner } from "./mask_file.ts";
import type { Picture } from "./samples.ts";
import { isOfVolume, setVolumePrompts } from "./volume_prompts.ts";
import { firstSlice, idOf, isPicture, openServer, openVolumes, pictureOf, type SliceOf } from "./slices.ts";

/** Pictures of a larger batch are decoded when they are looked at: what can't be shown is told then. */
const MOST_AT_ONCE = 40;

/** Pictures of files that stay decoded; the others are read again. */
const MOST_SHOWN = 6;

const MOST_THUMBS_WAITING = 20;

export type Read = () => Promise<Shown>;

export class Opening {
  readonly #desk: Desk;
  readonly #problems: Problems;
  /** How to read the picture of a case again, by case; cases of earlier days have none until their files are opened again. */
  readonly reads = new Map<string, Read>();
  /** What they are read from. */
  readonly sources = new Map<string, readonly File[]>();
  readonly #session = Date.now().toString(36);
  readonly #recent: string[] = [];
  readonly #thumbs = new Map<string, HTMLCanvasElement>();
  readonly #thumbsWanted = new Map<string, () => void>();
  #thumbsOf = 0;
  #thumbing = false;
  #opened = 0;
  #reading = "";

  constructor(desk: Desk, problems: Problems) {
    this.#desk = desk;
    this.#problems = problems;
  }

  /**
   * Cases in the order people count in, the first of them shown; weights are loaded, a prompt file is applied to the image that is shown, a mask
   * that was saved here becomes the true mask of its image.
   */
  async files(files: readonly File[]): Promise<void> {
    const weights = files.filter(({ name }) => isWeights(name));
    if (weights.length > 0) void this.#desk.load({ kind: "file", files: weights });
    const failures: { name: string; error: unknown }[] = [];
    const others = files.filter((other) => !weights.includes(other)).sort(byName);
    const pictures = await Promise.all(others.map(async (file) => isPrompts(file.name) || isMaskName(file.name) || (await isPicture(file))));
    const volumes = others.filter((_, i) => !pictures[i]);
    const images = others.filter(({ name }, i) => pictures[i] && !isPrompts(name) && !isMaskName(name));
    const after: { last: string | null } = { last: null };
    if (volumes.length > 0) failures.push(...(await this.#openVolumes(volumes, after)));
    if (images.length > MOST_AT_ONCE) this.#addLater(images, after);
    // Images first: masks and prompts that came along belong to them.
    const now = images.length > MOST_AT_ONCE ? [] : images;
    for (const file of [...now, ...others.filter((other) => !images.includes(other) && !volumes.includes(other))]) {
      try {
        if (isPrompts(file.name)) await this.#applyPrompts(await file.text(), file.name);
        else await this.#openImage(file, after);
      } catch (error) {
        failures.push({ name: file.name || t("problem.pasted"), error });
      }
    }
    this.#problems.showBatch(files.length, failures, this.#offer(failures));
  }

  /** To open what could be read of damaged pictures; `take` says what is done with such a file. */
  #offer(failures: readonly { readonly name: string; readonly error: unknown }[], take = (rest: File) => this.#openRest(rest)): ProblemAction[] {
    const rests = failures.flatMap(({ error }) => restOf(error) ?? []);
    if (rests.length === 0) return [];
    return [{ label: t("problem.rest"), run: () => rests.forEach(take) }];
  }

  #openRest(rest: File): void {
    this.#openImage(rest, { last: null }).catch((error: unknown) => this.#problems.show(error));
  }

  /** Reads the picture of a case that has none at hand. */
  async show(id: string): Promise<void> {
    this.#remember(id);
    const { store } = this.#desk;
    const of = store.state.cases.find((one) => one.id === id);
    const read = this.reads.get(id);
    if (of?.shown?.slice && isElsewhere(of, of.shown)) await this.#desk.toPlace(of.place);
    if (!of || of.shown || !read || this.#reading === id) return;
    this.#reading = id;
    try {
      const shown = await read();
      store.updateCase(id, (now) => this.#withPicture(now, shown));
      const now = store.state.cases.find((one) => one.id === id);
      if (now && store.state.current === id && isElsewhere(now, shown)) await this.#desk.toPlace(now.place);
    } catch (error) {
      const failures = [{ name: of.name, error }];
      const take = (rest: File) => {
        this.reads.set(id, async () => shownImage(id, (await openImage(rest, of.name)).picture));
        void this.show(id);
      };
      this.#problems.showBatch(1, failures, this.#offer(failures, take));
    } finally {
      if (this.#reading === id) this.#reading = "";
    }
  }

  /** What a case becomes when its picture is there: sides, and a labelmap of them. */
  #withPicture(of: Case, shown: Shown): Partial<Case> {
    const { picture, slice } = shown;
    const sides = slice
      ? { columns: slice.volume.columns, rows: slice.volume.rows, slices: slice.volume.slices }
      : { columns: picture.width, rows: picture.height, slices: 1 };
    const place = slice ? { plane: slice.plane, index: slice.index } : { plane: "stored" as const, index: 0 };
    return { shown, sides, place: of.labelmap ? of.place : place, labelmap: of.labelmap ?? new Labelmap(sides.columns, sides.rows, sides.slices) };
  }

  /** A square from the middle of the picture; null while it is read, for which the case waits its turn. */
  thumbnail(of: Case, side: number, onReady: () => void): HTMLCanvasElement | null {
    // A lost graphics process takes their pixels along.
    const { surfaces } = this.#desk.store.state;
    if (surfaces !== this.#thumbsOf) this.#thumbs.clear();
    this.#thumbsOf = surfaces;
    const known = this.#thumbs.get(of.id);
    if (known) return known;
    if (of.shown) {
      const thumb = squareOf(of.shown, side);
      this.#thumbs.set(of.id, thumb);
      return thumb;
    }
    if (this.reads.has(of.id)) void this.#readThumb(of.id, side, onReady);
    return null;
  }

  /** One after the other, the latest wish first: those scrolled past are not read. */
  async #readThumb(id: string, side: number, onReady: () => void): Promise<void> {
    this.#thumbsWanted.set(id, onReady);
    while (this.#thumbsWanted.size > MOST_THUMBS_WAITING) this.#thumbsWanted.delete(this.#thumbsWanted.keys().next().value as string);
    if (this.#thumbing) return;
    this.#thumbing = true;
    while (this.#thumbsWanted.size > 0) {
      const [next, ready] = [...this.#thumbsWanted].at(-1) as [string, () => void];
      this.#thumbsWanted.delete(next);
      await new Promise((idle) => setTimeout(idle, 30));
      try {
        const shown = await this.reads.get(next)?.();
        if (shown) this.#thumbs.set(next, squareOf(shown, side));
        ready();
      } catch {
        // What can't be read is said when it is looked at.
      }
    }
    this.#thumbing = false;
  }

  #addLater(images: readonly File[], after: { last: string | null }): void {
    const cases = images.map((file) => {
      const of = this.#caseOf(keyOfFile(file), file.name, [file]);
      this.reads.set(of.id, async () => shownImage(of.id, (await openImage(file, file.name)).picture));
      return of;
    });
    this.#insert(cases, after);
  }

  /** The case of an earlier day whose files these are, else a new one. */
  #caseOf(key: string, name: string, files: readonly File[]): Case {
    this.#opened += 1;
    const { cases } = this.#desk.store.state;
    const known = cases.find((of) => of.key === key && !this.reads.has(of.id));
    const of = known ?? newCase({ id: `${this.#session}-${this.#opened}`, name, origin: "file", key });
    this.sources.set(of.id, files);
    return of;
  }

  /** Cases whose images were kept on this machine are read from there. */
  restore({ id, name, files }: Case): void {
    if (!files) return;
    this.reads.set(id, async () => {
      const kept = await (await import("../keep/images.ts")).keptFiles(id, files);
      const [only] = kept;
      if (kept.length === 1 && only && (await isPicture(only))) return shownImage(id, (await openImage(only, name)).picture);
      const { volumes } = await openVolumes(kept);
      const volume = volumes.find((one) => one.name === name) ?? volumes[0];
      if (!volume) throw new Told(t("opened.gone", { name }));
      return shownSlice(await firstSlice(id, volume));
    });
  }

  /** Series, volumes and pictures in formats that browsers do not read. Gives what was not opened. */
  async #openVolumes(files: readonly File[], after: { last: string | null }): Promise<{ name: string; error: unknown }[]> {
    try {
      const opened = await openVolumes(files);
      return await this.#addVolumes(opened, t("opened.files", { n: files.length - opened.refused.length }), after, files);
    } catch (error) {
      return [{ name: files[0]?.name ?? "files", error }];
    }
  }

  /** Series of a DICOMweb server. Throws a SamError where it cannot be asked. */
  async server(server: Parameters<typeof openServer>[0]): Promise<void> {
    const opened = await openServer(server);
    const slices = opened.volumes.reduce((sum, volume) => sum + volume.slices, 0);
    const failures = await this.#addVolumes(opened, t("objects.slices", { n: slices }), { last: null });
    this.#problems.showBatch(opened.volumes.length + failures.length, failures);
  }

  /** Gives what was not opened. */
  async #addVolumes({ volumes, segmentations, refused }: Opened, what: string, after: { last: string | null }, files: readonly File[] = []) {
    const failures: { name: string; error: unknown }[] = refused.map(({ file, reason }) => ({ name: file, error: reason }));
    for (const volume of volumes) {
      await this.#addVolume(volume, after, files).catch((error: unknown) => failures.push({ name: volume.name, error }));
    }
    const said = volumes.map(({ name, slices, columns, rows }) => t("opened.volume", { name, n: slices, columns, rows }));
    if (segmentations.length > 0) said.push(t("opened.segmentations", { n: segmentations.length }));
    const notes = volumes.flatMap((volume) => volume.notes).join(" ");
    if (said.length > 0) this.#problems.tell(t("opened.title", { what, volumes: volumes.length }), said.join(" "), [], notes);
    return failures;
  }

  async #addVolume(volume: Volume, after: { last: string | null }, files: readonly File[]): Promise<void> {
    const { name, columns, rows, slices } = volume;
    const own = files.filter((file) => volume.files.includes(file.webkitRelativePath || file.name));
    const of = this.#caseOf(`volume ${name} ${columns} ${rows} ${slices} ${volume.files[0] ?? ""}`, name, own.length > 0 ? own : files);
    const read = async () => shownSlice(await firstSlice(of.id, volume));
    this.reads.set(of.id, read);
    this.#insert([{ ...of, ...this.#withPicture(of, await read()) }], after);
  }

  /** The newest batch first: it is what one looks for; within it, the order of opening, and the first is shown. */
  #insert(added: readonly Case[], after: { last: string | null }): void {
    const { cases, current } = this.#desk.store.state;
    const place = cases.findIndex((other) => other.id === after.last) + 1;
    const [first] = added;
    const last = added.at(-1);
    if (!first || !last) return;
    // Cases of earlier days stay where they are in the list.
    const again = new Map(added.filter(({ id }) => cases.some((other) => other.id === id)).map((of) => [of.id, of]));
    const fresh = added.filter(({ id }) => !again.has(id));
    const all = [...cases.slice(0, place), ...fresh, ...cases.slice(place)].map((of) => again.get(of.id) ?? of);
    this.#desk.store.set({ cases: all, current: after.last === null ? first.id : current });
    if (after.last === null) void this.show(first.id);
    else for (const { id, shown } of added) if (shown) this.#remember(id);
    after.last = last.id;
  }

  /** Only the pictures that were looked at last stay in memory. */
  #remember(id: string): void {
    if (!this.reads.has(id)) return;
    const at = this.#recent.indexOf(id);
    if (at >= 0) this.#recent.splice(at, 1);
    this.#recent.push(id);
    const { store } = this.#desk;
    while (this.#recent.length > MOST_SHOWN) {
      const old = this.#recent.findIndex((one) => one !== store.state.current && one !== id);
      const [gone] = this.#recent.splice(Math.max(0, old), 1);
      if (gone && store.state.cases.find((one) => one.id === gone)?.shown) store.updateCase(gone, () => ({ shown: null }));
    }
  }

  async #openImage(file: File, after: { last: string | null }): Promise<void> {
    const { picture, notice } = await openImage(file, file.name || t("problem.pasted"));
    if (this.#takeMask(file.name, picture)) return;
    const name = file.name || t("opened.pasted", { n: this.#opened + 1 });
    const of = this.#caseOf(keyOfFile(file), name, [file]);
    this.reads.set(of.id, async () => shownImage(of.id, (await openImage(file, name)).picture));
    this.#insert([{ ...of, ...this.#withPicture(of, shownImage(of.id, picture)) }], after);
    if (notice) this.#problems.tell(t("opened.window"), "", [], notice);
  }

  /** A mask by its name, two values and size, beside the image it is of. */
  #takeMask(name: string, picture: Picture): boolean {
    if (!isMaskName(name)) return false;
    const { store } = this.#desk;
    const owner = store.state.cases.find(
      ({ name: own, sides }) => baseName(own) === maskOwner(name) && sides?.columns === picture.width && sides.rows === picture.height,
    );
    const mask = owner && bitsOf(picture);
    if (!owner || !mask) return false;
    const truths = [...owner.truths.filter((other) => other.name !== name), { name, index: 0, runs: runsOf(mask) }];
    store.updateCase(owner.id, () => ({ truths }));
    this.#problems.tell(t("opened.mask"), t("opened.mask.words", { name, image: owner.name }));
    return true;
  }

  async #applyPrompts(text: string, name: string): Promise<void> {
    const { store } = this.#desk;
    const of = currentCase(store.state);
    if (!of?.shown) return;
    if (of.shown.slice && isOfVolume(text)) return setVolumePrompts(this.#desk, of.shown.slice.volume, text, name);
    const image = imageOfPrompts(text);
    const isOf = ({ name: known, sides }: Case) => image?.name === known && image.width === sides?.columns && image.height === sides.rows;
    if (!image || isOf(of)) {
      this.#setPrompts(text, name, of.id);
      return;
    }
    const set = (target: Case) => ({
      label: t("prompts.set", { name: target.name }),
      run: () => {
        try {
          this.#setPrompts(text, name, target.id);
        } catch (error) {
          this.#problems.show(error);
        }
      },
    });
    const owner = store.state.cases.find(isOf);
    const { width, height } = of.shown.picture;
    const values = { name, image: image.name, columns: image.width, rows: image.height, shown: of.name, width, height };
    this.#problems.tell(t("prompts.other"), t("prompts.other.words", values), owner ? [set(owner), set(of)] : [set(of)]);
  }

  #setPrompts(text: string, name: string, id: string): void {
    const sides = this.#desk.store.state.cases.find((known) => known.id === id)?.sides;
    if (!sides) return;
    const { points, box, chosen } = readPromptFile(text, name, sides.columns, sides.rows);
    this.#desk.select(id);
    const choice = chosen === undefined ? null : { prompts: { points, box, previous: null }, index: chosen };
    this.#desk.annotator.setPrompts({ key: "step.file" }, () => ({ points, box, previous: null }), choice);
  }
}

/** Whether the case was looked at on another slice than the one that was read first. */
function isElsewhere({ place }: Case, { slice }: Shown): boolean {
  return slice !== null && (slice.index !== place.index || slice.plane !== place.plane);
}

function keyOfFile({ name, webkitRelativePath, size, lastModified }: File): string {
  return `${webkitRelativePath || name} ${size} ${lastModified}`;
}

function squareOf({ canvas, picture }: Shown, side: number): HTMLCanvasElement {
  const thumb = document.createElement("canvas");
  thumb.width = thumb.height = side;
  const from = Math.min(picture.width, picture.height);
  const context = thumb.getContext("2d");
  if (context) context.imageSmoothingQuality = "high";
  context?.drawImage(canvas, (picture.width - from) / 2, (picture.height - from) / 2, from, from, 0, 0, side, side);
  return thumb;
}

export function shownImage(id: string, picture: Picture): Shown {
  return { id, picture, canvas: canvasOf(picture), slice: null };
}

export async function shownSlice(slice: SliceOf): Promise<Shown> {
  const picture = await pictureOf(slice);
  return { id: idOf(slice), picture, canvas: canvasOf(picture), slice };
}
