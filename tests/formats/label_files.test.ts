import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { parseDataset } from "../../src/eval/dataset.ts";
import { namesOf } from "../../src/eval/names.ts";
import { type LabelFormat, type LabelOptions, type Opened, openFiles, type WrittenFile, writeLabelFiles, writeLabels } from "../../src/formats/index.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import { layLabels } from "../../src/volume/lay.ts";
import { runsOf } from "../../src/volume/runs.ts";
import { stackedLabels } from "../../src/volume/stack.ts";
import type { Volume } from "../../src/volume/volume.ts";

const [columns, rows, slices] = [21, 17, 6];
const volume: Volume = {
  name: "scan.nii.gz",
  format: "NIfTI",
  modality: "CT",
  columns,
  rows,
  slices,
  samples: 1,
  geometry: { spacing: { betweenColumns: 1, betweenRows: 1, betweenSlices: 3 }, origin: [0, 0, 0], direction: [1, 0, 0, 0, -1, 0, 0, 0, -1] },
  windows: [],
  inverted: false,
  files: [],
  notes: [],
  slice: async (k) => ({ data: Int16Array.from({ length: columns * rows }, (_, i) => ((i * 7 + k * 31) % 500) - 100), rows, columns, samples: 1 }),
};
const ORGAN = { value: "123037004", scheme: "SCT", meaning: "Anatomical Structure" };
const LIVER = { value: "10200004", scheme: "SCT", meaning: "Liver" };

function drawn(overlap = false, high = 2): Labelmap {
  const map = new Labelmap(columns, rows, slices, [
    { id: 1, name: "liver, left", color: [221, 130, 101], category: ORGAN, type: LIVER },
    { id: high, name: "Läsion 2", color: [0, 200, 50] },
    { id: 7, name: "empty", color: [1, 2, 3] },
  ]);
  const random = (i: number, k: number) => (Math.imul(i * 2654435761 + k * 40503, 2246822519) >>> 8) % 100;
  for (const k of [1, 2, 4]) {
    map.draw(1, k, runsOf(Uint8Array.from({ length: columns * rows }, (_, i) => (i % columns < 9 && random(i, k) < 70 ? 1 : 0))));
    map.draw(high, k, runsOf(Uint8Array.from({ length: columns * rows }, (_, i) => (i % columns >= 12 && i % columns < 18 && i > 60 && i < 250 ? 1 : 0))));
  }
  if (overlap) map.draw(high, 2, Uint32Array.of(0, 60), "allow");
  return map;
}

async function written(map: Labelmap, format: LabelFormat, options: LabelOptions = {}): Promise<WrittenFile[]> {
  const files: WrittenFile[] = [];
  for await (const file of writeLabelFiles(map, volume, format, "labels", options)) files.push(file);
  return files;
}
const opened = (files: readonly WrittenFile[]): Promise<Opened> => openFiles(files.map(({ path, data }) => ({ path, source: bufferSource(data, path) })));
const drawnOnly = (map: Labelmap) => map.save().drawn;

describe("label pictures", () => {
  it.each([{}, { gray: true }])("hold values, names, colours and codes: %o", async (options) => {
    const map = drawn();
    const files = await written(map, "png", options);
    expect(files.map(({ path }) => path)).toEqual(["labels_0001.png", "labels_0002.png", "labels_0004.png"]);
    const { volumes, refused } = await opened(files);
    expect(refused).toEqual([]);
    const { labelmap, notes } = await layLabels(stackedLabels(volumes, slices) as Volume, volume);
    expect(labelmap.save()).toEqual(map.save());
    expect(notes).toEqual(
      ["scan.nii.gz does not say how it lies: labels are laid voxel on voxel."].map(
        () => "labels_0001.png does not say how it lies: labels are laid voxel on voxel.",
      ),
    );
  });

  it("are of 16 bits where ids are, and take colours from a palette that names nothing", async () => {
    const map = drawn(false, 300);
    const { volumes } = await opened(await written(map, "png"));
    expect((await layLabels(stackedLabels(volumes, slices) as Volume, volume)).labelmap.save()).toEqual(map.save());
    const [first] = await written(drawn(), "png");
    const bytes = (first as WrittenFile).data.slice();
    // Its text is another's.
    bytes[new TextDecoder("latin1").decode(bytes).indexOf("Labels")] = "l".charCodeAt(0);
    const foreign = (await opened([{ path: "a.png", data: bytes }])).volumes[0] as Volume;
    const { labelmap } = await layLabels(stackedLabels([foreign]) as Volume, { ...volume, slices: 1 });
    expect(labelmap.labels.map(({ name, color }) => [name, [...color]])).toEqual([
      ["Label 1", [221, 130, 101]],
      ["Label 2", [0, 200, 50]],
    ]);
  });
});

