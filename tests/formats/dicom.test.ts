// Every phantom of fixtures/make_dicom.py against what was drawn.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { decodeText } from "../../src/formats/dicom/text.ts";
import { labelmapOfSegmentation } from "../../src/volume/from_segmentation.ts";
import { countVoxels } from "../../src/volume/segmentation.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { decoders, entriesOf, open, valuesOf } from "./support.ts";

interface Truth {
  readonly values?: Awaited<ReturnType<typeof valuesOf>>;
  readonly tolerance?: number;
  readonly geometry?: Record<string, number | number[]>;
  readonly windows?: Record<string, unknown>[];
  readonly notes?: string[];
  readonly order?: string[];
  readonly spacing?: number;
  readonly volumes?: string[];
  readonly copied?: boolean;
  readonly inverted?: boolean;
  readonly unit?: string;
  readonly padding?: { low: number; high: number };
  readonly segments?: { number: number; label: string; voxels: number }[];
  readonly referenced?: string;
  readonly refused?: string;
}

const FIXTURES = join(import.meta.dirname, "fixtures");
const { texts, ...truth } = JSON.parse(readFileSync(join(FIXTURES, "dicom.json"), "utf8")) as Record<string, Truth> & {
  texts: { sets: string[]; bytes: string; text: string }[];
};
const named = (test: (value: Truth) => unknown) => Object.entries(truth).filter(([, value]) => test(value));
const openNamed = (name: string) => open(entriesOf(join(FIXTURES, "dicom", name)));

