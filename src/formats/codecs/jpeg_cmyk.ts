// JPEG in inks (CMYK, YCCK), to the byte as libjpeg and Pillow's convert("RGB") have it: browsers round the product of inks otherwise.
import { type Component, type Frame, readJpeg } from "../jpeg/coefficients.ts";
import { exifOrientation } from "../jpeg/exif.ts";
import type { DecodedPixels } from "../reader.ts";
import { integerDct } from "./jpeg_integer_dct.ts";
import { enlarged, type Plane } from "./jpeg_upsampling.ts";

/** [rows, columns, 3], upright by EXIF. Throws on damaged data. */
export function decode(bytes: Uint8Array<ArrayBuffer>): DecodedPixels {
  const { frame, quantizations, transform, damage } = readJpeg(bytes);
  const isClosed = bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9;
  if (damage && (damage.cause || !isClosed)) throw damage.cause ?? new Error("the scan ends early");
  if (frame.components.length !== 4 || frame.bits !== 8) throw new Error(`${frame.components.length} components of ${frame.bits} bits`);
  const inks = frame.components.map((component) => planeOf(frame, component, quantizations));
  const data = toRgb(inks as [Uint8Array, Uint8Array, Uint8Array, Uint8Array], transform === 2);
  return turned({ data, rows: frame.rows, columns: frame.columns, samples: 3 }, exifOrientation(bytes));
}

/** A component at the picture's size: [rows, columns]. */
function planeOf({ rows, columns, components }: Frame, component: Component, quantizations: readonly Float64Array[]): Uint8Array {
  const quantization = quantizations[component.quantization];
  if (!quantization) throw new Error("no quantization table");
  const [h, v] = [Math.max(...components.map((one) => one.h)), Math.max(...components.map((one) => one.v))];
  const stored: Plane = {
    data: integerDct(component.coefficients, component.stride, quantization),
    stride: component.stride * 8,
    width: Math.ceil((columns * component.h) / h),
    height: Math.ceil((rows * component.v) / v),
  };
  return enlarged(stored, h / component.h, v / component.v, columns, rows);
}

const half = 128;
const clamp = (value: number) => (value < 0 ? 0 : value > 255 ? 255 : value);
/** Sixteen bits behind the point. */
const rounded = (value: number) => (value + 32768) >> 16;

/** Inks are stored as their opposites, as Adobe writes them; `ycck`: as luminance, chrominance and black. */
function toRgb([first, second, third, black]: [Uint8Array, Uint8Array, Uint8Array, Uint8Array], ycck: boolean): Uint8Array {
  const out = new Uint8Array(black.length * 3);
  const inks = [first, second, third] as const;
  for (let i = 0; i < black.length; i++) {
    const white = black[i] as number;
    const [y, b, r] = [first[i] as number, (second[i] as number) - half, (third[i] as number) - half];
    for (let c = 0; c < 3; c++) {
      const bright = !ycck
        ? ((inks[c] as Uint8Array)[i] as number)
        : clamp(255 - (y + (c === 0 ? rounded(91881 * r) : c === 1 ? rounded(-22554 * b - 46802 * r) : rounded(116130 * b))));
      const product = (255 - bright) * white + half;
      out[3 * i + c] = white - ((product + (product >> 8)) >> 8);
    }
  }
  return out;
}

/** By EXIF's number, 1 to 8: from 5 on rows and columns change places. */
function turned(pixels: DecodedPixels & { readonly data: Uint8Array }, orientation: number): DecodedPixels {
  if (orientation === 1) return pixels;
  const { data, rows, columns } = pixels;
  const [wide, high] = orientation > 4 ? [rows, columns] : [columns, rows];
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBelow = [3, 4, 6, 7].includes(orientation);
  const out = new Uint8Array(data.length);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [column, row] = orientation > 4 ? [y, x] : [x, y];
      const from = 3 * ((fromBelow ? rows - 1 - row : row) * columns + (fromRight ? columns - 1 - column : column));
      for (let c = 0; c < 3; c++) out[3 * (y * wide + x) + c] = data[from + c] as number;
    }
  }
  return { data: out, rows: high, columns: wide, samples: 3 };
}
