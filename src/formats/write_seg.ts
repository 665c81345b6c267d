// Labels as a DICOM segmentation (BINARY) of the series they were drawn on.
import { axis, indexToPatient } from "../volume/geometry.ts";
import type { Label, Labelmap } from "../volume/labelmap.ts";
import type { Code } from "../volume/segmentation.ts";
import type { DicomSource, Volume } from "../volume/volume.ts";
import { type Element, encodeFile } from "./dicom/write.ts";
import { badFile } from "./fail.ts";

const SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4";
/** Of everything this package writes: a UUID's number below 2.25, made once. */
const IMPLEMENTATION = "2.25.140637301290483529021573168312034987161";
const TISSUE: Code = { value: "85756007", scheme: "SCT", meaning: "Tissue" };
const DERIVATION: Code = { value: "113076", scheme: "DCM", meaning: "Segmentation" };
const PURPOSE: Code = { value: "121322", scheme: "DCM", meaning: "Source image for image processing operation" };

export interface SegOptions {
  /** What drew it, as SegmentAlgorithmName. */
  readonly model?: string;
  readonly description?: string;
  /** Creation time; now, when left out. */
  readonly date?: Date;
}

/**
 * Frames are those that hold something, segment by segment in slice order, a bit a pixel. Patient, study and frame of reference are the source's, UIDs
 * are new. Throws where the volume is no DICOM series or nothing is drawn. Labels without pixels are segments without frames; overlaps are kept.
 */
export function writeDicomSeg(labelmap: Labelmap, volume: Volume, options: SegOptions = {}): Uint8Array<ArrayBuffer> {
  const { dicom, geometry } = volume;
  if (!dicom || !geometry)
    throw badFile(volume.name, "a DICOM series that says how it lies in the patient", volume.format, "Write NIfTI or NRRD for other volumes.");
  const { labels } = labelmap;
  const frames = labels.flatMap((label, i) => labelmap.drawnSlices(label.id).map((slice) => ({ segment: i + 1, label, slice })));
  if (frames.length === 0) throw badFile(volume.name, "something drawn", "nothing", "Accept a mask first.");
  const { columns, rows } = labelmap;
  const date = options.date ?? new Date();
  const [day, time] = dicomDate(date);
  const sopInstance = newUid();
  const dimension = newUid();
  const elements: Element[] = [
    ...copied(dicom),
    text(0x00080005, "CS", "ISO_IR 192"),
    text(0x00080008, "CS", "DERIVED\\PRIMARY"),
    text(0x00080016, "UI", SEGMENTATION_STORAGE),
    text(0x00080018, "UI", sopInstance),
    text(0x00080023, "DA", day),
    text(0x00080033, "TM", time),
    text(0x00080060, "CS", "SEG"),
    text(0x00080070, "LO", "sam-med2d-webgpu"),
    text(0x00081090, "LO", "sam-med2d-webgpu"),
    text(0x0008103e, "LO", options.description ?? "Segmentation"),
    text(0x00181000, "LO", "0"),
    text(0x00181020, "LO", "1"),
    text(0x0020000e, "UI", newUid()),
    text(0x00200011, "IS", "1000"),
    text(0x00200013, "IS", "1"),
    text(0x00280004, "CS", "MONOCHROME2"),
    text(0x00280008, "IS", `${frames.length}`),
    ...[
      [0x00280002, 1],
      [0x00280010, rows],
      [0x00280011, columns],
      [0x00280100, 1],
      [0x00280101, 1],
      [0x00280102, 0],
      [0x00280103, 0],
    ].map(([tag, value]): Element => ({ tag: tag as number, vr: "US", value: [value as number] })),
    text(0x00282110, "CS", "00"),
    text(0x00620001, "CS", "BINARY"),
    text(0x00700080, "CS", "SEGMENTATION"),
    text(0x00700081, "LO", options.description ?? "Segmentation"),
    text(0x00700084, "PN", "sam-med2d-webgpu"),
    sequence(0x00081115, [referencedSeries(dicom, new Set(frames.map(({ slice }) => slice)))]),
    sequence(0x00209221, [[text(0x00209164, "UI", dimension)]]),
    sequence(0x00209222, [
      [at(0x00209165, 0x0062000b), at(0x00209167, 0x0062000a), text(0x00209164, "UI", dimension), text(0x00209421, "LO", "ReferencedSegmentNumber")],
      [at(0x00209165, 0x00200032), at(0x00209167, 0x00209113), text(0x00209164, "UI", dimension), text(0x00209421, "LO", "ImagePositionPatient")],
    ]),
    sequence(
      0x00620002,
      labels.map((label, i) => segmentItem(label, i + 1, options.model ?? "SAM-Med2D")),
    ),
    sequence(0x52009229, [sharedGroups(volume)]),
    sequence(0x52009230, frameGroups(frames, volume, dicom)),
    { tag: 0x7fe00010, vr: "OB", value: bitsOf(labelmap, frames) },
  ];
  // What is ours stands for what was copied.
  const byTag = new Map(elements.map((element) => [element.tag, element]));
  return encodeFile(SEGMENTATION_STORAGE, sopInstance, IMPLEMENTATION, [...byTag.values()]);
}

