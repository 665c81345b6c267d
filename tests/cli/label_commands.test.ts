import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { type Opened, openFiles } from "../../src/formats/index.ts";
import { writeNiftiLabels } from "../../src/formats/write_nifti.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import { layLabels, ownLabels } from "../../src/volume/lay.ts";
import { runsOf } from "../../src/volume/runs.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { QUICK } from "../support/quick.ts";
import { discModel } from "./disc_model.ts";
import { cli, fakeModel, useFolder } from "./support.ts";

const VOLUMES = fileURLToPath(new URL("../formats/fixtures/volumes", import.meta.url));
const folder = useFolder();
const image = () => folder.file("scan.nii.gz");
const labels = () => folder.file("labels.nii.gz");
const [columns, rows, slices] = [40, 36, 12];

const opened = async (...paths: string[]): Promise<Opened> =>
  openFiles(await Promise.all(paths.map(async (path) => ({ path, source: bufferSource(new Uint8Array(await readFile(path)), path) }))));
const volumeAt = async (path: string) => (await opened(path)).volumes[0] as Volume;

beforeAll(async () => {
  // A volume of values by formula, in the header of a real file's: what is written on it has its place.
  const real = await volumeAt(join(VOLUMES, "left_handed_qform.nii"));
  const grid = { ...real, columns, rows, slices, nifti: undefined as never };
  const value = (x: number, y: number, z: number) => (Math.hypot(x - 18, y - 15, 2 * (z - 6)) < 11 ? 900 : 100) + ((x * 13 + y * 7 + z) % 90);
  const drawn = new Labelmap(columns, rows, slices, [{ id: 1, name: "value", color: [1, 1, 1] }]);
  const { nifti: _, ...bare } = grid;
  const values = new Labelmap(
    columns,
    rows,
    slices,
    Array.from({ length: 1000 }, (_, id) => ({ id: id + 1, name: `${id + 1}`, color: [0, 0, 0] as const })),
  );
  for (let z = 0; z < slices; z++) {
    const data = Array.from({ length: columns * rows }, (_, i) => value(i % columns, Math.floor(i / columns), z));
    for (const one of new Set(data)) values.draw(one, z, runsOf(data.map((v) => (v === one ? 1 : 0))), "allow");
    drawn.draw(1, z, runsOf(data.map((v) => (v >= 900 ? 1 : 0))));
  }
  await writeFile(image(), await writeNiftiLabels(values, bare as Volume));
  await writeFile(labels(), await writeNiftiLabels(drawn, bare as Volume));
});

describe("dataset and evaluate", () => {
  if (!QUICK)
    it("of a volume and its labels equal the evaluation of its folder to the last digit", async () => {
      const out = folder.file("made");
      const rules = ["--labels", labels(), "--modality", "mr", "--dataset-name", "drawn", "--min-area", "0.01", "--min-aspect", "0"];
      const made = await cli(["dataset", image(), ...rules, "--out", out]);
      expect([made.code, made.stderr]).toEqual([0, expect.stringMatching(/made: \d+ images, \d+ masks/)]);
      expect((await readdir(out)).sort()).toEqual(["image2label_train.json", "images", "label2image_test.json", "masks"]);
      const evaluated = async (name: string, ...args: string[]) => {
        const file = folder.file(name);
        const done = await cli(["evaluate", ...args, "--json", file], { loadModel: discModel().loadModel });
        expect(done.code).toBe(0);
        return JSON.parse(await readFile(file, "utf8"));
      };
      const [byFolder, direct] = [await evaluated("a.json", out), await evaluated("b.json", image(), ...rules)];
      expect(direct.cases.length).toBeGreaterThan(20);
      expect(direct.cases).toEqual(byFolder.cases);
      expect(direct.prompts).toEqual(byFolder.prompts);
      expect(direct.by).toEqual(byFolder.by);
      expect(direct.settings.fingerprint).toBe(byFolder.settings.fingerprint);
      expect(Object.keys(direct.by.modality)).toEqual(["mr"]);
    });

  it("say what leaves nothing, and replace no folder", async () => {
    const none = await cli(["dataset", image(), "--labels", labels(), "--min-area", "1", "--out", folder.file("none")]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/no slice has a mask that is large enough: lower --min-area/)]);
    expect((await folder.names()).some((name) => name === "none" || name.endsWith(".tmp"))).toBe(false);
    expect((await cli(["dataset", image(), "--labels", labels(), "--out", folder.path])).stderr).toMatch(/has files in it/);
    expect((await cli(["evaluate", folder.path, "--min-area", "0.1"])).stderr).toMatch(
      /--min-area is a rule for the slices of a volume: name its labels with --labels/,
    );
    expect((await cli(["dataset", image(), "--labels", labels(), "--planes", "oblique", "--out", folder.file("n")])).code).toBe(2);
  });

  it("come back from the folder, of each direction", async () => {
    for (const planes of ["axial", "coronal", "sagittal"]) {
      const out = folder.file(`in_${planes}`);
      expect((await cli(["dataset", image(), "--labels", labels(), "--planes", planes, "--min-area", "0", "--min-aspect", "0", "--out", out])).code).toBe(0);
      const back = folder.file(`${planes}.nii.gz`);
      expect(await cli(["convert-mask", out, back, "--on", image()])).toMatchObject({ code: 0, stderr: "" });
      const [a, b] = [await ownLabels(await volumeAt(labels())), await ownLabels(await volumeAt(back))];
      expect(b.labelmap.save().drawn).toEqual(a.labelmap.save().drawn);
    }
  });
});

