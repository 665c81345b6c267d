// A plane of the volume beside the one that is worked on: the slice that the crosshair is on, with the same masks and window. Touched, it comes onto the stage.
import { NO_PROMPTS } from "../annotate/prompts.ts";
import { type Case, NO_WORK, type Shown, workKey } from "../annotate/case.ts";
import type { Desk } from "../desk.ts";
import { make } from "../dom.ts";
import { atSlice, idOf, inPlane, type Plane, type SliceOf } from "../open/slices.ts";
import { shownSlice } from "../open/opening.ts";
import type { State } from "../state.ts";
import { t } from "../words/words.ts";
import { lettersOf, sizeOf, viewIdOf } from "./frame.ts";
import { colourOfPlane, crossIn, crossOf, nameOfPlane, placeOfCross, voxelAt } from "./linked.ts";
import { Marking } from "./marking.ts";
import { Stage } from "./stage.ts";

/** CSS pixels that the bar takes of the view's foot, as in views.css. */
const FOOT = { wide: 28, narrow: 40 } as const;
const NARROW = "(max-width: 860px)";

export class SideView {
  readonly element = make("div", { className: "side" });
  readonly #canvas = make("canvas");
  readonly #name = make("p", { className: "plane" });
  readonly #range = make("input", { type: "range", min: "1", step: "1" });
  readonly #stage: Stage;
  readonly #desk: Desk;
  readonly #marking: Marking;
  #plane: Plane = "axial";
  /** The picture that is here, and the one that is wanted; while one is read, only the latest wish counts. */
  #shown: Shown | null = null;
  #wanted: SliceOf | null = null;
  #reading = false;

  /** `onTaken` is told of the touch that brought it onto the stage. */
  constructor(desk: Desk, onTaken: (event: PointerEvent) => void) {
    this.#desk = desk;
    this.#marking = new Marking(desk);
    this.element.setAttribute("role", "group");
    this.element.append(this.#canvas, make("div", { className: "foot" }, this.#name, this.#range));
    this.#stage = new Stage(this.#canvas, () => {});
    this.#canvas.addEventListener("pointerdown", (event) => {
      const of = desk.case;
      if (!this.#shown || !this.#isNow(of)) return;
      desk.bring(this.#shown);
      onTaken(event);
    });
    // The focus is the stage's.
    this.#canvas.addEventListener("mousedown", (event) => event.preventDefault());
    this.element.addEventListener("contextmenu", (event) => event.preventDefault());
    this.#range.addEventListener("input", () => this.#toSlice(this.#range.valueAsNumber - 1));
    this.#canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const { left, top } = this.#canvas.getBoundingClientRect();
        if (event.ctrlKey || event.metaKey) this.#stage.zoom(Math.exp(-event.deltaY * 0.01), event.clientX - left, event.clientY - top);
        else this.#toSlice(this.#range.valueAsNumber - 1 + Math.sign(event.deltaY));
      },
      { passive: false },
    );
  }

  /** What is on the stage, kept for when this plane leaves it. */
  keep(shown: Shown): void {
    this.#shown = shown;
  }

  render(state: State, of: Case, plane: Plane): void {
    this.#plane = plane;
    const slice = of.shown?.slice;
    const cross = crossOf(of);
    if (!slice || !cross) return;
    const { volume } = slice;
    const place = placeOfCross(volume, plane, cross);
    const wanted = atSlice(slice.plane === plane ? slice : inPlane(slice, plane), place.index);
    this.#wanted = wanted;
    if (idOf(wanted) !== this.#shown?.id) void this.#read();
    const name = t(`plane.${nameOfPlane(volume, plane)}`);
    const count = wanted.view.slices;
    this.element.dataset.plane = plane;
    this.element.setAttribute("aria-label", t("views.plane", { plane: name }));
    this.#name.textContent = `${name} ${t("slices.place", { n: place.index + 1, of: count })}`;
    this.#name.style.color = colourOfPlane(volume, plane);
    this.#range.max = `${count}`;
    this.#range.valueAsNumber = place.index + 1;
    this.#range.setAttribute("aria-label", t("views.slice", { plane: name }));
    this.#draw(state, of, plane);
  }

  redraw(): void {
    this.#stage.redraw();
  }

  #draw(state: State, of: Case, plane: Plane): void {
    const shown = this.#shown;
    const cross = crossOf(of);
    const slice = shown?.slice;
    if (!shown || !slice || !cross || slice.tile !== of.shown?.slice?.tile || slice.plane !== plane) {
      this.#stage.show(null);
      return;
    }
    const place = { plane, index: slice.index };
    const { prompts } = of.works.get(workKey(of.object, place)) ?? NO_WORK;
    this.#stage.show({
      id: viewIdOf({ ...of, place }),
      image: shown.canvas,
      size: sizeOf(shown),
      prompts: state.promptsShown ? prompts : NO_PROMPTS,
      overlay: state.hidden ? null : this.#marking.overlay(state, of, place, shown.picture),
      lit: null,
      fill: state.fill,
      stroke: null,
      ruler: null,
      brush: null,
      letters: lettersOf(shown),
      corners: null,
      pointed: null,
      preview: null,
      foot: FOOT[matchMedia(NARROW).matches ? "narrow" : "wide"],
      cross: crossIn(slice.volume, plane, cross),
      truth: null,
      opacity: state.opacity,
      draft: null,
      cursor: null,
    });
  }

  #isNow(of: Case | null): of is Case {
    return of?.shown?.slice?.tile === this.#shown?.slice?.tile && this.#shown?.slice?.plane === this.#plane;
  }

  #toSlice(index: number): void {
    const of = this.#desk.case;
    const volume = of?.shown?.slice?.volume;
    const cross = of && crossOf(of);
    if (!volume || !cross) return;
    const { at } = crossIn(volume, this.#plane, cross);
    const last = Number(this.#range.max) - 1;
    void this.#desk.toCross(voxelAt(volume, { plane: this.#plane, index: Math.max(0, Math.min(last, index)) }, at));
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#wanted && idOf(this.#wanted) !== this.#shown?.id) {
        this.#shown = await shownSlice(this.#wanted);
        const of = this.#desk.case;
        if (of) this.#draw(this.#desk.store.state, of, this.#plane);
      }
    } catch (error) {
      this.#wanted = null;
      this.#desk.problems.show(error);
    } finally {
      this.#reading = false;
    }
  }
}