describe("a file", () => {
  it.each(named(({ refused, segments, order }) => !refused && !segments && !order))("%s has the values that were drawn", async (name, wanted) => {
    const { volumes, refused } = await openNamed(name);
    expect(refused).toEqual([]);
    expect(volumes).toHaveLength(wanted.volumes?.length ?? 1);
    const [volume] = volumes as [(typeof volumes)[0]];
    const whole = volume.whole ?? volume;
    const got = await valuesOf(whole);
    if (wanted.tolerance === undefined) expect(got.sha256_f32le).toBe(wanted.values?.sha256_f32le);
    else for (const key of ["min", "max", "mean"] as const) expect(Math.abs(got[key] - (wanted.values?.[key] ?? 0))).toBeLessThanOrEqual(wanted.tolerance);
    expect(got.shape).toEqual(wanted.values?.shape);
    for (const note of wanted.notes ?? []) expect(volume.notes.join(" ")).toContain(note);
    if (wanted.windows) expect(volume.windows).toHaveLength(wanted.windows.length);
    for (const [i, { lut, ...window }] of (wanted.windows ?? []).entries()) {
      expect(volume.windows[i]).toMatchObject(window);
      if (lut) expect(volume.windows[i]?.lut?.entries).toHaveLength(lut as number);
    }
    const { spacing, origin, direction } = volume.geometry ?? {};
    const places = { between_rows: spacing?.betweenRows, between_columns: spacing?.betweenColumns, between_slices: spacing?.betweenSlices };
    for (const [key, value] of Object.entries(wanted.geometry ?? {})) expect({ ...places, origin_lps: origin, direction }[key]).toEqual(value);
    if (wanted.volumes) expect(volumes.map((part) => part.name)).toEqual(wanted.volumes.map((part) => expect.stringContaining(part)));
    expect(volume.inverted).toBe(wanted.inverted ?? false);
    if (wanted.unit) expect(volume.unit).toBe(wanted.unit);
    if (wanted.padding) expect(volume.padding).toEqual(wanted.padding);
    for (let i = 0; i < volume.slices; i++) expect(volume.dicom?.instances[i]?.sopInstance).toMatch(/^2\.25\./);
  });

  it.each(named(({ refused }) => refused))("%s is refused by what is wrong with it", async (name, wanted) => {
    const { volumes, refused } = await openNamed(name);
    const reasons = [...refused.map(({ reason }) => reason), ...(await Promise.all(volumes.map((volume) => volume.slice(0).then(String, String))))];
    expect(reasons).toEqual([expect.stringContaining(wanted.refused as string)]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be in a message
    for (const reason of reasons) expect(reason).not.toMatch(/undefined|NaN|TypeError|\[object|[\x00-\x1f]/);
  });

  it("stops no other of the same heap", async () => {
    const { volumes, refused } = await open([...entriesOf(join(FIXTURES, "dicom/bad")), ...entriesOf(join(FIXTURES, "dicom/shuffled"))]);
    expect(volumes.filter((volume) => volume.slices === 4)).toHaveLength(1);
    expect(refused.length).toBeGreaterThan(10);
  });
});

describe("a series", () => {
  it.each(named(({ order }) => order))("%s is sorted and its faults are said", async (name, wanted) => {
    const { volumes, refused } = await openNamed(name);
    expect(refused).toEqual([]);
    const [volume] = volumes as [(typeof volumes)[0]];
    const whole = volume.whole && !wanted.copied ? volume.whole : volume;
    expect(whole.files.map((file) => basename(file)).filter((file) => !file.includes("copy"))).toEqual(wanted.order);
    if (wanted.values) expect((await valuesOf(whole)).sha256_f32le).toBe(wanted.values.sha256_f32le);
    if (wanted.spacing) expect(volume.geometry?.spacing.betweenSlices).toBeCloseTo(wanted.spacing, 6);
    for (const note of wanted.notes ?? []) expect(volume.notes.join(" ")).toContain(note);
    if (!wanted.notes && !wanted.volumes) expect(volume.notes).toEqual([]);
    expect(volumes.map((part) => part.name)).toEqual((wanted.volumes ?? [name]).map((part) => expect.stringContaining(part)));
    for (const part of volumes) expect(part.slices).toBe((wanted.order?.length ?? 0) / volumes.length);
    // Slices of unequal steps know where each of them lies.
    expect(Boolean(volume.geometry?.sliceOrigins)).toBe(Boolean(wanted.notes) && !wanted.copied);
  });
});

describe("a segmentation", () => {
  it.each(named(({ segments }) => segments))("%s has its segments and refers to its images", async (name, wanted) => {
    const { segmentations, refused } = await openNamed(name);
    expect(refused).toEqual([]);
    const [segmentation] = segmentations as [(typeof segmentations)[0]];
    const counts = await countVoxels(segmentation);
    const got = segmentation.segments.map(({ number, label, type }, i) => ({ number, label, voxels: counts[i], type: type?.meaning }));
    expect(got.filter(({ number }) => number > 0)).toEqual(wanted.segments?.map((segment) => ({ ...segment, type: "Liver" })));
    expect(segmentation.referencedSeries).toEqual([wanted.referenced]);
    const { volumes } = await open(entriesOf(join(FIXTURES, "dicom/shuffled")));
    const known = new Set(volumes[0]?.dicom?.instances.map(({ sopInstance }) => sopInstance));
    for (const { references, position } of segmentation.frames) {
      expect(references.some(({ sopInstance }) => known.has(sopInstance))).toBe(true);
      expect(position).toHaveLength(3);
    }
  });
});

describe("a fractional segmentation", () => {
  it("counts from half of its maximum on, and says so", async () => {
    const { segmentations } = await openNamed("seg_fractional.dcm");
    const { volumes } = await open(entriesOf(join(FIXTURES, "dicom/shuffled")));
    const [[segmentation], [volume]] = [segmentations, volumes] as [[(typeof segmentations)[0]], [(typeof volumes)[0]]];
    const half = segmentation.maximum / 2;
    const faint = {
      ...segmentation,
      frame: async (index: number) => (await segmentation.frame(index)).map((value) => (value > 0 ? half : half - 1)),
    };
    const [full, thresholded] = [await labelmapOfSegmentation(segmentation, volume), await labelmapOfSegmentation(faint, volume)];
    expect(full.labelmap.voxels(1)).toBeGreaterThan(0);
    expect(thresholded.labelmap.save()).toEqual(full.labelmap.save());
    expect(thresholded.notes).toContain("The segments are fractional: voxels count from half of the maximum on.");
  });
});

describe("a mosaic", () => {
  it("is named as such and shown as it is stored", async () => {
    const bytes = readFileSync(join(FIXTURES, "dicom/explicit.dcm"));
    // ImageType, before the SOPClassUID of the dataset.
    const at = bytes.lastIndexOf(Buffer.from([8, 0, 0x16, 0, 0x55, 0x49]));
    const text = "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC ";
    const head = Buffer.from([8, 0, 8, 0, 0x43, 0x53, text.length, 0]);
    const mosaic = new Uint8Array(Buffer.concat([bytes.subarray(0, at), head, Buffer.from(text), bytes.subarray(at)]));
    const { volumes, refused } = await open([{ path: "m.dcm", source: bufferSource(mosaic, "m.dcm") }]);
    expect(refused).toEqual([]);
    expect(volumes[0]?.notes.join(" ")).toContain("mosaic: one picture of many slices side by side");
    const [plain] = (await openNamed("explicit.dcm")).volumes;
    expect(await valuesOf(volumes[0] as Volume)).toEqual(await valuesOf(plain as Volume));
  });
});

describe("text", () => {
  it.each(texts)("$text is read in $sets", ({ sets, bytes, text }) => {
    expect(decodeText(new Uint8Array(Buffer.from(bytes, "hex")), sets)).toBe(text);
  });
});

it.each(["jpeg", "jpeg-ls", "jpeg-2000", "htj2k", "jpeg-lossless"])("a decoder of %s throws an Error of what is none", async (kind) => {
  await expect(decoders.decode(kind, new Uint8Array(1000).fill(255))).rejects.toBeInstanceOf(Error);
});
