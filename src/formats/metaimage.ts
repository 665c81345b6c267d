// MetaImage, attached (.mha) and detached (.mhd): `Key = value` lines, then voxels raw, as text, or packed by zlib.
import { geometryOf } from "../volume/geometry.ts";
import type { Samples, Volume } from "../volume/volume.ts";
import { badFile, baseName, CUT_OFF, DAMAGED, shown } from "./fail.ts";
import { inflateAll } from "./inflate.ts";
import type { Companions, FileEntry, ReadContext, ReadResult } from "./reader.ts";
import { dataFileBeside, joined, numberedFiles, numbersOf, textSource } from "./text_header.ts";
import { bytesOf, expectVoxels, type ScalarType, slicesOf, turnSlices } from "./voxels.ts";

const MAX_HEADER = 1 << 16;
const MAX_VOLUMES = 100_000;

const TYPES: Record<string, ScalarType> = {
  MET_CHAR: "int8",
  MET_UCHAR: "uint8",
  MET_SHORT: "int16",
  MET_USHORT: "uint16",
  MET_INT: "int32",
  MET_UINT: "uint32",
  // `long` has 4 bytes in files, whatever it has in memory.
  MET_LONG: "int32",
  MET_ULONG: "uint32",
  MET_LONG_LONG: "int64",
  MET_ULONG_LONG: "uint64",
  MET_FLOAT: "float32",
  MET_DOUBLE: "float64",
};

export async function readMetaImage(entry: FileEntry, companions: Companions, context: ReadContext = {}): Promise<ReadResult> {
  const { path } = entry;
  const { fields, end, list } = await headerOf(entry, context.signal);
  const field = (...names: string[]) => names.map((name) => fields.get(name.toLowerCase())).find((value) => value !== undefined);
  const yes = (name: string) => /^(true|1|yes)$/i.test(field(name) ?? "");
  const dimensions = Number(field("NDims"));
  const sides = numbersOf(field("DimSize") ?? "");
  if (!(dimensions >= 1 && dimensions <= 7) || sides.length !== dimensions || sides.some((side) => !Number.isInteger(side) || side < 1)) {
    throw badFile(
      path,
      "NDims from 1 to 7 and as many sides in DimSize",
      `${shown(field("NDims") ?? "none")} and ${shown(field("DimSize") ?? "none")}`,
      DAMAGED,
    );
  }
  const typeName = field("ElementType") ?? "";
  const type = TYPES[typeName.toUpperCase().replace(/_ARRAY$/, "")];
  if (!type) throw badFile(path, "an ElementType of numbers, from MET_CHAR to MET_DOUBLE", shown(typeName), "Save it with one of these.");
  const channels = Number(field("ElementNumberOfChannels") ?? 1);
  if (!Number.isInteger(channels) || channels < 1) throw badFile(path, "at least 1 channel", shown(field("ElementNumberOfChannels") ?? ""), DAMAGED);
  // More than a colour has are volumes of their own, whose voxels take turns.
  const samples = (channels <= 4 ? channels : 1) as Samples;
  const turns = channels / samples;
  const [columns, rows = 1, slices = 1, ...more] = sides as [number, ...number[]];
  const volumes = more.reduce((product, side) => product * side, turns);
  const count = columns * rows * slices * volumes * samples;
  const bytes = count * bytesOf(type);
  if (!Number.isSafeInteger(bytes) || volumes > MAX_VOLUMES) throw badFile(path, "sizes that a file can hold", sides.join("×"), DAMAGED);

  const local = /^local$/i.test(field("ElementDataFile") ?? "");
  const found = local ? [] : (list ?? [field("ElementDataFile") ?? ""]).map((name) => dataFileBeside(path, name, companions));
  let source = local
    ? entry.source
    : joined(
        found.map((file) => file.source),
        path,
      );
  let offset = local ? end : 0;
  let littleEndian = !(yes("BinaryDataByteOrderMSB") || yes("ElementByteOrderMSB"));
  const skip = Number(field("HeaderSize") ?? 0);
  if (yes("CompressedData")) {
    const length = Number(field("CompressedDataSize"));
    const size = Number.isInteger(length) && length > 0 ? { length } : {};
    source = await inflateAll({ source, path, begin: offset, ...size, packing: "deflate" }, { size: bytes }, context);
    offset = 0;
  } else if (/^(false|0|no)$/i.test(field("BinaryData") ?? "true")) {
    ({ source, littleEndian } = await textSource(source, offset, { type, count, path }, context.signal));
    offset = 0;
  } else if (skip === -1) offset = source.size - bytes;
  else if (!local && skip > 0) offset = Math.floor(skip);
  expectVoxels({ source, path, offset, type }, count);

  const geometry = geometryFor(field, dimensions);
  const notes = geometry ? [] : ["The directions of the file are no usable transform and are left out; measurements are in pixels."];
  const files = [path, ...found.map((file) => file.path)];
  const one = columns * rows * slices * samples * bytesOf(type);
  const made = Array.from({ length: volumes }, (_, v): Volume => {
    const layout = { source, path, type, littleEndian, columns, rows, slices };
    const slice =
      turns > 1
        ? turnSlices({ ...layout, offset: offset + Math.floor(v / turns) * one * turns, turns, turn: v % turns })
        : slicesOf({ ...layout, offset: offset + v * one, samples });
    const name = volumes > 1 ? `${baseName(path)}, volume ${v + 1} of ${volumes}` : baseName(path);
    const modality = /^MET_MOD_(CT|MR|NM|US|PT)/i.exec(field("Modality") ?? "")?.[1];
    return {
      name,
      format: "MetaImage",
      columns,
      rows,
      slices,
      samples,
      ...(modality ? { modality: modality.toUpperCase() } : {}),
      ...(geometry ? { geometry } : {}),
      windows: [],
      inverted: false,
      files,
      notes,
      slice,
    };
  });
  return { volumes: made, refused: [] };
}

