// JPEG of 12 bits, sequential and progressive (ITU-T T.81 processes 4, 8 and 12): no maintained library decodes it alone. Also takes 8 bits.
import { type Frame, readJpeg } from "../jpeg/coefficients.ts";
import type { DecodedPixels } from "../reader.ts";
import { inverseDct } from "./jpeg_dct.ts";

/** Gray and CMYK as they are, colours as RGB: [rows, columns, samples]. Throws on damaged data. */
export function decode(bytes: Uint8Array<ArrayBuffer>): DecodedPixels {
  const { frame, quantizations, transform, damage } = readJpeg(bytes);
  if (damage?.cause) throw damage.cause;
  const data = output(frame, quantizations);
  const named = frame.components.map(({ id }) => String.fromCharCode(id)).join("") === "RGB";
  if (frame.components.length === 3 && (transform ?? (named ? 0 : 1)) !== 0) toRgb(data, frame.bits);
  return { data, rows: frame.rows, columns: frame.columns, samples: frame.components.length };
}

function output({ bits, rows, columns, components }: Frame, quantizations: readonly Float64Array[]): Uint8Array | Uint16Array {
  const samples = components.length;
  const data = bits > 8 ? new Uint16Array(rows * columns * samples) : new Uint8Array(rows * columns * samples);
  const [h, v] = [Math.max(...components.map((component) => component.h)), Math.max(...components.map((component) => component.v))];
  for (const [sample, component] of components.entries()) {
    const quantization = quantizations[component.quantization];
    if (!quantization) throw new Error("no quantization table");
    const plane = inverseDct(component.coefficients, component.stride, quantization, bits);
    const width = component.stride * 8;
    for (let y = 0; y < rows; y++) {
      const line = Math.floor((y * component.v) / v) * width;
      for (let x = 0; x < columns; x++) data[(y * columns + x) * samples + sample] = plane[line + Math.floor((x * component.h) / h)] as number;
    }
  }
  return data;
}

function toRgb(data: Uint8Array | Uint16Array, bits: number): void {
  const [half, top] = [2 ** (bits - 1), 2 ** bits - 1];
  const clamp = (value: number) => Math.max(0, Math.min(top, Math.round(value)));
  for (let i = 0; i + 2 < data.length; i += 3) {
    const [y, b, r] = [data[i] as number, (data[i + 1] as number) - half, (data[i + 2] as number) - half];
    data[i] = clamp(y + 1.402 * r);
    data[i + 1] = clamp(y - 0.344136 * b - 0.714136 * r);
    data[i + 2] = clamp(y + 1.772 * b);
  }
}
