// Pictures of single slices as one volume.
import type { Volume } from "./volume.ts";

/** Slice numbers, from 0, by the numbers that file names end in; from 1 where they count up to all of `slices`; where they are missing or not clear, by their order. */
export function numberedSlices(names: readonly string[], slices?: number): number[] {
  const numbers = names.map((name) => Number(/(\d{1,7})(\.\w+)*$/.exec(name)?.[1] ?? Number.NaN));
  if (!numbers.every(Number.isFinite) || new Set(numbers).size !== numbers.length) return names.map((_, i) => i);
  const fromOne = slices === numbers.length && Math.min(...numbers) === 1 && Math.max(...numbers) === slices;
  return fromOne ? numbers.map((number) => number - 1) : numbers;
}

/** See fetched.ts. */
export function stackedLabels(volumes: readonly Volume[], slices?: number): Volume | undefined {
  const [first] = volumes;
  if (!first) return undefined;
  const { columns, rows } = first;
  if (!volumes.every((one) => one.slices === 1 && one.samples === 1 && one.columns === columns && one.rows === rows)) return undefined;
  const numbers = numberedSlices(
    volumes.map(({ name }) => name),
    slices,
  );
  const count = slices ?? 1 + Math.max(...numbers);
  if (numbers.some((number) => number >= count)) return undefined;
  const bySlice = new Map(numbers.map((number, i) => [number, volumes[i] as Volume]));
  const labels = new Map(volumes.flatMap((one) => one.labels ?? []).map((label) => [label.id, label]));
  const { geometry: _, labels: __, ...rest } = first;
  return {
    ...rest,
    slices: count,
    files: volumes.flatMap(({ files }) => files),
    ...(labels.size > 0 ? { labels: [...labels.values()] } : {}),
    slice: async (index, options) => (await bySlice.get(index)?.slice(0, options)) ?? { data: new Uint8Array(columns * rows), rows, columns, samples: 1 },
  };
}
