// Results out and in: files of one case or all, measurements, masks to go on with, truths to compare with.
import type { LabelFormat } from "../../src/formats/index.ts";
import { SamError } from "../../src/index.ts";
import { intersection, labelmapOf, layLabels, measure, type Measures, measuresCsv, pixelCount, type Volume } from "../../src/volume/index.ts";
import { diameters } from "../stage/drawing.ts";
import { type Case, hasWork, isUntouched, type ObjectOf, type Shown, type Truth } from "../annotate/case.ts";
import { colourOf, hexOf, type LabelOf } from "../annotate/labels.ts";
import type { Desk } from "../desk.ts";
import { baseName, saveBlob } from "../open/download.ts";
import { openVolumes, serverOfVolume } from "../open/slices.ts";
import { t } from "../words/words.ts";
import { labelmapFor, type Numbering, provenance, volumeOf } from "./case_file.ts";

export const FORMATS: readonly LabelFormat[] = ["nifti", "seg-nrrd", "dicom-seg", "png", "coco", "dataset"];

interface OutFile {
  readonly path: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

async function filesOf(desk: Desk, of: Case, format: LabelFormat, numbering: Numbering): Promise<OutFile[]> {
  const { state } = desk.store;
  const shown = of.shown ?? (await desk.opening.reads.get(of.id)?.());
  const labelmap = labelmapFor(of, state.labels, numbering);
  if (!shown || !labelmap) return [];
  const volume = volumeOf(of, shown);
  const { writeLabelFiles } = await import("../../src/formats/index.ts");
  const files: OutFile[] = [];
  const options = { overlaps: "file-each", ...(!shown.slice && { fileName: () => of.name }) } as const;
  for await (const file of writeLabelFiles(labelmap, volume, format, baseName(of.name), options)) files.push(file);
  const model = state.model.kind === "ready" ? state.model.model.name : null;
  return [...files, { path: `${baseName(of.name)}-work.json`, data: new TextEncoder().encode(provenance(of, state.labels, model)) }];
}

/** One file as it is, several in an archive. */
async function saveFiles(files: readonly OutFile[], name: string): Promise<void> {
  const [only] = files;
  if (files.length === 1 && only) {
    saveBlob(new Blob([only.data]), only.path.slice(only.path.lastIndexOf("/") + 1));
    return;
  }
  const { zipSync } = await import("fflate");
  // What compresses is compressed already.
  const bytes = zipSync(Object.fromEntries(files.map(({ path, data }) => [path, data])), { level: 0 });
  saveBlob(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/zip" }), `${name}.zip`);
}

export async function exportCase(desk: Desk, format: LabelFormat, numbering: Numbering): Promise<void> {
  const of = desk.case;
  if (!of) return;
  try {
    await saveFiles(await filesOf(desk, of, format, numbering), `${baseName(of.name)}-${format}`);
    desk.store.set({ said: t("export.done", { n: 1 }) });
  } catch (error) {
    desk.problems.show(error);
  }
}

/** The server that the case came from; null for files. */
export function serverOfCase(of: Case | null): { readonly host: string } | null {
  const server = of?.shown?.slice && serverOfVolume(of.shown.slice.volume);
  return server ? { host: new URL(server.url).host } : null;
}

/** A DICOM segmentation of the case to the server it came from, whose answer is shown. */
export async function sendCase(desk: Desk, numbering: Numbering): Promise<void> {
  const of = desk.case;
  const volume = of?.shown?.slice?.volume;
  const server = volume && serverOfVolume(volume);
  const { state } = desk.store;
  const labelmap = of && labelmapFor(of, state.labels, numbering);
  if (!of || !volume || !server || !labelmap) return;
  const { url, study, authorize } = server;
  const { host } = new URL(url);
  try {
    const { toDicomWeb, writeLabels } = await import("../../src/formats/index.ts");
    const bytes = await writeLabels(labelmap, volume, "dicom-seg", state.model.kind === "ready" ? { model: state.model.model.name } : {});
    desk.store.set({ said: t("send.now", { host }) });
    const { status, kept } = await toDicomWeb([bytes], { url, study, ...(authorize && { authorize }) });
    const warnings = kept.flatMap(({ warning }) => warning ?? []);
    desk.store.set({ said: t("send.done", { host }) });
    desk.problems.tell(t("send.done", { host }), [t("send.answer", { status, kept: kept.length || 1, name: of.name }), ...warnings].join(" "));
  } catch (error) {
    desk.problems.show(error);
  }
}

/** Every case on which something is marked, a folder each. Cases whose files are not open are named. */
export async function exportAll(desk: Desk, format: LabelFormat, numbering: Numbering): Promise<void> {
  const worked = desk.store.state.cases.filter(hasWork);
  const files: OutFile[] = [];
  const failures: { name: string; error: unknown }[] = [];
  const names = new Set<string>();
  for (const [i, of] of worked.entries()) {
    desk.store.set({ said: t("export.at", { n: i + 1, of: worked.length }) });
    let folder = baseName(of.name);
    while (names.has(folder)) folder += "_";
    names.add(folder);
    try {
      const own = await filesOf(desk, of, format, numbering);
      if (own.length === 0) failures.push({ name: of.name, error: t("export.closed") });
      files.push(...own.map(({ path, data }) => ({ path: `${folder}/${path}`, data })));
    } catch (error) {
      failures.push({ name: of.name, error });
    }
  }
  desk.problems.showBatch(worked.length, failures);
  if (files.length === 0) return;
  await saveFiles(files, `labels-${format}`);
  desk.store.set({ said: t("export.done", { n: worked.length - failures.length }) });
}

/** Null where nothing is drawn on it. */
export async function measureCase(desk: Desk, of: Case, shown: Shown, signal?: AbortSignal): Promise<Measures | null> {
  const labelmap = labelmapFor(of, desk.store.state.labels, "structures");
  return labelmap && measure(labelmap, volumeOf(of, shown), signal);
}

export function saveMeasures(desk: Desk, measures: Measures): void {
  const of = desk.case;
  if (!of) return;
  const rows = [measuresCsv(measures, of.shown?.slice?.volume.unit), ...axesCsv(desk, of)];
  saveBlob(new Blob(rows, { type: "text/csv" }), `${baseName(of.name)}-measures.csv`);
}

/** A line for the axes of each object that has them, in the columns of measuresCsv(): nothing but where they are and how long. */
function axesCsv(desk: Desk, { objects, shown }: Case): string[] {
  return objects.flatMap(({ id, label, axes }) => {
    if (!axes || !shown) return [];
    const { long, short } = diameters(shown, axes);
    const name = `${desk.nameOf(id)} (${t("step.axes")})`.replaceAll('"', '""');
    return [`"${name}",${label},${axes.place.index},,,,,,,,${long},${short}\n`];
  });
}

/** Whether a label file gave no name but a number. */
const isNumbered = (name: string) => /^(label|segment)?[ _]*\d+$/i.test(name);

/** Dice of each label with the true mask of its name, or else of its value, over all slices that one of them is on. */
export function diceByLabel(desk: Desk, of: Case): ReadonlyMap<number, number> {
  const labelmap = labelmapFor(of, desk.store.state.labels, "structures");
  const out = new Map<number, number>();
  for (const label of labelmap?.labels ?? []) {
    const named = of.truths.filter(({ name }) => name.toLowerCase() === label.name.toLowerCase());
    // Files without names tell their labels by value.
    const truths = named.length > 0 ? named : of.truths.filter(({ id, name }) => id === label.id && isNumbered(name));
    if (!labelmap || truths.length === 0) continue;
    const both = truths.reduce((sum, { index, runs }) => sum + pixelCount(intersection(runs, labelmap.runs(label.id, index))), 0);
    const sum = truths.reduce((all, { runs }) => all + pixelCount(runs), labelmap.voxels(label.id));
    out.set(label.id, sum === 0 ? 1 : (2 * both) / sum);
  }
  return out;
}

/** Masks of files laid onto the case that is shown: as objects to go on with, as one step; or as truths. */
export async function importMasks(desk: Desk, files: readonly File[], as: "objects" | "truth"): Promise<void> {
  const of = desk.case;
  if (!of?.shown || files.length === 0) return;
  try {
    const { volumes, segmentations, refused } = await openVolumes(files);
    desk.problems.showBatch(
      files.length,
      refused.map(({ file, reason }) => ({ name: file, error: reason })),
    );
    const volume = volumeOf(of, of.shown);
    for (const source of [...volumes, ...segmentations]) {
      const { labelmap, notes } = await laid(source, volume);
      const masks = labelmap.labels.flatMap((label) => labelmap.drawnSlices(label.id).map((slice) => ({ label, slice, runs: labelmap.runs(label.id, slice) })));
      if (masks.length === 0) throw nothing(source.name);
      if (as === "truth") {
        const truths = masks.map(({ label, slice, runs }): Truth => ({ name: label.name, id: label.id, index: slice, runs }));
        desk.store.updateCase(of.id, (now) => ({ truths: [...now.truths.filter(({ name }) => !truths.some((other) => other.name === name)), ...truths] }));
      } else take(desk, of.id, masks);
      desk.problems.tell(t("import.title", { n: labelmap.labels.length, name: source.name }), "", [], notes.join(" "));
    }
  } catch (error) {
    desk.problems.show(error);
  }
}

/** A picture of values has no place in the patient: its pixels are those of the image where the sizes agree. */
async function laid(source: Parameters<typeof layLabels>[0], volume: Volume) {
  const flat = !("segments" in source) && !source.geometry && source.slices === 1 && volume.slices === 1;
  if (!flat) return layLabels(source, volume);
  if (source.columns === volume.columns && source.rows === volume.rows) return { labelmap: await labelmapOf(source), notes: [] };
  const [expected, got] = [volume, source].map(({ columns, rows }) => `${columns} × ${rows} pixels`) as [string, string];
  throw new SamError({ code: "file", op: source.name, expected, got, remedy: "Open the image that these labels are of first." });
}

function nothing(name: string): SamError {
  return new SamError({ code: "file", op: name, expected: "labels with something drawn", got: "none", remedy: "Open the file that was drawn on." });
}

type Mask = {
  readonly label: { readonly id: number; readonly name: string; readonly color: readonly number[] };
  readonly slice: number;
  readonly runs: Uint32Array;
};

function take(desk: Desk, id: string, masks: readonly Mask[]): void {
  const { store } = desk;
  const of = store.state.cases.find((one) => one.id === id);
  if (!of) return;
  const labels: LabelOf[] = [...store.state.labels];
  const objects: ObjectOf[] = of.objects.filter((object) => !isUntouched(of, object.id));
  const own = new Map<number, number>();
  for (const { label } of masks) {
    if (own.has(label.id)) continue;
    let known = labels.find(({ id, name }) => name.toLowerCase() === label.name.toLowerCase() || (id === label.id && isNumbered(label.name)));
    if (!known) {
      const free = labels.some((other) => other.id === label.id) ? 1 + Math.max(...labels.map((other) => other.id)) : label.id;
      known = { id: free, name: label.name, colour: label.color.length === 3 ? hexOf(label.color) : colourOf(free) };
      labels.push(known);
    }
    const object = 1 + Math.max(0, ...of.objects.map((other) => other.id), ...objects.map((other) => other.id));
    objects.push({ id: object, label: known.id, visible: true, locked: false });
    own.set(label.id, object);
  }
  store.set({ labels: labels.sort((a, b) => a.id - b.id) });
  const drawn = masks.map(({ label, slice, runs }) => ({
    object: own.get(label.id) as number,
    place: { plane: "stored", index: slice } as const,
    runs,
    work: { origin: "imported", made: "kept", accepted: true } as const,
  }));
  desk.annotator.drawMany({ key: "step.import" }, drawn, objects);
}