const text = (tag: number, vr: string, value: string): Element => ({ tag, vr, value });
const sequence = (tag: number, value: readonly (readonly Element[])[]): Element => ({ tag, vr: "SQ", value });
const at = (tag: number, value: number): Element => ({ tag, vr: "AT", value: [value] });
/** At most 16 characters, as DS allows. */
const decimal = (value: number) => {
  for (let digits = 15; ; digits--) {
    const written = String(Number(value.toPrecision(digits)));
    if (written.length <= 16) return written;
  }
};

/** Elements of the source's modules that a segmentation of it repeats. What is required is there, if empty; `?` only where the source has it. */
const COPIED =
  "00080020 DA, 00080030 TM, 00080050 SH, 00080090 PN, 00081030 LO ?, 00100010 PN, 00100020 LO, 00100030 DA, 00100040 CS, 00101010 AS ?, 00101030 DS ?, 0020000d UI, 00200010 SH, 00200052 UI, 00201040 LO"
    .split(", ")
    .map((line) => line.split(" ") as [tag: string, vr: string, optional?: string]);

function copied({ elements }: DicomSource): Element[] {
  return COPIED.flatMap(([tag, vr, optional]) => {
    const value = elements.get(tag)?.value ?? "";
    // An age that is none of DICOM's is left to the source.
    if (optional && (value === "" || (vr === "AS" && !/^\d{3}[DWMY]$/.test(value)))) return [];
    // A source without them is of no study, or has positions that nothing else shares.
    return [text(Number.parseInt(tag, 16), vr, value === "" && vr === "UI" ? newUid() : value)];
  });
}

function referencedSeries({ elements, instances }: DicomSource, slices: ReadonlySet<number>): Element[] {
  const used = new Map(instances.filter((_, slice) => slices.has(slice)).map((instance) => [instance.sopInstance, instance]));
  return [
    text(0x0020000e, "UI", elements.get("0020000e")?.value ?? ""),
    sequence(
      0x0008114a,
      [...used.values()].map(({ sopClass, sopInstance }) => [text(0x00081150, "UI", sopClass), text(0x00081155, "UI", sopInstance)]),
    ),
  ];
}

function code({ value, scheme, meaning }: Code): Element[] {
  return [text(0x00080100, "SH", value), text(0x00080102, "SH", scheme), text(0x00080104, "LO", meaning)];
}

function segmentItem({ name, color, category = TISSUE, type = TISSUE }: Label, number: number, model: string): Element[] {
  return [
    { tag: 0x00620004, vr: "US", value: [number] },
    text(0x00620005, "LO", name.replaceAll("\\", "/").slice(0, 64)),
    text(0x00620008, "CS", "SEMIAUTOMATIC"),
    text(0x00620009, "LO", model),
    { tag: 0x0062000d, vr: "US", value: labOf(color) },
    sequence(0x00620003, [code(category)]),
    sequence(0x0062000f, [code(type)]),
  ];
}

