// Sets to practise on, drawn when they are asked for: a CT series, skin lesions, nuclei. Each is the same on every day, so what was done on it stays.
import { Labelmap, type Runs, type Volume } from "../../src/volume/index.ts";
import { type Case, newCase } from "../annotate/case.ts";
import { colourOf, type LabelOf } from "../annotate/labels.ts";
import { suggestionOf } from "../annotate/truth.ts";
import type { Desk } from "../desk.ts";
import type { Picture } from "../samples/field.ts";
import { ORGANS, SERIES } from "../samples/sets/series.ts";
import { structureName } from "../words/names.ts";
import { t, type WordKey } from "../words/words.ts";
import { shownImage, shownSlice } from "./opening.ts";
import { firstSlice } from "./slices.ts";

export const SETS = ["series", "lesions", "nuclei"] as const;
export type SetId = (typeof SETS)[number];

interface TruthOf {
  readonly name: string;
  readonly index: number;
  readonly runs: Runs;
}

/** As the worker draws it: a picture, or the values of all slices, HU. */
export type DrawnCase = { readonly id: string; readonly truths: readonly TruthOf[] } & (
  | { readonly picture: Picture; readonly values?: undefined }
  | { readonly values: Int16Array<ArrayBuffer>; readonly picture?: undefined }
);

/** The set that a case of an earlier day is of. */
export function setOf({ id, origin }: Case): SetId | null {
  if (origin !== "sample") return null;
  return id === "series" || id === "nuclei" ? id : id.startsWith("lesion ") ? "lesions" : null;
}

/** Brings a set to the top of the list, as it was left where it was worked on before. */
export async function openSet(desk: Desk, set: SetId, earlier: readonly Case[] = [], show = true): Promise<void> {
  const { store } = desk;
  if (store.state.sets.includes(set)) {
    const there = store.state.cases.find((of) => setOf(of) === set);
    if (there && show) desk.select(there.id);
    return;
  }
  store.set({ sets: [...store.state.sets, set] });
  if (set === "series") organLabels(desk);
  const worker = new Worker(new URL("./sets_worker.ts", import.meta.url), { type: "module" });
  let last: string | null = null;
  const add = async (drawn: DrawnCase) => {
    const fresh = drawn.picture ? pictureCase(drawn.id, drawn.picture, drawn.truths) : await seriesCase(desk, drawn.values, drawn.truths);
    const before = earlier.find(({ id }) => id === fresh.id);
    const of: Case = before?.labelmap
      ? { ...fresh, objects: before.objects, object: before.object, works: before.works, labelmap: before.labelmap, status: before.status, note: before.note }
      : fresh;
    const { cases, current } = store.state;
    const at = cases.findIndex(({ id }) => id === last) + 1;
    const first = last === null;
    last = of.id;
    store.set({ cases: [...cases.slice(0, at), of, ...cases.slice(at)], current: first && show ? of.id : current });
  };
  let adding = Promise.resolve();
  await new Promise<void>((done, failed) => {
    worker.addEventListener("message", ({ data }: MessageEvent<DrawnCase | null>) => {
      if (data) adding = adding.then(() => add(data));
      else adding.then(done, failed);
    });
    worker.addEventListener("error", (event) => failed(new Error(event.message || "the set could not be drawn")));
    worker.postMessage(set);
  }).finally(() => worker.terminate());
}

function pictureCase(id: string, picture: Picture, truths: readonly TruthOf[]): Case {
  const [kind, number = ""] = id.split(" ");
  const sides = { columns: picture.width, rows: picture.height, slices: 1 };
  const name = t(`set.case.${kind}` as WordKey, { n: number });
  const suggestion = suggestionOf(t(`set.try.${kind}` as WordKey), picture.width, truths);
  return newCase({
    id,
    name,
    origin: "sample",
    sides,
    labelmap: new Labelmap(sides.columns, sides.rows, 1),
    shown: shownImage(id, picture),
    suggestion,
    truths: truths.map((truth) => ({ ...truth, name: structureName(truth.name) })),
  });
}

async function seriesCase(desk: Desk, values: Int16Array<ArrayBuffer>, truths: readonly TruthOf[]): Promise<Case> {
  const { columns, rows, slices } = SERIES;
  const volume = seriesVolume(values);
  const read = async () => shownSlice(await firstSlice("series", volume));
  desk.opening.reads.set("series", read);
  const shown = await read();
  const label = desk.store.state.labels.find(({ name }) => name === t("organ.liver"))?.id ?? 1;
  return newCase({
    id: "series",
    name: volume.name,
    origin: "sample",
    sides: { columns, rows, slices },
    labelmap: new Labelmap(columns, rows, slices),
    objects: [{ id: 1, label, visible: true, locked: false }],
    shown,
    place: { plane: "stored", index: shown.slice?.index ?? 0 },
    truths: truths.map(({ name, ...where }) => ({ name: structureName(name), ...where })),
  });
}

function seriesVolume(values: Int16Array<ArrayBuffer>): Volume {
  const { columns, rows, slices, pixel, step } = SERIES;
  return {
    name: t("set.case.series"),
    format: "drawn",
    modality: "CT",
    unit: "HU",
    columns,
    rows,
    slices,
    samples: 1,
    geometry: {
      spacing: { betweenColumns: pixel, betweenRows: pixel, betweenSlices: step },
      origin: [(-columns / 2) * pixel, (-rows / 2) * pixel, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    },
    windows: [{ name: "abdomen", center: 42, width: 430, shape: "linear" }],
    inverted: false,
    files: [],
    notes: [],
    slice: async (index) => ({ data: values.subarray(index * columns * rows, (index + 1) * columns * rows), columns, rows, samples: 1 }),
  };
}

/** One label an organ, so that masks are compared with the truth of their label; those that are there stay. */
function organLabels({ store }: Desk): void {
  const { labels, cases } = store.state;
  const [only] = labels;
  const used = cases.some(({ works }) => works.size > 0);
  const kept: readonly LabelOf[] = labels.length === 1 && only?.id === 1 && !used ? [] : labels;
  const missing = ORGANS.map(structureName).filter((name) => !kept.some((label) => label.name === name));
  const free = Array.from({ length: kept.length + missing.length + 1 }, (_, i) => i + 1).filter((id) => !kept.some((label) => label.id === id));
  const added = missing.map((name, i) => ({ id: free[i] as number, name, colour: colourOf(free[i] as number) }));
  store.set({ labels: [...kept, ...added].sort((a, b) => a.id - b.id) });
}
