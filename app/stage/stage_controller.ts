// Ties the stage to the state: what is drawn, the keyboard's crosshair, the corner captions and the status line.
import type { Box, Mask } from "../../src/index.ts";
import type { Desk } from "../desk.ts";
import { byId, thousands } from "../dom.ts";
import { type Gestures, listenForGestures } from "./gestures.ts";
import { type Command, stride } from "./keyboard.ts";
import { makeOverlay, type MaskColour, type Overlay, outlineOf } from "./overlay.ts";
import { isEmpty } from "../annotate/session.ts";
import { dragWindow } from "../panels/slice_bar.ts";
import { Stage } from "./stage.ts";
import type { Structure } from "../open/samples.ts";
import { currentStudy, type State, type Study } from "../state.ts";
import { formatDuration } from "../model/transfer_rate.ts";
import { closest } from "../annotate/truth.ts";
import { boxBetween, type Pixel, type Size } from "./view.ts";

/** Screen readers hear where the crosshair stopped, not every step. */
const SPEAK_AFTER_MS = 450;

export class StageController {
  readonly stage: Stage;
  readonly #gestures: Gestures;
  readonly #desk: Desk;
  readonly #element = byId("stage", HTMLElement);
  readonly #status = byId("status", HTMLElement);
  readonly #spoken = byId("spoken", HTMLElement);
  readonly #corners = {
    name: byId("corner-name", HTMLElement),
    score: byId("corner-score", HTMLElement),
    place: byId("corner-place", HTMLElement),
    zoom: byId("corner-zoom", HTMLElement),
  };
  #cursor: Pixel | null = null;
  #corner: Pixel | null = null;
  #draft: Box | null = null;
  #hover: Pixel | null = null;
  #overlay: { readonly mask: Mask; readonly colour: MaskColour; readonly overlay: Overlay } | null = null;
  #truth: { readonly structure: Structure; readonly outline: Path2D } | null = null;
  #image: string | null = null;
  #speaking: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.stage = new Stage(byId("canvas", HTMLCanvasElement), (scale) => this.#onView(scale));
    this.#gestures = listenForGestures(this.#element, this.stage, {
      image: () => currentStudy(desk.store.state)?.picture ?? null,
      mode: () => desk.store.state.mode,
      point: (pixel, label) => desk.addPoint({ ...pixel, label }),
      draft: (box) => this.#setDraft(box),
      box: (box) => desk.setBox(box),
      window: (dx, dy) => dragWindow(desk, dx, dy),
      scroll: (steps) => {
        const sliced = currentStudy(desk.store.state)?.slice;
        if (!sliced || sliced.view.slices < 2) return false;
        void desk.bySlices(steps);
        return true;
      },
      hover: (pixel) => {
        const moved = pixel !== null && (pixel.x !== this.#hover?.x || pixel.y !== this.#hover.y);
        this.#hover = pixel;
        // Whichever moved last is where keys act.
        if (moved && this.#cursor) {
          this.#cursor = null;
          this.#draw(desk.store.state);
        }
        if (this.#corner && moved) this.#setDraft(boxBetween(this.#corner, pixel));
        else this.#showPlace();
      },
    });
    this.#element.addEventListener("pointerdown", () => this.#leaveKeyboard());
    this.#element.addEventListener("blur", () => this.#leaveKeyboard());
    this.#element.addEventListener("focus", () => {
      if (this.#element.matches(":focus-visible")) this.#enterKeyboard();
    });
    desk.store.subscribe((state, before) => {
      if (state.surfaces !== before.surfaces) this.#overlay = null;
      this.render(state);
      if (state.surfaces !== before.surfaces) this.stage.redraw();
    });
  }

  render(state: State): void {
    const study = currentStudy(state);
    if (study?.id !== this.#image) {
      this.#image = study?.id ?? null;
      this.#draft = null;
      this.#corner = null;
      this.#cursor = null;
    }
    const shown = this.#desk.shown(state);
    if (!shown) this.#overlay = null;
    else if (this.#overlay?.mask !== shown.mask || this.#overlay.colour !== state.colour) {
      this.#overlay = { mask: shown.mask, colour: state.colour, overlay: makeOverlay(shown.mask, state.colour) };
    }
    this.#truth = this.#truthOf(state);
    this.#element.dataset.touch = state.mode === "box" || this.stage.zoomedIn ? "own" : "page";
    this.#draw(state);
    this.#corners.name.textContent = study ? captionOf(study) : "";
    this.#corners.score.textContent = shown ? `score ${shown.score.toFixed(3)}\n${formatDuration(shown.result.decodeMs)}` : "";
    this.#showPlace();
    this.#showStatus();
  }

  /** The focus, as after what took it is gone. */
  focus(): void {
    this.#element.focus({ preventScroll: true });
  }

  carryOut(command: Command): void {
    const study = currentStudy(this.#desk.store.state);
    if (!study) return;
    switch (command.do) {
      case "move":
        this.#move(study.picture, command.dx, command.dy, command.fine);
        break;
      case "positive":
        if (this.#corner) this.#endBox(this.#corner);
        else this.#addPoint(1);
        break;
      case "negative":
        this.#addPoint(0);
        break;
      case "corner":
        if (this.#corner) this.#endBox(this.#corner);
        else this.#startBox();
        break;
      case "slices":
        void this.#desk.bySlices(command.step);
        break;
      case "escape":
        // Only what is not finished is given up; prompts are cleared by name.
        if (this.#gestures.cancel()) break;
        this.#corner = null;
        this.#setDraft(null);
        break;
      case "clear":
        this.#desk.clear();
        break;
      case "candidate":
        this.#desk.choose(command.index);
        break;
      case "zoom-in":
      case "zoom-out":
        this.stage.zoom(command.do === "zoom-in" ? 1.4 : 1 / 1.4);
        if (this.#cursor) this.stage.reveal(this.#cursor);
        break;
      case "fit":
        this.stage.fitWhole();
        break;
    }
  }

  /** Where a key acts: at the crosshair while it is shown, else under the pointer; else the crosshair is shown first, and nothing is done. */
  #aim(): Pixel | null {
    const at = this.#cursor ?? this.#hover;
    if (!at) this.#enterKeyboard();
    return at;
  }

  #addPoint(label: 0 | 1): void {
    const at = this.#aim();
    if (at) this.#desk.addPoint({ ...at, label });
  }

  #startBox(): void {
    const at = this.#aim();
    if (!at) return;
    this.#corner = at;
    this.#setDraft(boxBetween(at, at));
  }

  #endBox(corner: Pixel): void {
    const at = this.#aim();
    if (!at) return;
    const box = boxBetween(corner, at);
    this.#corner = null;
    this.#draft = null;
    this.#desk.setBox(box);
  }

  #move({ width, height }: Size, dx: number, dy: number, fine: boolean): void {
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
    const study = currentStudy(state);
    const scene = study && {
      // All slices of a plane are looked at from the same place.
      id: study.slice ? `${study.slice.tile} ${study.slice.plane}` : study.id,
      image: study.canvas,
      prompts: study.session.now,
      overlay: this.#overlay?.overlay ?? null,
      truth: this.#truth?.outline ?? null,
      opacity: state.opacity,
      draft: this.#draft,
      cursor: this.#cursor,
    };
    this.stage.show(scene);
  }

  #truthOf(state: State): { readonly structure: Structure; readonly outline: Path2D } | null {
    const study = currentStudy(state);
    const shown = this.#desk.shown(state);
    const structure = state.truth && study && shown ? closest(shown.mask, study.structures)?.structure : undefined;
    if (!study || !structure) return null;
    const { width, height } = study.picture;
    return this.#truth?.structure === structure ? this.#truth : { structure, outline: outlineOf({ data: structure.mask, width, height }) };
  }

  #showPlace(): void {
    const at = this.#hover ?? this.#cursor;
    const size = this.#draft ? `\n${this.#draft[2] - this.#draft[0]} × ${this.#draft[3] - this.#draft[1]}` : "";
    this.#corners.place.textContent = at ? `x ${at.x}  y ${at.y}\n${this.#valueAt(at)}${size}` : size.trim();
  }

  #valueAt({ x, y }: Pixel): string {
    const picture = currentStudy(this.#desk.store.state)?.picture;
    if (!picture || x >= picture.width || y >= picture.height) return "";
    const [red, green, blue] = picture.data.subarray(4 * (y * picture.width + x));
    return red === green && green === blue ? `gray ${red}` : `RGB ${red} ${green} ${blue}`;
  }

  #onView(scale: number): void {
    this.#corners.zoom.textContent = `${Math.round(scale * 100)} %`;
    const zoomed = this.stage?.zoomedIn ?? false;
    this.#element.dataset.touch = zoomed || this.#desk.store.state.mode === "box" ? "own" : "page";
  }

  #showStatus(): void {
    const drawing = "Box: first corner set. Move to the other corner and press B; Escape gives it up.";
    const text = this.#corner ? drawing : statusOf(this.#desk.store.state, this.#desk);
    // Set again, it would be read out again.
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }
}

