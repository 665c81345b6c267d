// Labels of a file: on a volume, or by themselves. What does the work is fetched when it is first asked for.
import type { LaidLabels, LayOptions, OwnLabels } from "./lay.ts";
import type { Segmentation } from "./segmentation.ts";
import type { Volume } from "./volume.ts";

/**
 * The labels of a file on the voxels of `volume`. The same voxels stored in another order (a NIfTI of a DICOM series, say), or a part of them, are laid by
 * where they lie in the patient. Throws a SamError of code "file" that says how the grids differ where they do and `resample` was not asked for, or where
 * a segmentation belongs to another frame of reference.
 */
export async function layLabels(source: Volume | Segmentation, volume: Volume, options?: LayOptions): Promise<LaidLabels> {
  return (await import("./lay.ts")).layLabels(source, volume, options);
}

/** The labels on the voxels they are stored on, with their geometry. Throws a SamError of code "file" where a segmentation does not say where it lies. */
export async function ownLabels(source: Volume | Segmentation, signal?: AbortSignal): Promise<OwnLabels> {
  return (await import("./lay.ts")).ownLabels(source, signal);
}
