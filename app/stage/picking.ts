// The select tool: which object is under the pointer, its outline lit, chosen by a click, with a menu by the right button.
import type { Desk } from "../desk.ts";
import type { Pixel } from "./view.ts";

export class Picking {
  readonly #desk: Desk;
  readonly #stage: HTMLElement;
  /** Opens the menu of the current object at a place in the window. */
  onMenu: (x: number, y: number) => void = () => {};
  #under: number | null = null;

  constructor(desk: Desk, stage: HTMLElement) {
    this.#desk = desk;
    this.#stage = stage;
  }

  /** The object that a click would choose: its outline stands out. */
  get lit(): number | null {
    return this.#desk.store.state.tool === "select" ? this.#under : null;
  }

  /** Whether another object is lit now. */
  hover(pixel: Pixel | null): boolean {
    const before = this.#under;
    this.#under = pixel && this.#desk.store.state.tool === "select" ? this.#next(pixel) : null;
    return this.#under !== before;
  }

  pick(pixel: Pixel): void {
    const next = this.#next(pixel);
    if (next !== null) this.#desk.annotator.select(next);
  }

  /** At a pixel and a place in the window; by key of the current object, in the middle. */
  menu(at: { readonly pixel: Pixel; readonly x: number; readonly y: number } | null): void {
    if (!at) {
      const { left, top, width, height } = this.#stage.getBoundingClientRect();
      this.onMenu(left + width / 2, top + height / 2);
      return;
    }
    const found = this.#objectsAt(at.pixel);
    const object = found.find((id) => id === this.#desk.case?.object) ?? found[0];
    if (object === undefined) return;
    this.#desk.annotator.select(object);
    this.onMenu(at.x, at.y);
  }

  /** Of several that lie on each other the next one than the current. */
  #next(pixel: Pixel): number | null {
    const found = this.#objectsAt(pixel);
    return found.find((id) => id !== this.#desk.case?.object) ?? found[0] ?? null;
  }

  /** Those whose masks are there. */
  #objectsAt({ x, y }: Pixel): readonly number[] {
    const of = this.#desk.case;
    if (!of?.shown) return [];
    const at = y * of.shown.picture.width + x;
    const here = (runs: ArrayLike<number>) => {
      for (let i = 0; i < runs.length; i += 2) if ((runs[i] as number) <= at && at < (runs[i + 1] as number)) return true;
      return false;
    };
    return of.objects.filter(({ id, visible }) => visible && here(this.#desk.annotator.runs(of, id))).map(({ id }) => id);
  }
}
