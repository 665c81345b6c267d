// PNG and JPEG files of every kind that is read, broken: read, read in part, or refused in words.
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { notAnImage } from "../../src/cli/image_kind.ts";
import { decode, imageOf } from "../../src/cli/image_file.ts";
import { SamError } from "../../src/errors.ts";
import type { Bytes } from "../checkpoint/support.ts";
import { EDGES, mutateBytes, type Random } from "../checkpoint/fuzz.ts";
import { crc32 } from "../../src/bytes/crc32.ts";
import { TIMES, tryAll } from "./mutations.ts";

const noise = (channels: 1 | 3 | 4) => Uint8Array.from({ length: 24 * 18 * channels }, (_, i) => (i * 2654435761) >>> 13);
const from = (channels: 1 | 3 | 4) => sharp(noise(channels), { raw: { width: 24, height: 18, channels } });
const deep = sharp(
  Uint16Array.from(noise(1), (value) => value * 200),
  { raw: { width: 24, height: 18, channels: 1 } },
);
const bytesOf = async (picture: Sharp): Promise<Bytes> => Uint8Array.from(await picture.toBuffer());
const PNGS = await Promise.all(
  [
    from(1).toColourspace("b-w").png(),
    from(3).png({ progressive: true }),
    from(4).png(),
    from(3).png({ palette: true }),
    deep.toColourspace("grey16").png(),
  ].map(bytesOf),
);
const JPEGS = await Promise.all(
  [from(3).jpeg(), from(1).jpeg(), from(3).jpeg({ progressive: true }), from(3).withMetadata({ orientation: 6 }).jpeg()].map(bytesOf),
);

/** A number in the header or a byte in a chunk, with its checksum made right, so that the damage gets past the first check. */
function inChunk(random: Random, png: Bytes): Bytes {
  const out = png.slice();
  const view = new DataView(out.buffer);
  const chunks: number[] = [];
  for (let at = 8; at + 12 <= out.length; at += 12 + view.getUint32(at)) chunks.push(at);
  const at = random.pick(chunks);
  const length = view.getUint32(at);
  if (at === 8 && random.chance(2)) view.setUint32(at + 8 + 4 * random.below(2), random.pick(EDGES) >>> 0);
  else if (length > 0) out[at + 8 + random.below(length)] = random.bits();
  view.setUint32(at + 8 + length, crc32(out.subarray(at + 4, at + 8 + length)));
  return out;
}

const typed = (error: unknown) => error instanceof SamError && error.code === "image";

/** As much as is read of such bytes; nothing larger than a small picture may come of them. */
async function read(bytes: Bytes): Promise<void> {
  const isPicture = (bytes[0] === 0x89 && bytes[1] === 0x50) || (bytes[0] === 0xff && bytes[1] === 0xd8);
  if (!isPicture) throw notAnImage("fuzz", bytes.subarray(0, 512));
  const image = imageOf("fuzz", await decode("fuzz", Buffer.from(bytes), { partial: bytes.length % 2 === 0, offer: "--partial" }));
  expect(image.data.length).toBe(image.width * image.height * image.channels);
  expect(image.data.length).toBeLessThan(bytes.length * 8300 * 3);
}

describe("fuzzed images", () => {
  it.each([
    ["PNG", 1, 700, (random: Random) => (random.chance(2) ? inChunk(random, random.pick(PNGS)) : mutateBytes(random, random.pick(PNGS)))],
    ["JPEG", 2, 700, (random: Random) => mutateBytes(random, random.pick(JPEGS))],
  ] as const)(
    "%s, seed %d: %d files and their multiple",
    async (_what, seed, cases, make) => {
      const before = process.memoryUsage().rss;
      const { whole } = await tryAll(seed, cases * TIMES, make, read, typed);
      expect(whole).toBeGreaterThan(cases / 20);
      expect(whole).toBeLessThan(cases * TIMES * 0.95);
      expect(process.memoryUsage().rss - before).toBeLessThan(600 << 20);
    },
    600_000 * TIMES,
  );
});