/** Rows of TransformMatrix are the directions of growing column, row and slice index; positions are LPS, as in ITK. */
function geometryFor(field: (...names: string[]) => string | undefined, dimensions: number) {
  const n = Math.min(3, dimensions);
  const numbers = (text: string | undefined, fallback: number[]) => {
    const found = numbersOf(text ?? "");
    return found.length >= fallback.length && found.every(Number.isFinite) ? found : fallback;
  };
  const unit = Array.from({ length: dimensions ** 2 }, (_, i) => (i % (dimensions + 1) === 0 ? 1 : 0));
  const matrix = numbers(field("TransformMatrix", "Rotation", "Orientation"), unit);
  const origin = numbers(field("Offset", "Position", "Origin"), new Array(n).fill(0));
  const spacing = numbers(field("ElementSpacing", "ElementSize"), new Array(n).fill(1));
  const step = (axis: number) => (axis < n ? Math.abs(spacing[axis] as number) || 1 : 1);
  const along = (axis: number, row: number) => (axis < n && row < n ? (matrix[axis * dimensions + row] as number) : axis === row ? 1 : 0);
  return geometryOf([0, 1, 2].flatMap((row) => [...[0, 1, 2].map((axis) => along(axis, row) * step(axis)), row < n ? (origin[row] as number) : 0]));
}

/** Fields by name in lower case; voxels begin at `end`, right behind the line of ElementDataFile. */
async function headerOf({ source, path }: FileEntry, signal?: AbortSignal) {
  const bytes = await source.read(0, Math.min(MAX_HEADER, source.size), signal);
  const fields = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const stop = bytes.indexOf(10, at);
    const end = stop < 0 ? bytes.length : stop + 1;
    const line = new TextDecoder("latin1").decode(bytes.subarray(at, end)).trim();
    const pair = /^([\w]+)\s*[=:]\s*(.*)$/.exec(line);
    if (!pair && line) throw badFile(path, "a MetaImage header of lines Key = value", shown(line), "This is not a MetaImage file, or it is damaged.");
    if (pair) fields.set((pair[1] as string).toLowerCase(), (pair[2] as string).trim());
    if (pair && /^ElementDataFile$/i.test(pair[1] as string)) {
      const value = pair[2] as string;
      if (/^list/i.test(value)) return { fields, end, list: listed(new TextDecoder().decode(bytes.subarray(end)), path) };
      return { fields, end, list: numberedFiles(value, path) };
    }
    at = end;
  }
  throw badFile(path, "a header that ends with ElementDataFile", "none", CUT_OFF);
}

function listed(text: string, path: string): string[] {
  const names = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);
  if (names.length === 0) throw badFile(path, "names of data files behind LIST", "none", CUT_OFF);
  return names;
}
