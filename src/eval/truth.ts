// A mask file's pixels → the truth, or in words why they are none.
import type { Mask } from "../image/mask.ts";

/** As stored, upright: gray, gray and alpha, RGB, RGBA, of 8 or 16 bits. */
export interface TruthPixels {
  readonly data: Uint8Array | Uint16Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

export interface TruthContext {
  readonly width: number;
  readonly height: number;
  /** EXIF orientation of the image, 2 to 8, where it was turned upright. */
  readonly orientation?: number;
  /** The mask is a JPEG file. */
  readonly jpeg?: boolean;
}

/** What stands for inside, beside 0 for outside. */
const INSIDE = [1, 255, 65535];

/** Throws an Error whose message is a sentence on the mask. */
export function truthOf(pixels: TruthPixels, context: TruthContext): Mask {
  const { data, width, height, channels } = pixels;
  expectSize(pixels, context);
  const colours = channels > 2 ? 3 : 1;
  const at = (pixel: number) => `${pixel % width},${Math.floor(pixel / width)}`;
  const truth = new Uint8Array(width * height);
  let inside: number | undefined;
  for (let pixel = 0; pixel < truth.length; pixel++) {
    const value = data[pixel * channels] as number;
    for (let c = 1; c < colours; c++) {
      if (data[pixel * channels + c] === value) continue;
      const colour = [...data.subarray(pixel * channels, pixel * channels + 3)].join(",");
      throw new Error(`the mask must hold 0 and 1, or 0 and 255, got the colour ${colour} at ${at(pixel)}: save it in gray, one structure a file`);
    }
    if (value === 0) continue;
    if (inside === undefined && INSIDE.includes(value)) inside = value;
    if (value !== inside) throw new Error(`the mask must hold 0 and 1, or 0 and 255, got ${value} at ${at(pixel)}: ${causeOf(pixels, context)}`);
    truth[pixel] = 1;
  }
  const alpha = channels === 2 || channels === 4 ? channels - 1 : undefined;
  const drawnInAlpha = alpha !== undefined && data.some((value, i) => i % channels === alpha && value !== data[alpha]);
  const flat = truth.every((value) => value === truth[0]);
  if (flat && drawnInAlpha)
    throw new Error("the mask is the same everywhere in colour, and drawn in its alpha channel (transparency): save it in gray, 255 inside and 0 outside");
  if (inside === undefined) throw new Error("the mask is empty: every pixel is 0");
  return { data: truth, width, height };
}

function expectSize({ width, height }: TruthPixels, image: TruthContext): void {
  if (width === image.width && height === image.height) return;
  const sizes = `the mask is ${width}×${height}, its image ${image.width}×${image.height}`;
  if (width !== image.height || height !== image.width) throw new Error(`${sizes}: a mask has the size of its image`);
  if (image.orientation !== undefined) {
    throw new Error(
      `${sizes} as it is shown upright: the image has the EXIF orientation ${image.orientation}, and the mask seems drawn on its stored pixels. Turn the mask`,
    );
  }
  throw new Error(`${sizes}: width and height are exchanged, as by a turn by 90° or arrays saved by columns`);
}

/** Why a mask has other values: by how many there are, and how its file is packed. */
function causeOf({ data, channels }: TruthPixels, { jpeg }: TruthContext): string {
  const values = new Set<number>();
  for (let i = 0; i < data.length && values.size <= MOST_LABELS; i += channels) values.add(data[i] as number);
  if (jpeg) return "JPEG changes values at edges. Save the mask as PNG, cut at half (inside where it is 128 or more)";
  if (values.size > MOST_LABELS) return "edges seem smoothed or resampled. Cut it at half of its largest value";
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length > 2) return `it holds ${sorted.join(", ")}, as a labelmap does. Save each structure as a mask of its own`;
  return `inside must be 1 or 255, here it is ${sorted.at(-1)}. Save it so`;
}

/** Different values in one mask that may be structures; more are a smooth edge. */
const MOST_LABELS = 16;
