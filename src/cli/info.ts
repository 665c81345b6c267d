// info: what files of images and labels hold.
import { createHash } from "node:crypto";
import { axis, type Geometry } from "../volume/geometry.ts";
import type { Segmentation } from "../volume/segmentation.ts";
import { countVoxels } from "../volume/segmentation.ts";
import type { Volume } from "../volume/volume.ts";
import type { Opened } from "../formats/index.ts";
import { reasonOf } from "../formats/reason.ts";
import { isAddress } from "./dicomweb.ts";
import type { Environment } from "./environment.ts";
import { openPaths } from "./open_paths.ts";
import { checkDestinations, writeAll } from "./outputs.ts";
import { Terminal } from "./terminal.ts";

export interface InfoOptions {
  readonly json?: string;
  readonly values?: boolean;
}

export async function info(paths: readonly string[], options: InfoOptions, environment: Environment): Promise<void> {
  const { signal } = environment;
  const terminal = new Terminal(environment.stderr);
  const file = options.json === "-" ? undefined : options.json;
  const destinations = { "--json": file };
  await checkDestinations(
    destinations,
    paths.filter((path) => !isAddress(path)),
  );
  const opened = await openPaths(paths, terminal, signal);
  await checkDestinations(
    destinations,
    [...opened.volumes, ...opened.segmentations].flatMap(({ files }) => files),
  );
  const report = await describe(opened, Boolean(options.values), signal);
  const json = `${JSON.stringify(report, plainNumbers, 2)}\n`;
  if (options.json === "-") environment.stdout.write(json);
  else environment.stdout.write(text(report));
  if (file) await writeAll(new Map([[file, json]]), signal);
}

