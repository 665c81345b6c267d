// What is said of each frame: where it lies, its scale, and by what it differs from others at the same place.
import { add, cross, normalized, type Vector3 } from "../../volume/geometry.ts";
import type { Window } from "../../volume/volume.ts";
import { Dataset } from "./dataset.ts";
import { TAG } from "./tags.ts";
import { windowsOf } from "./windows.ts";

export interface Frame {
  /** Centre of the first pixel, LPS, mm. */
  readonly position?: Vector3;
  /** Directions of growing column and of growing row index. */
  readonly orientation?: readonly [alongRow: Vector3, alongColumn: Vector3];
  readonly spacing?: PixelSize;
  readonly thickness?: number;
  /** As the header says it; positions are trusted before it. */
  readonly betweenSlices?: number;
  readonly slope: number;
  readonly intercept: number;
  readonly windows?: readonly Window[];
  /** By name, in the order in which they are tried to tell frames at one place apart. */
  readonly marks: ReadonlyMap<string, string | number>;
}

export interface PixelSize {
  readonly betweenRows: number;
  readonly betweenColumns: number;
  /** Where the sizes are not those in the patient. */
  readonly note?: string;
}

const AT_DETECTOR = "The pixel spacing is at the detector: sizes in the patient are smaller by the magnification.";

export function framesOf(dataset: Dataset, count: number): Frame[] {
  const shared = dataset.item(TAG.SharedFunctionalGroupsSequence);
  const each = dataset.items(TAG.PerFrameFunctionalGroupsSequence);
  const offsets = dataset.numbers(TAG.GridFrameOffsetVector);
  const own = frameOf([dataset]);
  if (!shared && each.length === 0) return Array.from({ length: count }, (_, i) => shifted(own, offsets, i, count));
  // What one frame says goes before what all share, and that before the file's own.
  return Array.from({ length: count }, (_, i) => frameOf([each[i], shared, dataset].filter((item) => item instanceof Dataset)));
}

/** Dose grids: one position, and the distances of the frames along the normal. */
function shifted(frame: Frame, offsets: readonly number[], index: number, count: number): Frame {
  if (offsets.length !== count || count < 2 || !frame.position || !frame.orientation) return count > 1 ? without(frame) : frame;
  const normal = normalized(cross(...frame.orientation));
  // Either distances from the first frame, or places on the z axis.
  const from = offsets[0] === 0 ? 0 : (offsets[0] as number);
  return { ...frame, position: add(frame.position, normal, (offsets[index] as number) - from) };
}

/** One position for many frames is that of none of them. */
function without({ position: _, ...frame }: Frame): Frame {
  return frame;
}

function frameOf(groups: readonly Dataset[]): Frame {
  const inGroup = (sequence: number, tag: number) => groups.map((group) => group.item(sequence) ?? group).find((item) => item.has(tag));
  const find = (sequence: number, tag: number) => inGroup(sequence, tag)?.numbers(tag) ?? [];
  const position = vector(find(TAG.PlanePositionSequence, TAG.ImagePositionPatient));
  const cosines = find(TAG.PlaneOrientationSequence, TAG.ImageOrientationPatient);
  const [alongRow, alongColumn] = [vector(cosines.slice(0, 3)), vector(cosines.slice(3, 6))];
  const transformation = inGroup(TAG.PixelValueTransformationSequence, TAG.RescaleSlope);
  const slope = transformation?.number(TAG.RescaleSlope);
  const intercept = inGroup(TAG.PixelValueTransformationSequence, TAG.RescaleIntercept)?.number(TAG.RescaleIntercept);
  const thickness = find(TAG.PixelMeasuresSequence, TAG.SliceThickness)[0];
  const between = find(TAG.PixelMeasuresSequence, TAG.SpacingBetweenSlices)[0];
  const spacing = pixelSize(groups);
  const voi = groups.map((group) => group.item(TAG.FrameVoiLutSequence)).find(Boolean);
  const long = alongRow && alongColumn && Math.hypot(...cross(alongRow, alongColumn));
  return {
    ...(position ? { position } : {}),
    ...(long && long > 0.5 && long < 1.5 ? { orientation: [normalized(alongRow), normalized(alongColumn)] as const } : {}),
    ...(spacing ? { spacing } : {}),
    ...(thickness !== undefined && thickness > 0 ? { thickness } : {}),
    ...(between !== undefined && between > 0 ? { betweenSlices: between } : {}),
    slope: slope === undefined || slope === 0 ? 1 : slope,
    intercept: intercept ?? 0,
    ...(voi ? { windows: windowsOf(voi, false) } : {}),
    marks: marksOf(groups),
  };
}

function vector(numbers: readonly number[]): Vector3 | undefined {
  return numbers.length === 3 && numbers.every(Number.isFinite) ? (numbers as unknown as Vector3) : undefined;
}

