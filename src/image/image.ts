// Images in: every source becomes raw 8-bit pixels, and a framing says where they lie in the square the network sees.
import { SamError } from "../errors.ts";
import type { Known } from "../known.ts";
import { describe } from "../options.ts";

/** 8-bit pixels, row-major, top row first; channels gray, RGB or RGBA. Alpha is ignored, never blended. */
export interface RawImage {
  /** [height, width, channels] */
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** 1, 3 or 4. */
  readonly channels: number;
}

export type ImageSource =
  | RawImage
  | Known<"ImageData">
  | Known<"ImageBitmap">
  | Known<"HTMLCanvasElement">
  | Known<"OffscreenCanvas">
  | Known<"HTMLImageElement">
  | Known<"HTMLVideoElement">
  | Known<"VideoFrame">;

/**
 * How an image is brought to the network's square of `size` pixels a side.
 * - `resize`: stretched, nearest neighbour; the interactive predictor
 * - `pad`: centred on zeros where both sides are smaller than `size`, else as `resize`; training and evaluation
 * - `long-side`: long side to `size`, smooth, zeros right and below; the original SAM at 1024
 */
export type Fit = "resize" | "pad" | "long-side";

/** Which colour the network's channel 0 sees: training read files as BGR. */
export type ChannelOrder = "bgr" | "rgb";

/** The widest and highest image taken. */
export const MAX_SIDE = 16384;

/** Where an original image lies in the square: `model = original * scale + offset`, pixels, (x, y). */
export interface Framing {
  /** Of the original image. */
  readonly width: number;
  readonly height: number;
  /** Side of the square. */
  readonly size: number;
  /** As carried out: `pad` becomes `resize` for an image that does not fit inside the square. */
  readonly fit: Fit;
  readonly scaleX: number;
  readonly scaleY: number;
  /** Model pixels left of and above the image. */
  readonly left: number;
  readonly top: number;
}

export function frame(width: number, height: number, size: number, fit: Fit, op = "encode"): Framing {
  checkSides(op, width, height);
  const original = { width, height, size };
  if (fit === "pad" && width < size && height < size) {
    return { ...original, fit, scaleX: 1, scaleY: 1, left: Math.floor((size - width) / 2), top: Math.floor((size - height) / 2) };
  }
  if (fit === "long-side") {
    // The inner sides are whole, so the two scales differ a little; prompts move by the scale of their own axis.
    const scale = size / Math.max(width, height);
    const inner = (side: number) => Math.max(1, Math.floor(side * scale + 0.5));
    return { ...original, fit, scaleX: inner(width) / width, scaleY: inner(height) / height, left: 0, top: 0 };
  }
  if (fit !== "resize" && fit !== "pad") {
    throw imageError(op, "fit", '"resize", "pad" or "long-side"', JSON.stringify(fit), "Leave it out for the default, resize.");
  }
  return { ...original, fit: "resize", scaleX: size / width, scaleY: size / height, left: 0, top: 0 };
}

/** Sides, in model pixels, of the part of the square that shows the image. */
export function innerSides({ width, height, scaleX, scaleY }: Framing): { width: number; height: number } {
  return { width: Math.round(width * scaleX), height: Math.round(height * scaleY) };
}

/** Original pixels → model pixels. */
export function toModel({ scaleX, scaleY, left, top }: Framing, x: number, y: number): [number, number] {
  return [x * scaleX + left, y * scaleY + top];
}

/** Model pixels → original pixels. */
export function toOriginal({ scaleX, scaleY, left, top }: Framing, x: number, y: number): [number, number] {
  return [(x - left) / scaleX, (y - top) / scaleY];
}

