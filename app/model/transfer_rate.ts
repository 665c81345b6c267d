// Bytes per second over the last moments, and the words for it.
import { decimal, t } from "../words/words.ts";

/** Long enough to be calm, short enough to follow a change. */
const WINDOW_MS = 4000;

export class TransferRate {
  readonly #samples: { readonly time: number; readonly bytes: number }[] = [];

  /** Takes the bytes loaded by now; gives bytes per second, or null until there is something to go by. */
  add(bytes: number, time: number): number | null {
    this.#samples.push({ time, bytes });
    while (this.#samples.length > 2 && (this.#samples[1] as { time: number }).time <= time - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] as { time: number; bytes: number };
    const span = time - first.time;
    return span >= 250 ? ((bytes - first.bytes) / span) * 1000 : null;
  }
}

/** `1.07 GB`, `412 MB`, `980 kB`: powers of ten, as disks and downloads are labelled. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${Math.round(bytes)} B`;
  const [unit, size] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  const value = bytes / size;
  return `${value < 10 && unit !== "kB" ? decimal(value, unit === "GB" ? 2 : 1) : Math.round(value)} ${unit}`;
}

/** `40 s`, `3 min`, `2 h`: rounded as one would say it. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return t("time.moment");
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** `14 ms`, `1.2 s`, `48 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(1, Math.round(ms))} ms`;
  return `${ms < 10_000 ? decimal(ms / 1000, 1) : Math.round(ms / 1000)} s`;
}
