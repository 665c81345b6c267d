// Commands, whatever asks for them: keys, buttons, tooltips know them by one name.
import { currentWork, type Case, isProposed, placeOfKey } from "./annotate/case.ts";
import { isEmpty } from "./annotate/prompts.ts";
import type { Desk } from "./desk.ts";
import { byId } from "./dom.ts";
import { baseName, maskPng, promptFile, saveBlob } from "./open/download.ts";
import { volumePrompts } from "./open/volume_prompts.ts";
import type { Panels } from "./panels/app.tsx";
import type { Mark } from "./panels/slice_bar.tsx";
import { type Command, COMMANDS, commandOf, type Focus, type KeyMap, type KEYS, MOVES } from "./stage/keys.ts";
import type { StageController } from "./stage/stage_controller.ts";
import type { Tool } from "./state.ts";
import { keepFiles } from "./keep/images.ts";
import { Told } from "./words/errors.ts";
import { renamed } from "./words/names.ts";
import { type Language, rememberLanguage, speak, t, translate } from "./words/words.ts";
import { paintRuns } from "../src/volume/index.ts";
import { carryOn, fillBetween, proposalsOf, stopPropagation } from "./annotate/through.ts";
import { copyFromNext, shape } from "./annotate/shaping.ts";

/** Of brush and eraser, at each press of a key. */
const BRUSH_STEP = 1.2;
const CINE_MS = 90;
const TOOLS = {
  select: "select",
  point: "positive",
  box: "box",
  brush: "brush",
  eraser: "eraser",
  lasso: "lasso",
  scribble: "scribble",
  ruler: "ruler",
  axes: "axes",
  contour: "outline",
} as const satisfies Readonly<Partial<Record<Command, Tool>>>;

