// Files and clipboard into images on the desk.
import { SamError } from "../src/index.ts";
import type { Picture } from "./samples.ts";

/** The library's own limits, checked here before a canvas of that size is made. */
const MOST_SIDE = 16384;
const MOST_PIXELS = 2 ** 28;

/** Decodes what the browser can; gray values and colours as stored, not matched to the screen. */
export async function openImage(file: Blob, name: string): Promise<Picture> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch (cause) {
    throw new SamError(
      { code: "image", op: "open", argument: name, expected: "an image this browser can read", got: describe(file), remedy: remedyFor(name) },
      { cause },
    );
  }
  try {
    const { width, height } = bitmap;
    if (width > MOST_SIDE || height > MOST_SIDE || width * height > MOST_PIXELS) {
      const expected = `at most ${MOST_SIDE} pixels wide and high, and 268 million in all`;
      throw new SamError({ code: "image", op: "open", argument: name, expected, got: `${width} × ${height}`, remedy: "Crop or shrink the image first." });
    }
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
    return { data, width, height };
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

function describe(file: Blob): string {
  return file.size === 0 ? "an empty file" : file.type || "a file of unknown kind";
}

function remedyFor(name: string): string {
  if (/\.(dcm|dicom|ima)$/i.test(name)) return "DICOM is not read here: export the slice as PNG from your viewer, with the window you want to segment in.";
  if (/\.(nii|nii\.gz|nrrd|mha|mhd)$/i.test(name)) return "Volumes are not read here: export a slice as PNG.";
  if (/\.tiff?$/i.test(name)) return "TIFF is not read by most browsers: convert it to PNG.";
  return "Use PNG, JPEG, WebP, GIF or BMP.";
}