describe("convert-mask", () => {
  it.each([
    ["coco", "c.json"],
    ["pictures", "p.png"],
    ["gray pictures", "g.png", "--gray"],
    ["a folder of pictures", "f", "--format", "png"],
    ["Slicer", "s.seg.nrrd"],
  ])("through %s and back", async (_, name, ...more) => {
    const dir = folder.file(`through_${name}`);
    const first = await cli(["convert-mask", labels(), more.includes("--format") ? dir : folder.file(name), ...more]);
    expect(first.code).toBe(0);
    const pictures = (await folder.names()).filter((file) => file.startsWith(name.replace(/\.png$/, "_")) && name.endsWith(".png"));
    if (name.endsWith(".png")) expect(pictures.length).toBeGreaterThan(5);
    if (name.endsWith(".png")) {
      const { volumes } = await opened(...pictures.map((file) => folder.file(file)));
      expect(volumes.every(({ slices }) => slices === 1)).toBe(true);
    }
    if (name.endsWith(".png")) return;
    const back = folder.file(`back_${name}.nii.gz`);
    expect((await cli(["convert-mask", more.includes("--format") ? dir : folder.file(name), back, "--on", image()])).code).toBe(0);
    const [a, b] = [await ownLabels(await volumeAt(labels())), await layLabels(await volumeAt(back), await volumeAt(image()))];
    expect(b.labelmap.save().drawn).toEqual(a.labelmap.save().drawn);
  });

  it("never replace a file of the folder that they read", async () => {
    const series = folder.file("series");
    await mkdir(series);
    await writeFile(join(series, "scan.nii.gz"), await readFile(image()));
    const scan = join(series, "scan.nii.gz");
    const before = await readFile(scan);
    for (const args of [
      ["info", series, "--json", scan],
      ["convert-mask", series, scan],
      ["segment", series, "--slice", "6", "--box", "2,2,30,30", "--out", scan],
      ["render", series, "--slice", "6", "--out", join(series, "..", "series", "scan.nii.gz")],
    ]) {
      const { code, stderr } = await cli(args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/is also an input of this command|is written as/)]);
    }
    expect((await readFile(scan)).equals(before)).toBe(true);
  });

  it("refuses what a name does not tell, and pictures that are there already", async () => {
    expect((await cli(["convert-mask", labels(), folder.file("x.tiff")])).stderr).toMatch(/\.json \(COCO\) or \.png, or a folder with --format/);
    expect((await cli(["convert-mask", labels(), folder.file("p.png")])).stderr).toMatch(/p_\d{4}\.png would be written, and is there already/);
    const drawn = ["segment", image(), "--slice", "6", "--box", "2,2,30,30", "--label", "organ", "--propagate", "5:7", "--out", folder.file("p.png")];
    const numbered = (await readdir(folder.path)).find((name) => /^p_\d{4}\.png$/.test(name)) as string;
    const before = await readFile(folder.file(numbered));
    expect((await cli(drawn)).stderr).toMatch(
      /p_\d{4}\.png is there already, and a slice may be written to this name: name another file with --out, or add --force/,
    );
    expect((await readFile(folder.file(numbered))).equals(before)).toBe(true);
    expect((await cli([...drawn, "--force"], { loadModel: fakeModel().loadModel })).code).toBe(0);
    expect((await cli(["convert-mask", labels(), folder.file("d"), "--format", "dataset"])).stderr).toMatch(/name their volume with --on/);
  });
});

