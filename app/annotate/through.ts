// From slice to slice: masks carried on by the model or filled in between, each a proposal until somebody accepts it.
import { interpolate, propagate, type Runs, runsOnPlane } from "../../src/volume/index.ts";
import { SamError } from "../../src/index.ts";
import type { Desk } from "../desk.ts";
import { atSlice, pictureOf } from "../open/slices.ts";
import { geometryOf, mapOf } from "../stage/frame.ts";
import { decimal, t } from "../words/words.ts";
import { type Case, isProposed, type Place, placeOfKey, workKey } from "./case.ts";

let running: AbortController | null = null;

/** False where nothing was going on. */
export function stopPropagation(): boolean {
  running?.abort();
  return running !== null;
}

/** Drawn by a person or accepted: nothing is proposed over it. */
function isOwn({ works }: Case, object: number, place: Place): boolean {
  const work = works.get(workKey(object, place));
  return !work || work.accepted || (work.origin !== "propagated" && work.origin !== "interpolated");
}

/** The current object's masks on the slices of the plane that is shown. */
function stackOf({ labelmap, shown, object }: Case): Map<number, Runs> {
  const stack = new Map<number, Runs>();
  if (!labelmap || !shown?.slice) return stack;
  const map = mapOf(shown);
  if (!map) return new Map(labelmap.stack(object));
  for (let index = 0; index < shown.slice.view.slices; index++) {
    const runs = runsOnPlane(labelmap, object, map, index);
    if (runs.length > 0) stack.set(index, runs);
  }
  return stack;
}

/** Slices between those that are drawn, as one step. */
export async function fillBetween(desk: Desk): Promise<void> {
  const of = desk.case;
  if (!of?.shown?.slice || !of.labelmap) return;
  const { object, shown } = of;
  const { plane } = of.place;
  const stack = stackOf(of);
  const drawn = [...stack.keys()].filter((index) => isOwn(of, object, { plane, index }));
  const { columns, rows, slices } = shown.slice?.view ?? of.labelmap;
  try {
    const between = await interpolate(stack, drawn, { columns, rows, slices, geometry: geometryOf(shown) ?? undefined });
    if (desk.case !== of) return;
    const masks = [...between].map(([index, runs]) => ({ object, place: { plane, index }, runs, work: { origin: "interpolated", made: "kept" } as const }));
    if (masks.length > 0) desk.annotator.drawMany({ key: "step.interpolate" }, masks);
    desk.store.set({ said: t("through.filled", { n: masks.length }) });
  } catch (error) {
    desk.problems.show(error);
  }
}

/** Both ways from the slice that is shown, until a rule stops it or its user does; proposals appear one by one, all of them one step. */
export async function carryOn(desk: Desk): Promise<void> {
  const of = desk.case;
  const { model } = desk.store.state;
  const slice = of?.shown?.slice;
  const mask = desk.mask();
  if (!of || !slice || !mask || slice.view.slices < 2 || running) return;
  if (model.kind !== "ready") {
    desk.store.set({ said: t("through.nomodel") });
    return;
  }
  const guest = desk.guest();
  if (!guest) return;
  const { object } = of;
  const { plane } = of.place;
  const controller = new AbortController();
  running = controller;
  let made = 0;
  try {
    const range = [0, slice.view.slices - 1] as const;
    const picture = async (index: number, signal?: AbortSignal) => ({ ...(await pictureOf(atSlice(slice, index), signal)), channels: 4 as const });
    for await (const proposal of propagate(guest, { from: slice.index, mask: mask.runs, range, picture, signal: controller.signal })) {
      const now = desk.store.state.cases.find(({ id }) => id === of.id);
      if (!now) return;
      const place = { plane, index: proposal.slice };
      const work = { origin: "propagated", made: "kept" } as const;
      const free = now.labelmap && (stackOf({ ...now, object, shown: of.shown }).get(proposal.slice)?.length ?? 0) === 0;
      if (proposal.sound && (free || !isOwn(now, object, place))) {
        desk.annotator.propose(of.id, { key: "step.propagate" }, { object, place, runs: proposal.runs, work }, made > 0);
        made += 1;
      }
      const { slice: index, stop, score } = proposal;
      const reason = stop && stop !== "end" ? t(`through.stop.${stop}`) : t("through.score", { score: decimal(score, 2) });
      desk.store.set({ said: t("through.at", { slice: index + 1, reason }) });
    }
    desk.store.set({ said: t("through.done", { n: made }) });
  } catch (error) {
    if (!controller.signal.aborted || (error instanceof SamError && error.code !== "disposed")) desk.problems.show(error);
    else desk.store.set({ said: t("through.stopped", { n: made }) });
  } finally {
    running = null;
    guest.leave();
  }
}

/** Where the current object has masks that nobody accepted yet, in the plane that is shown. */
export function proposalsOf(of: Case): number[] {
  return [...of.works]
    .filter(([key, work]) => {
      const at = placeOfKey(key);
      return at.object === of.object && at.plane === of.place.plane && isProposed(work);
    })
    .map(([key]) => placeOfKey(key).index)
    .sort((a, b) => a - b);
}
