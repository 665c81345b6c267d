// Files of every kind that image tools write, read as the reference's image library reads them.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { maskPng, readImage } from "../../src/cli/image_file.ts";
import { checkDestinations, writeAll } from "../../src/cli/outputs.ts";
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

  it("takes the high byte of 16 bits, and warns where that leaves darkness", async () => {
    const gray16 = (values: number[]) => raw(Uint16Array.from(values), values.length, 1, 1).toColourspace("grey16").png();
    const bright = await read("bright16.png", gray16([0x1234, 0xfffe]));
    expect([...bright.data].filter((_, i) => i % bright.channels === 0)).toEqual([0x12, 0xff]);
    expect(bright.warning).toBeUndefined();
    const dark = await read("dark16.png", gray16([0x0123, 0x0fff]));
    expect([...dark.data].filter((_, i) => i % dark.channels === 0)).toEqual([0x01, 0x0f]);
    expect(dark.warning).toMatch(/dark16\.png has 16 bits a pixel and is nearly black in its upper 8.*window it/);
  });

  it("reads JPEG, gray and colour", async () => {
    const flat = await read("flat.jpg", raw(new Uint8Array(64 * 3).fill(120), 8, 8, 3).jpeg({ quality: 95 }));
    expect(flat).toMatchObject({ width: 8, height: 8 });
    expect(flat.data.every((value) => Math.abs(value - 120) <= 1)).toBe(true);
  });

  it("refuses other formats by name of the file, also behind a .png ending", async () => {
    await writeFile(folder.file("vector.png"), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await expect(readImage(folder.file("vector.png"))).rejects.toThrow(/vector\.png: expected a PNG or JPEG image/);
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

describe("writeAll", () => {
  it("writes nothing when one file cannot be written", async () => {
    await mkdir(folder.file("in_the_way"));
    const files = new Map([
      [folder.file("first.txt"), "1"],
      [join(folder.file("in_the_way"), "missing", "second.txt"), "2"],
    ]);
    await expect(writeAll(files)).rejects.toThrow(/cannot write .*second\.txt: no such file/);
    expect((await folder.names()).filter((name) => /first|tmp/.test(name))).toEqual([]);
  });

  it("writes nothing after an abort", async () => {
    await expect(writeAll(new Map([[folder.file("first.txt"), "1"]]), AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
    expect((await folder.names()).filter((name) => /first/.test(name))).toEqual([]);
  });
});

describe("checkDestinations", () => {
  it("sees through other spellings of one path", async () => {
    const scan = folder.file("rgba.png");
    await expect(checkDestinations({ "--out": join(folder.path, ".", "in_the_way", "..", "rgba.png") }, [scan])).rejects.toThrow(/--out .* is also an input/);
  });
});
