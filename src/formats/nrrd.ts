// NRRD, attached (.nrrd) and detached (.nhdr): a text header, then voxels raw, as text, hexadecimal, or packed by gzip or bzip2.
import type { Geometry } from "../volume/geometry.ts";
import { geometryOf, shear } from "../volume/geometry.ts";
import type { Samples, Volume } from "../volume/volume.ts";
import { badFile, baseName, DAMAGED, shown } from "./fail.ts";
import { inflateAll } from "./inflate.ts";
import { type NrrdHeader, parseNrrdHeader, readNrrdHeader } from "./nrrd_header.ts";
import type { Companions, FileEntry, ReadContext, ReadResult } from "./reader.ts";
import { isSegNrrd, segmentationOf } from "./seg_nrrd.ts";
import { dataFileBeside, joined, lineSkipped, textSource } from "./text_header.ts";
import { bytesOf, expectVoxels, slicesOf, turnSlices } from "./voxels.ts";

/** Of x, y and z, as LPS has them; x and y are turned where the space counts to the right or to the front. */
const SPACES: Record<string, readonly [number, number, number]> = {
  "left-posterior-superior": [1, 1, 1],
  "right-anterior-superior": [-1, -1, 1],
  "left-anterior-superior": [1, -1, 1],
};
const SHORT: Record<string, string> = { lps: "left-posterior-superior", ras: "right-anterior-superior", las: "left-anterior-superior" };
/** mm in a unit of length. */
const UNITS: Record<string, number> = { m: 1000, cm: 10, mm: 1, um: 0.001, µm: 0.001, μm: 0.001, nm: 1e-6 };
/** Kinds of an axis that runs over what one voxel holds. */
const SAMPLES = /color|vector|point|normal|matrix|quaternion|complex|stub|scalar/i;
const MAX_VOLUMES = 100_000;
const UNORIENTED = { origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], unoriented: true } as const;

export async function readNrrd(entry: FileEntry, companions: Companions, context: ReadContext = {}): Promise<ReadResult> {
  const { path } = entry;
  const { text, end } = await readNrrdHeader(entry, context.signal);
  const header = parseNrrdHeader(text, path);
  const { sizes, type, encoding } = header;
  const axes = axesOf(header, path);
  const count = sizes.reduce((product, side) => product * side, 1);
  const bytes = count * bytesOf(type);
  if (!Number.isSafeInteger(bytes)) throw badFile(path, "sizes that a file can hold", sizes.join("×"), DAMAGED);

  const data = await dataOf(entry, header, end, companions);
  let { source } = data;
  let offset = await lineSkipped(source, data.offset, header.lineSkip, path);
  let { littleEndian } = header;
  if (encoding === "gzip" || encoding === "bzip2") {
    // A byte skip counts unpacked bytes; -1 takes the last ones.
    const tail = header.byteSkip < 0;
    const unpacked = await inflateAll(
      { source, path, begin: offset, packing: encoding },
      tail ? { limit: bytes + (1 << 20) } : { size: bytes, skip: header.byteSkip },
      context,
    );
    source = unpacked;
    offset = tail ? Math.max(0, unpacked.size - bytes) : 0;
  } else if (encoding === "raw") {
    offset = header.byteSkip < 0 ? source.size - bytes : offset + header.byteSkip;
  } else {
    ({ source, littleEndian } = await textSource(
      source,
      offset + Math.max(0, header.byteSkip),
      { type, count, path, hex: encoding === "hex" },
      context.signal,
    ));
    offset = 0;
  }
  expectVoxels({ source, path, offset, type }, count);

  const side = (axis: number | undefined) => (axis === undefined ? 1 : (sizes[axis] as number));
  const [columns, rows, slices, samples] = [side(axes.space[0]), side(axes.space[1]), side(axes.space[2]), side(axes.sample) as Samples];
  const volumes = count / (columns * rows * slices * samples);
  if (volumes > MAX_VOLUMES) throw badFile(path, `at most ${MAX_VOLUMES} volumes`, `${volumes}`, DAMAGED);
  const { geometry, notes } = placed(header, axes.space);
  const made = Array.from({ length: volumes }, (_, v): Volume => {
    // A sample axis is the fastest, or the slowest; a list before the space axes interleaves the volumes.
    const layout = { source, path, type, littleEndian, columns, rows, slices };
    const one = columns * rows * slices * samples * bytesOf(type);
    const slice =
      axes.interleaved && volumes > 1
        ? turnSlices({ ...layout, offset, turns: volumes, turn: v })
        : slicesOf({ ...layout, samples, offset: offset + v * one, ...(axes.planes ? { planes: "volume" as const } : {}) });
    const name = volumes > 1 ? `${baseName(path)}, volume ${v + 1} of ${volumes}` : baseName(path);
    return {
      name,
      format: "NRRD",
      columns,
      rows,
      slices,
      samples,
      ...(geometry ? { geometry } : {}),
      windows: [],
      inverted: false,
      files: data.files,
      notes,
      slice,
    };
  });
  if (isSegNrrd(header.keys)) return { volumes: [], segmentations: [segmentationOf(header.keys, made, geometry)], refused: [] };
  return { volumes: made, refused: [] };
}

