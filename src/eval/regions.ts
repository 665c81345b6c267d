// Connected regions of a mask; pixels that touch at a corner are connected.
import type { Mask } from "../image/mask.ts";

/** `[x0, y0, x1, y1)` of the region with most pixels, the first in row order of equals; null for an empty mask. */
export function largestRegionBox(mask: Mask): Box | null {
  let best: Region | undefined;
  for (const region of regions(mask)) if (!best || region.pixels > best.pixels) best = region;
  return best ? best.box : null;
}

export function countRegions(mask: Mask): number {
  return [...regions(mask)].length;
}

type Box = [x0: number, y0: number, x1: number, y1: number];

interface Region {
  readonly pixels: number;
  readonly box: Box;
}

/** In row order of their first pixels. */
function* regions({ data, width, height }: Mask): Generator<Region> {
  const seen = new Uint8Array(data.length);
  for (let start = data.indexOf(1); start >= 0; start = data.indexOf(1, start + 1)) {
    if (seen[start]) continue;
    seen[start] = 1;
    const open = [start];
    const box: Box = [width, height, 0, 0];
    let pixels = 0;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const x = at % width;
      const y = (at - x) / width;
      pixels++;
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x + 1);
      box[3] = Math.max(box[3], y + 1);
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const next = row * width + column;
          if (data[next] && !seen[next]) {
            seen[next] = 1;
            open.push(next);
          }
        }
      }
    }
    yield { pixels, box };
  }
}
