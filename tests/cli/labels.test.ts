import { existsSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { openFiles } from "../../src/formats/index.ts";
import { writeNiftiLabels } from "../../src/formats/write_nifti.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { cli, useFolder } from "./support.ts";

const here = dirname(fileURLToPath(import.meta.url));
const FIXTURES = join(here, "../formats/fixtures/volumes");
const SEG = join(here, "../../../shared/data/files/seg");
const folder = useFolder();

async function volumeAt(path: string): Promise<Volume> {
  const { volumes } = await openFiles([{ path, source: bufferSource(new Uint8Array(await readFile(path)), path) }]);
  return volumes[0] as Volume;
}

async function valuesOf(path: string): Promise<number[][]> {
  const volume = await volumeAt(path);
  return Promise.all(Array.from({ length: volume.slices }, async (_, k) => [...(await volume.slice(k)).data]));
}

async function drawnOn(name: string): Promise<string> {
  const volume = await volumeAt(join(FIXTURES, name));
  const labelmap = new Labelmap(volume.columns, volume.rows, volume.slices, [{ id: 1, name: "one", color: [1, 2, 3] }]);
  labelmap.draw(1, 2, Uint32Array.of(30, 34, 39, 43));
  const path = folder.file(`labels_of_${name.replace(/\W/g, "_")}.nii.gz`);
  await writeFile(path, await writeNiftiLabels(labelmap, volume));
  return path;
}

describe("measure", () => {
  it("prints areas, volumes and values as CSV, or writes them", async () => {
    const labels = await drawnOn("int16.nii.gz");
    const printed = await cli(["measure", join(FIXTURES, "int16.nii.gz"), "--labels", labels]);
    expect([printed.code, printed.stderr]).toEqual([0, ""]);
    const [head, slice, all] = printed.stdout.split("\n").map((line) => line.split(","));
    expect(head?.slice(0, 6)).toEqual(["label", "id", "slice", "voxels", "area_mm2", "volume_ml"]);
    expect(slice?.slice(0, 4)).toEqual(["one", "1", "2", "8"]);
    expect(Number(slice?.[4])).toBeCloseTo(8 * 0.8 * 1.1, 4);
    expect(Number(all?.[5])).toBeCloseTo((8 * 0.8 * 1.1 * 3) / 1000, 6);
    const file = folder.file("m.csv");
    expect((await cli(["measure", join(FIXTURES, "int16.nii.gz"), "--labels", labels, "--csv", file])).code).toBe(0);
    expect(await readFile(file, "utf8")).toBe(printed.stdout);
  });

  it("refuses labels of another grid, saying how they differ", async () => {
    const labels = await drawnOn("int16.nii.gz");
    const moved = await cli(["measure", join(FIXTURES, "left_handed_qform.nii"), "--labels", labels]);
    expect(moved.code).toBe(1);
    expect(moved.stderr).toMatch(/left_handed_qform.nii, got .*axes that run in other directions/);
    const other = await cli(["measure", join(FIXTURES, "imagej.tif"), "--labels", join(FIXTURES, "gray8.png")]);
    expect(other.stderr).toMatch(/27×36×1 voxels instead of 9×12×5/);
    const many = await cli(["measure", join(FIXTURES, "four_d.nii.gz"), "--labels", labels]);
    expect(many.stderr).toMatch(/holds 3 volumes/);
  });
});

describe("convert-mask", () => {
  it("takes labels from NIfTI to Slicer's segmentation and back", async () => {
    const labels = await drawnOn("big_endian_scaled.nii");
    const [nrrd, back] = [folder.file("a.seg.nrrd"), folder.file("b.nii.gz")];
    expect((await cli(["convert-mask", labels, nrrd])).code).toBe(0);
    expect((await cli(["convert-mask", nrrd, back, "--on", join(FIXTURES, "big_endian_scaled.nii")])).code).toBe(0);
    expect(await readFile(back)).toEqual(await readFile(labels));
  });

  it("refuses formats it does not write, and its own input as output", async () => {
    const labels = folder.file("own.nii.gz");
    await copyFile(await drawnOn("int16.nii.gz"), labels);
    expect((await cli(["convert-mask", labels, folder.file("a.xyz")])).stderr).toMatch(/\.nii\.gz, \.seg\.nrrd, \.dcm/);
    expect((await cli(["convert-mask", labels, labels])).code).toBe(2);
  });
});

describe.runIf(existsSync(SEG))("DICOM segmentations beside the checkout", () => {
  it.each([
    ["liver_ct_3slice/liver.seg.dcm", "liver_ct_3slice/liver.nrrd"],
    ["liver_ct_3slice/liver_rle.seg.dcm", "liver_ct_3slice/liver.nrrd"],
    ["ct_24x38x3/label.seg.dcm", "ct_24x38x3/label.nrrd"],
  ])("%s has the voxels of %s", async (seg, nrrd) => {
    const out = folder.file(`${seg.replace(/\W/g, "_")}.nii.gz`);
    const done = await cli(["convert-mask", join(SEG, seg), out, "--on", join(SEG, dirname(seg), "image")]);
    expect([done.code, done.stderr]).toEqual([0, ""]);
    const binary = (slices: number[][]) => slices.map((slice) => slice.map((value) => (value === 0 ? 0 : 1)));
    expect(binary(await valuesOf(out))).toEqual(binary(await valuesOf(join(SEG, nrrd))));
  });

  it("come back from a segmentation of our own", async () => {
    const image = join(SEG, "ct_24x38x3/image");
    const [written, back, first] = [folder.file("own.seg.dcm"), folder.file("own_back.nii.gz"), folder.file("own_first.nii.gz")];
    const seg = join(SEG, "ct_24x38x3/label.seg.dcm");
    for (const [from, to] of [
      [seg, written],
      [written, back],
      [seg, first],
    ] as const)
      expect((await cli(["convert-mask", from, to, "--on", image])).code).toBe(0);
    expect(await valuesOf(back)).toEqual(await valuesOf(first));
  });

  it("says which segments overlap, and that a segmentation needs its series", async () => {
    const seg = join(SEG, "liver_ct_3slice/partial_overlaps.seg.dcm");
    const overlapping = await cli(["convert-mask", seg, folder.file("o.nii.gz"), "--on", join(SEG, "liver_ct_3slice/image")]);
    expect(overlapping.code).toBe(1);
    expect(overlapping.stderr).toMatch(/do not overlap on slice/);
    const liver = join(SEG, "liver_ct_3slice/liver.seg.dcm");
    const alone = await cli(["convert-mask", liver, folder.file("o.nii.gz")]);
    expect([alone.code, alone.stderr]).toEqual([0, expect.stringMatching(/--on/)]);
    expect((await cli(["convert-mask", liver, folder.file("o.dcm")])).stderr).toMatch(/expected a DICOM series/);
    const elsewhere = await cli(["convert-mask", seg, folder.file("o.nii.gz"), "--on", join(SEG, "ct_24x38x3/image")]);
    expect(elsewhere.stderr).toMatch(/frame of reference|voxels instead of/);
  });
});
