// Everything mode: each thing that the model finds in the picture becomes an object of the chosen label. Experimental: what is found is to be looked at.
import { decodeEverything, type Found } from "../../src/everything/index.ts";
import { difference, pixelCount } from "../../src/volume/index.ts";
import type { Desk } from "../desk.ts";
import { t } from "../words/words.ts";
import { isUntouched, type ObjectOf, objectOf } from "./case.ts";

/** Found things of more of the picture are its background. */
const MOST_SHARE = 0.6;
/** Smaller ones are specks. */
const LEAST_PIXELS = 16;

/** `side`: points a side of the grid that is asked at. One step, which one undo takes back. */
export async function findEverything(desk: Desk, side: number): Promise<void> {
  const of = desk.case;
  const { model } = desk.store.state;
  if (!of?.shown || desk.store.state.task) return;
  if (model.kind !== "ready") {
    desk.store.set({ said: t("everything.nomodel") });
    return;
  }
  const { data, width, height } = of.shown.picture;
  const guest = desk.guest();
  if (!guest) return;
  const controller = new AbortController();
  const stop = () => controller.abort();
  const tell = (done: number, total: number) => desk.store.set({ task: { words: t("everything.running"), done, total, stop } });
  tell(0, side * side);
  let found: readonly Found[] = [];
  try {
    // Few at a time: what is asked of the model meanwhile waits for one batch.
    const options = { pointsPerSide: side, pointsPerBatch: 16, signal: controller.signal };
    for await (const step of decodeEverything(guest, { data, width, height, channels: 4 }, options)) {
      found = step.found;
      tell(step.done, step.total);
    }
    take(desk, of.id, of.shown.id, found, width * height);
  } catch (error) {
    if (!controller.signal.aborted) desk.problems.show(error);
    else desk.store.set({ said: t("everything.stopped") });
  } finally {
    guest.leave();
    desk.store.set({ task: null });
  }
}

/** The largest first, so that what lies in it is drawn over it. */
function take(desk: Desk, id: string, picture: string, found: readonly Found[], area: number): void {
  const of = desk.case;
  if (of?.id !== id || of.shown?.id !== picture) {
    desk.store.set({ said: t("everything.elsewhere") });
    return;
  }
  // What is marked already stays as it is.
  const marked = of.objects.map((object) => desk.annotator.runs(of, object.id)).filter((runs) => runs.length > 0);
  const free = found
    .filter((one) => one.area >= LEAST_PIXELS && one.area <= MOST_SHARE * area)
    .filter(({ runs, area: all }) => marked.every((known) => pixelCount(difference(runs, known)) > all / 2))
    .sort((a, b) => b.area - a.area);
  const label = objectOf(of)?.label ?? 1;
  const before = of.objects.filter((object) => !isUntouched(of, object.id) || object.locked);
  const first = 1 + Math.max(0, ...of.objects.map((object) => object.id));
  const made: ObjectOf[] = free.map((_, i) => ({ id: first + i, label, visible: true, locked: false }));
  if (made.length > 0) {
    const masks = free.map(({ runs }, i) => ({ object: first + i, place: of.place, runs, work: { origin: "found", made: "kept" } as const }));
    desk.annotator.drawMany({ key: "step.everything" }, masks, [...before, ...made], first);
  }
  desk.store.set({ said: t("everything.done", { n: made.length }) });
}