describe("segment with labels as its output", () => {
  const args = (out: string, ...more: string[]) => ["segment", image(), "--slice", "6", "--box", "2,2,30,30", "--out", folder.file(out), ...more];

  it("propagates over the range and writes every slice where it lies", async () => {
    const { loadModel, calls } = fakeModel();
    const report = folder.file("r.json");
    const done = await cli(args("organ.seg.nrrd", "--propagate", "4:9", "--label", "liver", "--json", report), { loadModel });
    expect([done.code, done.stderr]).toEqual([0, expect.stringMatching(/4320 voxels of liver on 6 slices, 4 to 9/)]);
    expect(calls.encode).toHaveLength(6);
    expect(calls.decode[1]).toMatchObject({ box: expect.anything(), points: [{ label: 1 }], maskInput: expect.any(Float32Array) });
    const { segmentations } = await opened(folder.file("organ.seg.nrrd"));
    const { labelmap } = await layLabels(segmentations[0] as Opened["segmentations"][0], await volumeAt(image()));
    expect(labelmap.labels[0]?.name).toBe("liver");
    expect(labelmap.drawnSlices(1)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(labelmap.mask(1, 7)).toEqual(Uint8Array.from({ length: columns * rows }, (_, i) => (i % columns < columns / 2 ? 1 : 0)));
    const { slices: reached } = JSON.parse(await readFile(report, "utf8"));
    expect(reached.map(({ slice, stop }: { slice: number; stop?: string }) => [slice, stop])).toEqual([
      [4, "end"],
      [5, undefined],
      [6, undefined],
      [7, undefined],
      [8, undefined],
      [9, "end"],
    ]);
  });

  it("in another plane, or on one slice alone", async () => {
    const done = await cli(
      args("c.nii.gz", "--plane", "coronal", "--propagate", "5:7").map((arg) => (arg === "2,2,30,30" ? "2,2,30,10" : arg)),
      { loadModel: fakeModel().loadModel },
    );
    expect([done.code, done.stderr]).toEqual([0, expect.stringMatching(/voxels of structure on 3 slices, 5 to 7/)]);
    const { labelmap } = await ownLabels(await volumeAt(folder.file("c.nii.gz")));
    expect(labelmap.voxels(1)).toBe(3 * (columns / 2) * slices);
    const one = await cli(args("one.nii.gz"), { loadModel: fakeModel().loadModel });
    expect([one.code, one.stderr]).toEqual([0, expect.stringMatching(/on 1 slices, 6 to 6/)]);
  });

  it("refuses what does not fit, before a model is loaded", async () => {
    const said = async (...more: string[]) => (await cli(more)).stderr;
    expect(await said(...args("o.nii.gz", "--propagate", "7:9"))).toMatch(/leaves out slice 6/);
    expect(await said(...args("o.nii.gz", "--propagate", "4:12"))).toMatch(/has 12 slices, so it must end at 11/);
    expect(await said(...args("o.nii.gz", "--propagate", "9"))).toMatch(/for instance 30:55; got 9/);
    expect(await said(...args("o.txt", "--propagate", "4:9"))).toMatch(/labels need a file/);
    expect(await said(...args("o.nii.gz", "--overlay", folder.file("v.png")))).toMatch(/--overlay belongs to one mask/);
    const empty = await cli(args("o.nii.gz"), { loadModel: fakeModel({ empty: true }).loadModel });
    expect([empty.code, empty.stderr]).toEqual([1, expect.stringMatching(/finds nothing at this prompt on slice 6/)]);
    expect(await said(...args("o.dcm", "--propagate", "4:9"))).toMatch(/DICOM series/);
  });
});

describe("segment with prompts on many slices", () => {
  const prompts = (more: object[] = []) => [
    { label: "liver", plane: "stored", slice: 4, points: [{ x: 3, y: 4, label: 1 }], box: null },
    { label: "spleen", plane: "stored", slice: 4, points: [], box: [1, 1, 20, 20] },
    { label: "liver", plane: "coronal", slice: 5, points: [{ x: 3, y: 4, label: 1 }] },
    ...more,
  ];
  const saved = async (given: unknown, name = "p.json") => {
    await writeFile(folder.file(name), JSON.stringify(given));
    return folder.file(name);
  };
  const volume = { name: "scan", columns, rows, slices };

  it("asks each slice once for all labels and draws them where they lie", async () => {
    const { loadModel, calls } = fakeModel();
    const file = await saved({ volume, prompts: prompts() });
    const done = await cli(["segment", image(), "--prompts", file, "--out", folder.file("many.seg.nrrd"), "--json", "-"], { loadModel });
    expect([done.code, done.stderr]).toEqual([0, expect.stringMatching(/voxels of liver, \d+ voxels of spleen from 3 prompts/)]);
    expect(calls.encode).toHaveLength(2);
    const { segmentations } = await opened(folder.file("many.seg.nrrd"));
    const { labelmap } = await layLabels(segmentations[0] as Opened["segmentations"][0], await volumeAt(image()));
    expect(labelmap.labels.map(({ name }) => name)).toEqual(["liver", "spleen"]);
    expect(labelmap.drawnSlices(2)).toEqual([4]);
    // The coronal slice reaches through all stored ones.
    expect(labelmap.drawnSlices(1)).toHaveLength(slices);
    expect(JSON.parse(done.stdout).prompts.map(({ label, plane, slice }: Record<string, unknown>) => [label, plane, slice])).toEqual([
      ["liver", "stored", 4],
      ["spleen", "stored", 4],
      ["liver", "coronal", 5],
    ]);
  });

  it("shows the model colours as they are stored, as for a single slice", async () => {
    const path = join(VOLUMES, "rgb.nii.gz");
    const { columns, rows, slices } = await volumeAt(path);
    const one = { label: "a", slice: 1, points: [{ x: 1, y: 1, label: 1 }] };
    const file = await saved({ volume: { columns, rows, slices }, prompts: [one] }, "rgb.json");
    const [many, single] = [fakeModel(), fakeModel()];
    expect((await cli(["segment", path, "--prompts", file, "--out", folder.file("rgb.nii.gz")], { loadModel: many.loadModel })).code).toBe(0);
    expect((await cli(["segment", path, "--slice", "1", "--point", "1,1,1", "--out", folder.file("rgb.png")], { loadModel: single.loadModel })).code).toBe(0);
    const data = (calls: typeof many.calls) => [...(calls.encode[0]?.image.data ?? [])];
    expect(data(many.calls)).toEqual(data(single.calls));
  });

  it("names the entry that does not fit, and the options that the file stands for", async () => {
    const said = async (given: unknown, ...more: string[]) => {
      const done = await cli(["segment", image(), "--prompts", await saved(given, "bad.json"), "--out", folder.file("o.nii.gz"), ...more]);
      expect(done.code).toBeGreaterThan(0);
      return done.stderr;
    };
    expect(await said({ volume: { ...volume, slices: 3 }, prompts: prompts() })).toMatch(/expected prompts on 40×36×12 voxels .*got on 40×36×3/s);
    expect(await said({ volume, prompts: prompts([{ label: "a", slice: 12, points: [{ x: 0, y: 0, label: 1 }] }]) })).toMatch(/prompts\[3\].*from 0 to 11/s);
    expect(await said({ volume, prompts: [{ label: "a", plane: "coronal", slice: 2, points: [{ x: 3, y: 12, label: 1 }] }] })).toMatch(/inside 40×12 pixels/);
    expect(await said({ volume, prompts: [{ label: "a", slice: 2, box: [3, 3, 3, 9] }] })).toMatch(/box/);
    expect(await said({ volume, prompts: [{ slice: 2, points: [{ x: 3, y: 1, label: 1 }] }] })).toMatch(/the name of a label/);
    expect(await said({ volume, prompts: [{ label: "a", plane: "oblique", slice: 2, points: [] }] })).toMatch(/stored, axial, coronal or sagittal/);
    expect(await said({ image: {}, points: [] })).toMatch(/prompts on a volume/);
    expect(await said({ volume, prompts: [] })).toMatch(/holds no prompts/);
    expect(await said({ volume, prompts: prompts() }, "--slice", "3")).toMatch(/--slice and --prompts/);
    expect((await cli(["segment", image(), "--prompts", await saved({ volume, prompts: prompts() })])).stderr).toMatch(/--prompts needs a file of labels/);
  });
});
