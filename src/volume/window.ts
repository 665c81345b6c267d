// From values to gray: the file's windows, presets, and windows made from the values themselves.
import type { SliceData, Volume, Window } from "./volume.ts";

/** Of computed tomography, HU. */
const CT: readonly (readonly [string, number, number])[] = [
  ["abdomen", 40, 400],
  ["lung", -600, 1500],
  ["mediastinum", 50, 350],
  ["bone", 400, 1800],
  ["brain", 40, 80],
  ["liver", 60, 160],
  ["stroke", 35, 40],
  ["angiography", 300, 600],
];

const window = (name: string, center: number, width: number): Window => ({ name, center, width, shape: "linear" });

/** By name, for a modality's values; none where values have no fixed unit (MR, US). */
export function presets(modality: string | undefined): readonly Window[] {
  if (modality === "CT") return CT.map(([name, center, width]) => window(name, center, width));
  if (modality === "PT") return [window("SUV 0 to 5", 2.5, 5), window("SUV 0 to 10", 5, 10)];
  return [];
}

/** From `low`, black, to `high`, white; of equal ends, `low` is black. */
export function between(name: string, low: number, high: number): Window {
  return { name, center: (low + high) / 2, width: Math.max(high - low, 1e-12), shape: "linear-exact" };
}

/** What counts as measured: finite, and no padding. */
export function isMeasured(padding: Volume["padding"]): (value: number) => boolean {
  return padding ? (value) => Number.isFinite(value) && !(value >= padding.low && value <= padding.high) : Number.isFinite;
}

/** From the percentile `from` to `to` (0 to 100) of what the slices have; padding and what is no number left out. */
export function percentileWindow(slices: readonly SliceData[], padding: Volume["padding"], from = 0.5, to = 99.5): Window {
  const measured = isMeasured(padding);
  const total = slices.reduce((sum, data) => sum + data.length, 0);
  // A million values tell percentiles well enough.
  const step = Math.max(1, Math.floor(total / 1_000_000));
  const sample: number[] = [];
  for (const data of slices) for (let i = 0; i < data.length; i += step) if (measured(data[i] as number)) sample.push(data[i] as number);
  if (sample.length === 0) return between("automatic", 0, 1);
  const sorted = Float64Array.from(sample).sort();
  const at = (percent: number) => sorted[Math.round((percent / 100) * (sorted.length - 1))] as number;
  const [low, high] = [at(from), at(to)];
  return high > low ? between("automatic", low, high) : between("automatic", sorted[0] as number, sorted.at(-1) as number);
}

/** From the least to the greatest value of these slices: what SAM-Med2D was trained on, over a whole volume. */
export function minMaxWindow(slices: Iterable<SliceData>, padding?: Volume["padding"]): Window {
  const measured = isMeasured(padding);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const data of slices) {
    for (const value of data) {
      if ((value < low || value > high) && measured(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  return low <= high ? between("min–max", low, high) : between("min–max", 0, 1);
}

/** Reads all slices. */
export async function volumeMinMax(volume: Volume, signal?: AbortSignal): Promise<Window> {
  const ends: SliceData[] = [];
  for (let i = 0; i < volume.slices; i++) {
    const { center, width } = minMaxWindow([(await volume.slice(i, signal ? { signal } : {})).data], volume.padding);
    ends.push(Float64Array.of(center - width / 2, center + width / 2));
  }
  return minMaxWindow(ends);
}

/** The window to begin with: the file's first, else automatic, of the slice in the middle. Pictures of colours need none. */
export async function firstWindow(volume: Volume, signal?: AbortSignal): Promise<Window> {
  const [own] = volume.windows;
  if (own) return own;
  const { data } = await volume.slice(Math.floor(volume.slices / 2), signal ? { signal } : {});
  return percentileWindow([data], volume.padding);
}

/** A value's gray from 0 to 1, by DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3, or the table. What is no number is black. */
export function gray({ center, width, shape, lut }: Window): (value: number) => number {
  if (lut) {
    const last = lut.entries.length - 1;
    return (value) => lut.entries[Math.max(0, Math.min(last, Math.round(value - lut.first)))] ?? 0;
  }
  const clamp = (y: number) => (y > 0 ? Math.min(1, y) : 0);
  if (shape === "sigmoid") return (value) => clamp(1 / (1 + Math.exp((-4 * (value - center)) / width)));
  if (shape === "linear-exact") return (value) => clamp((value - center) / width + 0.5);
  if (width <= 1) return (value) => (value > center - 0.5 ? 1 : 0);
  return (value) => clamp((value - (center - 0.5)) / (width - 1) + 0.5);
}
