// What is fetched when it is first asked for: labels of files laid on volumes, measurements, what lies between slices.
import type { MaskSource } from "../segmenter.ts";
import { expectHas, expectLabelmap, expectVolume } from "./fail.ts";
import type { Labelmap } from "./labelmap.ts";
import type { LaidLabels, LayOptions, OwnLabels } from "./lay.ts";
import type { Measures } from "./measure.ts";
import type { Grid, Stack } from "./morphology.ts";
import type { PropagateOptions, Proposal } from "./propagate.ts";
import type { MeasuresTable } from "./read_measures.ts";
import type { Runs } from "./runs.ts";
import type { Segmentation } from "./segmentation.ts";
import type { Volume } from "./volume.ts";
import type { SlicePrompts } from "./volume_prompts.ts";

const expectSource = (op: string, source: unknown) => expectHas(op, "source", source, ["rows", "columns", "format"], "labels, as openFiles gives them");

/**
 * The labels of a file on the voxels of `volume`. The same voxels stored in another order (a NIfTI of a DICOM series, say), or a part of them, are laid by
 * where they lie in the patient. Throws a SamError of code "file" that says how the grids differ where they do and `resample` was not asked for, or where
 * a segmentation belongs to another frame of reference.
 */
export async function layLabels(source: Volume | Segmentation, volume: Volume, options?: LayOptions): Promise<LaidLabels> {
  expectSource("layLabels", source);
  expectVolume("layLabels", volume);
  return (await import("./lay.ts")).layLabels(source, volume, options);
}

/** The labels on the voxels they are stored on, with their geometry. Throws a SamError of code "file" where a segmentation does not say where it lies. */
export async function ownLabels(source: Volume | Segmentation, signal?: AbortSignal): Promise<OwnLabels> {
  expectSource("ownLabels", source);
  return (await import("./lay.ts")).ownLabels(source, signal);
}

/** Overlaps stay. Fractional segments count from half on, and `notes` says so. Throws where the segmentation lies on another grid, saying how they differ. */
export async function labelmapOfSegmentation(segmentation: Segmentation, volume: Volume, signal?: AbortSignal): Promise<LaidLabels> {
  expectHas("labelmapOfSegmentation", "segmentation", segmentation, ["segments", "frames"], "a segmentation, as openFiles gives it");
  expectVolume("labelmapOfSegmentation", volume);
  return (await import("./from_segmentation.ts")).labelmapOfSegmentation(segmentation, volume, signal);
}

/** Reads the slices on which something is drawn, once each. Labels without pixels are there with zeros. */
export async function measure(labelmap: Labelmap, volume: Volume, signal?: AbortSignal): Promise<Measures> {
  expectLabelmap("measure", labelmap);
  expectVolume("measure", volume);
  return (await import("./measure.ts")).measure(labelmap, volume, signal);
}

/** What `measuresCsv` wrote, also after a spreadsheet saved it again with commas. Throws a SamError of code "file" that names the line. */
export async function readMeasuresCsv(text: string, name?: string): Promise<MeasuresTable> {
  return (await import("./read_measures.ts")).readMeasuresCsv(text, name);
}

/** Prompts on the slices of a volume, with its sizes, as JSON for `readPromptsJson` and the command line's `--prompts`. */
export async function promptsJson(volume: Volume, prompts: readonly SlicePrompts[]): Promise<string> {
  expectVolume("promptsJson", volume);
  return (await import("./volume_prompts.ts")).promptsJson(volume, prompts);
}

/** Throws a SamError of code "file" that names the entry which does not fit the volume. */
export async function readPromptsJson(text: string, volume: Volume, name?: string): Promise<readonly SlicePrompts[]> {
  expectVolume("readPromptsJson", volume);
  return (await import("./volume_prompts.ts")).readPromptsJson(text, volume, name);
}

/**
 * Yields a proposal a slice, nearest slices first, both directions in turn. Each is asked for by the previous mask: of each of its parts the box, a little
 * wider, a point well inside, and its low-resolution logits as probabilities. Encodes and decodes one slice a step; stopping the loop stops the work.
 * Throws a SamError for an empty mask or a range without the slice, and what the segmenter throws.
 */
export async function* propagate(segmenter: MaskSource, options: PropagateOptions): AsyncGenerator<Proposal, void> {
  yield* (await import("./propagate.ts")).propagate(segmenter, options);
}

/**
 * What lies between neighbours of `accepted`, slices on which something of the label is: slice → runs, the accepted ones left out. Shapes are laid on each
 * other by their centres, so that what runs askew through the volume is followed; steps between slices are the true ones.
 * Throws a SamError where an accepted slice has nothing, or fewer than two are given.
 */
export async function interpolate(stack: Stack, accepted: readonly number[], grid: Grid): Promise<Map<number, Runs>> {
  return (await import("./interpolate.ts")).interpolate(stack, accepted, grid);
}

/**
 * Each value above 0 becomes a label, named by the file where it names them, or by `names`. Throws where values are not whole numbers from 0 to 65535, or
 * too many.
 */
export async function labelmapOf(volume: Volume, names?: ReadonlyMap<number, string>, signal?: AbortSignal): Promise<Labelmap> {
  expectVolume("labelmapOf", volume);
  return (await import("./from_volume.ts")).labelmapOf(volume, names, signal);
}

/**
 * Label pictures of one size as a volume of `slices`, by default up to the last numbered one; slices without a picture hold 0. Undefined where they are
 * not all single slices of one size, or one is numbered beyond `slices`.
 */
export async function stackedLabels(volumes: readonly Volume[], slices?: number): Promise<Volume | undefined> {
  return (await import("./stack.ts")).stackedLabels(volumes, slices);
}
