// Three planes of a volume at once: the stage in the place of its own plane, the others beside it, what the crosshair is on in the fourth place.
import type { Desk } from "../desk.ts";
import { byId } from "../dom.ts";
import { currentCase, type State } from "../state.ts";
import { t } from "../words/words.ts";
import { colourOfPlane, nameOfPlane, planesTogether } from "./linked.ts";
import { SideView } from "./side_view.ts";

export class LinkedViews {
  readonly #well = byId("well", HTMLElement);
  readonly #stage = byId("stage", HTMLElement);
  readonly #name = byId("stage-plane", HTMLElement);
  /** One for each place: that of the plane on the stage is hidden. */
  readonly #views: readonly SideView[];

  constructor(desk: Desk) {
    const taken = (event: PointerEvent) => {
      this.#stage.focus({ preventScroll: true });
      // The stage is where the view was: what was begun there goes on.
      this.#stage.dispatchEvent(new PointerEvent(event.type, event));
    };
    this.#views = [0, 1, 2].map((at) => {
      const view = new SideView(desk, taken);
      view.element.dataset.at = `${at}`;
      view.element.hidden = true;
      this.#well.insertBefore(view.element, byId("loading-slot", HTMLElement));
      return view;
    });
    desk.store.subscribe((state, before) => {
      this.#render(state);
      if (state.surfaces !== before.surfaces) for (const view of this.#views) view.redraw();
    });
  }

  #render(state: State): void {
    const of = currentCase(state);
    const slice = of?.shown?.slice;
    const planes = state.layout === "four" && slice ? planesTogether(slice.volume, slice.plane) : [];
    const four = planes.length > 0;
    this.#well.dataset.layout = four ? "four" : "one";
    byId("facts", HTMLElement).hidden = !four;
    this.#name.hidden = !four;
    if (!four) {
      delete this.#stage.dataset.at;
      for (const view of this.#views) view.element.hidden = true;
      return;
    }
    if (!of?.shown || !slice) return;
    const { shown } = of;
    this.#stage.dataset.at = `${planes.indexOf(slice.plane)}`;
    this.#name.textContent = t(`plane.${nameOfPlane(slice.volume, slice.plane)}`);
    this.#name.style.color = colourOfPlane(slice.volume, slice.plane);
    this.#views.forEach((view, at) => {
      const own = planes[at] === slice.plane;
      view.element.hidden = own;
      if (own) view.keep(shown);
      else view.render(state, of, planes[at] as (typeof planes)[number]);
    });
  }
}
