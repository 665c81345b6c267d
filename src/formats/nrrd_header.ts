// The text header of NRRD, parsed into fields.
import { badFile, CUT_OFF, DAMAGED, shown } from "./fail.ts";
import type { FileEntry } from "./reader.ts";
import { numberedFiles, numbersOf } from "./text_header.ts";
import type { ScalarType } from "./voxels.ts";

export interface NrrdHeader {
  readonly type: ScalarType;
  readonly sizes: readonly number[];
  readonly encoding: "raw" | "gzip" | "bzip2" | "text" | "hex";
  readonly littleEndian: boolean;
  readonly kinds?: readonly string[];
  readonly spaceName?: string;
  readonly spaceDimension?: number;
  /** One an axis, in the file's space; null: an axis outside space. */
  readonly directions?: readonly (readonly number[] | null)[];
  readonly origin?: readonly number[];
  readonly spacings?: readonly number[];
  readonly units?: readonly string[];
  readonly lineSkip: number;
  /** -1: the voxels are the last bytes. */
  readonly byteSkip: number;
  readonly dataFiles?: readonly string[];
  /** Fields by name in lower case, keys (`key:=value`) by name as written. */
  readonly fields: ReadonlyMap<string, string>;
  readonly keys: ReadonlyMap<string, string>;
}

const MAX_HEADER = 1 << 20;

const TYPE_NAMES: Record<string, ScalarType> = Object.fromEntries(
  (
    [
      ["int8", "signed char, int8, int8_t"],
      ["uint8", "uchar, unsigned char, uint8, uint8_t"],
      ["int16", "short, short int, signed short, signed short int, int16, int16_t"],
      ["uint16", "ushort, unsigned short, unsigned short int, uint16, uint16_t"],
      ["int32", "int, signed int, int32, int32_t"],
      ["uint32", "uint, unsigned int, uint32, uint32_t"],
      ["int64", "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t"],
      ["uint64", "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t"],
      ["float32", "float"],
      ["float64", "double"],
    ] as const
  ).flatMap(([type, names]) => names.split(", ").map((name) => [name, type])),
);

/** The header's text and where what follows begins. A detached one may end with the file. */
export async function readNrrdHeader({ source, path }: FileEntry, signal?: AbortSignal): Promise<{ text: string; end: number }> {
  for (let length = Math.min(1 << 14, source.size); ; length = Math.min(MAX_HEADER, source.size, 4 * length)) {
    const bytes = await source.read(0, length, signal);
    if (String.fromCharCode(...bytes.subarray(0, 4)) !== "NRRD")
      throw badFile(path, 'a NRRD file, which begins with "NRRD"', "something else", "Open it by what it is, or convert it again.");
    for (let at = 0; at + 1 < length; at++) {
      if (bytes[at] !== 10) continue;
      const next = bytes[at + 1] === 13 ? at + 2 : at + 1;
      if (bytes[next] === 10) return { text: new TextDecoder().decode(bytes.subarray(0, at)).trimEnd(), end: next + 1 };
    }
    if (length === source.size) return { text: new TextDecoder().decode(bytes), end: length };
    if (length === MAX_HEADER) throw badFile(path, "a NRRD header that ends with an empty line", "none in the first megabyte", DAMAGED);
  }
}

