// Files by their content: what they are called, in which order they come, masks and prompts of which image.
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { openDeepPng } from "../../app/open/deep_png.ts";
import { imageOfPrompts, maskPng, readPromptFile } from "../../app/open/download.ts";
import { byName } from "../../app/open/images.ts";
import { bitsOf, isMaskName, maskOwner } from "../../app/open/mask_file.ts";
import { reasonOf } from "../../app/open/unreadable.ts";

const bytes = (text: string, before = 0) => Uint8Array.from([...new Uint8Array(before), ...new TextEncoder().encode(text), ...new Uint8Array(64)]);

describe("what cannot be opened", () => {
  it.each<[string, Uint8Array, RegExp, RegExp]>([
    ["DICOM without an ending", bytes("DICM", 128), /a DICOM file/, /DICOM is not read here/],
    ["a zip", Uint8Array.from([0x50, 0x4b, 3, 4, ...new Uint8Array(60)]), /zip archive/, /Unpack it/],
    ["a whole-slide image", Uint8Array.from([0x49, 0x49, 0x2a, 0, ...new Uint8Array(60)]), /TIFF/, /whole-slide/],
    ["a truncated PNG", Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), /damaged/, /Copy or export it again/],
    ["a truncated JPEG", Uint8Array.from([0xff, 0xd8, 0xff, 0xe0]), /damaged/, /Copy or export it again/],
    ["a PDF", bytes("%PDF-1.7"), /PDF/, /Use PNG/],
    ["NRRD", bytes("NRRD0004\n"), /NRRD/, /Volumes/],
  ])("%s is called by its content", (_, head, got, remedy) => {
    const reason = reasonOf(head, 1000);
    expect(reason.got).toMatch(got);
    expect(reason.remedy).toMatch(remedy);
  });

  it("may be empty", () => expect(reasonOf(new Uint8Array(0), 0).got).toBe("an empty file"));
});

it("names are ordered as people count", () => {
  const names = ["s10.png", "s2.png", "S1.png", "a.png"].map((name) => ({ name }));
  expect(names.sort(byName).map(({ name }) => name)).toEqual(["a.png", "S1.png", "s2.png", "s10.png"]);
});

describe("PNG of 16 bits", () => {
  const values = Uint16Array.from({ length: 40 * 30 }, (_, i) => 1000 + (i % 40) * 10);
  const png = (data: Uint16Array, channels = 1) => encode({ width: 40, height: data.length / 40 / channels, data, depth: 16, channels });

  it("is shown by its own range, and says which", async () => {
    const { picture, notice } = await openDeepPng(png(values), "ct.png");
    expect([picture.data[0], picture.data[4 * 39], picture.data[4 * 20]]).toEqual([0, 255, 131]);
    expect(notice).toContain("ct.png has 16 bits a channel: values from 1000 to 1390");
  });

  it("is moved neither by a hot pixel nor by an offset", async () => {
    const hot = values.slice();
    hot[77] = 65535;
    const plain = await openDeepPng(png(values), "a");
    const shifted = await openDeepPng(png(values.map((value) => value + 30000)), "a");
    const spotted = await openDeepPng(png(hot), "a");
    expect(shifted.picture.data).toEqual(plain.picture.data);
    expect([...spotted.picture.data].filter((value, i) => value !== plain.picture.data[i]).length).toBeLessThanOrEqual(3);
  });

  it("that holds 8 bits is as it is; alpha is ignored; a damaged one is refused", async () => {
    const bytewise = Uint16Array.from({ length: 80 }, (_, i) => 257 * (i + 3));
    const { picture, notice } = await openDeepPng(png(bytewise), "a");
    expect([picture.data[0], picture.data[4], notice]).toEqual([3, 4, undefined]);
    const withAlpha = Uint16Array.from({ length: 160 }, (_, i) => (i % 2 ? 5 : 257 * (i / 2)));
    expect((await openDeepPng(png(withAlpha, 2), "a")).picture.data[4 * 9]).toBe(9);
    await expect(openDeepPng(png(values).subarray(0, 90), "a")).rejects.toThrow();
  });
});

describe("masks as files", () => {
  it("are 8-bit gray with one value a pixel, and come back", async () => {
    const data = Uint8Array.from([1, 0, 0, 1, 1, 0]);
    const file = new Uint8Array(await (await maskPng({ data, width: 3, height: 2 })).arrayBuffer());
    expect([file[24], file[25]]).toEqual([8, 0]);
    const rgba = new Uint8ClampedArray([...data].flatMap((inside) => [inside * 255, inside * 255, inside * 255, 255]));
    expect(bitsOf({ data: rgba, width: 3, height: 2 })).toEqual(data);
    rgba[4] = 7;
    expect(bitsOf({ data: rgba, width: 3, height: 2 })).toBeNull();
  });

  it("are known by name", () => {
    expect(["scan-mask.png", "scan-mask (2).png", "mask.png", "scan.png"].map(isMaskName)).toEqual([true, true, false, false]);
    expect(maskOwner("a-b-mask (2).png")).toBe("a-b");
  });
});

describe("prompt files", () => {
  it("say which image they are of, and which candidate was chosen", () => {
    const image = { name: "mr.png", width: 256, height: 256 };
    const text = JSON.stringify({ image, points: [{ x: 1, y: 2, label: 1 }], box: null, result: { chosen: 2 } });
    expect(imageOfPrompts(text)).toEqual(image);
    expect(readPromptFile(text, "p.json", 256, 256).chosen).toBe(2);
    for (const other of ["{", "null", "{}", '{"image":"x"}']) expect(imageOfPrompts(other)).toBeNull();
  });
});
