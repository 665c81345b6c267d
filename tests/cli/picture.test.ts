// info, render and the slices that segment takes, on the drawn DICOM series.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asksForSlice, openPicture, type PictureOptions } from "../../src/cli/picture.ts";
import { run } from "../../src/cli/program.ts";
import { Terminal } from "../../src/cli/terminal.ts";

const FIXTURES = join(import.meta.dirname, "../formats/fixtures/dicom");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "picture-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function command(...args: string[]) {
  let [out, err] = ["", ""];
  const loadModel = () => Promise.reject(new Error("no model here"));
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (err += text) };
  const code = await run(args, { stdout, stderr, signal: new AbortController().signal, debug: false, loadModel } as never);
  return { code, out, err };
}

const picture = (name: string, options: PictureOptions = {}) =>
  openPicture(join(FIXTURES, name), options, new Terminal({ write: () => undefined }), new AbortController().signal);

describe("a slice", () => {
  it("is found by number and by position", async () => {
    const [byNumber, byPosition] = await Promise.all([picture("gap", { slice: 3 }), picture("gap", { position: 7.6 })]);
    expect(byNumber.chosen).toEqual(byPosition.chosen);
    expect(byNumber.chosen).toMatchObject({ slice: 3, slices: 5 });
    expect(byNumber.notes.join()).toContain("missing between slices 3 and 4");
    expect(byNumber.image).toMatchObject({ width: 8, height: 6, channels: 1 });
  });

  it("is looked at in another plane", async () => {
    const { image, chosen } = await picture("shuffled", { plane: "coronal", slice: 5, window: "minmax" });
    expect([image.width, image.height, chosen.slices]).toEqual([8, 4, 6]);
  });

  it.each([
    ["gap", {}, "choose one with --slice, from 0 to 4"],
    ["gap", { slice: 5 }, "it must be from 0 to 4"],
    ["gap", { position: 400 }, "lie from 0 to 10 mm"],
    ["gap", { slice: 0, position: 0 }, "give one"],
    ["gap", { slice: 0, window: "lungs" }, "or one of auto, minmax"],
    ["echoes", { slice: 0 }, "choose one with --volume: 1: echoes · echo 10 ms (3 slices), 2"],
    ["echoes", { volume: 3, slice: 0 }, "--volume 3"],
    ["monochrome1_detector.dcm", { position: 1 }, "does not say where its slices lie"],
    ["bad/report.dcm", {}, "structured report"],
  ])("of %s with %o is refused in words", async (name, options, words) => {
    await expect(picture(name, options)).rejects.toThrow(words);
  });

  it("has the window that was named", async () => {
    const { chosen } = await picture("explicit.dcm", { window: "BONE" });
    expect(chosen.window).toBe("bone (300, 1500)");
    expect(asksForSlice({})).toBe(false);
  });
});

describe("the command", () => {
  it("info tells series and refusals as JSON, and no patient's name", async () => {
    const { code, out } = await command("info", "--json", "-", join(FIXTURES, "echoes"), join(FIXTURES, "bad/plan.dcm"));
    expect(code).toBe(0);
    const { series, refused } = JSON.parse(out);
    expect(series).toHaveLength(1);
    expect(series[0]).toMatchObject({ kind: "dicom", modality: "MR", shape: [6, 6, 8], geometry: { spacing_mm: { between_slices: 2 } } });
    expect(series[0].volumes.map(({ name }: { name: string }) => name)).toEqual(["echoes · echo 10 ms", "echoes · echo 20 ms"]);
    expect(refused).toEqual([{ file: expect.stringContaining("plan.dcm"), reason: expect.stringContaining("RT plan") }]);
    expect(out).not.toContain("Drawn");
  });

  it("info tells segments with their voxels", async () => {
    const { out } = await command("info", "--json", "-", join(FIXTURES, "seg_binary.dcm"));
    expect(JSON.parse(out).series[0].segments).toEqual([
      expect.objectContaining({ number: 1, label: "Leber" }),
      expect.objectContaining({ number: 2, voxels: 1 }),
    ]);
  });

  it("info tells people", async () => {
    const { out } = await command("info", "--values", join(FIXTURES, "gap"));
    for (const words of ["gap\n", "5 slices", "0.5 × 0.75 mm, 2 mm between slices", "values: 0 to 765", "missing between slices 3 and 4"])
      expect(out).toContain(words);
  });

  it("render writes an 8-bit PNG", async () => {
    const out = join(folder, "slice.png");
    const { code, err } = await command("render", join(FIXTURES, "explicit.dcm"), "--out", out);
    expect([code, err]).toEqual([0, expect.stringContaining("window soft (40, 400)")]);
    const bytes = await readFile(out);
    // Width, height, 8 bits, gray.
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24], bytes[25]]).toEqual([22, 18, 8, 0]);
  });
});
