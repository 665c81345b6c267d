// DICOM SEG (binary, fractional) and label map segmentations: segments, and where each frame lies.
import { cross, type Direction, normalized } from "../../volume/geometry.ts";
import type { Code, Segment, Segmentation, SegmentFrame } from "../../volume/segmentation.ts";
import { baseName } from "../fail.ts";
import type { PixelDecoders } from "../reader.ts";
import type { Dataset } from "./dataset.ts";
import type { DicomImage } from "./image.ts";
import { storedFrames } from "./pixels.ts";
import { TAG } from "./tags.ts";

const CLASSES = ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"];

export function isSegmentation({ file: { dataset } }: DicomImage): boolean {
  return CLASSES.includes(dataset.text(TAG.SOPClassUID) ?? "");
}

export function readSegmentation(image: DicomImage, decoders?: PixelDecoders): Segmentation {
  const { file, rows, columns, frames } = image;
  const { dataset, path } = file;
  const type = dataset.text(TAG.SegmentationType) ?? "BINARY";
  const kind = type === "LABELMAP" ? "labelmap" : type === "FRACTIONAL" ? "fractional" : "binary";
  const groups = dataset.items(TAG.PerFrameFunctionalGroupsSequence);
  const shared = dataset.item(TAG.SharedFunctionalGroupsSequence);
  const spacing = frames[0]?.spacing;
  const between = frames[0]?.betweenSlices ?? frames[0]?.thickness;
  const direction = directionOf(image);
  const frameOfReference = dataset.text(TAG.FrameOfReferenceUID);
  const read = storedFrames(image, decoders);
  const notes = [...image.notes];
  if (direction === undefined) notes.push("The segmentation gives no orientation: it is laid onto images by reference alone.");
  return {
    name: dataset.text(TAG.SeriesDescription) ?? baseName(path),
    format: "dicom-seg",
    kind,
    maximum: kind === "fractional" ? (dataset.number(TAG.MaximumFractionalValue, "US") ?? 255) : kind === "binary" ? 1 : 2 ** image.bitsStored - 1,
    rows,
    columns,
    segments: dataset.items(TAG.SegmentSequence).map(segmentOf),
    frames: frames.map(({ position }, i): SegmentFrame => {
      const group = groups[i];
      const identification = group?.item(TAG.SegmentIdentificationSequence) ?? shared?.item(TAG.SegmentIdentificationSequence);
      const segment = kind === "labelmap" ? undefined : (identification?.number(TAG.ReferencedSegmentNumber, "US") ?? 1);
      return {
        ...(segment === undefined ? {} : { segment }),
        ...(position ? { position } : {}),
        references: [group, shared].flatMap((item) => (item ? referencesOf(item) : [])),
      };
    }),
    ...(direction ? { direction } : {}),
    ...(spacing
      ? { spacing: { betweenColumns: spacing.betweenColumns, betweenRows: spacing.betweenRows, ...(between ? { betweenSlices: between } : {}) } }
      : {}),
    ...(frameOfReference ? { frameOfReference } : {}),
    referencedSeries: dataset.items(TAG.ReferencedSeriesSequence).flatMap((item) => item.text(TAG.SeriesInstanceUID) ?? []),
    files: [path],
    notes,
    async frame(index, { signal } = {}) {
      const data = await read(index, signal);
      return data instanceof Uint16Array ? data : Uint8Array.from(data);
    },
  };
}

function directionOf({ frames }: DicomImage): Direction | undefined {
  const orientation = frames[0]?.orientation;
  if (!orientation) return undefined;
  const [row, column] = orientation;
  const normal = normalized(cross(row, column));
  return [0, 1, 2].flatMap((i) => [row[i], column[i], normal[i]]) as unknown as Direction;
}

function segmentOf(item: Dataset, index: number): Segment {
  const number = item.number(TAG.SegmentNumber, "US") ?? index + 1;
  const category = codeOf(item.item(TAG.SegmentedPropertyCategoryCodeSequence));
  const type = codeOf(item.item(TAG.SegmentedPropertyTypeCodeSequence));
  const algorithm = item.text(TAG.SegmentAlgorithmType);
  const algorithmName = item.text(TAG.SegmentAlgorithmName);
  const lab = item.numbers(TAG.RecommendedDisplayCIELabValue, "US");
  return {
    number,
    label: item.text(TAG.SegmentLabel) ?? `segment ${number}`,
    ...(category ? { category } : {}),
    ...(type ? { type } : {}),
    ...(algorithm ? { algorithm } : {}),
    ...(algorithmName ? { algorithmName } : {}),
    ...(lab.length === 3 ? { color: labToRgb(lab as [number, number, number]) } : {}),
  };
}

function codeOf(item: Dataset | undefined): Code | undefined {
  const value = item?.text(TAG.CodeValue) ?? item?.text(TAG.LongCodeValue);
  if (!item || value === undefined) return undefined;
  return { value, scheme: item.text(TAG.CodingSchemeDesignator) ?? "", meaning: item.text(TAG.CodeMeaning) ?? "" };
}

function referencesOf(group: Dataset): { sopInstance: string; frame?: number }[] {
  return group
    .items(TAG.DerivationImageSequence)
    .flatMap((derivation) => derivation.items(TAG.SourceImageSequence))
    .flatMap((source) => {
      const sopInstance = source.text(TAG.ReferencedSOPInstanceUID);
      if (sopInstance === undefined) return [];
      const numbers = source.numbers(TAG.ReferencedFrameNumber, "IS").filter(Number.isFinite);
      return numbers.length > 0 ? numbers.map((frame) => ({ sopInstance, frame })) : [{ sopInstance }];
    });
}

/** CIELab in DICOM's 16 bits (PS3.3 C.10.7.1.1), under D50, to sRGB of 8. */
function labToRgb([l16, a16, b16]: readonly [number, number, number]): readonly [number, number, number] {
  const [l, a, b] = [(l16 / 65535) * 100, (a16 / 65535) * 255 - 128, (b16 / 65535) * 255 - 128];
  const fy = (l + 16) / 116;
  const inverse = (t: number) => (t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29));
  const [x, y, z] = [0.9642 * inverse(fy + a / 500), inverse(fy), 0.8249 * inverse(fy - b / 200)];
  const gamma = (value: number) => {
    const linear = Math.max(0, Math.min(1, value));
    return Math.round(255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055));
  };
  // Bradford-adapted from D50 to sRGB's D65.
  return [
    gamma(3.1338561 * x - 1.6168667 * y - 0.4906146 * z),
    gamma(-0.9787684 * x + 1.9161415 * y + 0.033454 * z),
    gamma(0.0719453 * x - 0.2289914 * y + 1.4052427 * z),
  ];
}