/** What JSON cannot hold, as its name. */
function plainNumbers(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

interface SeriesReport {
  readonly name: string;
  readonly kind: string;
  readonly files: readonly string[];
  readonly notes: readonly string[];
  readonly [more: string]: unknown;
}

/** One entry a series: its volumes are in `volumes`, its values those of all its slices. */
async function describe({ volumes, segmentations, refused }: Opened, values: boolean, signal: AbortSignal) {
  const series: SeriesReport[] = [];
  const failed = [...refused];
  const seen = new Set<Volume>();
  for (const volume of volumes) {
    const whole = volume.whole ?? volume;
    if (seen.has(whole)) continue;
    seen.add(whole);
    const parts = volumes.filter((other) => other.whole === whole);
    try {
      series.push({ ...describeVolume(whole, parts), ...(values ? { values: await valuesOf(whole, signal) } : {}) });
    } catch (error) {
      signal.throwIfAborted();
      failed.push({ file: whole.files[0] ?? whole.name, reason: reasonOf(error) });
    }
  }
  for (const segmentation of segmentations) {
    try {
      series.push(await describeSegmentation(segmentation, signal));
    } catch (error) {
      signal.throwIfAborted();
      failed.push({ file: segmentation.files[0] ?? segmentation.name, reason: reasonOf(error) });
    }
  }
  return { series, refused: failed };
}

function describeVolume(volume: Volume, parts: readonly Volume[]): SeriesReport {
  const { name, format, modality, unit, photometric, transferSyntax, geometry, windows, files, slices, rows, columns, samples } = volume;
  return {
    name,
    kind: format,
    ...(modality ? { modality } : {}),
    ...(transferSyntax ? { transfer_syntax: { uid: transferSyntax } } : {}),
    ...(photometric ? { photometric } : {}),
    ...(unit ? { unit } : {}),
    files,
    shape: samples === 1 ? [slices, rows, columns] : [slices, rows, columns, samples],
    ...(geometry ? { geometry: describeGeometry(geometry, volume) } : {}),
    windows: windows.map(({ name: title, center, width, shape, lut }) => ({
      name: title,
      center,
      width,
      function: shape,
      ...(lut ? { lut: lut.entries.length } : {}),
    })),
    ...(parts.length > 1 ? { volumes: parts.map((part) => ({ name: part.name, slices: part.slices, files: part.files, notes: part.notes })) } : {}),
    notes: [...new Set([...volume.notes, ...parts.flatMap((part) => part.notes)])],
  };
}

function describeGeometry(geometry: Geometry, { slices, format }: Volume) {
  const { spacing, origin, direction, sliceOrigins, unoriented } = geometry;
  // A DICOM image alone has no neighbour; headers of volumes name a step even for one slice.
  const between = slices > 1 || format !== "dicom" ? spacing.betweenSlices : null;
  const spacing_mm = { between_rows: spacing.betweenRows, between_columns: spacing.betweenColumns, between_slices: between };
  if (unoriented) return { spacing_mm };
  const normal = axis(geometry, 2);
  const along = (at: readonly number[]) => (at[0] as number) * normal[0] + (at[1] as number) * normal[1] + (at[2] as number) * normal[2];
  const first = along(origin);
  const positions = sliceOrigins?.map(along) ?? Array.from({ length: slices }, (_, i) => first + i * spacing.betweenSlices);
  const gaps = positions.slice(1).map((position, i) => position - (positions[i] as number));
  const uneven = gaps.some((gap) => gap > 1e-3 && Math.abs(gap - spacing.betweenSlices) > Math.max(0.01 * spacing.betweenSlices, 2e-3));
  const rounded = (value: number) => Number(value.toFixed(6));
  return {
    spacing_mm,
    origin_lps: origin,
    direction,
    positions_along_normal_mm: positions.map(rounded),
    uniform: !uneven,
    ...(uneven ? { gaps_mm: gaps.map((gap) => Number(gap.toFixed(4))) } : {}),
  };
}

/** Of all slices, as little-endian float32 in C order. Minimum, maximum and mean leave out what is no number. */
async function valuesOf(volume: Volume, signal: AbortSignal) {
  const { slices, rows, columns } = volume;
  let { samples } = volume as { samples: number };
  const hash = createHash("sha256");
  let [low, high, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (let i = 0; i < slices; i++) {
    const slice = await volume.slice(i, { signal });
    samples = slice.samples;
    const floats = Float32Array.from(slice.data);
    hash.update(new Uint8Array(floats.buffer));
    let part = 0;
    for (const value of slice.data) {
      if (!Number.isFinite(value)) continue;
      part += value;
      count++;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    sum += part;
  }
  const shape = samples === 1 ? [slices, rows, columns] : [slices, rows, columns, samples];
  const none = count === 0;
  return { shape, min: none ? null : low, max: none ? null : high, mean: none ? null : sum / count, sha256_f32le: hash.digest("hex") };
}

async function describeSegmentation(segmentation: Segmentation, signal: AbortSignal): Promise<SeriesReport> {
  const { name, format, kind, files, notes, segments, frames, rows, columns, referencedSeries } = segmentation;
  const voxels = await countVoxels(segmentation, signal);
  return {
    name,
    kind: "seg",
    format,
    segmentation_type: kind.toUpperCase(),
    files,
    shape: [frames.length, rows, columns],
    referenced_series: referencedSeries,
    segments: segments.map(({ number, label, category, type, algorithm, algorithmName, color }, i) => ({
      number,
      label,
      ...(algorithm ? { algorithm } : {}),
      ...(algorithmName ? { algorithm_name: algorithmName } : {}),
      ...(category ? { category } : {}),
      ...(type ? { type } : {}),
      ...(color ? { color } : {}),
      voxels: voxels[i],
      frames: frames.flatMap(({ segment }, frame) => (segment === undefined || segment === number ? [frame + 1] : [])),
    })),
    notes,
  };
}

function text({ series, refused }: { series: readonly SeriesReport[]; refused: Opened["refused"] }): string {
  const lines = series.flatMap((entry) => [`${entry.name}`, ...textOf(entry).map((line) => `  ${line}`)]);
  const bad = refused.map(({ file, reason }) => `${file}: not opened. ${reason}`);
  return [...lines, ...bad, ...(lines.length + bad.length === 0 ? ["No files."] : [])].map((line) => `${line}\n`).join("");
}

function textOf(entry: SeriesReport): string[] {
  const { shape, geometry, windows, segments, values, volumes } = entry as unknown as {
    shape: readonly number[];
    geometry?: ReturnType<typeof describeGeometry>;
    windows?: readonly { name: string; center: number; width: number }[];
    segments?: readonly { number: number; label: string; voxels: number }[];
    values?: Awaited<ReturnType<typeof valuesOf>>;
    volumes?: readonly { name: string; slices: number }[];
  };
  const [slices, rows, columns, samples] = shape as [number, number, number, number?];
  const files = entry.files.length === 1 ? `${entry.files[0]}` : `${entry.files.length} files, from ${entry.files[0]} to ${entry.files.at(-1)}`;
  const what = [entry.kind, entry.modality, entry.photometric].filter(Boolean).join(", ");
  const mm = geometry?.spacing_mm;
  const short = (value: number) => Number(value.toPrecision(6));
  return [
    `${what}: ${columns} × ${rows} pixels, ${slices} ${slices === 1 ? "slice" : "slices"}${samples ? ", colour" : ""}`,
    ...(mm
      ? [`${short(mm.between_columns)} × ${short(mm.between_rows)} mm${mm.between_slices === null ? "" : `, ${short(mm.between_slices)} mm between slices`}`]
      : []),
    ...(windows?.length ? [`windows: ${windows.map(({ name, center, width }) => `${name} ${short(center)},${short(width)}`).join("; ")}`] : []),
    ...(volumes ?? []).map((volume) => `volume: ${volume.name}, ${volume.slices} slices`),
    ...(segments ?? []).map(({ number, label, voxels }) => `segment ${number}: ${label}, ${voxels} voxels`),
    ...(values && values.min !== null ? [`values: ${short(values.min)} to ${short(values.max as number)}, mean ${short(values.mean as number)}`] : []),
    files,
    ...entry.notes,
  ];
}