interface Axes {
  /** Axes of columns, rows, slices. */
  readonly space: readonly number[];
  readonly sample?: number;
  /** The samples of a voxel lie a whole volume apart. */
  readonly planes: boolean;
  readonly interleaved: boolean;
}

function axesOf({ sizes, kinds, directions }: NrrdHeader, path: string): Axes {
  const all = sizes.map((_, axis) => axis);
  const isSpace = (axis: number) => {
    if (directions) return directions[axis] !== null;
    const kind = kinds?.[axis] ?? "";
    return !SAMPLES.test(kind) && !/^(list|time)$/i.test(kind);
  };
  let space = all.filter(isSpace);
  let others = all.filter((axis) => !isSpace(axis));
  // A space with time has it as its last axis.
  if (space.length > 3) {
    others = [...others, ...space.slice(3)].sort((a, b) => a - b);
    space = space.slice(0, 3);
  }
  if (space.length < 1 || space.length > 3)
    throw badFile(path, "1 to 3 axes in space", `${space.length}`, "Save it as a volume with the software that made it.");
  const [only] = others;
  if (only === undefined) return { space, planes: false, interleaved: false };
  const size = sizes[only] as number;
  const first = only === 0;
  const asSamples =
    others.length === 1 && size <= 4 && (first || only === sizes.length - 1) && (size === 1 || SAMPLES.test(kinds?.[only] ?? "") || (first && size === 3));
  if (asSamples) return { space, sample: only, planes: !first && size > 1, interleaved: false };
  const before = others.filter((axis) => axis < (space[0] as number));
  if (others.some((axis) => axis > (space[0] as number) && axis < (space.at(-1) as number)) || (before.length > 0 && before.length < others.length)) {
    throw badFile(path, "axes in space that follow each other", "others between them", "Permute the axes with the software that made it.");
  }
  return { space, planes: false, interleaved: before.length > 0 };
}

function placed(header: NrrdHeader, space: readonly number[]): { geometry?: Geometry; notes: string[] } {
  const { directions, origin, spaceName, spacings, units } = header;
  const notes: string[] = [];
  const name = spaceName && (SHORT[spaceName.toLowerCase().replace(/-time$/, "")] ?? spaceName.toLowerCase().replace(/-time$/, ""));
  const signs = name ? SPACES[name] : undefined;
  // Voxel sizes without any space are a picture's, not a patient's.
  if (!directions || space.length < 2 || (header.spaceDimension !== 3 && !name)) {
    const sizes = space.map((axis) => spacings?.[axis] ?? Number.NaN);
    if (!sizes.some((size) => Number.isFinite(size) && size !== 0)) return { notes };
    notes.push("The file gives voxel sizes, but neither position nor orientation in the patient.");
    const [betweenColumns, betweenRows, betweenSlices] = [0, 1, 2].map((i) => Math.abs(sizes[i] ?? 1) || 1) as [number, number, number];
    return { geometry: { spacing: { betweenColumns, betweenRows, betweenSlices }, ...UNORIENTED }, notes };
  }
  const vectors = space.map((axis) => directions[axis] as readonly number[]);
  if (vectors.length === 2) {
    const [a, b] = vectors as [readonly number[], readonly number[]];
    const normal = [0, 1, 2].map((i) => (a[(i + 1) % 3] as number) * (b[(i + 2) % 3] as number) - (a[(i + 2) % 3] as number) * (b[(i + 1) % 3] as number));
    const long = Math.hypot(...normal);
    vectors.push(normal.map((value) => value / long));
  }
  const at = origin ?? [0, 0, 0];
  const unit = (axis: number) => (name ? 1 : (UNITS[units?.[axis] ?? "mm"] ?? 1));
  const turn = signs ?? [1, 1, 1];
  const affine = [0, 1, 2].flatMap((row) => [
    ...vectors.map((vector) => (vector[row] as number) * (turn[row] as number) * unit(row)),
    (at[row] ?? 0) * (turn[row] as number) * unit(row),
  ]);
  const geometry = geometryOf(affine);
  if (!geometry) return { notes: ["The space directions are no usable transform and are left out; measurements are in pixels."] };
  if (!signs) notes.push(`The file names no anatomical space${spaceName ? ` (${shown(spaceName)})` : ""}: directions are taken as left, posterior, superior.`);
  if (!origin) notes.push("The file gives no space origin: the first voxel is taken to lie at 0, 0, 0.");
  if (shear(geometry) > 1e-3) notes.push("The axes are not at right angles (a sheared transform): distances follow them as they are.");
  return { geometry, notes };
}

/** The voxels' file or files, joined, and where they begin. */
async function dataOf(entry: FileEntry, header: NrrdHeader, end: number, companions: Companions) {
  const { dataFiles } = header;
  if (!dataFiles) return { source: entry.source, offset: end, files: [entry.path] };
  const found = dataFiles.map((name) => dataFileBeside(entry.path, name, companions));
  return {
    source: joined(
      found.map(({ source }) => source),
      entry.path,
    ),
    offset: 0,
    files: [entry.path, ...found.map(({ path }) => path)],
  };
}
