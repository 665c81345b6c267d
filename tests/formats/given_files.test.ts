// Real files of public test suites with what trusted readers find in them, where they lie beside the project (../shared/data/files). None is part of it.
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { countVoxels } from "../../src/volume/segmentation.ts";
import { entriesOf, fileEntry, open, valuesOf } from "./support.ts";

interface Series {
  readonly order: string[];
  readonly geometry?: { readonly duplicate_positions?: boolean; readonly spacing_mm?: { readonly between_slices: number | null } };
  readonly values: { readonly sha256_f32le: string };
}

interface Entry {
  readonly kind: string;
  readonly has_pixels?: boolean;
  readonly lossy?: boolean;
  readonly tolerance?: number;
  readonly values?: Awaited<ReturnType<typeof valuesOf>>;
  readonly series?: Series[];
  readonly images?: { readonly series: Series[] };
  readonly segs?: Record<string, { readonly segments: { readonly number: number; readonly label: string; readonly voxels: number }[] }>;
}

const ROOT = join(import.meta.dirname, "../../../shared/data/files");
const truth: Record<string, Entry> = existsSync(ROOT) ? JSON.parse(readFileSync(join(ROOT, "truth.json"), "utf8")).files : {};
const entries = Object.entries(truth);
const ofKind = (...kinds: string[]) => entries.filter(([, { kind }]) => kinds.includes(kind));

function filesOf(name: string) {
  const path = join(ROOT, name);
  return statSync(path).isDirectory() ? entriesOf(path) : [fileEntry(path)];
}

describe.skipIf(entries.length === 0)(`${entries.length} given files`, () => {
  it.each(ofKind("dicom"))("%s", async (name, wanted) => {
    const { volumes, refused } = await open(filesOf(name));
    if (wanted.has_pixels === false) {
      expect(refused).toHaveLength(1);
      return;
    }
    expect(refused).toEqual([]);
    const [volume] = volumes as [(typeof volumes)[0]];
    const got = await valuesOf(volume.whole ?? volume);
    expect(got.shape).toEqual(wanted.values?.shape);
    if (!wanted.lossy) expect(got.sha256_f32le).toBe(wanted.values?.sha256_f32le);
    else for (const key of ["min", "max"] as const) expect(Math.abs(got[key] - (wanted.values?.[key] ?? 0))).toBeLessThanOrEqual(wanted.tolerance ?? 4);
  });

  it.each(ofKind("dicom_series", "seg"))("%s", async (name, wanted) => {
    const { volumes, segmentations, refused } = await open(filesOf(name));
    expect(refused.filter(({ file }) => !/\.nrrd$/.test(file))).toEqual([]);
    const wholes = [...new Set(volumes.map((volume) => volume.whole ?? volume))];
    for (const { order, values, geometry } of wanted.series ?? wanted.images?.series ?? []) {
      const names = order.map((path) => basename(path));
      const found = wholes.find(({ files }) => files.map((file) => basename(file)).join() === names.join());
      if (!found) throw new Error(`no series of ${names}`);
      expect((await valuesOf(found)).sha256_f32le).toBe(values.sha256_f32le);
      const step = geometry?.spacing_mm?.between_slices;
      if (step) expect(found.geometry?.spacing.betweenSlices).toBeCloseTo(step, 3);
    }
    for (const [file, { segments }] of Object.entries(wanted.segs ?? {})) {
      const segmentation = segmentations.find(({ files }) => files[0]?.endsWith(file));
      if (!segmentation) throw new Error(`no segmentation ${file}`);
      const counts = await countVoxels(segmentation);
      const got = segmentation.segments.map(({ number, label }, i) => ({ number, label, voxels: counts[i] }));
      expect(got).toEqual(segments.map(({ number, label, voxels }) => ({ number, label, voxels })));
    }
  });

  it.each(ofKind("bad").filter(([name]) => /dcm|DICOMDIR/.test(name)))("%s is opened or refused in words", async (name) => {
    const { volumes, refused } = await open(filesOf(name));
    expect(volumes.length + refused.length).toBe(1);
    for (const { reason } of refused) expect(reason).not.toMatch(/undefined|TypeError|RangeError|Cannot read|is not a function|NaN|\[object/i);
  });
});
