// What a DICOM file says of its image: sizes, how pixels are stored, what they mean. Checked against the file's length before anything is taken.
import { badFile, byteCount, shown } from "../fail.ts";
import type { Window } from "../../volume/volume.ts";
import { type Lut, modalityLut, type Palette, paletteOf } from "./color.ts";
import type { Dataset, Element } from "./dataset.ts";
import type { DicomFile } from "./file.ts";
import { type Frame, framesOf } from "./frames.ts";
import { expectImage } from "./no_image.ts";
import { TAG } from "./tags.ts";
import { windowsOf } from "./windows.ts";

export interface DicomImage {
  readonly file: DicomFile;
  readonly pixels: Element;
  readonly rows: number;
  readonly columns: number;
  readonly samples: 1 | 3;
  readonly photometric: string;
  /** Planes of one colour each, one after the other, instead of pixels. */
  readonly planar: boolean;
  /** `float32` and `float64` for (7FE0,0008) and (7FE0,0009). */
  readonly type: "integer" | "float32" | "float64";
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  /** Two pixels share their colours: four bytes for two (YBR_FULL_422, uncompressed). */
  readonly halved: boolean;
  readonly frames: readonly Frame[];
  readonly modalityLut?: Lut;
  readonly palette?: Palette;
  readonly windows: readonly Window[];
  /** Stored values, before slope and intercept. */
  readonly padding?: readonly [low: number, high: number];
  readonly notes: readonly string[];
}

/** 2 ** 31 samples a frame are beyond every detector, slide scanner and typed array. */
const MAX_FRAME = 2 ** 31;
/** Of an instance on a server, whose size is not known. */
const MOST_FRAMES = 1_000_000;

export function describeImage(file: DicomFile): DicomImage {
  const { dataset, path, syntax } = file;
  const pixels = expectImage(file);
  const notes = [...file.notes];
  const rows = side(file, TAG.Rows, "rows");
  const columns = side(file, TAG.Columns, "columns");
  const count = frameCount(dataset, notes);
  const samples = dataset.number(TAG.SamplesPerPixel, "US") ?? 1;
  if (samples !== 1 && samples !== 3) {
    const got = `${samples} samples a pixel`;
    throw badFile(path, "a gray or colour image of 1 or 3 samples a pixel", got, "Convert it with the software that made it.");
  }
  const type = pixels.tag === TAG.FloatPixelData ? "float32" : pixels.tag === TAG.DoubleFloatPixelData ? "float64" : "integer";
  const bitsAllocated = type === "float64" ? 64 : type === "float32" ? 32 : (dataset.number(TAG.BitsAllocated, "US") ?? 16);
  const bitsStored = Math.min(bitsAllocated, dataset.number(TAG.BitsStored, "US") || bitsAllocated);
  const highBit = Math.max(bitsStored - 1, Math.min(bitsAllocated - 1, dataset.number(TAG.HighBit, "US") ?? bitsStored - 1));
  if (![1, 8, 16, 32, 64].includes(bitsAllocated) || (bitsAllocated === 64 && type === "integer")) {
    throw badFile(path, "pixels of 1, 8, 16 or 32 bits", `${bitsAllocated} bits`, "Convert it to 16 bits with the software that made it.");
  }
  if (rows * columns * samples >= MAX_FRAME) throw tooMany(file, `${rows} × ${columns} pixels in a frame`);
  const photometric = (dataset.text(TAG.PhotometricInterpretation) ?? (samples === 3 ? "RGB" : "MONOCHROME2")).toUpperCase();
  const native = !syntax.packing && pixels.length !== undefined;
  const full = rows * columns * samples * count * (bitsAllocated / 8);
  // Some write YBR_FULL_422 above pixels that have all three samples.
  const halved = native && photometric.endsWith("_422") && samples === 3 && (pixels.length as number) < full;
  const wanted = Math.ceil(halved ? (full * 2) / 3 : full);
  const what = `${rows} × ${columns} pixels${count > 1 ? ` in ${count} frames` : ""}`;
  if (native) expectBytes(file, pixels, wanted, what);
  // Each compressed frame has an item of its own, eight bytes at least.
  else if (count > (file.frame ? MOST_FRAMES : Math.max(1, file.source.size / 8))) throw tooMany(file, what);
  const signed = dataset.number(TAG.PixelRepresentation, "US") === 1;
  const palette = photometric === "PALETTE COLOR" && samples === 1 ? paletteOf(dataset, path, signed) : undefined;
  const padding = paddingOf(dataset, signed);
  const lut = samples === 1 && !palette ? modalityLut(dataset, signed) : undefined;
  return {
    file,
    pixels,
    rows,
    columns,
    samples,
    photometric,
    planar: samples === 3 && dataset.number(TAG.PlanarConfiguration, "US") === 1,
    type,
    bitsAllocated,
    bitsStored: type === "integer" ? bitsStored : bitsAllocated,
    highBit: type === "integer" ? highBit : bitsAllocated - 1,
    signed,
    halved,
    frames: framesOf(dataset, count),
    ...(lut ? { modalityLut: lut } : {}),
    ...(palette ? { palette } : {}),
    windows: windowsOf(dataset, signed),
    ...(padding && samples === 1 && !palette ? { padding } : {}),
    notes,
  };
}

function side(file: DicomFile, tag: number, name: string): number {
  const value = file.dataset.number(tag, "US");
  if (value !== undefined && value > 0) return value;
  const got = value === undefined ? `one that gives no ${name}` : `one of ${value} ${name}`;
  throw badFile(file.path, "an image", got, "There is nothing to show in it: fetch the file again.");
}

function frameCount(dataset: Dataset, notes: string[]): number {
  const text = dataset.text(TAG.NumberOfFrames);
  if (text === undefined) return 1;
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  notes.push(`The number of frames, ${shown(text)}, is not a number above 0: read as one frame.`);
  return 1;
}

function expectBytes(file: DicomFile, pixels: Element, wanted: number, what: string): void {
  const said = pixels.length as number;
  const there = Math.max(0, Math.min(said, file.source.size - pixels.offset));
  if (there >= wanted) return;
  // Many times what is there is no cut, but a header that lies.
  if (said < wanted && wanted > 1e9) throw tooMany(file, `${what} (${byteCount(wanted)})`);
  const cut = said > there;
  throw badFile(
    file.path,
    `${wanted} bytes for ${what}`,
    `${there} bytes of them in the file`,
    cut ? "The file is cut off: copy or fetch it again." : "Its header and its pixels do not fit: fetch the file again.",
  );
}

function tooMany({ path, source }: DicomFile, what: string): Error {
  const expected = "a header that asks for no more pixels than the file can hold";
  return badFile(path, expected, `${what} in a file of ${byteCount(source.size)}`, "The header is damaged: fetch the file again.");
}

function paddingOf(dataset: Dataset, signed: boolean): readonly [number, number] | undefined {
  const vr = signed ? "SS" : "US";
  const value = dataset.number(TAG.PixelPaddingValue, vr);
  if (value === undefined) return undefined;
  const limit = dataset.number(TAG.PixelPaddingRangeLimit, vr) ?? value;
  return [Math.min(value, limit), Math.max(value, limit)];
}
