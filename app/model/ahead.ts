// What may be wanted next, the likeliest first: slices beside the one that is shown, then the cases that follow.
import type { Desk } from "../desk.ts";
import { atSlice, idOf, pictureOf } from "../open/slices.ts";
import { listedCases } from "../state.ts";
import type { Ahead } from "./inference.ts";

/** To each side. */
const SLICES = 8;
const CASES = 2;
/** Larger files take their time and their memory to read: they wait until they are looked at. */
const MOST_BYTES = 32e6;

export function aheadOf(desk: Desk): Ahead[] {
  const { state } = desk.store;
  const { settings } = state;
  if (!state.ahead) return [];
  const asked: Ahead[] = [];
  const slice = desk.case?.shown?.slice;
  if (slice) {
    for (let away = 1; away <= SLICES; away++) {
      for (const index of [slice.index + away, slice.index - away]) {
        if (index < 0 || index >= slice.view.slices) continue;
        const other = atSlice(slice, index);
        asked.push({ image: idOf(other), settings, pixels: async (signal) => ({ ...(await pictureOf(other, signal)), channels: 4 }) });
      }
    }
  }
  const cases = listedCases(state);
  const at = cases.findIndex(({ id }) => id === state.current);
  for (const { id, shown, name } of cases.slice(at + 1, at + 1 + CASES)) {
    const read = desk.opening.reads.get(id);
    const bytes = (desk.opening.sources.get(id) ?? []).reduce((sum, { size }) => sum + size, 0);
    if (shown) asked.push({ image: shown.id, settings, pixels: async () => ({ ...shown.picture, channels: 4 }) });
    else if (read && bytes < MOST_BYTES) asked.push({ image: `${id} ${name}`, settings, pixels: async () => ({ ...(await read()).picture, channels: 4 }) });
  }
  return asked;
}
