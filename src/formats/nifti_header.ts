// The headers of NIfTI-1 (348 bytes), NIfTI-2 (540) and Analyze 7.5 (348, other meaning from byte 252 on).
import type { Affine } from "../volume/geometry.ts";
import { badFile, CUT_OFF } from "./fail.ts";

export interface Header {
  /** 0: Analyze 7.5 */
  readonly version: 0 | 1 | 2;
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  /** Voxels follow in the same file; else they lie in the `.img` beside it. */
  readonly single: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  /** Product of the dimensions from the fourth on. */
  readonly volumes: number;
  readonly datatype: number;
  readonly voxOffset: number;
  readonly slope: number;
  readonly intercept: number;
  readonly displayMin: number;
  readonly displayMax: number;
  /** Sizes along columns, rows and slices, in the file's unit. */
  readonly pixdim: readonly number[];
  /** mm in the file's unit of length. */
  readonly unitMm: number;
  readonly qformCode: number;
  readonly sformCode: number;
  /** 3×4, index → RAS in the file's unit. */
  readonly qform: Affine;
  readonly sform: Affine;
}

/** Byte positions, NIfTI-1 and NIfTI-2. `wide`: 64-bit integers or doubles in NIfTI-2. */
const AT = {
  1: { dim: 40, datatype: 70, pixdim: 76, voxOffset: 108, slope: 112, units: 123, max: 124, min: 128, qformCode: 252, sformCode: 254, quatern: 256, srow: 280 },
  2: {
    dim: 16,
    datatype: 12,
    pixdim: 104,
    voxOffset: 168,
    slope: 176,
    units: 500,
    max: 192,
    min: 200,
    qformCode: 344,
    sformCode: 348,
    quatern: 352,
    srow: 400,
  },
} as const;

export function parseHeader(head: Uint8Array<ArrayBuffer>, path: string): Header {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 348) throw badFile(path, "a NIfTI header of 348 bytes", `${head.length}`, CUT_OFF);
  const [little, big] = [view.getInt32(0, true), view.getInt32(0, false)];
  const size = [348, 540].find((bytes) => little === bytes || big === bytes);
  const magic = (at: number) => String.fromCharCode(...head.subarray(at, at + 3));
  if (size === undefined && /^(n\+|ni)1$/.test(magic(344))) {
    const datatype = view.getInt16(70, true);
    throw badFile(path, "a NIfTI header of 348 bytes", `one that says ${little} (datatype ${datatype})`, "The header is damaged: fetch the file again.");
  }
  if (size === undefined) {
    throw badFile(
      path,
      "a NIfTI header (beginning with its size, 348 or 540)",
      `${little}`,
      "This is not a NIfTI file: open it by what it is, or convert it again.",
    );
  }
  if (head.length < size) throw badFile(path, `a header of ${size} bytes`, `${head.length}`, CUT_OFF);
  const littleEndian = little === size;
  const mark = magic(size === 540 ? 4 : 344);
  const known = /^(n\+|ni)[12]$/.test(mark);
  const version = !known ? 0 : size === 540 ? 2 : 1;
  const le = littleEndian;
  if (size === 540 && !known) throw badFile(path, "the mark of NIfTI-2", "another", "This is not a NIfTI file: convert it again.");
  const at = AT[version === 2 ? 2 : 1];
  const wide = version === 2;
  const int = (offset: number, i = 0) => (wide ? Number(view.getBigInt64(offset + 8 * i, le)) : view.getInt16(offset + 2 * i, le));
  const real = (offset: number, i = 0) => (wide ? view.getFloat64(offset + 8 * i, le) : view.getFloat32(offset + 4 * i, le));
  const code = (offset: number) => (wide ? view.getInt32(offset, le) : view.getInt16(offset, le));

  const rank = int(at.dim);
  const dims = Array.from({ length: 7 }, (_, i) => (i < rank ? int(at.dim, i + 1) : 1));
  if (!(rank >= 1 && rank <= 7) || dims.some((side) => !(side >= 1))) {
    // Analyze has no mark of its own, so a header that makes no sense is taken for none.
    if (version === 0)
      throw badFile(path, "a NIfTI or Analyze header", "numbers that make no image", "This is not a NIfTI file: open it by what it is, or convert it again.");
    const datatype = view.getInt16(at.datatype, le);
    throw badFile(
      path,
      "1 to 7 dimensions of at least 1",
      `${rank} dimensions of ${dims.slice(0, Math.max(1, Math.min(7, rank))).join("×")} (datatype ${datatype})`,
      "The header is damaged: fetch the file again.",
    );
  }
  // Some writers turn an axis around by its sign, which the standard has no word for.
  const step = (i: number) => Math.abs(real(at.pixdim, i));
  const lengthUnit = (wide ? view.getInt32(at.units, le) : (head[at.units] as number)) & 7;
  const offset = wide ? Number(view.getBigInt64(at.voxOffset, le)) : view.getFloat32(at.voxOffset, le);
  const nifti = version > 0;
  return {
    version: version as 0 | 1 | 2,
    bytes: head.slice(0, size),
    littleEndian,
    single: nifti && mark[1] === "+",
    columns: dims[0] as number,
    rows: dims[1] as number,
    slices: dims[2] as number,
    volumes: dims.slice(3).reduce((product, side) => product * side, 1),
    datatype: view.getInt16(at.datatype, le),
    voxOffset: Number.isFinite(offset) && offset > 0 ? Math.floor(offset) : 0,
    slope: nifti ? real(at.slope) : 0,
    intercept: nifti ? real(at.slope, 1) : 0,
    displayMin: nifti ? real(at.min) : 0,
    displayMax: nifti ? real(at.max) : 0,
    pixdim: [step(1), step(2), step(3)],
    unitMm: !nifti ? 1 : lengthUnit === 1 ? 1000 : lengthUnit === 3 ? 0.001 : 1,
    qformCode: nifti ? code(at.qformCode) : 0,
    sformCode: nifti ? code(at.sformCode) : 0,
    qform: fromQuaternion((i) => real(at.quatern, i), [step(1), step(2), step(3)], real(at.pixdim)),
    sform: Array.from({ length: 12 }, (_, i) => real(at.srow, i)),
  };
}

/** Quaternion b, c, d, then the offset; `qfac` below 0 turns the third axis around. */
function fromQuaternion(value: (i: number) => number, steps: readonly [number, number, number], qfac: number): Affine {
  let [b, c, d] = [value(0), value(1), value(2)];
  const rest = 1 - (b * b + c * c + d * d);
  let a = 0;
  if (rest < 1e-7) {
    const scale = 1 / Math.sqrt(b * b + c * c + d * d);
    [b, c, d] = [b * scale, c * scale, d * scale];
  } else a = Math.sqrt(rest);
  const rotation = [
    [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
  ];
  const [x, y, z] = steps.map((step) => (step > 0 ? step : 1)) as [number, number, number];
  const along = [x, y, qfac < 0 ? -z : z];
  return rotation.flatMap((row, i) => [...row.map((cell, j) => cell * (along[j] as number)), value(3 + i)]);
}
