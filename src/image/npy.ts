// NumPy's .npy files: arrays that other tools can read, and mask inputs that other tools made.
import { formatShape, SamError } from "../errors.ts";

export interface NpyArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const ALIGNMENT = 64;

/** Reads float16, float32 or float64, little-endian, C order, format versions 1 to 3; other files are refused by name. */
export function readNpy(bytes: Uint8Array, file: string): NpyArray {
  const fail = (expected: string, got: string): SamError =>
    new SamError({ code: "prompt", op: file, expected, got, remedy: 'Write it with numpy.save(file, numpy.ascontiguousarray(array, "<f4")).' });
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw fail("a NumPy .npy file", "other content");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] as number;
  if (version < 1 || version > 3) throw fail("npy format 1, 2 or 3", `${version}`);
  const headerStart = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : bytes.length < 12 ? Number.POSITIVE_INFINITY : view.getUint32(8, true);
  const dataStart = headerStart + headerLength;
  if (!(dataStart <= bytes.length)) throw fail(`a whole header`, `${bytes.length} bytes in all`);

  const header = new TextDecoder().decode(bytes.subarray(headerStart, dataStart));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const sides = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || sides === undefined)
    throw fail("descr, fortran_order and shape in the header", header.trim().slice(0, 200));
  const read = READERS.get(descr);
  if (!read) throw fail(`little-endian floats (${[...READERS.keys()].join(", ")})`, descr);
  if (order === "True") throw fail("C order (row-major)", "Fortran order");
  const shape = sides
    .split(",")
    .filter((side) => side.trim() !== "")
    .map((side) => Number.parseInt(side, 10));

  const count = shape.reduce((product, side) => product * side, 1);
  const width = Number(descr.slice(2));
  if (count * width !== bytes.length - dataStart) throw fail(`${count * width} bytes of data for shape ${formatShape(shape)}`, `${bytes.length - dataStart}`);
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, dataStart + i * width);
  return { shape, data };
}

/** A version 1 file of float32, `data` row-major. */
export function writeNpy(shape: readonly number[], data: Float32Array): Uint8Array<ArrayBuffer> {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const fields = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sides}), }`;
  const dataStart = Math.ceil((10 + fields.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(dataStart + data.length * 4);
  bytes.set([...MAGIC, 1, 0]);
  const view = new DataView(bytes.buffer);
  view.setUint16(8, dataStart - 10, true);
  bytes.set(new TextEncoder().encode(`${fields.padEnd(dataStart - 11)}\n`), 10);
  for (const [i, value] of data.entries()) view.setFloat32(dataStart + i * 4, value, true);
  return bytes;
}

const READERS: ReadonlyMap<string, (view: DataView, at: number) => number> = new Map([
  ["<f2", (view: DataView, at: number) => halfToNumber(view.getUint16(at, true))],
  ["<f4", (view: DataView, at: number) => view.getFloat32(at, true)],
  ["<f8", (view: DataView, at: number) => view.getFloat64(at, true)],
]);

function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
