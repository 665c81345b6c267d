// Strokes and rulers while they are drawn, and what they do when the pointer is let go.
import { difference, union } from "../../src/volume/index.ts";
import type { Shown } from "../annotate/case.ts";
import { colourOf } from "../annotate/labels.ts";
import { areaRuns, pointsAlong, strokeRuns } from "../annotate/strokes.ts";
import type { Desk } from "../desk.ts";
import { t } from "../words/words.ts";
import { lengthOf, sizeOf, unitOf } from "./frame.ts";
import type { Spot, StrokeKind } from "./gestures.ts";
import type { Ruler, Stroke } from "./ink.ts";

/** Rulers of a picture: the longest way and the one across it. */
const MOST_RULERS = 2;

export class Drawing {
  readonly #desk: Desk;
  readonly #redraw: () => void;
  #stroke: Stroke | null = null;
  #line: readonly [Spot, Spot] | null = null;
  #radius = 0;
  readonly #rulers = new Map<string, (readonly [Spot, Spot])[]>();

  constructor(desk: Desk, redraw: () => void) {
    this.#desk = desk;
    this.#redraw = redraw;
  }

  shown(shown: Shown): { stroke: Stroke | null; ruler: Ruler | null } {
    const lines = [...(this.#rulers.get(shown.id) ?? []), ...(this.#line ? [this.#line] : [])];
    const { unit } = unitOf(shown);
    const ruler = lines.map(([from, to]) => ({ from, to, words: t("ruler.length", { length: lengthOf(shown, from, to).toFixed(1), unit }) }));
    return { stroke: this.#stroke, ruler: ruler.length > 0 ? { lines: ruler } : null };
  }

  drop(): void {
    this.#stroke = null;
    this.#line = null;
  }

  clearRulers(): void {
    const id = this.#desk.case?.shown?.id;
    if (id && this.#rulers.delete(id)) this.#redraw();
  }

  stroke(kind: StrokeKind, points: readonly Spot[], negative: boolean, done: boolean, pressure: number): void {
    const of = this.#desk.case;
    if (!of?.shown || points.length === 0) {
      this.drop();
      this.#redraw();
      return;
    }
    if (kind === "ruler") {
      this.#measure(of.shown, points, done);
      return;
    }
    const { state } = this.#desk.store;
    const label = of.objects.find(({ id }) => id === of.object)?.label ?? 1;
    const colour = negative && kind === "scribble" ? "#ff6b6b" : (state.labels.find(({ id }) => id === label)?.colour ?? colourOf(label));
    // The right button does what the other of the two does.
    const drawn = negative && kind === "brush" ? "eraser" : negative && kind === "eraser" ? "brush" : kind;
    // A pen that is pressed lightly draws thinner; a mouse says 0.5.
    if (points.length === 1) this.#radius = 0;
    this.#radius = Math.max(this.#radius, state.brush * unitOf(of.shown).pixels * (pressure > 0 && pressure !== 0.5 ? 0.4 + 1.2 * pressure : 1));
    this.#stroke = { kind: drawn, points: [...points], radius: this.#radius, colour };
    if (done) this.#finish(drawn, points, negative, of.shown);
    this.#redraw();
  }

  #finish(kind: Stroke["kind"], points: readonly Spot[], negative: boolean, shown: Shown): void {
    const radius = this.#radius;
    this.drop();
    this.#radius = 0;
    const of = this.#desk.case;
    if (!of) return;
    const size = sizeOf(shown);
    const before = this.#desk.annotator.runs(of, of.object);
    if (kind === "scribble") {
      this.#desk.addPoints(pointsAlong(points, size).map((pixel) => ({ ...pixel, label: negative ? 0 : 1 }) as const));
      return;
    }
    const runs = kind === "lasso" ? areaRuns([points], size) : strokeRuns(points, radius, size);
    const adds = kind === "brush" || (kind === "lasso" && !negative);
    this.#desk.annotator.draw({ key: `step.${kind}` }, adds ? union(before, runs) : difference(before, runs));
  }

  #measure(shown: Shown, points: readonly Spot[], done: boolean): void {
    const line = [points[0], points.at(-1)] as [Spot, Spot];
    this.#line = done ? null : line;
    if (done && lengthOf(shown, ...line) * unitOf(shown).pixels > 1) {
      const before = this.#rulers.get(shown.id) ?? [];
      this.#rulers.set(shown.id, [...before, line].slice(-MOST_RULERS));
      this.#desk.store.set({ said: t("ruler.said", { length: lengthOf(shown, ...line).toFixed(1), unit: unitOf(shown).unit }) });
    }
    this.#redraw();
  }
}
