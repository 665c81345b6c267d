// What a click would give, shown where the pointer rests: asked for after a moment, given up by the next move.
import type { Runs } from "../../src/volume/index.ts";
import type { Desk } from "../desk.ts";
import type { Pixel } from "./view.ts";

/** A pointer that stays for so long rests. */
const REST_MS = 80;

export class Preview {
  readonly #desk: Desk;
  readonly #redraw: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | null = null;
  runs: Runs | null = null;

  constructor(desk: Desk, redraw: () => void) {
    this.#desk = desk;
    this.#redraw = redraw;
  }

  /** The pointer came to another pixel, or left; a prompt was set. */
  moved(pixel: Pixel | null): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = null;
    if (this.runs) {
      this.runs = null;
      this.#redraw();
    }
    if (pixel) this.#timer = setTimeout(() => void this.#ask(pixel), REST_MS);
  }

  async #ask(pixel: Pixel): Promise<void> {
    const controller = new AbortController();
    this.#asking = controller;
    const runs = await this.#desk.peek(pixel, controller.signal);
    if (this.#asking !== controller || controller.signal.aborted || !runs) return;
    this.runs = runs;
    this.#redraw();
  }
}
