// Pixels in: the square the network sees, one word a pixel, still 8-bit. The patch embedding normalises as it reads.
import { type ChannelOrder, type Framing, innerSides, type RawImage } from "./image.ts";

/** Marks a pixel of the image; padding has 0 there, and becomes zero after normalising. */
const VALID = 0xff000000;

/** An image made another width and height. */
export type Resize = (image: RawImage, width: number, height: number) => RawImage;

/**
 * image [height, width, channels] → [size, size] words `c0 | c1 << 8 | c2 << 16 | valid << 24`, where c0 is the network's
 * channel 0 (blue for "bgr") and valid is 255 inside the image, 0 in the padding.
 * `resize` is needed to fit the long side, and takes the place of nearest neighbour where the image is stretched.
 */
export function preprocess(image: RawImage, framing: Framing, channelOrder: ChannelOrder, resize?: Resize): Uint32Array<ArrayBuffer> {
  const { size, left, top, fit } = framing;
  const inner = innerSides(framing);
  if (fit === "long-side" && !resize) throw new Error("the long side is fitted by a resizing (resample.ts)");
  const shown = resize && fit !== "pad" ? resize(image, inner.width, inner.height) : image;
  const { data, width, channels } = shown;
  const nearest = fit === "resize" && !resize;
  const columns = nearest ? nearestIndices(image.width, size) : undefined;
  const rows = nearest ? nearestIndices(image.height, size) : undefined;
  const [first, second, third] = channels === 1 ? [0, 0, 0] : channelOrder === "bgr" ? [2, 1, 0] : [0, 1, 2];

  const words = new Uint32Array(size * size);
  for (let y = 0; y < inner.height; y++) {
    const row = (rows ? (rows[y] as number) : y) * width;
    const to = (y + top) * size + left;
    for (let x = 0; x < inner.width; x++) {
      const at = (row + (columns ? (columns[x] as number) : x)) * channels;
      words[to + x] = VALID | (data[at + first] as number) | ((data[at + second] as number) << 8) | ((data[at + third] as number) << 16);
    }
  }
  return words;
}

/**
 * Source index of each of `size` targets along an axis of `source` pixels.
 *
 * The reference's image library multiplies by the reciprocal of a ratio, in double precision. Where
 * `target * source / size` is whole this can fall one short of it, as for source 372 and size 256.
 */
export function nearestIndices(source: number, size: number): Uint32Array {
  const step = 1 / (size / source);
  return Uint32Array.from({ length: size }, (_, target) => Math.min(Math.floor(target * step), source - 1));
}
