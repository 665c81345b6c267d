// Labels as NIfTI-1 or -2, packed by gzip: on a NIfTI volume with its own header, so that qform and sform stay bit for bit; else with one of ours.
import { affineOf, flipRasLps, type Geometry, shear } from "../volume/geometry.ts";
import type { Labelmap } from "../volume/labelmap.ts";
import type { Volume } from "../volume/volume.ts";
import { badFile } from "./fail.ts";
import { gzip } from "./gzip.ts";
import { labelText } from "./label_text.ts";
import { swapBytes } from "./voxels.ts";

const HOST_IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
/** NIfTI's code for values that name labels. */
const INTENT_LABEL = 1002;
/** NIfTI's code for an extension that holds text. */
const COMMENT = 6;

/**
 * `.nii.gz` with label ids as values, uint8, or uint16 where an id is above 255, names and colours in an extension of the header. Throws where
 * labels overlap or the volume has another size.
 */
export async function writeNiftiLabels(labelmap: Labelmap, volume: Volume): Promise<Uint8Array<ArrayBuffer>> {
  const { columns, rows, slices } = labelmap;
  if (columns !== volume.columns || rows !== volume.rows || slices !== volume.slices) {
    const got = `labels of ${columns}×${rows}×${slices}`;
    throw badFile(volume.name, `labels of ${volume.columns}×${volume.rows}×${volume.slices} voxels`, got, "Write them with the volume they were drawn on.");
  }
  const wide = labelmap.labels.some(({ id }) => id > 255);
  const { header, littleEndian } = labelHeader(volume, wide, new TextEncoder().encode(labelText(labelmap)));
  const size = columns * rows * (wide ? 2 : 1);
  const out = new Uint8Array(header.length + size * slices);
  out.set(header);
  for (let k = 0; k < slices; k++) {
    const values = labelmap.values(k);
    const bytes = out.subarray(header.length + k * size, header.length + (k + 1) * size);
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    if (wide && littleEndian !== HOST_IS_LITTLE) swapBytes(bytes, 2);
  }
  return gzip(out);
}

/** `note` goes into an extension, filled up to 16 bytes as the standard wants. */
function labelHeader(volume: Volume, wide: boolean, note: Uint8Array): { header: Uint8Array<ArrayBuffer>; littleEndian: boolean } {
  const own = volume.nifti;
  const littleEndian = own?.littleEndian ?? true;
  const size = own?.bytes.length ?? 348;
  const extension = 16 * Math.ceil((8 + note.length) / 16);
  const header = new Uint8Array(size + 4 + extension);
  const view = new DataView(header.buffer);
  const nifti2 = size === 540;
  if (own) header.set(own.bytes);
  else if (volume.geometry) placed(view, volume.geometry);
  const int = (at1: number, at2: number, value: number) =>
    nifti2 ? view.setBigInt64(at2, BigInt(value), littleEndian) : view.setInt16(at1, value, littleEndian);
  const real = (at1: number, at2: number, value: number) => (nifti2 ? view.setFloat64(at2, value, littleEndian) : view.setFloat32(at1, value, littleEndian));
  view.setInt32(0, size, littleEndian);
  const dims = [3, volume.columns, volume.rows, volume.slices, 1, 1, 1, 1];
  dims.forEach((side, i) => {
    int(40 + 2 * i, 16 + 8 * i, side);
  });
  view.setInt16(nifti2 ? 12 : 70, wide ? 512 : 2, littleEndian);
  view.setInt16(nifti2 ? 14 : 72, wide ? 16 : 8, littleEndian);
  if (nifti2) view.setInt32(504, INTENT_LABEL, littleEndian);
  else view.setInt16(68, INTENT_LABEL, littleEndian);
  int(0, 168, header.length);
  if (!nifti2) view.setFloat32(108, header.length, littleEndian);
  view.setInt32(0, size, littleEndian);
  real(112, 176, 1);
  real(116, 184, 0);
  // What the source's window was says nothing of labels.
  real(124, 192, 0);
  real(128, 200, 0);
  const mark = nifti2 ? [0x6e, 0x2b, 0x32, 0] : [0x6e, 0x2b, 0x31, 0];
  header.set(mark, nifti2 ? 4 : 344);
  header.set([1, 0, 0, 0], size);
  view.setInt32(size + 4, extension, littleEndian);
  view.setInt32(size + 8, COMMENT, littleEndian);
  header.set(note, size + 12);
  return { header, littleEndian };
}

/** Little-endian NIfTI-1 fields: sizes in mm, sform, and qform where the axes are at right angles. */
function placed(view: DataView, geometry: Geometry): void {
  const { betweenColumns, betweenRows, betweenSlices } = geometry.spacing;
  const ras = flipRasLps(affineOf(geometry));
  const code = geometry.unoriented ? 0 : 1;
  [betweenColumns, betweenRows, betweenSlices].forEach((step, i) => {
    view.setFloat32(80 + 4 * i, step, true);
  });
  view.setUint8(123, 2);
  view.setInt16(254, code, true);
  ras.forEach((value, i) => {
    view.setFloat32(280 + 4 * i, value, true);
  });
  view.setFloat32(76, 1, true);
  if (shear(geometry) > 1e-4) return;
  const steps = [betweenColumns, betweenRows, betweenSlices] as const;
  const cell = (row: number, column: number) => (ras[4 * row + column] as number) / (steps[column] as number);
  const matrix = [0, 1, 2].map((row) => [0, 1, 2].map((column) => cell(row, column))) as [Row, Row, Row];
  const { quaternion, qfac } = quaternionOf(matrix);
  view.setInt16(252, code, true);
  view.setFloat32(76, qfac, true);
  [...quaternion, ras[3], ras[7], ras[11]].forEach((value, i) => {
    view.setFloat32(256 + 4 * i, value as number, true);
  });
}

type Row = [number, number, number];

/** Quaternion b, c, d of a rotation; a mirrored third axis is told by qfac −1. */
function quaternionOf(m: [Row, Row, Row]): { quaternion: Row; qfac: 1 | -1 } {
  const [[a, b, c], [d, e, f], [g, h, i]] = m;
  const qfac = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) < 0 ? -1 : 1;
  const [r13, r23, r33] = [c * qfac, f * qfac, i * qfac];
  const w2 = Math.max(0, 1 + a + e + r33) / 4;
  if (w2 > 0.01) {
    const w = Math.sqrt(w2);
    return { quaternion: [(h - r23) / (4 * w), (r13 - g) / (4 * w), (d - b) / (4 * w)], qfac };
  }
  // Near a half turn: from the largest of the diagonal, with the scalar part positive.
  const squares = [1 + a - e - r33, 1 - a + e - r33, 1 - a - e + r33].map((value) => Math.max(0, value) / 4);
  const most = squares.indexOf(Math.max(...squares));
  const q = Math.sqrt(squares[most] as number);
  const found: Row =
    most === 0
      ? [q, (b + d) / (4 * q), (r13 + g) / (4 * q)]
      : most === 1
        ? [(b + d) / (4 * q), q, (r23 + h) / (4 * q)]
        : [(r13 + g) / (4 * q), (r23 + h) / (4 * q), q];
  const w = most === 0 ? h - r23 : most === 1 ? r13 - g : d - b;
  return { quaternion: w < 0 ? (found.map((value) => -value) as Row) : found, qfac };
}
