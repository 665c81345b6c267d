// Ties the stage to the state: what is drawn, the keyboard's crosshair, the corner captions and the status line.
import type { Box } from "../../src/index.ts";
import { type Case, currentWork, objectOf, type Shown, type Truth, truthsHere } from "../annotate/case.ts";
import { movePoint } from "../annotate/prompts.ts";
import { closest } from "../annotate/truth.ts";
import type { Desk } from "../desk.ts";
import { byId } from "../dom.ts";
import { formatDuration } from "../model/transfer_rate.ts";
import { draggedWindow } from "../open/slices.ts";
import { currentCase, type State } from "../state.ts";
import { decimal, t } from "../words/words.ts";
import { lettersOf, sizeOf, unitOf, viewIdOf } from "./frame.ts";
import { type Gestures, type Grip, listenForGestures } from "./gestures.ts";
import { Drawing } from "./drawing.ts";
import { gripAt, movedBox, promptAt } from "./grips.ts";
import { stride } from "./keys.ts";
import { crossIn, crossOf, voxelAt } from "./linked.ts";
import { Marking } from "./marking.ts";
import { Outline } from "./outline.ts";
import { outlineOf } from "./overlay.ts";
import { Picking } from "./picking.ts";
import { Preview } from "./preview.ts";
import { Stage } from "./stage.ts";
import { captionOf, statusOf } from "./status.ts";
import { boxBetween, type Pixel } from "./view.ts";

/** Screen readers hear where the crosshair stopped, not every step. */
const SPEAK_AFTER_MS = 450;