/** Checks the source and brings it to raw pixels; those of a raw image or of sRGB `ImageData` are not copied. */
export function toRawImage(source: ImageSource): RawImage {
  if (isObject(source) && "data" in source && "width" in source && "height" in source) {
    if ("colorSpace" in source && source.colorSpace !== "srgb") {
      checkSides("encode", source.width, source.height);
      return draw(source.width, source.height, (context) => context.putImageData(source as ImageData, 0, 0));
    }
    return checkRaw(source as RawImage, "channels" in source ? source.channels : 4);
  }
  if (isDrawable(source)) {
    const [width, height] = ownSides(source);
    if (!width)
      throw imageError("encode", "image", "loaded and open", `${describe(source)} without pixels`, "Await its decode(), loadeddata or seeked; close it later.");
    checkSides("encode", width, height);
    return draw(width, height, (context) => context.drawImage(source, 0, 0, width, height));
  }
  throw imageError(
    "encode",
    "image",
    "ImageData, ImageBitmap, a canvas, a loaded image, a video frame, or { data, width, height, channels }",
    describe(source),
    "Decode a file with createImageBitmap(file) first.",
  );
}

/** Throws unless both sides are whole and within 1..16384. */
export function checkSides(op: string, width: number, height: number): void {
  const fits = (side: number) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE;
  if (fits(width) && fits(height)) return;
  const got = [width, height].map((side) => (typeof side === "number" ? `${side}` : describe(side))).join("×");
  throw imageError(op, "image", `1 to ${MAX_SIDE} pixels wide and high`, got, "Crop or shrink the image; masks are made at the size given.");
}

function checkRaw({ data, width, height }: RawImage, channels: number): RawImage {
  checkSides("encode", width, height);
  // By name, so that arrays of another realm (a worker, a test sandbox, Node's Buffer) pass.
  const kind = kindOf(data);
  if (kind !== "Uint8Array" && kind !== "Uint8ClampedArray") {
    throw imageError(
      "encode",
      "image.data",
      "a Uint8Array or Uint8ClampedArray",
      describe(data),
      "Window the values to 8 bits first, as the training images were.",
    );
  }
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw imageError("encode", "image.channels", "1 (gray), 3 (RGB) or 4 (RGBA)", describe(channels), "Interleave the channels pixel by pixel.");
  }
  if (data.length !== width * height * channels) {
    const expected = `${width * height * channels} bytes (${width}×${height}×${channels})`;
    throw imageError("encode", "image.data", expected, `${data.length}`, "Rows must follow each other without padding.");
  }
  return { data, width, height, channels };
}

/** Through a canvas of our own, so that the source's context is left alone, and in sRGB whatever the source's space. */
function draw(width: number, height: number, paint: (context: OffscreenCanvasRenderingContext2D) => void): RawImage {
  const context = new OffscreenCanvas(width, height).getContext("2d", { colorSpace: "srgb", willReadFrequently: true });
  if (!context) {
    throw imageError("encode", "image", "a size this browser can draw", `${width}×${height}`, "Shrink the image, or pass { data, width, height, channels }.");
  }
  try {
    context.imageSmoothingEnabled = false;
    paint(context);
    const { data } = context.getImageData(0, 0, width, height, { colorSpace: "srgb" });
    return { data: data as Uint8ClampedArray, width, height, channels: 4 };
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    throw imageError(
      "encode",
      "image",
      "an image whose pixels may be read",
      got,
      "Load it from the page's own origin or with CORS, and keep it open until encode returns.",
      cause,
    );
  }
}

type Drawable = Exclude<ImageSource, RawImage | ImageData>;

/** By name, so that those of another window pass. */
function isDrawable(source: unknown): source is Drawable {
  return /^(ImageBitmap|(HTML|Offscreen)Canvas(Element)?|HTML(Image|Video)Element|VideoFrame)$/.test(kindOf(source));
}

/** `HTMLImageElement`, `Uint8Array`, `Object`: also of another realm's. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Of the picture itself, whatever size it is shown at; 0 where there is none yet, which a canvas would draw as nothing without a word. */
function ownSides(source: Drawable): [width: number, height: number] {
  if ("naturalWidth" in source) return source.complete ? [source.naturalWidth, source.naturalHeight] : [0, 0];
  // HAVE_CURRENT_DATA: not while it seeks.
  if ("videoWidth" in source) return source.readyState > 1 ? [source.videoWidth, source.videoHeight] : [0, 0];
  return "displayWidth" in source ? [source.displayWidth, source.displayHeight] : [source.width, source.height];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function imageError(op: string, argument: string, expected: string, got: string, remedy: string, cause?: unknown): SamError {
  return new SamError({ code: "image", op, argument, expected, got, remedy }, cause === undefined ? undefined : { cause });
}