export function parseNrrdHeader(text: string, path: string): NrrdHeader {
  const fields = new Map<string, string>();
  const keys = new Map<string, string>();
  const lines = text.split(/\r?\n/);
  if (!/^NRRD000[1-9]/.test(lines[0] ?? "")) throw badFile(path, "a NRRD file of version 1 to 9", shown(lines[0] ?? ""), "Convert it again.");
  let list: string[] | undefined;
  for (const line of lines.slice(1)) {
    if (list) {
      if (line.trim()) list.push(line.trim());
      continue;
    }
    if (line.startsWith("#") || !line.trim()) continue;
    const key = /^([^:]+):=(.*)$/.exec(line);
    const field = /^([^:]+):\s*(.*)$/.exec(line);
    if (key) keys.set(key[1] as string, key[2] as string);
    else if (field) {
      const name = (field[1] as string).trim().toLowerCase();
      fields.set(name, (field[2] as string).trim());
      if (/^data ?file$/.test(name) && /^list/i.test(field[2] as string)) list = [];
    } else throw badFile(path, "header lines of the kind field: value", shown(line), DAMAGED);
  }
  const field = (name: string) => fields.get(name) ?? fields.get(name.replaceAll(" ", ""));
  const need = (name: string) => {
    const value = field(name);
    if (value === undefined) throw badFile(path, `a header with the field ${name}`, "none", CUT_OFF);
    return value;
  };
  const typeName = need("type").toLowerCase().replace(/\s+/g, " ");
  const type = TYPE_NAMES[typeName];
  if (!type) throw badFile(path, "a type of numbers, from int8 to double", shown(typeName), "Save it with a type of numbers.");
  const dimension = Number(need("dimension"));
  const sizes = numbersOf(need("sizes"));
  if (
    !Number.isInteger(dimension) ||
    dimension < 1 ||
    dimension > 16 ||
    sizes.length !== dimension ||
    sizes.some((side) => !Number.isInteger(side) || side < 1)
  ) {
    const count = Number.isInteger(dimension) ? `${dimension} ` : "";
    throw badFile(path, `${count}sizes of at least 1`, shown(need("sizes")), DAMAGED);
  }
  const skip = (name: string) => {
    const value = Number(field(name) ?? 0);
    if (Number.isInteger(value) && value >= -1) return value;
    throw badFile(path, `a whole number as ${name}`, shown(field(name) ?? ""), DAMAGED);
  };
  const dataFile = field("data file");
  const directions = field("space directions");
  const origin = field("space origin");
  const spacings = field("spacings");
  const units = field("space units");
  const kinds = field("kinds");
  const space = field("space");
  const spaceDimension = field("space dimension");
  return {
    type,
    sizes,
    encoding: encodingOf(need("encoding"), path),
    littleEndian: field("endian")?.toLowerCase() !== "big",
    ...(kinds ? { kinds: kinds.split(/\s+/) } : {}),
    ...(space ? { spaceName: space } : {}),
    ...(space ? { spaceDimension: 3 } : spaceDimension ? { spaceDimension: Number(spaceDimension) } : {}),
    ...(directions ? { directions: vectorsOf(directions, dimension, path) } : {}),
    ...(origin ? { origin: numbersOf(origin.replace(/[()]/g, " ")) } : {}),
    ...(spacings ? { spacings: numbersOf(spacings) } : {}),
    ...(units ? { units: [...units.matchAll(/"([^"]*)"/g)].map((match) => match[1] as string) } : {}),
    lineSkip: Math.max(0, skip("line skip")),
    byteSkip: skip("byte skip"),
    ...(dataFile ? { dataFiles: list ?? numberedFiles(dataFile, path) ?? [dataFile] } : {}),
    fields,
    keys,
  };
}

function encodingOf(name: string, path: string): NrrdHeader["encoding"] {
  const encoding = name.toLowerCase();
  if (encoding === "raw" || encoding === "hex") return encoding;
  if (encoding === "gzip" || encoding === "gz") return "gzip";
  if (encoding === "ascii" || encoding === "text" || encoding === "txt") return "text";
  if (encoding === "bzip2" || encoding === "bz2") return "bzip2";
  throw badFile(path, "the encoding raw, gzip, bzip2, ascii or hex", shown(name), "Save it with one of these.");
}

/** `(1,0,0) none (0,1,0)` */
function vectorsOf(text: string, dimension: number, path: string): (readonly number[] | null)[] {
  const found = [...text.matchAll(/\(([^)]*)\)|none/gi)].map((match) => (match[1] === undefined ? null : numbersOf(match[1])));
  if (found.length === dimension && found.every((vector) => vector === null || vector.every(Number.isFinite))) return found;
  throw badFile(path, `${dimension} space directions`, shown(text), DAMAGED);
}