function captionOf({ name, origin, picture: { width, height } }: Study): string {
  return `${name}\n${width} × ${height}${origin === "sample" ? ", drawn" : ""}`;
}

/** The page's state in one sentence, for the eye and for screen readers. */
function statusOf(state: State, desk: Desk): string {
  const study = currentStudy(state);
  if (!study) return "Drawing the samples…";
  const { points, box, previous } = study.session.now;
  if (isEmpty(study.session.now)) {
    const what = study.suggestion ? `, for example ${study.suggestion.what}` : "";
    return matchMedia("(pointer: coarse)").matches
      ? `Tap a structure${what}. The switch above says what a tap sets.`
      : `Click a structure${what}; right click what does not belong; drag a box.`;
  }
  const shown = desk.shown(state);
  const given = [points.length > 0 && `${points.length} ${points.length === 1 ? "point" : "points"}`, box && "a box"].filter(Boolean).join(" and ");
  if (!shown) return state.model.kind === "ready" ? `${given}: working on it…` : `${given}, kept until a model is loaded.`;
  const { area } = shown;
  const share = (100 * area) / shown.mask.data.length;
  const refined = previous ? ", refined from the mask before" : "";
  const which = shown.result.masks.length > 1 ? `Mask ${shown.index + 1} of ${shown.result.masks.length}` : "Mask";
  return `${which}: predicted IoU ${shown.score.toFixed(2)}, ${thousands(area)} pixels (${share.toFixed(share < 10 ? 1 : 0)}\u00a0%), from ${given}${refined}.`;
}
