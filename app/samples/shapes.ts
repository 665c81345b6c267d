// Outlines as signed distances in pixels, negative inside, each with a rectangle that holds it.
import { smooth } from "./noise.ts";

export interface Shape {
  readonly distance: (x: number, y: number) => number;
  /** x0, y0, x1, y1 */
  readonly bounds: readonly [number, number, number, number];
}

export interface BlobOptions {
  /** Radians, clockwise on the screen. */
  readonly turn?: number;
  /** Irregularity of the outline, a share of the radius. */
  readonly wobble?: number;
  readonly seed?: number;
}

/** An ellipse, or something organic of its size. */
export function blob(cx: number, cy: number, rx: number, ry: number, { turn = 0, wobble = 0, seed = 1 }: BlobOptions = {}): Shape {
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const radius = outline(wobble, seed);
  const reach = Math.max(rx, ry) * (1 + wobble) + 2;
  const distance = (x: number, y: number) => {
    const dx = x - cx;
    const dy = y - cy;
    const u = (dx * cos + dy * sin) / rx;
    const v = (dy * cos - dx * sin) / ry;
    const k = Math.sqrt(u * u + v * v);
    if (k < 1e-3) return -Math.min(rx, ry);
    const q = k / radius(u, v);
    return ((q - 1) * k) / Math.sqrt((u / rx) * (u / rx) + (v / ry) * (v / ry));
  };
  return { distance, bounds: [cx - reach, cy - reach, cx + reach, cy + reach] };
}

const DIRECTIONS = 256;

/** Radius of a unit outline by direction, tabulated once: the noise would cost more than all the rest of a painting. */
function outline(wobble: number, seed: number): (u: number, v: number) => number {
  if (wobble === 0) return () => 1;
  const table = Float64Array.from({ length: DIRECTIONS + 1 }, (_, i) => {
    const u = Math.cos((2 * Math.PI * i) / DIRECTIONS);
    const v = Math.sin((2 * Math.PI * i) / DIRECTIONS);
    return 1 + wobble * (0.65 * smooth(u * 1.3 + 7, v * 1.3 + 7, seed) + 0.35 * smooth(u * 3.1 - 5, v * 3.1 - 5, seed + 9));
  });
  return (u, v) => {
    const signed = Math.atan2(v, u) / (2 * Math.PI);
    const turn = signed < 0 ? signed + 1 : signed;
    const i = Math.floor(turn * DIRECTIONS);
    const low = table[i] as number;
    return low + ((table[i + 1] as number) - low) * (turn * DIRECTIONS - i);
  };
}

export type Vertex = readonly [x: number, y: number];

/** A band around a smooth curve through the points, its half-width going from `radius` to `end`. */
export function tube(points: readonly Vertex[], radius: number, end = radius): Shape {
  const path = points.length > 2 ? rounded(points) : points;
  const pieces = path.length - 1;
  const widest = Math.max(radius, end);
  const reach = widest + 2;
  const xs = Float64Array.from(path, ([x]) => x);
  const ys = Float64Array.from(path, ([, y]) => y);
  const toPiece = (i: number, x: number, y: number) => {
    const ax = xs[i] as number;
    const ay = ys[i] as number;
    const dx = (xs[i + 1] as number) - ax;
    const dy = (ys[i + 1] as number) - ay;
    const t = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    const u = x - ax - t * dx;
    const v = y - ay - t * dy;
    return Math.sqrt(u * u + v * v) - radius - ((end - radius) * (i + t)) / pieces;
  };
  // The nearest piece of the place before is likely the nearest again; most others then are further away by their rectangles alone.
  let nearest = 0;
  const distance = (x: number, y: number) => {
    let best = toPiece(nearest, x, y);
    for (let i = 0; i < pieces; i++) {
      const least = best + widest;
      if (beyond(x, xs[i] as number, xs[i + 1] as number) > least || beyond(y, ys[i] as number, ys[i + 1] as number) > least) continue;
      const away = toPiece(i, x, y);
      if (away >= best) continue;
      best = away;
      nearest = i;
    }
    return best;
  };
  return { distance, bounds: [Math.min(...xs) - reach, Math.min(...ys) - reach, Math.max(...xs) + reach, Math.max(...ys) + reach] };
}

/** How far a number is outside of the interval between two others; inside, at most 0. */
function beyond(value: number, a: number, b: number): number {
  return a < b ? Math.max(a - value, value - b) : Math.max(b - value, value - a);
}

/** Catmull-Rom through the points, five steps a piece. */
function rounded(points: readonly Vertex[]): Vertex[] {
  const at = (i: number) => points[Math.min(points.length - 1, Math.max(0, i))] as Vertex;
  const path: Vertex[] = [];
  for (let i = 0; i < points.length - 1; i++) {
    const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    for (let k = 0; k < 5; k++) path.push([spline(a[0], b[0], c[0], d[0], k / 5), spline(a[1], b[1], c[1], d[1], k / 5)]);
  }
  path.push(at(points.length - 1));
  return path;
}

function spline(a: number, b: number, c: number, d: number, t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

export function union(...shapes: readonly Shape[]): Shape {
  const side = (i: 0 | 1 | 2 | 3, of: (...values: number[]) => number) => of(...shapes.map(({ bounds }) => bounds[i]));
  return {
    distance: (x, y) => {
      let least = Number.POSITIVE_INFINITY;
      for (const shape of shapes) least = Math.min(least, shape.distance(x, y));
      return least;
    },
    bounds: [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)],
  };
}

/** What of `shape` lies in `other` too. */
export function within(shape: Shape, other: Shape): Shape {
  return { distance: (x, y) => Math.max(shape.distance(x, y), other.distance(x, y)), bounds: shape.bounds };
}

export function without(shape: Shape, other: Shape): Shape {
  return { distance: (x, y) => Math.max(shape.distance(x, y), -other.distance(x, y)), bounds: shape.bounds };
}

/** The shape grown by so many pixels; shrunk by a negative number. */
export function grown(shape: Shape, by: number): Shape {
  const [x0, y0, x1, y1] = shape.bounds;
  const pad = Math.max(0, by);
  return { distance: (x, y) => shape.distance(x, y) - by, bounds: [x0 - pad, y0 - pad, x1 + pad, y1 + pad] };
}
