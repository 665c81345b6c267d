import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { openFiles } from "../../src/formats/index.ts";
import { writeNiftiLabels } from "../../src/formats/write_nifti.ts";
import { writeSegNrrd } from "../../src/formats/write_nrrd.ts";
import { labelmapOf } from "../../src/volume/from_volume.ts";
import { layLabels } from "../../src/volume/lay.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import type { Segmentation } from "../../src/volume/segmentation.ts";
import type { Volume } from "../../src/volume/volume.ts";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "fixtures/volumes");

async function opened(name: string, bytes = new Uint8Array(readFileSync(join(FOLDER, name)))): Promise<Volume> {
  const { volumes, refused } = await openFiles([{ path: name, source: bufferSource(bytes, name) }]);
  expect(refused).toEqual([]);
  return volumes[0] as Volume;
}

async function segmentation(bytes: Uint8Array<ArrayBuffer>): Promise<Segmentation> {
  const { segmentations, refused } = await openFiles([{ path: "labels.seg.nrrd", source: bufferSource(bytes, "labels.seg.nrrd") }]);
  expect(refused).toEqual([]);
  return segmentations[0] as Segmentation;
}

const ORGAN = { value: "123037004", scheme: "SCT", meaning: "Anatomical Structure" };
const LIVER = { value: "10200004", scheme: "SCT", meaning: "Liver" };

function drawn({ columns, rows, slices }: Volume, high = 2): Labelmap {
  const map = new Labelmap(columns, rows, slices, [
    { id: 1, name: "liver", color: [221, 130, 101], category: ORGAN, type: LIVER },
    { id: high, name: "lesion, \\ left", color: [0, 200, 50] },
    { id: 7, name: "empty", color: [1, 2, 3] },
  ]);
  map.draw(1, 2, Uint32Array.of(5, 9, 20, 31));
  map.draw(1, 3, Uint32Array.of(0, 4));
  map.draw(high, 3, Uint32Array.of(3, 12));
  return map;
}

const FORMS = {
  int16: "int16.nii.gz",
  "big-endian": "big_endian_scaled.nii",
  "NIfTI-2": "nifti2_left_handed_qform.nii",
  "4-D": "four_d.nii.gz",
  "from NRRD": "ras_gzip.nrrd",
  "from MetaImage": "oblique.mha",
};

describe.each(Object.entries(FORMS))("labels on %s", (_, name) => {
  it.each([2, 300])("come back from NIfTI at the same places, with ids up to %i", async (high) => {
    const volume = await opened(name);
    const map = drawn(volume, high);
    const written = await writeNiftiLabels(map, volume);
    const back = await opened("labels.nii.gz", written);
    const again = await labelmapOf(back);
    for (let k = 0; k < volume.slices; k++) expect([...again.values(k)]).toEqual([...map.values(k)]);
    expect(again.labels).toEqual(map.labels);
    const [a, b] = [volume.geometry, back.geometry];
    [...(a?.origin ?? []), ...(a?.direction ?? []), ...Object.values(a?.spacing ?? {})].forEach((value, i) => {
      expect([...(b?.origin ?? []), ...(b?.direction ?? []), ...Object.values(b?.spacing ?? {})][i]).toBeCloseTo(value, 5);
    });
    const header = gunzipSync(written);
    if (!volume.nifti) return;
    // qform, sform and voxel sizes, as they were.
    const kept =
      volume.nifti.bytes.length === 540
        ? [
            [104, 168],
            [344, 500],
          ]
        : [
            [76, 108],
            [252, 344],
          ];
    for (const [from, to] of kept) expect([...header.subarray(from, to)]).toEqual([...volume.nifti.bytes.subarray(from, to)]);
  });

  it("come back from Slicer's segmentation, with names", async () => {
    const volume = await opened(name);
    const map = drawn(volume);
    const bytes = await writeSegNrrd(map, volume);
    const text = new TextDecoder("latin1").decode(bytes);
    expect(text).toContain("Segment0_Name:=liver\n");
    expect(text).toContain("Segment1_LabelValue:=2\n");
    expect(text).toContain("Segment2_Extent:=0 -1 0 -1 0 -1\n");
    const { labelmap: again, notes } = await layLabels(await segmentation(bytes), volume);
    expect(notes).toEqual([]);
    for (let k = 0; k < volume.slices; k++) expect([...again.values(k)]).toEqual([...map.values(k)]);
    expect(again.labels).toEqual(map.labels);
  });
});

describe("Slicer's segmentations", () => {
  it("hold labels that overlap, in layers", async () => {
    const volume = await opened("int16.nii.gz");
    const map = drawn(volume);
    map.draw(2, 2, Uint32Array.of(6, 8), "allow");
    const bytes = await writeSegNrrd(map, volume);
    expect(new TextDecoder("latin1").decode(bytes)).toContain("kinds: list domain domain domain\n");
    const { labelmap: again } = await layLabels(await segmentation(bytes), volume);
    expect(again.save()).toEqual(map.save());
  });

  it("keep values that they do not name, and say so", async () => {
    const volume = await opened("int16.nii.gz");
    const bytes = await writeSegNrrd(drawn(volume), volume);
    // The header's last key of the second segment: its value is named no more.
    const at = new TextDecoder("latin1").decode(bytes).indexOf("Segment1_LabelValue:=2");
    bytes[at + "Segment1_LabelValue:=".length] = "9".charCodeAt(0);
    const { labelmap: again, notes } = await layLabels(await segmentation(bytes), volume);
    expect(again.voxels(2)).toBe(9);
    expect(again.labels.find(({ id }) => id === 2)?.name).toBe("Label 2");
    expect(notes).toEqual(["The file does not name the value 2: numbered by value."]);
  });
});

describe("what label files cannot hold", () => {
  it("overlap, and another size, are refused in words", async () => {
    const volume = await opened("int16.nii.gz");
    const map = drawn(volume);
    map.draw(2, 2, Uint32Array.of(6, 8), "allow");
    await expect(writeNiftiLabels(map, volume)).rejects.toThrow(/overlap on slice 2.*liver and lesion/);
    await expect(writeNiftiLabels(new Labelmap(3, 3, 3), volume)).rejects.toThrow(/labels of 9×12×5 voxels, got labels of 3×3×3/);
    await expect(labelmapOf(await opened("float32.nii.gz"))).resolves.toBeDefined();
    await expect(labelmapOf(await opened("big_endian_scaled.nii"))).rejects.toThrow(/whole numbers from 0 to 65535/);
  });
});
