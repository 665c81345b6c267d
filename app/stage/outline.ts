// The outline of the current mask as corners to drag, add and take away. Only what a corner moved changes: the rest of the mask stays to the pixel.
import { difference, type Runs, union } from "../../src/volume/index.ts";
import { polygonsOf } from "../annotate/contour.ts";
import { areaRuns } from "../annotate/strokes.ts";
import type { Grip, Spot } from "./gestures.ts";
import { type Pixel, type Size, toStage, type View } from "./view.ts";

/** Rings of corners in original pixels, holes among them. */
export type Rings = readonly (readonly Spot[])[];

/** CSS pixels around a corner, and beside an edge. */
const CORNER_REACH = 9;
const EDGE_REACH = 7;
/** Original pixels that a corner may stand for at most, on the screen about one. */
const TOLERANCE = 1;

export class Outline {
  /** The corners of these runs; another mask has others. */
  #of: Runs | null = null;
  #rings: Rings = [];
  #moved: Rings | null = null;

  /** What is seen: with the corner that is being dragged. */
  rings(runs: Runs, size: Size, scale: number): Rings {
    if (runs !== this.#of) {
      this.#of = runs;
      this.#rings = polygonsOf(runs, size, Math.max(TOLERANCE, 1.5 / scale));
      this.#moved = null;
    }
    return this.#moved ?? this.#rings;
  }

  /** A corner, or an edge, of which a corner is made. */
  grip(view: View, x: number, y: number): Grip | null {
    for (const [ring, corners] of this.#rings.entries()) {
      for (const [index, spot] of corners.entries()) {
        const [left, top] = toStage(view, ...spot);
        if (Math.hypot(left - x, top - y) <= CORNER_REACH) return { kind: "corner", ring, index, made: false };
      }
    }
    for (const [ring, corners] of this.#rings.entries()) {
      for (const [index, spot] of corners.entries()) {
        const [from, to] = [toStage(view, ...spot), toStage(view, ...(corners[(index + 1) % corners.length] as Spot))];
        if (distance(from, to, x, y) <= EDGE_REACH) return { kind: "corner", ring, index: index + 1, made: true };
      }
    }
    return null;
  }

  /** While it is dragged nothing but the line moves. */
  drag(grip: Extract<Grip, { kind: "corner" }>, to: Pixel): void {
    this.#moved = withCorner(this.#rings, grip, [to.x + 0.5, to.y + 0.5]);
  }

  drop(): void {
    this.#moved = null;
  }

  /** The mask with the dragged corner where it was let go. */
  moved(before: Runs, size: Size): Runs {
    return this.#changed(before, this.#moved ?? this.#rings, size);
  }

  /** The mask without a corner; of three the ring goes with it. */
  without({ ring, index }: Extract<Grip, { kind: "corner" }>, before: Runs, size: Size): Runs {
    const left = this.#rings.map((corners, i) => (i === ring ? corners.filter((_, at) => at !== index) : corners)).filter((corners) => corners.length > 2);
    return this.#changed(before, left, size);
  }

  /** Corners stay where they are though the mask is another now. */
  #changed(before: Runs, rings: Rings, size: Size): Runs {
    const [was, is] = [areaRuns(this.#rings, size), areaRuns(rings, size)];
    const after = union(difference(before, difference(was, is)), difference(is, was));
    [this.#of, this.#rings, this.#moved] = [after, rings, null];
    return after;
  }
}

function withCorner(rings: Rings, { ring, index, made }: Extract<Grip, { kind: "corner" }>, spot: Spot): Rings {
  return rings.map((corners, i) => (i === ring ? [...corners.slice(0, index), spot, ...corners.slice(made ? index : index + 1)] : corners));
}

function distance([x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number], x: number, y: number): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const long = dx * dx + dy * dy;
  const along = long === 0 ? 0 : Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / long));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}
