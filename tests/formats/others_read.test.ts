// Files of labels in other people's software: dciodvfy, highdicom, pydicom, SimpleITK, nibabel, pycocotools and Pillow find what was drawn, where it was drawn.
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { openFiles, writeLabels } from "../../src/formats/index.ts";
import { type Geometry, indexToPatient } from "../../src/volume/geometry.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import { measure } from "../../src/volume/measure.ts";
import { runsOf } from "../../src/volume/runs.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { QUICK } from "../support/quick.ts";
import { readSetup } from "../support/setup_file.ts";
import { drawn, GEOMETRIES, source } from "./seg_source.ts";

const VOLUMES = fileURLToPath(new URL("fixtures/volumes", import.meta.url));
const SCRIPT = fileURLToPath(new URL("check_labels.py", import.meta.url));
const { readers } = readSetup();

/** Exit code, and both streams together. */
const ran = (command: string, args: readonly string[]) =>
  new Promise<{ code: unknown; text: string }>((resolve) => {
    execFile(command, args, { maxBuffer: 1 << 24 }, (error, stdout, stderr) => resolve({ code: error ? (error.code ?? 1) : 0, text: stdout + stderr }));
  });

describe.runIf(readers !== undefined)("labels in others' software", () => {
  let folder = "";
  const cases = { positions: [] as object[], affines: [] as object[], coco: [] as object[], pictures: [] as object[], measures: [] as object[] };
  const segs: string[] = [];
  const file = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sam_med2d_others_"));
    for (const [name, geometry] of Object.entries(GEOMETRIES)) await keep(name, source(geometry), drawn(source(geometry)));
    const frames = source(GEOMETRIES.anisotropic as Geometry, true);
    await keep("multi-frame", frames, drawn(frames));
    for (const name of ["int16.nii.gz", "big_endian_scaled.nii", "nifti2_left_handed_qform.nii", "left_handed_qform.nii"]) await keepHeader(name);
    await writeFile(file("cases.json"), JSON.stringify(cases));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** As every format that can hold it. */
  async function keep(name: string, volume: Volume, map: Labelmap): Promise<void> {
    const stem = name.replace(/\W/g, "_");
    const placed = (labelmap: Labelmap) =>
      labelmap.labels.map(({ id, name }, n) => ({ id, name, layer: n === 1 ? 1 : 0, points: pointsOf(labelmap, id, volume) }));
    const instances = volume.dicom?.instances.map(({ sopInstance }) => sopInstance);
    await writeFile(file(`${stem}.dcm`), await writeLabels(map, volume, "dicom-seg"));
    segs.push(`${stem}.dcm`);
    // ITK has one step between slices: of others it says what it thinks.
    const regular = !volume.geometry?.sliceOrigins;
    if (regular) await writeFile(file(`${stem}.seg.nrrd`), await writeLabels(map, volume, "seg-nrrd"));
    cases.positions.push({ name, labels: placed(map), instances, seg: `${stem}.dcm`, ...(regular && { nrrd: `${stem}.seg.nrrd` }) });
    const apart = withoutOverlap(map);
    if (regular) {
      await writeFile(file(`${stem}.nii.gz`), await writeLabels(apart, volume, "nifti"));
      cases.positions.push({ name, labels: placed(apart), nifti: `${stem}.nii.gz` });
    }
    for (const shapes of ["polygons", "run-lengths"] as const) {
      await writeFile(file(`${stem}_${shapes}.json`), await writeLabels(map, volume, "coco", { shapes }));
      const masks = Object.fromEntries(map.labels.flatMap(({ id }) => map.drawnSlices(id).map((slice) => [`${id} ${slice}`, pixelsOf(map, id, slice)])));
      cases.coco.push({ file: `${stem}_${shapes}.json`, masks });
    }
    const one = new Labelmap(map.columns, map.rows, 1, map.labels);
    for (const { id } of apart.labels) one.draw(id, 0, apart.runs(id, map.slices - 1));
    for (const gray of [false, true]) {
      const picture = `${stem}_${gray}.png`;
      await writeFile(file(picture), await writeLabels(one, { ...volume, slices: 1 }, "png", { gray }));
      const colors = Object.fromEntries(map.labels.map(({ id, color }) => [id, color]));
      cases.pictures.push({ file: picture, mode: gray ? "L" : "P", values: [...one.values(0)], colors });
    }
  }

  /** On a NIfTI file of its own: its header stays, and measurements are theirs. */
  async function keepHeader(name: string): Promise<void> {
    await copyFile(join(VOLUMES, name), file(name));
    const { volumes } = await openFiles([{ path: name, source: bufferSource(new Uint8Array(await readFile(file(name))), name) }]);
    const volume = volumes[0] as Volume;
    const { columns, rows, slices } = volume;
    const map = new Labelmap(
      columns,
      rows,
      slices,
      [1, 2].map((id) => ({ id, name: `L${id}`, color: [id, id, id] as const })),
    );
    for (let k = 1; k < slices; k++) {
      map.draw(1, k, runsOf(Uint8Array.from({ length: columns * rows }, (_, i) => (i % columns > 1 && i % columns < 6 ? 1 : 0))));
      map.draw(2, k, Uint32Array.of(0, 2));
    }
    const labels = `labels_of_${name.replace(/\.gz$/, "")}.gz`;
    await writeFile(file(labels), await writeLabels(map, volume, "nifti"));
    cases.affines.push({ source: name, labels });
    const { labels: ours } = await measure(map, volume);
    // ITK reads no NIfTI-2.
    if (!name.startsWith("nifti2"))
      cases.measures.push({ image: name, labels, ours: ours.map(({ label, volume, mean, sd, min, max }) => ({ id: label.id, volume, mean, sd, min, max })) });
  }

  it("dciodvfy finds no error in any segmentation", async () => {
    expect(segs.length).toBeGreaterThan(5);
    for (const name of segs) {
      const { text } = await ran(readers?.dciodvfy as string, [file(name)]);
      expect([name, text.split("\n").filter((line) => line.startsWith("Error"))]).toEqual([name, []]);
    }
  });

  if (!QUICK)
    it("readers find the same voxels at the same places, headers bit for bit, and the same measurements", async () => {
      const { code, text } = await ran(readers?.python as string, [SCRIPT, folder]);
      expect(text.split("\n").filter((line) => line && !/^(loading annotations|Done|creating index|index created)/.test(line))).toEqual([]);
      expect(code).toBe(0);
    });
});

function pixelsOf(map: Labelmap, id: number, slice: number): number[] {
  return [...map.mask(id, slice).entries()].filter(([, set]) => set).map(([i]) => i);
}

function pointsOf(map: Labelmap, id: number, { geometry }: Volume) {
  return map
    .drawnSlices(id)
    .flatMap((k) => pixelsOf(map, id, k).map((i) => indexToPatient(geometry as Geometry, [i % map.columns, Math.floor(i / map.columns), k])));
}

function withoutOverlap(map: Labelmap): Labelmap {
  const made = Labelmap.restore(map.save());
  for (const { id } of made.labels) for (const slice of made.drawnSlices(id)) made.draw(id, slice, made.runs(id, slice), "replace");
  return made;
}
