// The `./volume` entry: where voxels lie, what they look like, and what is drawn on them. It imports neither the engine nor a file format.
export type { Affine, Direction, Geometry, PlaneName, Vector3 } from "./geometry.ts";
export { axis, edgeLetters, indexToPatient, letters, patientToIndex, planeOf } from "./geometry.ts";
export { labelmapOfSegmentation } from "./from_segmentation.ts";
export { labelColor, labelmapOf } from "./from_volume.ts";
export type { Label, LabelmapChange, Overlap } from "./labelmap.ts";
export { Labelmap } from "./labelmap.ts";
export type { LabelMeasures, Measures, SliceMeasures, Values } from "./measure.ts";
export { measure, measuresCsv } from "./measure.ts";
export { connectedParts, dropIslands, fillHoles, keepLargest } from "./parts.ts";
export type { PlaneMap } from "./plane.ts";
export { planeMap, planeView, toVolumeIndex } from "./plane.ts";
export { render } from "./render.ts";
export type { Runs } from "./runs.ts";
export { boundsOf, difference, intersection, paintRuns, pixelCount, runsOf, union } from "./runs.ts";
export type { Slice, SliceData, Volume, Window } from "./volume.ts";
export { between, firstWindow, gray, minMaxWindow, percentileWindow, presets, volumeMinMax } from "./window.ts";
