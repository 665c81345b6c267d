// The two axes of a lesion as RECIST measures it: the longest way through it, and the longest one across that at a right angle.
import type { Runs } from "../../src/volume/index.ts";
import type { Place } from "./case.ts";

type Spot = readonly [x: number, y: number];
export type Line = readonly [from: Spot, to: Spot];

/** Original pixels of the slice that they are drawn on. */
export interface Axes {
  readonly place: Place;
  readonly long: Line;
  readonly short: Line;
}

/** `ratio`: how tall a pixel is, of its width; right angles are those of the patient, not of the pixels. */
interface Grid {
  readonly width: number;
  readonly height: number;
  readonly ratio?: number;
}

/** Which end is moved: of the long axis, of the short one. */
export type End = readonly [axis: "long" | "short", end: 0 | 1];

/** The short axis of a long one: the longest way across it within the mask; half as long, through its middle, where there is no mask under it. */
export function axesAlong(long: Line, runs: Runs, grid: Grid, place: Place): Axes {
  const { from, along, across, length } = frameOf(long, grid);
  const inside = insideOf(runs, grid);
  let best = { at: length / 2, arms: [length / 4, length / 4] as readonly [number, number], worth: 0 };
  for (let at = 0.5; at < length; at += 0.5) {
    const start = add(from, along, at);
    if (!inside(pixelOf(start, grid))) continue;
    const arms = [-1, 1].map((side) => {
      let reach = 0;
      while (inside(pixelOf(add(start, across, side * (reach + 0.25)), grid))) reach += 0.25;
      return reach;
    }) as [number, number];
    // Of ways as long the one nearest to the middle.
    const worth = arms[0] + arms[1] - 1e-3 * Math.abs(at - length / 2);
    if (worth > best.worth) best = { at, arms, worth };
  }
  return { place, long, short: shortAt(long, best.at / Math.max(length, 1e-9), best.arms, grid) };
}

/** With an end somewhere else. The axes stay at a right angle: the short one goes with the long one, and its ends move across it. */
export function movedAxes(axes: Axes, [axis, end]: End, to: Spot, grid: Grid): Axes {
  const { long, short, place } = axes;
  const { from, along, across, length } = frameOf(long, grid);
  const [first, second] = short.map((spot) => inFrame(square(spot, grid), from, along, across)) as [Place2, Place2];
  const at = length > 0 ? first.along / length : 0.5;
  if (axis === "long") {
    const moved: Line = end === 0 ? [to, long[1]] : [long[0], to];
    return { place, long: moved, short: shortAt(moved, at, [-first.across, second.across], grid) };
  }
  const goal = inFrame(square(to, grid), from, along, across);
  // An end pulled over the long axis stops on it.
  const arms = end === 0 ? [Math.max(0, -goal.across), second.across] : [-first.across, Math.max(0, goal.across)];
  return { place, long, short: shortAt(long, Math.min(1, Math.max(0, goal.along / Math.max(length, 1e-9))), arms as [number, number], grid) };
}

function shortAt(long: Line, at: number, [before, after]: readonly [number, number], grid: Grid): Line {
  const { from, along, across, length } = frameOf(long, grid);
  const middle = add(from, along, at * length);
  return [pixelOf(add(middle, across, -before), grid), pixelOf(add(middle, across, after), grid)];
}

interface Place2 {
  readonly along: number;
  readonly across: number;
}

/** Square pixels: as wide as the original ones. */
function square([x, y]: Spot, { ratio = 1 }: Grid): Spot {
  return [x, y * ratio];
}

function pixelOf([x, y]: Spot, { ratio = 1 }: Grid): Spot {
  return [x, y / ratio];
}

const add = ([x, y]: Spot, [dx, dy]: Spot, by: number): Spot => [x + by * dx, y + by * dy];

function frameOf([start, end]: Line, grid: Grid) {
  const [from, to] = [square(start, grid), square(end, grid)];
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const along: Spot = length > 0 ? [(to[0] - from[0]) / length, (to[1] - from[1]) / length] : [1, 0];
  return { from, along, across: [-along[1], along[0]] as Spot, length };
}

function inFrame([x, y]: Spot, [x0, y0]: Spot, along: Spot, across: Spot): Place2 {
  const [dx, dy] = [x - x0, y - y0];
  return { along: dx * along[0] + dy * along[1], across: dx * across[0] + dy * across[1] };
}

function insideOf(runs: Runs, { width, height }: Grid): (spot: Spot) => boolean {
  return ([x, y]) => {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    if (column < 0 || row < 0 || column >= width || row >= height) return false;
    const at = row * width + column;
    // The first run that ends behind it.
    let [low, high] = [0, runs.length / 2];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((runs[2 * middle + 1] as number) <= at) low = middle + 1;
      else high = middle;
    }
    return 2 * low < runs.length && (runs[2 * low] as number) <= at;
  };
}
