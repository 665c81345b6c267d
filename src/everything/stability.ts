// How little a mask hangs on its threshold.
import type { Framing } from "../image/image.ts";

/** One output pixel's place between two columns (or rows) of logits. */
interface Step {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

/** Columns (or rows) of the model's square inside the image, put together by the cell of logits that they lie in. */
function cells(side: number, size: number, from: number, to: number): { low: number; high: number; steps: Step[] }[] {
  const found: { low: number; high: number; steps: Step[] }[] = [];
  for (let at = from; at < to; at++) {
    const place = Math.max(0, ((at + 0.5) * side) / size - 0.5);
    const low = Math.floor(place);
    const high = Math.min(low + 1, side - 1);
    let cell = found.at(-1);
    if (!cell || cell.low !== low) {
      cell = { low, high, steps: [] };
      found.push(cell);
    }
    cell.steps.push({ low, high, share: place - low });
  }
  return found;
}

/**
 * Of masks at two thresholds the share that both have: pixels above `+offset` over pixels above `-offset`, of logits [side, side] brought to the model's
 * square bilinearly, inside the image. NaN where no pixel is above either. Cells whose four corners agree are counted without being drawn.
 */
export function stability(logits: Float32Array, side: number, framing: Framing, offset: number): number {
  const { size, left, top, width, height, scaleX, scaleY } = framing;
  const across = cells(side, size, left, left + Math.round(width * scaleX));
  const down = cells(side, size, top, top + Math.round(height * scaleY));
  let high = 0;
  let low = 0;
  for (const row of down) {
    for (const column of across) {
      const a = logits[row.low * side + column.low] as number;
      const b = logits[row.low * side + column.high] as number;
      const c = logits[row.high * side + column.low] as number;
      const d = logits[row.high * side + column.high] as number;
      const [least, most] = [Math.min(a, b, c, d), Math.max(a, b, c, d)];
      if (most <= -offset) continue;
      if (least > offset) {
        high += row.steps.length * column.steps.length;
        low += row.steps.length * column.steps.length;
        continue;
      }
      for (const y of row.steps) {
        for (const x of column.steps) {
          const upper = a + (b - a) * x.share;
          const value = upper + (c + (d - c) * x.share - upper) * y.share;
          if (value > offset) high++;
          if (value > -offset) low++;
        }
      }
    }
  }
  return high / low;
}
