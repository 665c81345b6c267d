// Files and clipboard into images on the desk.
import { SamError } from "../../src/index.ts";
import type { Picture } from "./samples.ts";

/** The library's own limits, checked here before a canvas of that size is made. */
const MOST_SIDE = 16384;
const MOST_PIXELS = 2 ** 28;

export interface OpenedImage {
  readonly picture: Picture;
  /** What its user should know: how values of more than 8 bits are shown. */
  readonly notice?: string;
}

/** Decodes what the browser can, gray values and colours as stored, not matched to the screen; 16 bits by a range of their own. */
export async function openImage(file: Blob, name: string): Promise<OpenedImage> {
  const head = new Uint8Array(await file.slice(0, 512).arrayBuffer());

  if (isDeepPng(head)) {
    const view = new DataView(head.buffer);
    checkSize(name, view.getUint32(16), view.getUint32(20));
    try {
      return await (await import("./deep_png.ts")).openDeepPng(new Uint8Array(await file.arrayBuffer()), name);
    } catch (cause) {
      return wholeOrRefused(file, name, head, cause);
    }
  }
  if (isJpeg(head)) {
    const { isCmyk, openCmyk } = await import("./cmyk.ts");
    if (await isCmyk(file)) return openCmyk(file).catch((cause: unknown) => wholeOrRefused(file, name, head, cause));
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch (cause) {
    return wholeOrRefused(file, name, head, cause);
  }
  try {
    const { width, height } = bitmap;
    checkSize(name, width, height);
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!context)
      throw new SamError({
        code: "image",
        op: "open",
        argument: name,
        expected: "room for the image",
        got: "no canvas",
        remedy: "Close other tabs, or shrink the image.",
      });
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    return { picture: { data, width, height } };
  } finally {
    bitmap.close();
  }
}

export function canvasOf({ data, width, height }: Picture): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const paint = () => canvas.getContext("2d")?.putImageData(new ImageData(data, width, height), 0, 0);
  paint();
  // A lost graphics process takes the pixels along.
  canvas.addEventListener("contextrestored", () => {
    paint();
    dispatchEvent(new Event("surfaces-restored"));
  });
  return canvas;
}

export function isWeights(name: string): boolean {
  return /\.(safetensors|safetensors\.index\.json|pth|pt)$/i.test(name);
}

export function isPrompts(name: string): boolean {
  return /\.json$/i.test(name);
}

/** What of a damaged picture could be read, as a file of its own, where its refusal offers that. */
export const restOf = (error: unknown): File | undefined => (error as { readonly rest?: File } | null)?.rest;

/** A file that only lacks its end is opened all the same; what names others by their content is fetched for them. */
async function wholeOrRefused(file: Blob, name: string, head: Uint8Array, cause: unknown): Promise<OpenedImage> {
  // One that was mended and is still not read has nothing more to give.
  if (MENDED.has(file)) throw cause;
  const open = (mended: File) => {
    MENDED.add(mended);
    return openImage(mended, name);
  };
  return (await import("./unreadable.ts")).wholeOrRefused(file, name, head, cause, open);
}

const MENDED = new WeakSet<Blob>();

const isJpeg = (head: Uint8Array) => head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff;

/** By the header, which comes first: `bit depth` 16. */
function isDeepPng(head: Uint8Array): boolean {
  return head.length > 24 && head[0] === 0x89 && head[1] === 0x50 && head[2] === 0x4e && head[3] === 0x47 && head[24] === 16;
}

function checkSize(name: string, width: number, height: number): void {
  if (width <= MOST_SIDE && height <= MOST_SIDE && width * height <= MOST_PIXELS) return;
  const expected = `at most ${MOST_SIDE} pixels wide and high, and 268 million in all`;
  throw new SamError({ code: "image", op: "open", argument: name, expected, got: `${width} × ${height}`, remedy: "Crop or shrink the image first." });
}

const NATURAL = new Intl.Collator(undefined, { numeric: true });

/** As people count: slice 2 before slice 10. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return NATURAL.compare(a.name, b.name);
}
