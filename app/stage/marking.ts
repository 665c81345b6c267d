// The masks of a case on one slice, as they are drawn over its picture; made again only when one of them changed.
import type { Case, Place } from "../annotate/case.ts";
import { colourOfLabel } from "../annotate/labels.ts";
import type { Desk } from "../desk.ts";
import type { State } from "../state.ts";
import { type Marked, makeOverlay, type Overlay } from "./overlay.ts";

export class Marking {
  readonly #desk: Desk;
  #kept: { readonly of: readonly Marked[]; readonly size: string; readonly overlay: Overlay } | null = null;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** The visible objects' masks, the current one last, so that it lies on top; null where there are none. */
  overlay(state: State, of: Case, place: Place, { width, height }: { readonly width: number; readonly height: number }): Overlay | null {
    const visible = of.objects.filter((object) => object.visible).sort((a, b) => Number(a.id === of.object) - Number(b.id === of.object));
    const marked = visible
      .map(({ id, label }): Marked => {
        return { id, runs: this.#desk.annotator.runs(of, id, place), colour: colourOfLabel(state.labels, label), current: id === of.object };
      })
      .filter(({ runs }) => runs.length > 0);
    // A lost graphics process takes the tint's pixels along.
    const size = `${width} ${height} ${state.surfaces}`;
    const known = this.#kept;
    const same = known?.size === size && known.of.length === marked.length && known.of.every((one, i) => isSame(one, marked[i] as Marked));
    if (!same) this.#kept = marked.length > 0 ? { of: marked, size, overlay: makeOverlay(marked, width, height) } : null;
    return this.#kept?.overlay ?? null;
  }
}

const isSame = (a: Marked, b: Marked) => a.id === b.id && a.runs === b.runs && a.colour === b.colour && a.current === b.current;
