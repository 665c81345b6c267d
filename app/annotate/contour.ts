// The outline of a mask as closed lines through the middles of its border's pixel edges, and as polygons of few corners.
import { boundsOf, paintRuns, type Runs } from "../../src/volume/index.ts";

export interface Bits {
  /** [height, width], 0 or 1 */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Right, down, left, up: walking with the mask on the right-hand side. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** Loops of [x, y, x, y, …] in pixel coordinates, outer borders clockwise on the screen, holes the other way. */
export function contours({ data, width, height }: Bits): number[][] {
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
  // Each loop has an edge that runs right along the top of a pixel: those are marked when walked, and are where walks start.
  const walked = new Uint8Array(width * height);
  const loops: number[][] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] !== 1 || inside(x, y - 1) || walked[y * width + x]) continue;
      loops.push(walk(x, y, inside, (u, v) => (walked[v * width + u] = 1)));
    }
  }
  return loops;
}

function walk(startX: number, startY: number, inside: (x: number, y: number) => boolean, mark: (x: number, y: number) => void): number[] {
  const loop: number[] = [];
  let [x, y, direction] = [startX, startY, 0];
  do {
    const [dx, dy] = STEPS[direction] as readonly [number, number];
    if (direction === 0) mark(x, y);
    loop.push(x + dx / 2, y + dy / 2);
    x += dx;
    y += dy;
    // The pixels ahead of the corner, to the left and to the right of the way.
    const left = inside(x + ((dx + dy - 1) >> 1), y + ((dy - dx - 1) >> 1));
    const right = inside(x + ((dx - dy - 1) >> 1), y + ((dy + dx - 1) >> 1));
    // Pixels that touch at a corner only are apart.
    if (!right) direction = (direction + 1) % 4;
    else if (left) direction = (direction + 3) % 4;
  } while (x !== startX || y !== startY || direction !== 0);
  return loop;
}

/** Rings of corners, in original pixels, that keep within `tolerance` of a mask's outline; holes are rings too. */
export function polygonsOf(runs: Runs, { width, height }: { readonly width: number; readonly height: number }, tolerance: number): [number, number][][] {
  const bounds = boundsOf(runs, width);
  if (!bounds) return [];
  const [left, top, right, bottom] = bounds;
  const whole = paintRuns(runs, new Uint8Array(width * height));
  const part: Bits = { data: new Uint8Array((right - left) * (bottom - top)), width: right - left, height: bottom - top };
  for (let y = top; y < bottom; y++) part.data.set(whole.subarray(y * width + left, y * width + right), (y - top) * part.width);
  return contours(part).map((loop) => {
    const spots = Array.from({ length: loop.length / 2 }, (_, i): [number, number] => [(loop[2 * i] as number) + left, (loop[2 * i + 1] as number) + top]);
    // A ring has no ends: it is cut where two of its spots are far apart.
    const far = spots.reduce((best, spot, i) => (apart(spot, spots[0] as Spot) > apart(spots[best] as Spot, spots[0] as Spot) ? i : best), 0);
    const halves = [thinned(spots.slice(0, far + 1), tolerance), thinned([...spots.slice(far), spots[0] as Spot], tolerance)];
    const ring = halves.flatMap((half) => half.slice(0, -1));
    // One so small that nothing is left of it keeps what it has.
    return ring.length > 2 ? ring : spots;
  });
}

type Spot = [number, number];
const apart = (a: Spot, b: Spot) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** Douglas and Peucker's: spots further than `tolerance` from the line between those that stay, stay. */
function thinned(spots: readonly Spot[], tolerance: number): Spot[] {
  const stays = new Set([0, spots.length - 1]);
  const open: [number, number][] = [[0, spots.length - 1]];
  for (let part = open.pop(); part; part = open.pop()) {
    const [from, to] = part;
    const [[x0, y0], [x1, y1]] = [spots[from] as Spot, spots[to] as Spot];
    const long = Math.hypot(x1 - x0, y1 - y0);
    let [worst, most] = [-1, tolerance];
    for (let i = from + 1; i < to; i++) {
      const [x, y] = spots[i] as Spot;
      const off = long === 0 ? Math.hypot(x - x0, y - y0) : Math.abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / long;
      if (off > most) [worst, most] = [i, off];
    }
    if (worst < 0) continue;
    stays.add(worst);
    open.push([from, worst], [worst, to]);
  }
  return spots.filter((_, i) => stays.has(i));
}
