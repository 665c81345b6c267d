// The outline of a mask as closed lines through the middles of its border's pixel edges.

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
