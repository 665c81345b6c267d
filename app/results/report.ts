// What a report says of cases: pictures of where each label is largest, what all of it measures, and what nobody accepted yet.
import type { Measures } from "../../src/volume/index.ts";
import { nameOfLabel } from "../annotate/annotator.ts";
import { type Case, isProposed, placeOfKey, type Shown } from "../annotate/case.ts";
import { colourOfLabel } from "../annotate/labels.ts";
import type { Desk } from "../desk.ts";
import { shownSlice } from "../open/opening.ts";
import { atSlice } from "../open/slices.ts";
import { sizeOf } from "../stage/frame.ts";
import { drawTint, makeOverlay, strokePath } from "../stage/overlay.ts";
import { diceByLabel, measureCase } from "./results.ts";

/** CSS pixels of a picture's longer side: sharp on half a printed page. */
const SIDE = 900;
/** Small images are not blown up beyond that. */
const MOST_SCALE = 4;
/** Of one case: a volume may hold dozens of labels. */
const MOST_PICTURES = 8;

export interface ReportPicture {
  /** A JPEG as a data: address, so that a saved report is one file. */
  readonly src: string;
  /** From 0, of the stored slices. */
  readonly slice: number;
  readonly labels: readonly string[];
}

export interface CaseReport {
  readonly of: Case;
  readonly shown: Shown;
  readonly pictures: readonly ReportPicture[];
  readonly measures: Measures;
  /** By label, where there is a true mask. */
  readonly dice: ReadonlyMap<number, number>;
  /** Labels with masks that were proposed and not accepted. */
  readonly proposed: readonly string[];
}

/** Null where its files are not open, or nothing is drawn on it. */
export async function reportOn(desk: Desk, of: Case, signal: AbortSignal): Promise<CaseReport | null> {
  const shown = of.shown ?? (await desk.opening.reads.get(of.id)?.());
  const measures = shown && (await measureCase(desk, of, shown, signal));
  if (!measures) return null;
  const { labels } = desk.store.state;
  const names = [...of.works].flatMap(([key, work]) => {
    const label = isProposed(work) && of.objects.find(({ id }) => id === placeOfKey(key).object)?.label;
    return label ? [nameOfLabel(labels, label)] : [];
  });
  const pictures: ReportPicture[] = [];
  for (const [slice, own] of slicesOf(measures)) {
    signal.throwIfAborted();
    const at = shown.slice ? await shownSlice(atSlice({ ...shown.slice, plane: "stored", view: shown.slice.volume }, slice)) : shown;
    pictures.push({ src: pictureOf(desk, of, at, slice), slice, labels: own });
  }
  return { of, shown, pictures, measures, dice: diceByLabel(desk, of), proposed: [...new Set(names)] };
}

/** Where the labels are largest, in order, and which ones are there. */
function slicesOf({ labels }: Measures): [slice: number, labels: string[]][] {
  const found = new Map<number, string[]>();
  for (const { label, slices } of labels) {
    const [largest] = [...slices].sort((a, b) => b.pixels - a.pixels);
    if (largest) found.set(largest.slice, [...(found.get(largest.slice) ?? []), label.name]);
  }
  return [...found].slice(0, MOST_PICTURES).sort(([a], [b]) => a - b);
}

/** The slice with all that is drawn on it, in the patient's proportions. */
function pictureOf(desk: Desk, of: Case, shown: Shown, slice: number): string {
  const { state } = desk.store;
  const { width, height, ratio = 1 } = sizeOf(shown);
  const scale = Math.min(MOST_SCALE, SIDE / width, SIDE / (height * ratio));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * ratio * scale));
  const context = canvas.getContext("2d");
  if (!context) return "";
  const marked = of.objects.flatMap(({ id, label }) => {
    const runs = of.labelmap?.runs(id, slice);
    return runs && runs.length > 0 ? [{ id, runs, colour: colourOfLabel(state.labels, label), current: false }] : [];
  });
  const overlay = makeOverlay(marked, width, height);
  context.imageSmoothingQuality = "high";
  context.scale(canvas.width / width, canvas.height / height);
  context.drawImage(shown.canvas, 0, 0, width, height);
  if (state.fill) drawTint(context, overlay, state.opacity);
  const place = context.getTransform();
  context.setTransform(1, 0, 0, 1, 0, 0);
  for (const { path, colour } of overlay.outlines) {
    strokePath(context, path, place, [
      [4, "rgba(0, 0, 0, 0.55)"],
      [2, colour],
    ]);
  }
  return canvas.toDataURL("image/jpeg", 0.9);
}
