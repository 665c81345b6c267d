// NIfTI-1 and NIfTI-2, .nii, .nii.gz and .hdr/.img pairs, and Analyze 7.5, whose header NIfTI-1 took over.
import type { Affine } from "../volume/geometry.ts";
import { flipRasLps, geometryOf, shear } from "../volume/geometry.ts";
import type { Samples, Volume } from "../volume/volume.ts";
import { badFile, baseName, byteCount, shown } from "./fail.ts";
import { inflateAll, inflateHead, packingOf } from "./inflate.ts";
import { labelsOfText } from "./label_text.ts";
import { type Header, parseHeader } from "./nifti_header.ts";
import type { Companions, FileEntry, ReadContext, ReadResult } from "./reader.ts";
import { bytesOf, expectVoxels, type ScalarType, slicesOf } from "./voxels.ts";

const HEAD = 544;
/** Of extensions, looked through for the names of labels. */
const MOST_EXTENSIONS = 1 << 20;
const COMMENT = 6;

/** More volumes than this are not a time series but a damaged header. */
const MAX_VOLUMES = 100_000;

/** Type codes to scalars and how many of them a voxel has. */
const TYPES: Record<number, readonly [ScalarType, Samples]> = {
  2: ["uint8", 1],
  4: ["int16", 1],
  8: ["int32", 1],
  16: ["float32", 1],
  32: ["complex64", 1],
  64: ["float64", 1],
  128: ["uint8", 3],
  256: ["int8", 1],
  512: ["uint16", 1],
  768: ["uint32", 1],
  1024: ["int64", 1],
  1280: ["uint64", 1],
  1792: ["complex128", 1],
  2304: ["uint8", 4],
};
const UNREAD: Record<number, string> = { 1: "1-bit", 1536: "128-bit float", 2048: "256-bit complex" };

/** One volume for each of the fourth and higher dimensions' steps, named by its number. The path may be that of either file of a pair. */
export async function readNifti(entry: FileEntry, companions: Companions, context: ReadContext = {}): Promise<ReadResult> {
  const { path } = entry;
  const image = /\.img(\.gz)?$/i.exec(path);
  if (image) {
    const stem = path.slice(0, image.index);
    const header = ["hdr", "HDR", "hdr.gz"].map((end) => companions(`${stem}.${end}`)).find(Boolean);
    if (!header) throw badFile(path, `the header ${shown(`${baseName(stem)}.hdr`)} that belongs to it`, "an image without its header", "Open both together.");
    return readNifti(header, companions, context);
  }
  if (entry.source.size === 0) throw badFile(path, "a NIfTI file", "an empty file", "Fetch the file again.");
  const head = await headOf(entry, context);
  const header = parseHeader(head, path);
  const { columns, rows, slices, volumes, datatype } = header;
  const type = TYPES[datatype];
  if (!type) {
    const name = UNREAD[datatype] ?? "unknown";
    throw badFile(
      path,
      "a NIfTI datatype of 8 to 64 bits, complex or RGB",
      `datatype ${datatype} (${name})`,
      "Convert it to float32 or int16 with the software that made it.",
    );
  }
  const [scalar, samples] = type;
  const count = columns * rows * slices * volumes * samples;
  const needed = count * bytesOf(scalar);
  if (!Number.isSafeInteger(needed) || volumes > MAX_VOLUMES) {
    throw badFile(
      path,
      "voxels that the file can hold",
      `${columns}×${rows}×${slices}×${volumes} voxels asked for in ${byteCount(entry.source.size)}`,
      "The header is damaged: fetch the file again.",
    );
  }
  const { source, files, offset } = await voxelsOf(entry, header, needed, companions, context);
  expectVoxels({ source, path: source.label === path ? path : source.label, offset, type: scalar }, count);
  const labels = await labelsOf(entry, head, header, context);
  const shared = { ...describe(header, path), ...(labels ? { labels } : {}) };
  const one = columns * rows * slices * samples * bytesOf(scalar);
  const made = Array.from({ length: volumes }, (_, v): Volume => {
    const slice = slicesOf({
      source,
      path,
      offset: offset + v * one,
      type: scalar,
      littleEndian: header.littleEndian,
      columns,
      rows,
      slices,
      samples,
      ...scaling(header, samples),
    });
    const name = volumes > 1 ? `${baseName(path)}, volume ${v + 1} of ${volumes}` : baseName(path);
    return { ...shared, name, columns, rows, slices, samples, windows: displayWindow(header), inverted: false, files, slice };
  });
  return { volumes: made, refused: [] };
}

