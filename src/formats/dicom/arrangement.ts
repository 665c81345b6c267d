// Slices in space: sorted along their normal, and what is wrong with their distances, in sentences.
import { add, cross, type Direction, dot, type Geometry, length, normalized, type Vector3 } from "../../volume/geometry.ts";
import type { Frame } from "./frames.ts";
import type { DicomImage } from "./image.ts";

/** One slice to be: a frame of a file. */
export interface Slot {
  readonly image: DicomImage;
  /** From 0, in its file. */
  readonly index: number;
  readonly frame: Frame;
}

/** Nearer than this along the normal, mm, and two slices lie at one position. */
const SAME = 1e-3;

export function normalOf({ orientation }: Frame): Vector3 | undefined {
  return orientation && normalized(cross(...orientation));
}

/** Distance along the normal, mm. Undefined without position or orientation. */
export function placeOf(frame: Frame): number | undefined {
  const normal = normalOf(frame);
  return normal && frame.position && dot(normal, frame.position);
}

/** By position; slices at one position by file name and number in the file. */
export function sorted(slots: readonly Slot[]): Slot[] {
  const name = ({ image, index }: Slot) => [image.file.path, index] as const;
  const byName = [...slots].sort((a, b) => compareNames(name(a)[0], name(b)[0]) || a.index - b.index);
  const placed = byName.map((slot) => ({ slot, place: placeOf(slot.frame) ?? 0 })).sort((a, b) => a.place - b.place);
  // Equal but for rounding: the names decide.
  const runs: (typeof placed)[] = [];
  for (const item of placed) {
    const run = runs.at(-1);
    if (run && item.place - (run[0] as (typeof placed)[0]).place < SAME) run.push(item);
    else runs.push([item]);
  }
  const order = new Map(byName.map((slot, i) => [slot, i]));
  return runs.flatMap((run) => run.map(({ slot }) => slot).sort((a, b) => (order.get(a) as number) - (order.get(b) as number)));
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Slots at one position together, in order. */
export function byPosition(slots: readonly Slot[]): Slot[][] {
  const groups: Slot[][] = [];
  for (const slot of slots) {
    const group = groups.at(-1);
    const first = group?.[0];
    if (group && first && Math.abs((placeOf(slot.frame) ?? 0) - (placeOf(first.frame) ?? 0)) < SAME) group.push(slot);
    else groups.push([slot]);
  }
  return groups;
}

export interface Arrangement {
  readonly geometry?: Geometry;
  readonly notes: readonly string[];
}

/** `slots` are sorted. */
export function arrange(slots: readonly Slot[]): Arrangement {
  const [first] = slots as readonly [Slot];
  const { spacing, orientation, position } = first.frame;
  if (!spacing && !aspectKnown(first.image)) {
    return { notes: ["The file gives no pixel spacing: measurements are in pixels."] };
  }
  const size = spacing ?? { betweenRows: 1, betweenColumns: 1 };
  const { betweenRows, betweenColumns, note } = size;
  const notes = note ? [note] : [];
  const said = first.frame.betweenSlices ?? first.frame.thickness ?? 1;
  if (!orientation || !position) {
    if (slots.length > 1) notes.push("The slices have no positions: their order is that of the file, and their distance is not known.");
    const unknown = { origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], unoriented: true } as const;
    return { geometry: { spacing: { betweenRows, betweenColumns, betweenSlices: said }, ...unknown }, notes };
  }
  const [row, column] = orientation;
  const normal = normalized(cross(row, column));
  const direction = [0, 1, 2].flatMap((i) => [row[i], column[i], normal[i]]) as unknown as Direction;
  const origins = slots.map(({ frame }) => frame.position as Vector3);
  const distinct = byPosition(slots).map((group) => (group[0] as Slot).frame.position as Vector3);
  const places = distinct.map((origin) => dot(origin, normal));
  const steps = places.slice(1).map((place, i) => place - (places[i] as number));
  const step = steps.length > 0 ? commonest(steps) : said;
  const faults = [...repeats(slots, distinct.length), ...unequal(steps, step), ...tilt(distinct, normal)];
  notes.push(...faults);
  const geometry = { spacing: { betweenRows, betweenColumns, betweenSlices: step }, origin: position, direction };
  return { geometry: faults.length > 0 ? { ...geometry, sliceOrigins: origins } : geometry, notes };
}

function aspectKnown({ frames }: DicomImage): boolean {
  return frames.some(({ spacing }) => spacing);
}

/** The middle one of most; where all are alike, their mean, which rounding moves least. */
function commonest(steps: readonly number[]): number {
  const ordered = [...steps].sort((a, b) => a - b);
  const middle = ordered[Math.floor((ordered.length - 1) / 2)] as number;
  const alike = steps.filter((step) => near(step, middle));
  return alike.reduce((sum, step) => sum + step, 0) / alike.length;
}

function near(step: number, common: number): boolean {
  return Math.abs(step - common) <= Math.max(0.01 * common, 2 * SAME);
}

function repeats(slots: readonly Slot[], distinct: number): string[] {
  if (slots.length === distinct) return [];
  const at = byPosition(slots).flatMap((group, i, all) => {
    const before = all.slice(0, i).reduce((sum, { length: count }) => sum + count, 0);
    return group.length > 1 ? [`${before + 1} to ${before + group.length}`] : [];
  });
  const where = at.length > 4 ? `${at.slice(0, 4).join(", ")} and more` : at.join(", ");
  return [`Slices lie at the same position: ${where}.`];
}

function unequal(steps: readonly number[], step: number): string[] {
  const mm = (value: number) => `${Number(value.toFixed(2))} mm`;
  const odd = steps.flatMap((value, i) => (near(value, step) ? [] : [{ value, i }]));
  if (odd.length === 0) return [];
  const gaps = odd.filter(({ value }) => value > step * 1.5 && Math.abs(value / step - Math.round(value / step)) < 0.1);
  if (gaps.length < odd.length) {
    const [low, high] = [Math.min(...steps), Math.max(...steps)];
    return [`The slices are unequally spaced: from ${mm(low)} to ${mm(high)}. Measurements use their true positions.`];
  }
  const missing = gaps.reduce((sum, { value }) => sum + Math.round(value / step) - 1, 0);
  const where = gaps.slice(0, 4).map(({ value, i }) => `between slices ${i + 1} and ${i + 2} (${mm(value)} instead of ${mm(step)})`);
  const more = gaps.length > 4 ? " and more" : "";
  return [`${missing === 1 ? "A slice is" : `${missing} slices are`} missing ${where.join(", ")}${more}. Volumes over the gap are not complete.`];
}

function tilt(origins: readonly Vector3[], normal: Vector3): string[] {
  const [first, last] = [origins[0], origins.at(-1)];
  if (!first || !last || origins.length < 2) return [];
  const way = add(last, first, -1);
  const cosine = Math.min(1, Math.abs(dot(way, normal)) / (length(way) || 1));
  const degrees = (Math.acos(cosine) * 180) / Math.PI;
  if (degrees < 0.5) return [];
  return [`The slices are tilted by ${degrees.toFixed(1)}° against the way they step (gantry tilt): each is shifted against the one before it.`];
}
