// Damaged PNG and JPEG: the row is right, and what comes before it is what the whole file has. JPEG in inks: to the byte.
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/bytes/crc32.ts";
import { readPixels } from "../../src/cli/image_pixels.ts";
import { pixelDecoders } from "../../src/formats/codecs/index.ts";
import { isCmykJpeg } from "../../src/formats/jpeg/odd.ts";
import { damageWords, isWhole, mendPicture } from "../../src/formats/mend.ts";

const [WIDE, HIGH] = [90, 70];
const drawn = (channels: 1 | 2 | 3 | 4, times = 1) =>
  Array.from({ length: WIDE * HIGH * channels }, (_, i) => (((i * 7) % 256) + ((i * 2654435761) % 40)) * times);
const raw = (channels: 1 | 2 | 3 | 4) =>
  sharp(
    Uint8Array.from(drawn(channels), (value) => value & 255),
    { raw: { width: WIDE, height: HIGH, channels } },
  );
const deep = sharp(Uint16Array.from(drawn(1, 200)), { raw: { width: WIDE, height: HIGH, channels: 1 } }).toColourspace("grey16");
const bytesOf = async (picture: Sharp) => Uint8Array.from(await picture.toBuffer());
const cut = (bytes: Uint8Array<ArrayBuffer>, share: number) => bytes.slice(0, Math.floor(bytes.length * share));
const pixels = async (bytes: Uint8Array) => (await readPixels("test", Buffer.from(bytes))).data;

describe("a damaged PNG", () => {
  it.each<[string, Sharp]>([
    ["gray", raw(1).toColourspace("b-w").png()],
    ["colour", raw(3).png({ adaptiveFiltering: true })],
    ["with alpha", raw(4).png()],
    ["of a palette", raw(3).png({ palette: true, dither: 0 })],
    ["of 16 bits", deep.png()],
    ["interlaced", raw(3).png({ progressive: true })],
  ])("%s gives its rows up to where it is cut off, and no more", async (what, picture) => {
    const bytes = await bytesOf(picture);
    const whole = await pixels(bytes);
    let before = -1;
    for (const share of [0.2, 0.5, 0.9, 0.97]) {
      const mended = await mendPicture(cut(bytes, share));
      expect([mended.kind, mended.height, mended.checksum]).toEqual(["PNG", HIGH, false]);
      expect(mended.rows).toBeGreaterThanOrEqual(before);
      before = mended.rows;
      if (mended.rows === 0) continue;
      const given = await pixels(mended.bytes as Uint8Array);
      const row = whole.length / HIGH;
      expect(given.subarray(0, row * mended.rows)).toEqual(whole.subarray(0, row * mended.rows));
      // The next row is not whole: else more could have been said.
      if (what !== "interlaced" && mended.rows < HIGH - 3) expect(given.subarray(row * (mended.rows + 2))).not.toEqual(whole.subarray(row * (mended.rows + 2)));
    }
    expect(before).toBeGreaterThan(HIGH * 0.3);
  });

  it("with a wrong byte says that a checksum fails; with all rows, and without its end", async () => {
    const bytes = await bytesOf(raw(3).png({ compressionLevel: 0 }));
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] as number) ^ 1;
    expect(damageWords(await mendPicture(bytes))).toMatch(/^damaged: a checksum fails|a checksum fails: rows before may be wrong/);
    expect(damageWords({ kind: "JPEG", rows: 9, height: 9, checksum: false })).toBe("damaged, though its rows seem to be all there");
    const endless = await mendPicture((await bytesOf(raw(3).png())).slice(0, -12));
    expect([isWhole(endless), endless.rows]).toEqual([true, HIGH]);
  });

  it.each([
    ["a header with a wrong checksum", (png: Uint8Array) => png.fill(9, 18, 19)],
    ["no header", (png: Uint8Array) => png.subarray(0, 20)],
  ])("with %s is damaged in its header", async (_what, spoil) => {
    const mended = await mendPicture(Uint8Array.from(spoil(await bytesOf(raw(1).png()))));
    expect([damageWords(mended), mended.bytes]).toEqual(["damaged in its header", undefined]);
  });

  it("takes no memory for a size that its bytes can't hold", async () => {
    const bytes = await bytesOf(raw(1).png());
    const view = new DataView(bytes.buffer);
    view.setUint32(16, 40000);
    view.setUint32(20, 60000);
    view.setUint32(29, crc32(bytes.subarray(12, 29)));
    expect((await mendPicture(bytes)).bytes).toBeUndefined();
  });
});