function pair(numbers: readonly number[]): readonly [number, number] | undefined {
  const [rows, columns = rows] = numbers;
  return rows !== undefined && columns !== undefined && rows > 0 && columns > 0 ? [rows, columns] : undefined;
}

/** [between rows, between columns], by the first of what says it: the patient's, ultrasound's, the film's, the detector's, the shape alone. */
function pixelSize(groups: readonly Dataset[]): PixelSize | undefined {
  const dataset = groups.at(-1) as Dataset;
  const measures = groups.map((group) => group.item(TAG.PixelMeasuresSequence)?.numbers(TAG.PixelSpacing)).find((numbers) => numbers?.length);
  const patient = pair(measures ?? dataset.numbers(TAG.PixelSpacing));
  const detector = pair(dataset.numbers(TAG.ImagerPixelSpacing));
  if (patient) {
    const projected = detector && !dataset.text(TAG.PixelSpacingCalibrationType) && patient[0] === detector[0] && patient[1] === detector[1];
    return { betweenRows: patient[0], betweenColumns: patient[1], ...(projected ? { note: AT_DETECTOR } : {}) };
  }
  const ultrasound = regionSize(dataset);
  if (ultrasound) return ultrasound;
  const film = pair(dataset.numbers(TAG.NominalScannedPixelSpacing));
  if (film) return { betweenRows: film[0], betweenColumns: film[1], note: "The pixel spacing is that of the scanned film." };
  return detector && { betweenRows: detector[0], betweenColumns: detector[1], note: AT_DETECTOR };
}

/** Where all two-dimensional regions of an ultrasound picture have one scale. */
function regionSize(dataset: Dataset): PixelSize | undefined {
  const CENTIMETRES = 3;
  const sizes = dataset.items(TAG.SequenceOfUltrasoundRegions).flatMap((region) => {
    const plane = region.number(TAG.RegionSpatialFormat, "US") === 1;
    const metric = region.number(TAG.PhysicalUnitsXDirection, "US") === CENTIMETRES && region.number(TAG.PhysicalUnitsYDirection, "US") === CENTIMETRES;
    const [x, y] = [region.number(TAG.PhysicalDeltaX, "FD"), region.number(TAG.PhysicalDeltaY, "FD")];
    return plane && metric && x && y ? [{ betweenRows: Math.abs(y) * 10, betweenColumns: Math.abs(x) * 10 }] : [];
  });
  const [first] = sizes;
  if (!first || sizes.some((size) => size.betweenRows !== first.betweenRows || size.betweenColumns !== first.betweenColumns)) return undefined;
  return { ...first, note: "The pixel spacing is that of the ultrasound region." };
}

function marksOf(groups: readonly Dataset[]): Map<string, string | number> {
  const marks = new Map<string, string | number>();
  const dataset = groups.at(-1) as Dataset;
  const frame = groups.length > 1;
  const inside = (sequence: number) => groups.map((group) => group.item(sequence)).find(Boolean);
  const put = (name: string, value: string | number | undefined) => {
    if (value !== undefined && value !== "") marks.set(name, value);
  };
  const content = inside(TAG.FrameContentSequence);
  const echo = inside(TAG.MREchoSequence)?.number(TAG.EffectiveEchoTime, "FD");
  const diffusion = inside(TAG.MRDiffusionSequence) ?? dataset;
  const cardiac = inside(TAG.CardiacSynchronizationSequence);
  put("stack", content?.text(TAG.StackID));
  put("image", frame ? undefined : dataset.texts(TAG.ImageType).slice(2).join(" "));
  put("echo", echo ?? dataset.number(TAG.EchoTime));
  put("echo number", dataset.number(TAG.EchoNumbers, "IS"));
  put("b-value", diffusion.number(TAG.DiffusionBValue, "FD"));
  const gradient = (diffusion.item(TAG.DiffusionGradientDirectionSequence) ?? diffusion).numbers(TAG.DiffusionGradientOrientation, "FD");
  put("gradient", gradient.length === 3 ? gradient.map((part) => part.toFixed(4)).join(" ") : undefined);
  put("phase", cardiac?.number(TAG.NominalPercentageOfCardiacPhase, "FD") ?? cardiac?.number(TAG.TriggerDelayTime, "FD") ?? dataset.number(TAG.TriggerTime));
  put("time point", content?.number(TAG.TemporalPositionIndex, "UL") ?? dataset.number(TAG.TemporalPositionIdentifier, "IS"));
  put("acquisition", dataset.number(TAG.AcquisitionNumber, "IS"));
  put("acquisition time", frame ? undefined : dataset.text(TAG.AcquisitionTime));
  return marks;
}
