// A PNG or JPEG file's pixels as they are stored, by `sharp`: no colour management, no blending, no cut of bits.
import { SamError } from "../errors.ts";
import { oddJpeg } from "../formats/jpeg/odd.ts";
import { checkSides } from "../image/image.ts";
import { CommandError } from "./usage.ts";

export interface Pixels {
  /** [height, width, channels]; gray, gray and alpha, RGB, RGBA */
  readonly data: Uint8Array | Uint16Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  /** By EXIF, 2 to 8, where it was turned. */
  readonly orientation?: number;
}

export async function codec(): Promise<typeof import("sharp").default> {
  try {
    return (await import("sharp")).default;
  } catch (cause) {
    throw new CommandError("reading and writing images needs the optional package sharp, which is not installed: npm install sharp", { cause });
  }
}

/** Throws what the decoder says where that is of no use to a person. */
export async function readPixels(path: string, bytes: Buffer): Promise<Pixels> {
  const sharp = await codec();
  const options = { failOn: "error", ignoreIcc: true, limitInputPixels: false } as const;
  const odd = oddJpeg(bytes);
  if (odd) throw new SamError({ code: "image", op: path, expected: "a PNG or an ordinary JPEG image", got: odd, remedy: "Save it as PNG." });
  // From the header: a file that declares a huge image is refused before any of it is decoded.
  const { autoOrient, depth, space, orientation, format, width, height } = await sharp(bytes, options).metadata();
  checkSides(path, autoOrient.width, autoOrient.height);
  // Deflate makes at most 1032 bytes of one, of pixels that take a bit at least; a JPEG's block of 64 pixels takes a bit.
  if (width * height > (format === "jpeg" ? 600 : 8300) * bytes.length) throw new Error("more pixels than its bytes can hold");
  const turned = orientation !== undefined && orientation > 1 ? { orientation } : {};
  const read = async (from: import("sharp").Sharp, depth: "uchar" | "ushort" = "uchar") => {
    const { data, info } = await from.raw({ depth }).toBuffer({ resolveWithObject: true });
    const values =
      depth === "ushort"
        ? new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength))
        : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { data: values, width: info.width, height: info.height, channels: info.channels as Pixels["channels"], ...turned };
  };
  const upright = sharp(bytes, options).autoOrient();
  if (space === "cmyk") return fromCmyk(await read(upright.pipelineColourspace("cmyk").toColourspace("cmyk")));
  const gray = space === "b-w" || space === "grey16";
  if (depth === "ushort") return read(upright.toColourspace(gray ? "grey16" : "rgb16"), "ushort");
  return read(upright.toColourspace(gray ? "b-w" : "srgb"));
}

/** Inks → RGB by plain products, as Pillow has it. */
function fromCmyk({ data, ...rest }: Pixels): Pixels {
  const rgb = new Uint8Array((data.length / 4) * 3);
  for (let i = 0; i < data.length / 4; i++) {
    const white = 255 - (data[i * 4 + 3] as number);
    for (let c = 0; c < 3; c++) {
      const product = (data[i * 4 + c] as number) * white + 128;
      rgb[i * 3 + c] = white - ((product + (product >> 8)) >> 8);
    }
  }
  return { ...rest, data: rgb, channels: 3 };
}