describe("a damaged JPEG", () => {
  it.each<[string, Sharp, number]>([
    ["gray", raw(1).toColourspace("b-w").jpeg(), 8],
    ["colour, halved", raw(3).jpeg({ chromaSubsampling: "4:2:0" }), 16],
    ["colour, in full", raw(3).jpeg({ chromaSubsampling: "4:4:4" }), 8],
  ])("%s gives its rows up to where it is cut off", async (_what, picture, unit) => {
    const bytes = await bytesOf(picture);
    const whole = await pixels(bytes);
    for (const share of [0.6, 0.8, 0.95]) {
      const mended = await mendPicture(cut(bytes, share));
      expect([mended.kind, mended.height]).toEqual(["JPEG", HIGH]);
      expect(mended.rows % unit).toBe(0);
      const given = await pixels(mended.bytes as Uint8Array);
      // Halved colours of the last row are smoothed with those that are missing.
      const rows = (whole.length / HIGH) * (mended.rows - 1);
      expect(given.subarray(0, rows)).toEqual(whole.subarray(0, rows));
    }
    expect(isWhole(await mendPicture(bytes.slice(0, -2)))).toBe(true);
  });

  it("that is progressive has no row before its last scan; others are called by their kind", async () => {
    const bytes = await bytesOf(raw(3).jpeg({ progressive: true }));
    expect(damageWords(await mendPicture(cut(bytes, 0.7)))).toBe(`damaged after row 0 of ${HIGH}`);
    const lossless = Uint8Array.of(0xff, 0xd8, 0xff, 0xc3, 0, 11, 16, 0, 9, 0, 9, 1, 1, 0x11, 0);
    expect((await mendPicture(lossless)).odd).toBe("a lossless JPEG image of 16 bits");
  });
});

/** YCCK with halved chrominance, [16, 16], written by libjpeg-turbo. */
const YCCK = [
  "/9j/7gAOQWRvYmUAZAAAAAAC/9sAQwAGBAUGBQQGBgUGBwcGCAoQCgoJCQoUDg8MEBcUGBgXFBYWGh0lHxobIxwWFiAsICMmJykqKRkfLTAtKDAlKCko/9sAQwEHBwcKCAoTCgoTKBoWGigoKCgoKC",
  "goKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo/8AAFAgAEAAQBAEiAAIRAQMRAQQiAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMF",
  "BQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZ",
  "qio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/EAB8BAAMBAQEBAQEBAQEAAAAAAAABAgMEBQYHCAkKC//EALURAAIBAgQEAwQHBQQEAAECdwAB",
  "AgMRBAUhMQYSQVEHYXETIjKBCBRCkaGxwQkjM1LwFWJy0QoWJDThJfEXGBkaJicoKSo1Njc4OTpDREVGR0hJSlNUVVZXWFlaY2RlZmdoaWpzdHV2d3h5eoKDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6",
  "ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uLj5OXm5+jp6vLz9PX29/j5+v/aAA4EAQACEQMRBAAAPwD07WvE/wA7Zlzjr7VwGs+J8lvnwAeOf19K5HXPEbBjhznHXmuC1rxKSX5Ne7PKra2M",
  "uKeGvi90+ZWyTyvQHg8H6/yqRYvlIyDgDp0PH+fzohQDGO/q3X8vyq9BCVVsgjB65556V//Z",
];

describe("a JPEG in inks", () => {
  const decode = async (bytes: Uint8Array<ArrayBuffer>) => (await pixelDecoders().decode("jpeg-cmyk", bytes)).data;

  it.each([1, 3, 6, 8])("has the bytes of the reference readers, upright from orientation %d", async (orientation) => {
    for (const progressive of [false, true]) {
      const bytes = await bytesOf(
        raw(3)
          .toColourspace("cmyk")
          .withExif({ IFD0: { Orientation: `${orientation}` } })
          .jpeg({ progressive }),
      );
      expect(isCmykJpeg(bytes)).toBe(true);
      expect(await decode(bytes)).toEqual(await pixels(bytes));
    }
  });

  it("with luminance and halved chrominance has them too", async () => {
    const bytes = Uint8Array.from(Buffer.from(YCCK.join(""), "base64"));
    const given = await decode(bytes);
    expect(given).toEqual(await pixels(bytes));
    // What Pillow's convert("RGB") makes of it.
    expect([...given.slice(0, 12)]).toEqual([1, 1, 0, 1, 0, 1, 1, 0, 1, 5, 1, 3]);
  });

  it("that is cut off is refused, and is read once it is mended", async () => {
    const bytes = cut(await bytesOf(raw(3).toColourspace("cmyk").jpeg()), 0.8);
    await expect(decode(bytes)).rejects.toThrow();
    const { bytes: mended, rows } = await mendPicture(bytes);
    expect(rows).toBeGreaterThan(20);
    expect((await decode(mended as Uint8Array<ArrayBuffer>)).length).toBe(WIDE * HIGH * 3);
  });
});
