/**
 * Where voxels lie, what they look like, and what is drawn on them.
 * @module volume
 */
export type { Affine, Direction, Geometry, PlaneName, Vector3 } from "./geometry.ts";
export { axis, indexToPatient, letters, patientToIndex, planeOf } from "./geometry.ts";
export type { SliceCacheOptions } from "./cached.ts";
export { SliceCache } from "./cached.ts";
export type { EdgeLetters } from "./display.ts";
export { edgeLetters, fittedSize, pixelAspect } from "./display.ts";
export { labelColor } from "./label_color.ts";
export type { LaidLabels, LayOptions, OwnLabels } from "./lay.ts";
export { maskInputOfRuns } from "./coverage.ts";
export type { MeasuresRow, MeasuresTable } from "./read_measures.ts";
export type { SlicePrompts } from "./volume_prompts.ts";
export {
  interpolate,
  labelmapOf,
  labelmapOfSegmentation,
  layLabels,
  measure,
  ownLabels,
  promptsJson,
  propagate,
  readMeasuresCsv,
  readPromptsJson,
  stackedLabels,
} from "./fetched.ts";
export type { EditOptions, LabelEdit } from "./edit.ts";
export { editLabel } from "./edit.ts";
export type { Label, LabelChange, LabelmapChange, Overlap, RunsChange, SavedLabelmap } from "./labelmap.ts";
export { Labelmap } from "./labelmap.ts";
export type { LabelMeasures, Measures, SliceMeasures, Values } from "./measure.ts";
export { measuresCsv } from "./measures_csv.ts";
export type { Grid, Stack } from "./morphology.ts";
export { boundary, grow, shrink, smooth } from "./morphology.ts";
export { connectedParts, connectedVolumes, dropIslands, fillHoles, keepLargest } from "./parts.ts";
export type { PlaneMap } from "./plane_map.ts";
export { planeView } from "./plane.ts";
export { planeMap, toViewIndex, toVolumeIndex } from "./plane_map.ts";
export { drawOnPlane, runsOnPlane } from "./plane_labels.ts";
export { render } from "./render.ts";
export type { Runs } from "./runs.ts";
export { boundsOf, difference, intersection, paintRuns, pixelCount, runsOf, union } from "./runs.ts";
export type { Slice, SliceData, Volume, Window } from "./volume.ts";
export { between, firstWindow, gray, minMaxWindow, percentileWindow, presets, volumeMinMax } from "./window.ts";
export type { PropagateOptions, Proposal, StopReason, StopRules } from "./propagate.ts";
export type { Decoded, Embedding, MaskSource, Prompt, Segmenter } from "../segmenter.ts";