function scaling({ slope, intercept }: Header, samples: Samples): { slope?: number; intercept?: number } {
  // A slope of 0 means that there is none; colours are never scaled.
  if (samples > 1 || slope === 0 || !Number.isFinite(slope) || !Number.isFinite(intercept)) return {};
  return { slope, intercept };
}

function displayWindow({ displayMin, displayMax }: Header): Volume["windows"] {
  if (!(displayMax > displayMin) || !Number.isFinite(displayMax - displayMin)) return [];
  return [{ name: "of the file", center: (displayMin + displayMax) / 2, width: displayMax - displayMin, shape: "linear-exact" }];
}

async function headOf({ path, source }: FileEntry, context: ReadContext, length = HEAD): Promise<Uint8Array<ArrayBuffer>> {
  const packing = await packingOf(source);
  if (packing) return inflateHead({ source, path, packing }, length, context);
  return source.read(0, Math.min(length, source.size), context.signal);
}

/** What `writeNiftiLabels` says of its values in an extension between header and voxels. */
async function labelsOf(entry: FileEntry, head: Uint8Array, { bytes, single, voxOffset, littleEndian }: Header, context: ReadContext) {
  let at = bytes.length + 4;
  if (!single || head[bytes.length] !== 1 || voxOffset < at + 16) return undefined;
  const all = await headOf(entry, context, Math.min(voxOffset, MOST_EXTENSIONS));
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  while (at + 8 <= all.length) {
    const size = view.getInt32(at, littleEndian);
    if (size < 16 || at + size > all.length) return undefined;
    const text = view.getInt32(at + 4, littleEndian) === COMMENT ? new TextDecoder().decode(all.subarray(at + 8, at + size)) : "";
    const labels = labelsOfText(text.replace(/\0+$/, ""));
    if (labels) return labels;
    at += size;
  }
  return undefined;
}

/** The bytes with the voxels, unpacked, and where they begin. */
async function voxelsOf(entry: FileEntry, header: Header, needed: number, companions: Companions, context: ReadContext) {
  const { path } = entry;
  let { voxOffset } = header;
  let from = entry;
  const files = [path];
  if (!header.single) {
    const stem = path.replace(/\.hdr(\.gz)?$/i, "");
    const found = ["img", "IMG", "img.gz"].map((end) => companions(`${stem}.${end}`)).find(Boolean);
    if (!found) throw badFile(path, `the file ${shown(`${baseName(stem)}.img`)} that belongs to this header`, "a header alone", "Open both together.");
    from = found;
    files.push(found.path);
  } else voxOffset = Math.max(voxOffset, header.bytes.length + 4);
  const packing = await packingOf(from.source);
  if (!packing) return { source: from.source, files, offset: voxOffset };
  const source = await inflateAll({ source: from.source, path: from.path, packing }, { size: needed, skip: voxOffset }, context);
  return { source, files, offset: 0 };
}

/** Where the voxels lie, and what is to be said of it. */
function describe(header: Header, path: string): Pick<Volume, "format" | "geometry" | "notes" | "nifti"> {
  const { version, sformCode, qformCode, pixdim, unitMm } = header;
  const notes: string[] = [];
  const format = version === 0 ? "Analyze 7.5" : `NIfTI-${version}`;
  const inMm = (affine: Affine) => (unitMm === 1 ? affine : affine.map((value) => value * unitMm));
  const nifti = version === 0 ? {} : { nifti: { bytes: header.bytes, littleEndian: header.littleEndian } };
  const tried: [string, Affine | undefined][] = [
    ["sform", sformCode > 0 ? header.sform : undefined],
    ["qform", qformCode > 0 ? header.qform : undefined],
  ];
  for (const [name, affine] of tried) {
    if (!affine) continue;
    const geometry = geometryOf(flipRasLps(inMm(affine)));
    if (!geometry) {
      notes.push(`The ${name} of ${baseName(path)} is no usable transform and is left out.`);
      continue;
    }
    if (shear(geometry) > 1e-3) notes.push("The axes are not at right angles (a sheared transform): distances follow them as they are.");
    if (unitMm !== 1) notes.push(`Positions are given in ${unitMm === 1000 ? "metres" : "micrometres"} and were turned into mm.`);
    return { format, geometry, notes, ...nifti };
  }
  const [x, y, z] = pixdim.map((step) => Math.abs(step) * unitMm || 1) as [number, number, number];
  notes.push(
    version === 0
      ? "This is an Analyze 7.5 file: it says voxel sizes but neither orientation nor position, so left and right may be swapped."
      : "The file gives no orientation (neither qform nor sform): voxel sizes are used, left and right may be swapped.",
  );
  const geometry = geometryOf([x, 0, 0, 0, 0, y, 0, 0, 0, 0, z, 0]);
  return { format, ...(geometry ? { geometry } : {}), notes, ...nifti };
}
