// A mask as the network takes one to go on from.
import type { Framing } from "../image/image.ts";
import { expectRuns } from "./fail.ts";
import { type Runs, rowRuns } from "./runs.ts";

/**
 * What `maskInput` of a prompt takes to go on from a mask that no prompt made, drawn or read from a file: the share of each cell of the network's
 * low-resolution square that it covers, [side, side] of 0 … 1. `runs` are of the picture that was encoded, `framing` its embedding's, `side` 4g.
 */
export function maskInputOfRuns(runs: Runs, framing: Framing, side: number): Float32Array<ArrayBuffer> {
  expectRuns("maskInputOfRuns", runs);
  const cells = new Float32Array(side * side);
  const share = side / framing.size;
  const [scaleX, scaleY] = [framing.scaleX * share, framing.scaleY * share];
  for (const [row, begin, end] of rowRuns(runs, framing.width)) {
    const [top, bottom] = [row * scaleY + framing.top * share, (row + 1) * scaleY + framing.top * share];
    const [left, right] = [begin * scaleX + framing.left * share, end * scaleX + framing.left * share];
    for (let y = Math.floor(top); y < Math.min(side, bottom); y++) {
      const tall = Math.min(bottom, y + 1) - Math.max(top, y);
      for (let x = Math.floor(left); x < Math.min(side, right); x++) {
        const wide = Math.min(right, x + 1) - Math.max(left, x);
        cells[y * side + x] = Math.min(1, (cells[y * side + x] as number) + tall * wide);
      }
    }
  }
  return cells;
}
