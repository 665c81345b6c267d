// Values of more than 8 bits → the 8-bit gray the network sees, by a range that single pixels do not move.

export type Values = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** Shown as 0 and as 255; in between linear. */
export interface IntensityRange {
  readonly low: number;
  readonly high: number;
}

/** Share of the values left out at either end. */
const TAIL = 0.005;

/**
 * The range between the 0.5 % and the 99.5 % quantile, so that a hot pixel or an offset of all values changes nothing. Where
 * so much is of one value that both quantiles are it (a small structure on an empty background), the quantile of the other values
 * on that side is taken. What is not finite, and what `padding` covers, does not count. Without any value: 0 to 1.
 */
export function robustRange(values: Values, padding?: IntensityRange): IntensityRange {
  const sorted = sortedValues(values, padding);
  if (sorted.length === 0) return { low: 0, high: 1 };
  let low = quantile(sorted, 0, sorted.length, TAIL);
  let high = quantile(sorted, 0, sorted.length, 1 - TAIL);
  if (low === high) {
    const begin = firstNotBelow(sorted, low);
    const end = firstAbove(sorted, high);
    if (begin > sorted.length - end) low = quantile(sorted, 0, begin, TAIL);
    else if (end < sorted.length) high = quantile(sorted, end, sorted.length, 1 - TAIL);
  }
  return { low, high: high > low ? high : low + 1 };
}

/** `[...]` of any length → bytes of the same length: 0 at and below `low`, 255 at and above `high`, rounded; what is no number is 0. */
export function toEightBits(values: Values, { low, high }: IntensityRange): Uint8Array {
  const scale = 255 / (high - low);
  const bytes = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = Math.floor(((values[i] as number) - low) * scale + 0.5);
  return new Uint8Array(bytes.buffer);
}

/** 16-bit values that say no more than 8 bits do, every one 257 or 256 times a byte: those bytes. */
export function spreadBytes(values: Uint16Array): Uint8Array | undefined {
  const factor = [257, 256].find((factor) => values.every((value) => value % factor === 0));
  return factor === undefined ? undefined : Uint8Array.from(values, (value) => value / factor);
}

/** What a person is told of an image that was scaled. */
export function rangeNotice(name: string, { low, high }: IntensityRange): string {
  return `${name} has 16 bits a channel: values from ${low} to ${high} are shown as black to white (0.5 % at either end are cut). For another window, save it in 8 bits.`;
}

function sortedValues(values: Values, padding?: IntensityRange): Values {
  const keep = (value: number) => Number.isFinite(value) && !(padding && value >= padding.low && value <= padding.high);
  const floats = values instanceof Float32Array || values instanceof Float64Array;
  const kept = floats || padding ? values.filter(keep) : values.slice();
  return kept.sort();
}

/** The value at `share` of the way through `sorted[begin..end)`, the nearest one: no value is made up. */
function quantile(sorted: Values, begin: number, end: number, share: number): number {
  return sorted[begin + Math.round((end - begin - 1) * share)] as number;
}

function firstNotBelow(sorted: Values, value: number): number {
  return partition(sorted, (other) => other < value);
}

function firstAbove(sorted: Values, value: number): number {
  return partition(sorted, (other) => other <= value);
}

/** How many at the start `before` holds for. */
function partition(sorted: Values, before: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(sorted[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}