describe("COCO", () => {
  it.each(["polygons", "run-lengths"] as const)("comes back from %s, overlaps and all", async (shapes) => {
    const map = drawn(true);
    const [file] = await written(map, "coco", { shapes });
    const coco = JSON.parse(new TextDecoder().decode(file?.data));
    expect(coco.images.map(({ file_name, slice }: { file_name: string; slice: number }) => [file_name, slice])).toEqual(
      [1, 2, 4].map((k) => [`scan.nii.gz_000${k}.png`, k]),
    );
    const { segmentations, refused } = await opened([file as WrittenFile]);
    expect(refused).toEqual([]);
    const { labelmap } = await layLabels(segmentations[0] as Opened["segmentations"][0], volume);
    expect(labelmap.save()).toEqual(map.save());
  });

  it("of others: plain counts, slices by file name or order, sizes apart, faults in words", async () => {
    const coco = (more: object) => opened([{ path: "c.json", data: new TextEncoder().encode(JSON.stringify(more)) }]);
    const square = { id: 1, category_id: 3, image_id: 1, segmentation: [[1, 1, 4, 1, 4, 3, 1, 3]] };
    const image = { id: 1, file_name: "a_0004.jpg", width: columns, height: rows };
    const categories = [{ id: 3, name: "cyst" }];
    const one = await coco({
      images: [image],
      annotations: [square, { ...square, id: 2, segmentation: { size: [rows, columns], counts: [0, 2, columns * rows - 2] } }],
      categories,
    });
    const { labelmap } = await layLabels(one.segmentations[0] as Opened["segmentations"][0], volume);
    expect([...labelmap.runs(3, 4)]).toEqual([0, 1, columns, columns + 4, 2 * columns + 1, 2 * columns + 4]);
    expect((await coco({ images: [image, { ...image, id: 2, width: 5 }], annotations: [square], categories })).segmentations).toHaveLength(2);
    const fault = async (more: object) => {
      const { segmentations, refused } = await coco({ images: [image], annotations: [square], categories, ...more });
      if (refused[0]) return refused[0].reason;
      return layLabels(segmentations[0] as Opened["segmentations"][0], volume).then(
        () => "",
        (error: Error) => error.message,
      );
    };
    expect(await fault({ images: [{ ...image, id: "x" }] })).toMatch(/an id, width and height of image 1/);
    expect(await fault({ annotations: [{ ...square, category_id: 9 }] })).toMatch(/annotation 1 of a category/);
    expect(await fault({ annotations: [{ ...square, image_id: 9 }] })).toMatch(/annotation 1 on an image/);
    expect(await fault({ annotations: [{ ...square, segmentation: [[1, 2]] }] })).toMatch(/at least three points/);
    expect(await fault({ annotations: [{ ...square, segmentation: { size: [rows, columns], counts: [5] } }] })).toMatch(/add up to 17×21/);
    expect(await fault({ annotations: [{ ...square, segmentation: { size: [3, 3], counts: "zz" } }] })).toMatch(/of 17×21 pixels/);
    expect(await fault({ images: [{ ...image, file_name: "a_0099.jpg" }] })).toMatch(/slice 99/);
    expect((await opened([{ path: "p.json", data: new TextEncoder().encode('{"points": []}') }])).refused[0]?.reason).toMatch(/got prompts/);
  });
});

