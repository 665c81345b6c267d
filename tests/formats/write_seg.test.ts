import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { type Opened, openFiles } from "../../src/formats/index.ts";
import { writeDicomSeg } from "../../src/formats/write_seg.ts";
import { labelmapOfSegmentation } from "../../src/volume/from_segmentation.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import type { Segmentation } from "../../src/volume/segmentation.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { drawn, GEOMETRIES, source, STEP } from "./seg_source.ts";

const SHARED = join(dirname(fileURLToPath(import.meta.url)), "../../../shared/data/files");

async function reopened(bytes: Uint8Array<ArrayBuffer>): Promise<Segmentation> {
  const { segmentations, refused }: Opened = await openFiles([{ path: "labels.dcm", source: bufferSource(bytes, "labels.dcm") }]);
  expect(refused).toEqual([]);
  return segmentations[0] as Segmentation;
}

async function expectSame(map: Labelmap, volume: Volume): Promise<Segmentation> {
  const segmentation = await reopened(writeDicomSeg(map, volume));
  const { labelmap } = await labelmapOfSegmentation(segmentation, volume);
  // A label without pixels is a segment without frames.
  expect(labelmap.labels.map(({ name }) => name)).toEqual(map.labels.map(({ name }) => name));
  map.labels.forEach(({ id }, i) => {
    for (let k = 0; k < volume.slices; k++) expect(labelmap.runs(i + 1, k)).toEqual(map.runs(id, k));
  });
  return segmentation;
}

describe("a DICOM segmentation of a series", () => {
  it.each(Object.entries(GEOMETRIES))("%s comes back voxel by voxel, by the images it names and by positions alone", async (_, geometry) => {
    const volume = source(geometry);
    const map = drawn(volume);
    const { frames } = await expectSame(map, volume);
    expect(frames.map(({ segment, references }) => [segment, references[0]?.sopInstance])).toEqual([
      [1, "1.2.5.2"],
      [1, "1.2.5.5"],
      [2, "1.2.5.5"],
    ]);
    const { dicom: _dicom, ...unnamed } = volume;
    const { labelmap } = await labelmapOfSegmentation(await reopened(writeDicomSeg(map, volume)), unnamed);
    expect(labelmap.drawnSlices(1)).toEqual([1, 4]);
  });

  it("of a multi-frame image names its frames", async () => {
    const volume = source(STEP, true);
    const { frames } = await expectSame(drawn(volume), volume);
    expect(frames.map(({ references }) => references[0]?.frame)).toEqual([2, 5, 5]);
  });

  it("carries codes, colours, and the default for labels without a code", async () => {
    const volume = source(STEP);
    const { segments } = await expectSame(drawn(volume), volume);
    expect(segments[0]).toMatchObject({
      label: "liver",
      type: { value: "10200004", meaning: "Liver" },
      algorithm: "SEMIAUTOMATIC",
      algorithmName: "SAM-Med2D",
    });
    expect(segments[1]).toMatchObject({ type: { value: "85756007", scheme: "SCT", meaning: "Tissue" } });
    for (const [i, want] of [
      [221, 130, 101],
      [0, 200, 50],
    ].entries()) {
      segments[i]?.color?.forEach((part, k) => {
        expect(Math.abs(part - (want[k] as number))).toBeLessThanOrEqual(2);
      });
    }
  });

  it("is refused where nothing is drawn, and on what is no series", () => {
    const volume = source(STEP);
    expect(() => writeDicomSeg(new Labelmap(9, 7, 5), volume)).toThrow(/something drawn, got nothing/);
    const { dicom: _, ...plain } = volume;
    expect(() => writeDicomSeg(drawn(volume), plain)).toThrow(/a DICOM series/);
  });
});

describe.runIf(existsSync(SHARED))("real series beside the checkout", () => {
  const folders = [
    "seg/ct_24x38x3/image",
    "seg/liver_ct_3slice/image",
    "seg/made_two_segments_rle_mr/image",
    "dicom_series/gantry_tilt_ct",
    "dicom_series/missing_slice_tilted_ct",
    "dicom_series/rle_sagittal_mr",
    "dicom_series/made_shuffled_names_no_extension",
  ];
  it.each(folders)("%s", async (folder) => {
    const files = readdirSync(join(SHARED, folder)).map((name) => ({
      path: name,
      source: bufferSource(new Uint8Array(readFileSync(join(SHARED, folder, name))), name),
    }));
    const { volumes } = await openFiles(files);
    expect(volumes.length).toBeGreaterThan(0);
    for (const volume of volumes) await expectSame(drawn(volume), volume);
  });
});
