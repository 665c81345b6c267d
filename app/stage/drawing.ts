// Strokes and rulers while they are drawn, and what they do when the pointer is let go.
import { difference, union } from "../../src/volume/index.ts";
import { type Axes, axesAlong, type End, movedAxes } from "../annotate/axes.ts";
import { type Case, objectOf, type Shown } from "../annotate/case.ts";
import { colourOfLabel } from "../annotate/labels.ts";
import { areaRuns, pointsAlong, strokeRuns } from "../annotate/strokes.ts";
import type { Desk } from "../desk.ts";
import { decimal, t } from "../words/words.ts";
import { lengthOf, sizeOf, unitOf } from "./frame.ts";
import type { Spot, StrokeKind } from "./gestures.ts";
import type { Ruler, Stroke } from "./ink.ts";

/** Rulers of a picture: the longest way and the one across it. */
const MOST_RULERS = 2;
/** CSS pixels around the end of an axis. */
const END_REACH = 12;

export class Drawing {
  readonly #desk: Desk;
  readonly #redraw: () => void;
  /** CSS pixels of an original pixel. */
  readonly #scale: () => number;
  #stroke: Stroke | null = null;
  #line: readonly [Spot, Spot] | null = null;
  /** The two diameters of the current object that are being drawn, and which end of them is held. */
  #axes: Axes | null = null;
  #end: End | null = null;
  #radius = 0;
  readonly #rulers = new Map<string, (readonly [Spot, Spot])[]>();

  constructor(desk: Desk, scale: () => number, redraw: () => void) {
    this.#desk = desk;
    this.#scale = scale;
    this.#redraw = redraw;
  }

  shown(of: Case, shown: Shown): { stroke: Stroke | null; ruler: Ruler | null } {
    const lines = [...(this.#rulers.get(shown.id) ?? []), ...(this.#line ? [this.#line] : [])];
    const { unit } = unitOf(shown);
    const ruler = lines.map(([from, to]) => ({ from, to, words: t("ruler.length", { length: decimal(lengthOf(shown, from, to), 1), unit }) }));
    for (const { long, short } of this.#axesOn(of)) {
      const words = t("axes.length", { ...diameters(shown, { long, short }), unit });
      ruler.push({ from: long[0], to: long[1], words }, { from: short[0], to: short[1], words: "" });
    }
    return { stroke: this.#stroke, ruler: ruler.length > 0 ? { lines: ruler } : null };
  }

  /** Those on the slice that is shown, as they are while one is drawn. */
  #axesOn(of: Case): readonly Axes[] {
    const there = of.objects.filter(({ id, visible }) => visible && !(this.#axes && id === of.object)).flatMap(({ axes }) => axes ?? []);
    return [...there, ...(this.#axes ? [this.#axes] : [])].filter(({ place }) => place.plane === of.place.plane && place.index === of.place.index);
  }

  drop(): void {
    this.#stroke = null;
    this.#line = null;
    this.#axes = null;
    this.#end = null;
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
    if (kind === "axes") {
      this.#cross(of, of.shown, points, done);
      return;
    }
    const { state } = this.#desk.store;
    const label = of.objects.find(({ id }) => id === of.object)?.label ?? 1;
    const colour = negative && kind === "scribble" ? "#ff6b6b" : colourOfLabel(state.labels, label);
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
      this.#desk.store.set({ said: t("ruler.said", { length: decimal(lengthOf(shown, ...line), 1), unit: unitOf(shown).unit }) });
    }
    this.#redraw();
  }

  /** A long axis is drawn, which brings its short one; or an end of those that are there is moved. */
  #cross(of: Case, shown: Shown, points: readonly Spot[], done: boolean): void {
    const object = objectOf(of);
    const [from, to] = [points[0], points.at(-1)] as [Spot, Spot];
    const size = sizeOf(shown);
    const known = object?.axes?.place.plane === of.place.plane && object.axes.place.index === of.place.index ? object.axes : null;
    if (points.length === 1 || !this.#axes) this.#end = known && endAt(known, from, END_REACH / this.#scale(), size.ratio ?? 1);
    const runs = this.#desk.annotator.runs(of, of.object);
    this.#axes = known && this.#end ? movedAxes(known, this.#end, to, size) : axesAlong([from, to], runs, size, of.place);
    const { long } = this.#axes;
    const axes = this.#axes;
    const meant = points.length > 1 && lengthOf(shown, ...long) * unitOf(shown).pixels > 1;
    if (done) this.drop();
    if (done && meant && object && !object.locked) {
      this.#desk.annotator.change(object.id, { axes });
      this.#desk.store.set({ said: t("axes.said", { ...diameters(shown, axes), unit: unitOf(shown).unit }) });
    }
    this.#redraw();
  }
}

/** The end that is held at a place, within so many original pixels. */
function endAt({ long, short }: Axes, [x, y]: Spot, reach: number, ratio: number): End | null {
  const ends = (["short", "long"] as const).flatMap((axis) => ([0, 1] as const).map((end) => [axis, end] as const));
  const away = ([axis, end]: End) => {
    const [endX, endY] = (axis === "long" ? long : short)[end];
    return Math.hypot(endX - x, (endY - y) * ratio);
  };
  const best = ends.reduce((a, b) => (away(b) < away(a) ? b : a));
  return away(best) <= reach ? best : null;
}

/** `23.4` and `12.1`: the longer one first, whichever was drawn as the long axis. */
export function diameters(shown: Shown, { long, short }: Pick<Axes, "long" | "short">): { readonly long: string; readonly short: string } {
  const [less, more] = [lengthOf(shown, ...long), lengthOf(shown, ...short)].sort((a, b) => a - b) as [number, number];
  return { long: more.toFixed(1), short: less.toFixed(1) };
}
