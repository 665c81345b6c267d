// Pictures of the kinds a browser shows, for volumes of one slice: through sharp, as the browser would, upright and in sRGB.
import { SamError } from "../errors.ts";
import { pixelDecoders } from "../formats/codecs/index.ts";
import { isCmykJpeg } from "../formats/jpeg/odd.ts";
import type { DecodedPixels } from "../formats/reader.ts";
import { codec } from "./image_pixels.ts";

export async function decodePicture(type: string, bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<DecodedPixels> {
  signal?.throwIfAborted();
  if (type === "image/bmp") {
    const remedy = "Save it as PNG, in which no value is lost, or open it on the page.";
    throw new SamError({ code: "file", op: "picture", expected: "a picture that the command line reads", got: "a BMP picture", remedy });
  }
  // Inks as on the page, not by a colour profile.
  if (isCmykJpeg(bytes)) return pixelDecoders().decode("jpeg-cmyk", bytes, signal);
  const sharp = await codec();
  const picture = sharp(bytes, { failOn: "error", limitInputPixels: 2 ** 28 }).rotate();
  const { channels, space } = await picture.metadata();
  const gray = channels <= 2 && space !== "srgb";
  const { data, info } = await picture
    .toColourspace(gray ? "b-w" : "srgb")
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), rows: info.height, columns: info.width, samples: info.channels };
}
