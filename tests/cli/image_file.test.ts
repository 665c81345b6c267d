// Files of every kind that image tools write, read as the reference's image library reads them.
import { writeFile } from "node:fs/promises";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { maskPng, readImage } from "../../src/cli/image_file.ts";
import { useFolder } from "./support.ts";

const folder = useFolder();

async function read(name: string, picture: Sharp) {
  await picture.toFile(folder.file(name));
  return readImage(folder.file(name));
}

const raw = (data: Uint8Array | Uint16Array, width: number, height: number, channels: 1 | 2 | 3 | 4) => sharp(data, { raw: { width, height, channels } });

describe("readImage", () => {
  it("drops alpha without blending", async () => {
    const image = await read("rgba.png", raw(Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 128), 2, 1, 4).png());
    expect([...image.data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await read("la.png", raw(Uint8Array.of(9, 0, 200, 7), 2, 1, 2).png())).data.filter((_, i) => i % 3 === 0)]).toEqual([9, 200]);
  });

  it("expands palettes", async () => {
    const image = await read("palette.png", raw(Uint8Array.of(255, 0, 0, 0, 0, 255), 2, 1, 3).png({ palette: true, dither: 0 }));
    expect([...image.data]).toEqual([255, 0, 0, 0, 0, 255]);
    expect(image).toMatchObject({ width: 2, height: 1, channels: 3 });
  });

  it("turns the image upright by its EXIF orientation", async () => {
    // Orientation 6: stored lying on its left side, 3 wide and 1 high.
    const image = await read(
      "turned.png",
      raw(Uint8Array.of(10, 20, 30), 3, 1, 1)
        .withExif({ IFD0: { Orientation: "6" } })
        .withMetadata({ orientation: 6 })
        .png(),
    );
    expect(image).toMatchObject({ width: 1, height: 3 });
    expect([...image.data].filter((_, i) => i % image.channels === 0)).toEqual([10, 20, 30]);
  });

  it("scales 16 bits by a range that single pixels do not move, and says so", async () => {
    const gray16 = (name: string, values: number[]) => read(name, raw(Uint16Array.from(values), values.length, 1, 1).toColourspace("grey16").png());
    const ramp = Array.from({ length: 1000 }, (_, i) => i);
    const plain = await gray16("ramp16.png", ramp);
    expect(plain.notices).toEqual([expect.stringMatching(/ramp16\.png has 16 bits a channel: values from 5 to 994 are shown as black to white/)]);
    expect([plain.channels, plain.data[5], plain.data[500], plain.data[994]]).toEqual([1, 0, 128, 255]);
    const offset = await gray16(
      "offset16.png",
      ramp.map((value) => value + 32768),
    );
    expect(offset.data).toEqual(plain.data);
    const hot = await gray16(
      "hot16.png",
      ramp.map((value, i) => (i === 300 ? 65535 : value)),
    );
    const far = hot.data.filter((value, i) => i !== 300 && Math.abs(value - (plain.data[i] as number)) > 1);
    expect(far.length).toBe(0);
    const rgb = await read(
      "rgb16.png",
      raw(
        Uint16Array.from({ length: 3000 }, (_, i) => i),
        1000,
        1,
        3,
      )
        .toColourspace("rgb16")
        .png(),
    );
    expect([rgb.channels, rgb.data[0], rgb.data[2999], rgb.notices.length]).toEqual([3, 0, 255, 1]);
  });

  it("gives 8 bits that were written as 16 back, without a word", async () => {
    const image = await read(
      "spread16.png",
      raw(Uint16Array.of(0, 257 * 9, 65535), 3, 1, 1)
        .toColourspace("grey16")
        .png(),
    );
    expect([[...image.data], image.notices]).toEqual([[0, 9, 255], []]);
  });

  it("reads JPEG, gray and colour", async () => {
    const flat = await read("flat.jpg", raw(new Uint8Array(64 * 3).fill(120), 8, 8, 3).jpeg({ quality: 95 }));
    expect(flat).toMatchObject({ width: 8, height: 8 });
    expect(flat.data.every((value) => Math.abs(value - 120) <= 1)).toBe(true);
  });

  it("refuses other formats by name of the file, also behind a .png ending", async () => {
    await writeFile(folder.file("vector.png"), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await expect(readImage(folder.file("vector.png"))).rejects.toThrow(/vector\.png: expected a PNG or JPEG image, got an SVG drawing\. Save it as PNG/);
  });

  it.each<[name: string, content: Uint8Array, words: RegExp]>([
    ["slice.png", Buffer.concat([Buffer.alloc(128), Buffer.from("DICM")]), /got a DICOM file\. Choose the slice and its window/],
    ["brain.nii.gz", Uint8Array.of(0x1f, 0x8b, 8, 0), /got a packed NIfTI or MGH volume/],
    ["a.tif", Buffer.from("II*\0"), /got a TIFF image\. Save it as PNG, in which no value is lost/],
    ["report.png", Buffer.from("%PDF-1.7"), /got a PDF document\. Save the picture in it/],
    ["many.png", Buffer.from("PK\x03\x04"), /got a zip archive\. Unpack it/],
    ["odd.png", Uint8Array.of(1, 2, 3), /got an unknown kind of file \(first bytes 010203\)/],
  ])("says what %s is", async (name, content, words) => {
    await writeFile(folder.file(name), content);
    await expect(readImage(folder.file(name))).rejects.toThrow(words);
  });
});

describe("maskPng", () => {
  it("is 8-bit gray", async () => {
    const png = await maskPng({ data: Uint8Array.of(0, 1, 1), width: 3, height: 1 });
    expect([...(await sharp(png).toColourspace("b-w").raw().toBuffer())]).toEqual([0, 255, 255]);
    expect(png[24]).toBe(8); // bit depth
    expect(png[25]).toBe(0); // colour type: gray
  });
});
