// Slices that lie at the same positions are several volumes: echoes, b-values, phases, time points. Told apart by what differs, and named by it.
import { byPosition, type Slot } from "./arrangement.ts";
import { TAG } from "./tags.ts";

export interface Part {
  /** `echo 30 ms`; empty where there is but one. */
  readonly name: string;
  readonly slots: readonly Slot[];
  readonly notes: readonly string[];
}

const UNITS: Record<string, string> = { echo: " ms", "b-value": " s/mm²" };

/** In the order tried; pairs after single ones. A gradient says nothing without its b-value. */
const MARKS = ["echo", "echo number", "b-value", "phase", "time point", "image", "gradient", "acquisition", "acquisition time"] as const;
const SINGLE = MARKS.filter((mark) => mark !== "gradient");

/** `slots` are sorted by position. */
export function splitByMarks(slots: readonly Slot[]): Part[] {
  const { kept, notes } = withoutCopies(slots);
  const positions = byPosition(kept);
  const most = Math.max(...positions.map((group) => group.length));
  if (most === 1) return [{ name: "", slots: kept, notes }];
  const pairs = MARKS.flatMap((a, i) => MARKS.slice(i + 1).map((b) => [a, b]));
  for (const marks of [...SINGLE.map((mark) => [mark]), ...pairs]) {
    const parts = partsBy(kept, marks, most);
    if (parts) return parts.map((part) => ({ ...part, notes }));
  }
  // Nothing in the headers tells them apart: the first of each position, the second, and so on.
  if (positions.length > 1 && positions.every((group) => group.length === most)) {
    const ranked = positions.map((group) => [...group].sort((a, b) => numberOf(a) - numberOf(b)));
    return Array.from({ length: most }, (_, i) => ({ name: `part ${i + 1} of ${most}`, slots: ranked.map((group) => group[i] as Slot), notes }));
  }
  return [{ name: "", slots: kept, notes }];
}

function partsBy(slots: readonly Slot[], marks: readonly string[], most: number): Omit<Part, "notes">[] | undefined {
  // A mark that all have, or none, tells nothing apart.
  if (marks.some((mark) => new Set(slots.map(({ frame }) => frame.marks.get(mark))).size < 2)) return undefined;
  const groups = new Map<string, Slot[]>();
  for (const slot of slots) {
    const values = marks.map((mark) => slot.frame.marks.get(mark));
    if (marks.length === 1 && values[0] === undefined) return undefined;
    const key = values.map((value) => value ?? "").join("\n");
    groups.set(key, [...(groups.get(key) ?? []), slot]);
  }
  if (groups.size !== most) return undefined;
  const parts = [...groups.values()];
  if (parts.some((part) => byPosition(part).length !== part.length)) return undefined;
  const value = (part: readonly Slot[], mark: string) => part[0]?.frame.marks.get(mark);
  const order = (a: readonly Slot[], b: readonly Slot[]) => {
    for (const mark of marks) {
      const [x, y] = [value(a, mark), value(b, mark)];
      if (x === y) continue;
      return typeof x === "number" && typeof y === "number" ? x - y : String(x ?? "") < String(y ?? "") ? -1 : 1;
    }
    return 0;
  };
  const name = (part: readonly Slot[]) =>
    marks.flatMap((mark) => (value(part, mark) === undefined ? [] : [`${mark} ${value(part, mark)}${UNITS[mark] ?? ""}`])).join(", ");
  return parts.sort(order).map((part) => ({ name: name(part), slots: part }));
}

/** The same image twice, by its UID: the second copy is left out and named. */
function withoutCopies(slots: readonly Slot[]): { kept: Slot[]; notes: string[] } {
  const seen = new Map<string, Slot>();
  const notes: string[] = [];
  const kept = slots.filter((slot) => {
    const uid = slot.image.file.dataset.text(TAG.SOPInstanceUID);
    const key = `${uid}/${slot.index}`;
    const first = seen.get(key);
    if (uid === undefined || !first) {
      seen.set(key, slot);
      return true;
    }
    notes.push(`${slot.image.file.path} is the same image as ${first.image.file.path}: read once.`);
    return false;
  });
  return { kept, notes };
}

function numberOf({ image, index }: Slot): number {
  return (image.file.dataset.number(TAG.InstanceNumber, "IS") ?? 0) * 1e6 + index;
}
