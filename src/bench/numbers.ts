// Numbers for people: three digits and a unit.

/** Three digits: `1234`, `12.3`, `0.0123`. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.max(0, Math.min(6, 2 - size)));
}

/** Milliseconds and up. */
export function time(ms: number): string {
  if (ms > 0 && ms < 1) return `${digits(ms * 1000)} µs`;
  return ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

export function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} %`;
}

const SCALES = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** `69.3 GFLOP`, `1.07 GB` */
export function amount(value: number, unit: string): string {
  const [size, letter] = SCALES.find(([size]) => value >= size) ?? [1, ""];
  return `${digits(value / size)} ${letter}${unit}`;
}