export class Actions {
  readonly #desk: Desk;
  readonly #controller: StageController;
  readonly #help: HTMLDialogElement;
  readonly #panels: Panels;
  keyMap: KeyMap = readKeys();
  playing = false;
  /** Whether the field for an address of weights is open. */
  addressOpen = false;
  /** Writes what waits to be kept. */
  onSave: () => Promise<void> = () => Promise.resolve();
  onForget: () => Promise<void> = () => Promise.resolve();
  /** Brings closed samples back. */
  onSamples: () => void = () => {};
  /** Throws encoded images away. */
  onClearEncoded: () => Promise<void> = () => Promise.resolve();
  /** Opens a folder by handle. */
  onFolder: () => Promise<void> = () => Promise.resolve();
  readonly #does: Readonly<Partial<Record<keyof typeof KEYS, () => void>>>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: Desk, controller: StageController, help: HTMLDialogElement, panels: Panels) {
    this.#desk = desk;
    this.#controller = controller;
    this.#help = help;
    this.#panels = panels;
    this.#does = this.#table();
    controller.picking.onMenu = (x, y) => void this.#showMenu(x, y);
  }

  /** What can be done with the current object, where it was pointed at in the window. */
  async #showMenu(x: number, y: number): Promise<void> {
    await this.#panels.need("object-menu", this);
    const menu = byId("object-menu", HTMLElement);
    this.#panels.draw("object-menu");
    menu.showPopover();
    const { width, height } = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
    menu.style.top = `${Math.max(4, Math.min(y, innerHeight - height - 4))}px`;
    menu.querySelector<HTMLElement>("button:not(:disabled)")?.focus();
  }

  showAddress(open: boolean): void {
    this.addressOpen = open;
    this.#panels.draw();
  }

  focusStage(): void {
    this.#controller.focus();
  }

  run(command: Command): void {
    const tool = TOOLS[command as keyof typeof TOOLS];
    if (tool) this.#desk.store.set({ tool });
    else if (command.startsWith("label-")) this.#desk.toLabel(Number(command.slice(6)));
    else if (command.startsWith("window-")) this.#preset(Number(command.slice(7)) - 1);
    else if (this.#desk.case || command === "help") this.#does[command as keyof typeof KEYS]?.();
  }

  #table(): Readonly<Record<Exclude<keyof typeof KEYS, keyof typeof TOOLS>, () => void>> {
    const { store, annotator } = this.#desk;
    const desk = this.#desk;
    const controller = this.#controller;
    return {
      positive: () => controller.addPoint(1),
      negative: () => controller.addPoint(0),
      corner: () => controller.corner(),
      candidate: () => desk.turnCandidate(1),
      "candidate-back": () => desk.turnCandidate(-1),
      accept: () => desk.accept(),
      "accept-case": () => desk.acceptCase(),
      "object-back": () => annotator.turn(-1),
      "object-next": () => annotator.turn(1),
      "case-back": () => desk.turnCase(-1),
      "case-next": () => desk.turnCase(1),
      done: () => desk.mark("done"),
      flag: () => desk.mark("flagged"),
      undo: () => desk.undo(),
      redo: () => desk.redo(),
      clear: () => desk.clear(),
      escape: () => {
        if (stopPropagation()) return;
        const { task } = store.state;
        if (task) return task.stop();
        this.#stop();
        controller.escape();
      },
      smaller: () => store.set({ brush: sized(store.state.brush, false) }),
      larger: () => store.set({ brush: sized(store.state.brush, true) }),
      fill: () => shape(desk, "fill"),
      islands: () => shape(desk, "islands"),
      smooth: () => shape(desk, "smooth"),
      grow: () => shape(desk, "grow"),
      shrink: () => shape(desk, "shrink"),
      copy: () => copyFromNext(desk),
      hide: () => store.set({ hidden: true }),
      outline: () => store.set({ fill: !store.state.fill }),
      prompts: () => store.set({ promptsShown: !store.state.promptsShown }),
      "slice-back": () => void desk.bySlices(-1),
      "slice-next": () => void desk.bySlices(1),
      "slices-back": () => void desk.bySlices(-10),
      "slices-next": () => void desk.bySlices(10),
      cine: () => this.#cine(),
      views: () => store.set({ layout: store.state.layout === "four" ? "one" : "four" }),
      cross: () => controller.crossHere(),
      "zoom-in": () => controller.zoom(1.4),
      "zoom-out": () => controller.zoom(1 / 1.4),
      fit: () => controller.stage.fitWhole(),
      interpolate: () => void fillBetween(desk),
      propagate: () => void carryOn(desk),
      "accept-proposals": () => annotator.acceptAll(proposalsOf(desk.case as Case)),
      save: () => void this.onSave(),
      export: () => document.getElementById("export-case")?.click(),
      help: () => void this.#panels.need("help", this).then(() => this.#help.open || this.#help.showModal()),
    };
  }

  /** Copies the images of all cases into the browser's own file system, so that they are there at the next start. */
  async keepImages(): Promise<void> {
    const { store, opening, problems } = this.#desk;
    try {
      await navigator.storage.persist?.();
      for (const of of store.state.cases) {
        const files = opening.sources.get(of.id);
        if (!files || of.files) continue;
        const names = await keepFiles(of.id, files);
        store.updateCase(of.id, () => ({ files: names }));
      }
      store.set({ said: t("keep.done") });
    } catch (error) {
      problems.show(error);
    }
  }

  /** Keys of the whole page, but for those of text fields and of the control that has the focus. */
  listen(): void {
    addEventListener("keydown", (event) => {
      if (document.querySelector("dialog[open]") || (event.target as Element).closest("[popover]")) return;
      if (event.isComposing || event.defaultPrevented) return;
      const focus = focusOf(event.target as Element);
      const move = MOVES[event.key];
      if (move && focus === "stage" && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        return this.#controller.move(move[0], move[1], event.shiftKey);
      }
      if (event.key === " " && (focus === "stage" || focus === "nothing")) {
        event.preventDefault();
        this.#controller.panning = true;
        return;
      }
      const command = commandOf(event, focus, this.keyMap);
      if (!command) return;
      event.preventDefault();
      this.run(command);
    });
    addEventListener("keyup", (event) => {
      if (event.key === " ") this.#controller.panning = false;
      if (this.#desk.store.state.hidden && commandOf({ ...pick(event), shiftKey: false }, "nothing", this.keyMap) === "hide")
        this.#desk.store.set({ hidden: false });
    });
    addEventListener("blur", () => {
      this.#controller.panning = false;
      if (this.#desk.store.state.hidden) this.#desk.store.set({ hidden: false });
    });
  }

  /** All that is said is said in another language now. */
  async toLanguage(language: Language): Promise<void> {
    rememberLanguage(language);
    const { store } = this.#desk;
    const named = await renamed(
      () => speak(language),
      () => store.state,
    );
    translate(document);
    // What was said last is in the other language.
    store.set({ ...named, said: "" });
    this.#panels.draw();
  }

  setKeys(map: KeyMap): void {
    this.keyMap = map;
    keepKeys(map);
    this.#panels.draw();
  }

  importKeys(text: string, name: string): void {
    try {
      const read = JSON.parse(text) as Record<string, unknown>;
      const known = COMMANDS.filter((command) => typeof read[command] === "string").map((command) => [command, read[command] as string]);
      if (known.length === 0) throw new Error();
      this.setKeys(Object.fromEntries(known));
    } catch {
      const error = new Told(`${t("problem.expected", { expected: t("keys.expected"), got: t("keys.got") })} ${t("keys.remedy")}`);
      this.#desk.problems.showBatch(1, [{ name, error }]);
    }
  }

  /** Where on the slices of the plane something is of the current object: accepted, drawn, or only proposed. */
  marks(of: Case): ReadonlyMap<number, Mark> {
    const marks = new Map<number, Mark>();
    const { labelmap, object, place } = of;
    if (place.plane === "stored" && labelmap?.labels.some(({ id }) => id === object))
      for (const slice of labelmap.drawnSlices(object)) marks.set(slice, "drawn");
    for (const [key, work] of of.works) {
      const at = placeOfKey(key);
      if (at.object !== object || at.plane !== place.plane || !marks.has(at.index)) continue;
      if (work.accepted) marks.set(at.index, "accepted");
      else if (isProposed(work)) marks.set(at.index, "proposed");
    }
    return marks;
  }

  async saveMask(): Promise<void> {
    const of = this.#desk.case;
    const mask = this.#desk.mask();
    if (!of?.shown || !mask) return;
    const { width, height } = of.shown.picture;
    saveBlob(await maskPng({ data: paintRuns(mask.runs, new Uint8Array(width * height)), width, height }), `${fileName(of)}-mask.png`);
    this.#desk.store.set({ said: t("saved.mask", { name: `${fileName(of)}-mask.png` }) });
  }

  /** Of a picture those it has; of a volume all that are on it. */
  async savePrompts(): Promise<void> {
    const of = this.#desk.case;
    if (!of?.shown) return;
    const { slice, picture } = of.shown;
    const save = (text: string, name: string) => {
      saveBlob(new Blob([text], { type: "application/json" }), `${name}-prompts.json`);
      this.#desk.store.set({ said: t("saved.mask", { name: `${name}-prompts.json` }) });
    };
    if (slice && slice.volume.slices > 1) return save(await volumePrompts(of, slice.volume, this.#desk.store.state.labels), baseName(of.name));
    const { prompts } = currentWork(of);
    if (isEmpty(prompts)) return;
    const { width, height } = picture;
    save(`${JSON.stringify(promptFile({ name: of.name, width, height }, prompts, this.#resultFacts()), null, 2)}\n`, fileName(of));
  }

  #resultFacts() {
    const answer = this.#desk.answer();
    const { model } = this.#desk.store.state;
    if (!answer || model.kind !== "ready") return undefined;
    const { name, meaningless } = model.model;
    return { model: name, meaningless, scores: [...answer.result.scores], chosen: answer.index, area: this.#desk.mask()?.area ?? 0 };
  }

  #preset(index: number): void {
    const window = this.#desk.case?.shown?.slice?.windows[index];
    if (window) void this.#desk.toWindow(window);
  }

  #cine(): void {
    if (this.playing) {
      this.#stop();
      return;
    }
    this.playing = true;
    this.#panels.draw();
    const next = async () => {
      const slice = this.#desk.case?.shown?.slice;
      if (!this.playing || !slice || slice.view.slices < 2) return this.#stop();
      const started = performance.now();
      await this.#desk.toSlice((slice.index + 1) % slice.view.slices);
      this.#timer = setTimeout(next, Math.max(0, CINE_MS - (performance.now() - started)));
    };
    void next();
  }

  #stop(): void {
    if (!this.playing) return;
    this.playing = false;
    clearTimeout(this.#timer);
    this.#panels.draw();
  }
}

/** In steps that feel alike, at least half a unit. */
function sized(brush: number, larger: boolean): number {
  const next = larger ? Math.max(brush * BRUSH_STEP, brush + 0.5) : Math.min(brush / BRUSH_STEP, brush - 0.5);
  return Math.min(50, Math.max(0.5, Math.round(2 * next) / 2));
}

function focusOf(target: Element): Focus {
  if (target.id === "stage") return "stage";
  if (target.matches("input:not([type=radio], [type=checkbox], [type=range], [type=file], [type=color]), select, textarea, [contenteditable]")) return "text";
  return target.closest("button, input, label, summary, a, dialog") ? "control" : "nothing";
}

const pick = ({ key, code, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent) => ({ key, code, shiftKey, ctrlKey, metaKey, altKey });

/** Of what is saved: the image's, with the slice it is of. */
export function fileName({ name, shown, place }: Case): string {
  const several = shown?.slice && shown.slice.view.slices > 1;
  return several ? `${baseName(name)}-${place.plane === "stored" ? "" : `${place.plane}-`}${place.index + 1}` : baseName(name);
}

function readKeys(): KeyMap {
  try {
    return JSON.parse(localStorage.getItem("keys") ?? "{}") as KeyMap;
  } catch {
    return {};
  }
}

function keepKeys(map: KeyMap): void {
  try {
    localStorage.setItem("keys", JSON.stringify(map));
  } catch {
    // Storage may be forbidden; then they hold until the page is left.
  }
}