function sharedGroups({ geometry, slices }: Volume): Element[] {
  if (!geometry) return [];
  const { betweenColumns, betweenRows, betweenSlices } = geometry.spacing;
  const orientation = [...axis(geometry, 0), ...axis(geometry, 1)].map(decimal).join("\\");
  const thick = slices > 1 ? decimal(betweenSlices) : "1";
  return [
    sequence(0x00289110, [
      [
        text(0x00180050, "DS", thick),
        ...(slices > 1 ? [text(0x00180088, "DS", thick)] : []),
        text(0x00280030, "DS", `${decimal(betweenRows)}\\${decimal(betweenColumns)}`),
      ],
    ]),
    sequence(0x00209116, [[text(0x00200037, "DS", orientation)]]),
  ];
}

interface Frame {
  readonly segment: number;
  readonly label: Label;
  readonly slice: number;
}

function frameGroups(frames: readonly Frame[], { geometry }: Volume, { instances }: DicomSource): Element[][] {
  const places = [...new Set(frames.map(({ slice }) => slice))].sort((a, b) => a - b);
  return frames.map(({ segment, slice }) => {
    const origin = geometry?.sliceOrigins?.[slice] ?? (geometry ? indexToPatient(geometry, [0, 0, slice]) : [0, 0, 0]);
    const source = instances[slice];
    const image = source
      ? [
          text(0x00081150, "UI", source.sopClass),
          text(0x00081155, "UI", source.sopInstance),
          ...(source.frame === undefined ? [] : [text(0x00081160, "IS", `${source.frame}`)]),
          text(0x0028135a, "CS", "YES"),
          sequence(0x0040a170, [code(PURPOSE)]),
        ]
      : undefined;
    return [
      sequence(0x00089124, image ? [[sequence(0x00082112, [image]), sequence(0x00089215, [code(DERIVATION)])]] : []),
      sequence(0x00209111, [[{ tag: 0x00209157, vr: "UL", value: [segment, places.indexOf(slice) + 1] }]]),
      sequence(0x00209113, [[text(0x00200032, "DS", origin.map(decimal).join("\\"))]]),
      sequence(0x0062000a, [[{ tag: 0x0062000b, vr: "US", value: [segment] }]]),
    ];
  });
}

/** The lowest bit first, frames behind each other without filling up a byte. */
function bitsOf(labelmap: Labelmap, frames: readonly Frame[]): Uint8Array {
  const area = labelmap.columns * labelmap.rows;
  const out = new Uint8Array(Math.ceil((area * frames.length) / 8));
  frames.forEach(({ label, slice }, i) => {
    const runs = labelmap.runs(label.id, slice);
    for (let r = 0; r < runs.length; r += 2) {
      for (let bit = i * area + (runs[r] as number); bit < i * area + (runs[r + 1] as number); bit++)
        out[bit >> 3] = (out[bit >> 3] as number) | (1 << (bit & 7));
    }
  });
  return out;
}

/** sRGB to CIELab under D50, 16 bits each, as PS3.3 C.10.7.1.1 has it. */
function labOf(color: readonly [number, number, number]): number[] {
  const [r, g, b] = color.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const x = f((0.4360747 * r + 0.3850649 * g + 0.1430804 * b) / 0.96422);
  const y = f(0.2225045 * r + 0.7168786 * g + 0.0606169 * b);
  const z = f((0.0139322 * r + 0.0971045 * g + 0.7141733 * b) / 0.82521);
  const scaled = [((116 * y - 16) * 65535) / 100, ((500 * (x - y) + 128) * 65535) / 255, ((200 * (y - z) + 128) * 65535) / 255];
  return scaled.map((value) => Math.max(0, Math.min(65535, Math.round(value))));
}

/** A UUID's number below 2.25. */
function newUid(): string {
  return `2.25.${BigInt(`0x${crypto.randomUUID().replaceAll("-", "")}`)}`;
}

function dicomDate(date: Date): [day: string, time: string] {
  const digits = date.toISOString().replace(/\D/g, "");
  return [digits.slice(0, 8), digits.slice(8, 14)];
}