describe("the SAM-Med2D dataset folder", () => {
  it("has the published names and lists, which evaluation reads", async () => {
    const files = await written(drawn(), "dataset", { leastArea: 0, leastAspect: 0, dataset: "amos" });
    const list = files.find(({ path }) => path === "label2image_test.json");
    const entries = parseDataset(new TextDecoder().decode(list?.data), "l");
    expect(entries[0]).toMatchObject({
      mask: expect.stringMatching(/^masks\/ct--amos--scan--x_0000--liver_left_000\.png$/),
      image: "images/ct--amos--scan--x_0000.png",
    });
    expect(namesOf(entries[0]?.mask as string, entries[0]?.image as string)).toEqual({ modality: "ct", dataset: "amos", structure: "liver_left" });
    const paths = new Set(files.map(({ path }) => path));
    for (const { mask, image } of entries) expect(paths.has(mask) && paths.has(image)).toBe(true);
    const directions = new Set(entries.map(({ image }) => /--([xyz])_\d{4}\.png$/.exec(image)?.[1]));
    expect([...directions].sort()).toEqual(["x", "y", "z"]);
    const train = JSON.parse(new TextDecoder().decode(files.find(({ path }) => path === "image2label_train.json")?.data));
    expect(Object.values(train).flat().sort()).toEqual(entries.map(({ mask }) => mask).sort());
  });

  it("leaves out small masks and narrow slices, by the paper's rules or others", async () => {
    const count = async (options: LabelOptions) => (await written(drawn(), "dataset", options)).filter(({ path }) => path.startsWith("masks/")).length;
    // 21 × 6 and 17 × 6 pixels are narrower than half their length; 21 × 17 is not.
    expect(await count({})).toBe(6);
    expect(await count({ leastArea: 0.2 })).toBe(3);
    expect(await count({ leastArea: 0, leastAspect: 0, planes: ["axial", "sagittal"] })).toBe(6 + 9 + 6);
    const apart = drawn();
    apart.draw(2, 1, Uint32Array.of(0, 3, 100, 103));
    const names = (await written(apart, "dataset", { leastArea: 0, parts: true, planes: ["stored"] })).map(({ path }) => path);
    expect(names.filter((path) => /s_0001--l.sion/.test(path)).map((path) => path.slice(-7))).toEqual(["000.png", "001.png"]);
  });

  it("comes back as segmentations, a file being found from either list", async () => {
    const map = drawn(true);
    const files = await written(map, "dataset", { leastArea: 0, planes: ["stored"] });
    for (const without of [undefined, "image2label_train.json", "label2image_test.json"]) {
      const { segmentations, volumes, refused } = await opened(files.filter(({ path }) => path !== without));
      expect(refused).toEqual([]);
      expect(segmentations).toHaveLength(1);
      expect(volumes).toHaveLength(3);
      const { labelmap } = await layLabels(segmentations[0] as Opened["segmentations"][0], volume);
      expect(labelmap.labels.map(({ name }) => name)).toEqual(["liver_left", "läsion_2-"].sort());
      const ids = new Map([...labelmap.labels].map(({ name, id }) => [id, name.startsWith("l") && name.includes("liver") ? 1 : 2]));
      expect(
        labelmap
          .save()
          .drawn.map((one) => ({ ...one, label: ids.get(one.label) }))
          .sort((a, b) => (a.label as number) - (b.label as number)),
      ).toEqual(drawnOnly(map));
    }
    const { refused } = await opened(files.filter(({ path }) => !path.includes("liver")));
    expect(refused[0]?.reason).toMatch(/3 of 6 missing, the first masks\/ct--volume--scan--s_0001--liver_left_000\.png/);
  });
});

describe("labels that overlap", () => {
  it("are refused by formats of one label a voxel, or get a file each", async () => {
    const map = drawn(true);
    await expect(written(map, "nifti")).rejects.toThrow(/overlap on slice 2/);
    const files = await written(map, "nifti", { overlaps: "file-each" });
    expect(files.map(({ path }) => path)).toEqual(["labels_liver_left.nii.gz", "labels_Läsion_2.nii.gz", "labels_empty.nii.gz"]);
    const { volumes } = await opened(files);
    const { labelmap } = await layLabels(volumes[1] as Volume, volume);
    expect(labelmap.save().drawn).toEqual(drawnOnly(map).filter(({ label }) => label === 2));
    expect((await written(drawn(), "nifti", { overlaps: "file-each" })).map(({ path }) => path)).toEqual(["labels.nii.gz"]);
    await expect(writeLabels(drawn(), volume, "png")).rejects.toThrow(/format of one file, got 3 files/);
    await expect(writeLabels(drawn(), volume, "xyz" as never)).rejects.toThrow(/dicom-seg, png, coco, dataset, got the string "xyz"/);
  });
});
