// Images and masks of an evaluation that are no pictures.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadImage, openDataset } from "../../src/cli/evaluation_files.ts";
import { byImage } from "../../src/eval/dataset.ts";
import { useFolder, writePng } from "./support.ts";

const folder = useFolder();
const [COLUMNS, ROWS] = [32, 24];

/** Of 8 bits, without an orientation. */
function nifti(data: Uint8Array, slices = 1): Uint8Array {
  const file = new Uint8Array(352 + data.length);
  const view = new DataView(file.buffer);
  view.setInt32(0, 348, true);
  [3, COLUMNS, ROWS, slices, 1, 1, 1, 1].forEach((side, i) => {
    view.setInt16(40 + 2 * i, side, true);
  });
  view.setInt16(70, 2, true);
  view.setInt16(72, 8, true);
  view.setFloat32(108, 352, true);
  file.set(new TextEncoder().encode("n+1\0"), 344);
  file.set(data, 352);
  return file;
}

describe("a dataset", () => {
  it("holds images and masks of any format that is read, one slice each", async () => {
    const root = folder.file("formats");
    await mkdir(root);
    const gray = Uint8Array.from({ length: COLUMNS * ROWS }, (_, i) => i % 251);
    const inside = gray.map((_, i) => (i % COLUMNS >= 4 && i % COLUMNS < 20 && i >= COLUMNS * 4 && i < COLUMNS * 16 ? 1 : 0));
    await writeFile(join(root, "a.nii"), nifti(gray));
    await writeFile(join(root, "two.nii"), nifti(new Uint8Array(2 * gray.length), 2));
    await writeFile(join(root, "a--liver.nii"), nifti(inside));
    await writeFile(join(root, "a--grays.nii"), nifti(gray));
    await writePng(join(root, "a--whole.png"), { data: inside.map((value) => value * 255), width: COLUMNS, height: ROWS, channels: 1 });
    const masks = { "a--liver.nii": "a.nii", "a--whole.png": "a.nii", "a--grays.nii": "a.nii", "b--liver.nii": "two.nii" };
    await writeFile(join(root, "label2image_test.json"), JSON.stringify(masks));
    const dataset = await openDataset(root);
    const [one, two] = await Promise.all(byImage(dataset.entries).map((entry) => loadImage(dataset, entry)));
    // From its own smallest to its largest value.
    expect(one?.image).toMatchObject({ width: COLUMNS, height: ROWS, channels: 1 });
    expect(one?.notices[0]?.message).toContain("it is shown through the window");
    expect(one?.targets.map(({ entry }) => entry.mask)).toEqual(["a--liver.nii", "a--whole.png"]);
    expect(one?.targets[0]?.truth).toEqual(one?.targets[1]?.truth);
    expect(one?.problems[0]?.message).toContain("the mask must hold 0 and 1");
    expect(two?.problems[0]?.message).toContain("must hold one slice, as images and masks of a dataset do, got 2");
  });
});
