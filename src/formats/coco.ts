// COCO's run lengths: down the columns, 0s first, as numbers or packed into a string.
import { maskToRle } from "../image/mask_out.ts";
import { paintRuns, type Runs, runsOf } from "../volume/runs.ts";

/** Counts of pixels outside and inside by turns, column by column. */
export function cocoCounts(runs: Runs, columns: number, rows: number): number[] {
  return maskToRle({ data: paintRuns(runs, new Uint8Array(columns * rows)), width: columns, height: rows }).counts;
}

/** Undefined where the counts do not add up to the picture. */
export function runsOfCounts(counts: readonly number[], columns: number, rows: number): Runs | undefined {
  const mask = new Uint8Array(columns * rows);
  let at = 0;
  for (const [i, count] of counts.entries()) {
    if (!Number.isInteger(count) || count < 0 || at + count > mask.length) return undefined;
    for (const end = at + count; at < end; at++) if (i % 2 === 1) mask[(at % rows) * columns + Math.floor(at / rows)] = 1;
  }
  return at === mask.length ? runsOf(mask) : undefined;
}

/** Five bits a letter, the differences to the count two before. */
export function packCounts(counts: readonly number[]): string {
  let out = "";
  for (const [i, count] of counts.entries()) {
    let value = i > 2 ? count - (counts[i - 2] as number) : count;
    for (let more = true; more; ) {
      let bits = value & 31;
      value >>= 5;
      more = bits & 16 ? value !== -1 : value !== 0;
      if (more) bits |= 32;
      out += String.fromCharCode(bits + 48);
    }
  }
  return out;
}

export function unpackCounts(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let [value, shift] = [0, 0];
    for (let more = true; more; at++) {
      const bits = text.charCodeAt(at) - 48;
      if (!(bits >= 0 && bits < 64) || shift > 30) return [Number.NaN];
      value |= (bits & 31) << shift;
      shift += 5;
      more = (bits & 32) !== 0;
      if (!more && bits & 16 && shift < 32) value |= -1 << shift;
    }
    counts.push(counts.length > 2 ? value + (counts[counts.length - 2] as number) : value);
  }
  return counts;
}
