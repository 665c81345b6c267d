// What was done on a case, step by step, and back: over all objects and slices, bounded in bytes.
import type { LabelmapChange } from "../../src/volume/index.ts";
import type { Case, Entry, Journal, Work } from "./case.ts";
import type { Previous } from "./prompts.ts";

/** As many steps as anyone wants back, and what they may take in memory. */
const MOST_STEPS = 2000;
const MOST_BYTES = 64 << 20;

export function bytesOf({ works, changes }: Entry): number {
  const ofPrevious = (previous: Previous) => ("drawn" in previous ? previous.drawn : previous.probabilities).byteLength;
  const ofWork = (work: Work | null) => (work?.prompts.previous ? ofPrevious(work.prompts.previous) : 0) + 40 * (work?.prompts.points.length ?? 0);
  const ofChange = (change: LabelmapChange) => (change.slice === undefined ? 200 : change.before.byteLength + change.after.byteLength + 64);
  return 400 + works.reduce((sum, { before, after }) => sum + ofWork(before) + ofWork(after), 0) + changes.reduce((sum, change) => sum + ofChange(change), 0);
}

/** A step more; what was undone can't be done again after it, and the oldest go where all take too much. */
export function noted({ past }: Journal, entry: Entry): Journal {
  const all = [...past, entry];
  let [first, bytes] = [all.length, 0];
  while (first > 0 && all.length - first < MOST_STEPS) {
    bytes += bytesOf(all[first - 1] as Entry);
    // The last step can always be taken back.
    if (bytes > MOST_BYTES && first < all.length) break;
    first--;
  }
  return { past: all.slice(first), future: [] };
}

/** What came later of the last step: the mask of its prompts. It is one step to the user. */
export function joined({ past, future }: Journal, more: Pick<Entry, "works" | "changes">): Journal {
  const last = past.at(-1) as Entry;
  const works = last.works.map((work) => {
    const later = more.works.find(({ key }) => key === work.key);
    return later ? { ...work, after: later.after } : work;
  });
  works.push(...more.works.filter(({ key }) => !works.some((work) => work.key === key)));
  return { past: [...past.slice(0, -1), { ...last, works, changes: [...last.changes, ...more.changes] }], future };
}

/** The case as it was before its last step, or after the one that was undone last. The labelmap is changed. */
export function stepped(of: Case, back: boolean): { readonly next: Case; readonly entry: Entry } | null {
  const { past, future } = of.journal;
  const entry = back ? past.at(-1) : future[0];
  if (!entry) return null;
  const works = new Map(of.works);
  for (const { key, before, after } of entry.works) {
    const work = back ? before : after;
    if (work) works.set(key, work);
    else works.delete(key);
  }
  if (back) of.labelmap?.revert(entry.changes);
  else of.labelmap?.apply(entry.changes);
  const side = back ? 0 : 1;
  const journal = back ? { past: past.slice(0, -1), future: [entry, ...future] } : { past: [...past, entry], future: future.slice(1) };
  const objects = entry.objects ? entry.objects[side] : of.objects;
  const object = entry.object[side];
  return { next: { ...of, works, journal, objects, object, edits: of.edits + 1 }, entry };
}