export class StageController {
  readonly stage: Stage;
  readonly #gestures: Gestures;
  readonly #desk: Desk;
  readonly #drawing: Drawing;
  readonly #element = byId("stage", HTMLElement);
  readonly #status = byId("status", HTMLElement);
  readonly #spoken = byId("spoken", HTMLElement);
  readonly #corners = {
    name: byId("corner-name", HTMLElement),
    score: byId("corner-score", HTMLElement),
    place: byId("corner-place", HTMLElement),
    zoom: byId("corner-zoom", HTMLElement),
  };
  readonly picking: Picking;
  /** While Space is held. */
  panning = false;
  #cursor: Pixel | null = null;
  #corner: Pixel | null = null;
  #draft: Box | null = null;
  #dragged: { readonly grip: Exclude<Grip, { kind: "corner" }>; readonly to: Pixel } | null = null;
  readonly #outline = new Outline();
  readonly #preview: Preview;
  #hover: Pixel | null = null;
  readonly #marking: Marking;
  #truth: { readonly truth: Truth; readonly outline: Path2D } | null = null;
  #image: string | null = null;
  #speaking: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.stage = new Stage(byId("canvas", HTMLCanvasElement), (scale) => this.#onView(scale));
    this.#marking = new Marking(desk);
    this.picking = new Picking(desk, this.#element);
    this.#preview = new Preview(desk, () => this.#draw(desk.store.state));
    this.#drawing = new Drawing(
      desk,
      () => this.stage.view.scale,
      () => this.#draw(desk.store.state),
    );
    const shown = () => desk.case?.shown ?? null;
    this.#gestures = listenForGestures(this.#element, this.stage, {
      image: () => {
        const now = shown();
        return now && sizeOf(now);
      },
      tool: () => desk.store.state.tool,
      pans: () => this.panning,
      point: (pixel, label) => desk.addPoint({ ...pixel, label }),
      draft: (box) => this.#setDraft(box),
      box: (box) => desk.setBox(box),
      stroke: (...stroke) => this.#drawing.stroke(...stroke),
      grip: (x, y) => this.#gripAt(x, y),
      cut: (x, y) => this.#cut(x, y),
      drag: (grip, to, done) => this.#drag(grip, to, done),
      pick: (pixel) => this.picking.pick(pixel),
      menu: (at) => this.picking.menu(at),
      window: (dx, dy) => {
        const slice = shown()?.slice;
        if (slice) void desk.toWindow(draggedWindow(slice.window, dx, dy));
        return Boolean(slice);
      },
      cross: (pixel) => this.#toCross(pixel),
      scroll: (steps) => {
        const slice = shown()?.slice;
        if (!slice || slice.view.slices < 2) return false;
        void desk.bySlices(steps);
        return true;
      },
      hover: (pixel) => this.#onHover(pixel),
      undo: () => desk.undo(),
    });
    this.#element.addEventListener("pointerdown", () => {
      this.#preview.moved(null);
      this.#leaveKeyboard();
    });
    this.#element.addEventListener("blur", () => this.#leaveKeyboard());
    this.#element.addEventListener("focus", () => {
      if (this.#element.matches(":focus-visible")) this.#enterKeyboard();
    });
    desk.store.subscribe((state, before) => {
      this.render(state);
      if (state.surfaces !== before.surfaces) this.stage.redraw();
    });
  }

  render(state: State): void {
    const of = currentCase(state);
    const image = of?.shown ? of.shown.id : null;
    if (image !== this.#image) {
      this.#image = image;
      this.#preview.moved(null);
      this.#draft = null;
      this.#corner = null;
      this.#cursor = null;
      this.#drawing.drop();
    }
    const answer = this.#desk.answer(state);
    this.#truth = this.#truthOf(state);
    this.#element.dataset.tool = state.tool;
    this.#touch(state);
    this.#draw(state);
    this.#corners.name.textContent = of ? captionOf(of) : "";
    this.#corners.score.textContent = answer ? `${t("corner.score", { score: decimal(answer.score, 3) })}\n${formatDuration(answer.result.decodeMs)}` : "";
    this.#showPlace();
    this.#showStatus();
  }

  /** The focus, as after what took it is gone. */
  focus(): void {
    this.#element.focus({ preventScroll: true });
  }

  /** Where a key acts: at the crosshair while it is shown, else under the pointer; else the crosshair is shown first, and nothing is done. */
  #aim(): Pixel | null {
    const at = this.#cursor ?? this.#hover;
    if (!at) this.#enterKeyboard();
    return at;
  }

  addPoint(label: 0 | 1): void {
    if (this.#corner && label === 1) {
      this.corner();
      return;
    }
    const at = this.#aim();
    if (at) this.#desk.addPoint({ ...at, label });
  }

  /** One corner of a box, or the other one, which makes it. */
  corner(): void {
    const at = this.#aim();
    if (!at) return;
    if (!this.#corner) {
      this.#corner = at;
      this.#setDraft(boxBetween(at, at));
      return;
    }
    const box = boxBetween(this.#corner, at);
    this.#corner = null;
    this.#draft = null;
    this.#desk.setBox(box);
  }

  /** Gives up what is not finished; prompts are cleared by name. */
  escape(): void {
    this.#outline.drop();
    if (this.#gestures.cancel()) return;
    this.#corner = null;
    this.#drawing.clearRulers();
    this.#setDraft(null);
  }

  zoom(factor: number): void {
    this.stage.zoom(factor);
    if (this.#cursor) this.stage.reveal(this.#cursor);
  }

  move(dx: number, dy: number, fine: boolean): void {
    const shown = this.#desk.case?.shown;
    if (!shown) return;
    const { width, height } = shown.picture;
    const by = stride(width, height, fine);
    const from = this.#enterKeyboard();
    const to = (at: number, step: number, side: number) => Math.min(side - 1, Math.max(0, at + step * by));
    const pixel = { x: to(from.x, dx, width), y: to(from.y, dy, height) };
    this.#cursor = pixel;
    this.stage.reveal(pixel);
    if (this.#corner) this.#draft = boxBetween(this.#corner, pixel);
    this.#draw(this.#desk.store.state);
    this.#showPlace();
    clearTimeout(this.#speaking);
    this.#speaking = setTimeout(() => {
      this.#spoken.textContent = `x ${pixel.x}, y ${pixel.y}, ${this.#valueAt(pixel)}`;
    }, SPEAK_AFTER_MS);
  }

  #gripAt(x: number, y: number): Grip | null {
    const { work, store } = this.#desk;
    if (store.state.tool === "outline") return this.#outline.grip(this.stage.view, x, y);
    return work && gripAt(this.stage.view, work.prompts, x, y);
  }

  #cut(x: number, y: number): void {
    const grip = this.#outline.grip(this.stage.view, x, y);
    const shown = this.#desk.case?.shown;
    const mask = this.#desk.mask();
    if (grip?.kind !== "corner" || grip.made || !shown || !mask) return;
    this.#desk.annotator.draw({ key: "step.outline" }, this.#outline.without(grip, mask.runs, sizeOf(shown)));
  }

  #dragCorner(grip: Extract<Grip, { kind: "corner" }>, to: Pixel, done: boolean): void {
    const shown = this.#desk.case?.shown;
    const mask = this.#desk.mask();
    if (!shown || !mask) return;
    this.#outline.drag(grip, to);
    if (done) this.#desk.annotator.draw({ key: "step.outline" }, this.#outline.moved(mask.runs, sizeOf(shown)));
    this.#draw(this.#desk.store.state);
  }

  #drag(grip: Grip, to: Pixel, done: boolean): void {
    if (grip.kind === "corner") {
      this.#dragCorner(grip, to, done);
      return;
    }
    this.#dragged = done ? null : { grip, to };
    if (!done) {
      this.#draw(this.#desk.store.state);
      return;
    }
    const { work } = this.#desk;
    if (grip.kind === "point") this.#desk.movePoint(grip.index, to);
    else if (work?.prompts.box) this.#desk.setBox(movedBox(work.prompts.box, grip.sides, to));
  }

  #onHover(pixel: Pixel | null): void {
    const moved = pixel !== null && (pixel.x !== this.#hover?.x || pixel.y !== this.#hover.y);
    if (moved || !pixel) this.#preview.moved(pixel);
    const { work } = this.#desk;
    if (moved || !pixel) this.#desk.pointAt(pixel && work && promptAt(this.stage.view, work.prompts, pixel));
    this.#hover = pixel;
    const { state } = this.#desk.store;
    if (this.picking.hover(pixel)) this.#draw(state);
    // Whichever moved last is where keys act.
    if (moved && this.#cursor) {
      this.#cursor = null;
      this.#draw(state);
    }
    if (this.#corner && moved) this.#setDraft(boxBetween(this.#corner, pixel));
    else this.#showPlace();
    if (state.tool === "brush" || state.tool === "eraser") this.#draw(state);
  }

  /** Shows the crosshair where it was, else at the pointer, else in the middle. */
  #enterKeyboard(): Pixel {
    this.#cursor ??= this.#hover ?? this.stage.middle();
    this.#draw(this.#desk.store.state);
    this.#showPlace();
    return this.#cursor;
  }

  #leaveKeyboard(): void {
    this.#cursor = null;
    this.#corner = null;
    this.#setDraft(null);
  }

  #setDraft(box: Box | null): void {
    this.#draft = box;
    this.#draw(this.#desk.store.state);
    this.#showPlace();
    this.#showStatus();
  }

  #draw(state: State): void {
    const of = currentCase(state);
    if (!of?.shown) {
      this.stage.show(null);
      return;
    }
    const { shown } = of;
    const brushing = state.tool === "brush" || state.tool === "eraser";
    const brush = brushing && this.#hover ? { at: this.#hover, radius: state.brush * unitOf(shown).pixels } : null;
    const { prompts } = currentWork(of);
    const { stroke, ruler } = this.#drawing.shown(of, shown);
    const several = shown.slice !== null && shown.slice.view.slices > 1;
    this.stage.show({
      id: viewIdOf(of),
      image: shown.canvas,
      size: sizeOf(shown),
      prompts: state.promptsShown ? this.#withDrag(prompts) : { points: [], box: null, previous: null },
      overlay: state.hidden ? null : this.#marking.overlay(state, of, of.place, shown.picture),
      lit: this.picking.lit,
      fill: state.fill,
      stroke,
      ruler,
      brush,
      letters: several ? lettersOf(shown) : null,
      corners: state.tool === "outline" && !state.hidden ? this.#ringsOf(of, shown) : null,
      pointed: state.pointed,
      preview: this.#preview.runs && outlineOf(this.#preview.runs, shown.picture.width, shown.picture.height),
      foot: 0,
      cross: this.#cross(state, of),
      truth: this.#truth?.outline ?? null,
      opacity: state.opacity,
      draft: this.#draft,
      cursor: this.#cursor,
    });
  }

  #withDrag(prompts: ReturnType<typeof currentWork>["prompts"]) {
    if (!this.#dragged) return prompts;
    const { grip, to } = this.#dragged;
    if (grip.kind === "point") return movePoint(prompts, grip.index, to);
    return prompts.box ? { ...prompts, box: movedBox(prompts.box, grip.sides, to) } : prompts;
  }

  /** The crosshair between the planes goes where a key asks for it. */
  crossHere(): void {
    const at = this.#aim();
    if (at) this.#toCross(at);
  }

  #toCross(pixel: Pixel): boolean {
    const of = this.#desk.case;
    const volume = of?.shown?.slice?.volume;
    if (volume?.geometry) void this.#desk.toCross(voxelAt(volume, of?.place ?? { plane: "stored", index: 0 }, pixel));
    return Boolean(volume?.geometry);
  }

  #cross(state: State, of: Case) {
    const volume = of.shown?.slice?.volume;
    const at = (state.layout === "four" || state.tool === "cross") && volume?.geometry && volume.slices > 1 ? crossOf(of) : null;
    return volume && at ? crossIn(volume, of.place.plane, at) : null;
  }

  /** Of the current mask, unless it is locked. */
  #ringsOf(of: Case, shown: Shown) {
    const { runs } = this.#desk.mask() ?? {};
    return runs && !objectOf(of)?.locked ? this.#outline.rings(runs, sizeOf(shown), this.stage.view.scale) : null;
  }

  #truthOf(state: State): { readonly truth: Truth; readonly outline: Path2D } | null {
    const of = currentCase(state);
    const mask = this.#desk.mask(state);
    const truth = state.truth && of && mask ? closest(mask.runs, truthsHere(of))?.truth : undefined;
    if (!of?.shown || !truth) return null;
    const { width, height } = of.shown.picture;
    return this.#truth?.truth === truth ? this.#truth : { truth, outline: outlineOf(truth.runs, width, height) };
  }

  #showPlace(): void {
    const at = this.#hover ?? this.#cursor;
    const size = this.#draft ? `\n${this.#draft[2] - this.#draft[0]} × ${this.#draft[3] - this.#draft[1]}` : "";
    this.#corners.place.textContent = at ? `x ${at.x}  y ${at.y}\n${this.#valueAt(at)}${size}` : size.trim();
  }

  #valueAt({ x, y }: Pixel): string {
    const picture = this.#desk.case?.shown?.picture;
    if (!picture || x >= picture.width || y >= picture.height) return "";
    const [red, green, blue] = picture.data.subarray(4 * (y * picture.width + x));
    return red === green && green === blue ? t("corner.gray", { value: `${red}` }) : `RGB ${red} ${green} ${blue}`;
  }

  #onView(scale: number): void {
    this.#corners.zoom.textContent = `${Math.round(scale * 100)} %`;
    this.#touch(this.#desk.store.state);
  }

  /** Whether fingers scroll the page or belong to the stage. */
  #touch({ tool }: State): void {
    const page = tool === "positive" || tool === "negative" || tool === "select";
    this.#element.dataset.touch = page && !(this.stage?.zoomedIn ?? false) ? "page" : "own";
  }

  #showStatus(): void {
    const text = this.#corner ? t("status.corner") : this.#gestures.waits ? t("status.corner.other") : statusOf(this.#desk.store.state, this.#desk);
    // Set again, it would be read out again.
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }
}
