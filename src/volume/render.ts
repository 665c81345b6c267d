// A slice through a window: the 8-bit picture on screen, which is the one the network sees.
import { refused, expectHas } from "./fail.ts";
import type { RawImage } from "../image/image.ts";
import type { Slice, SliceData, Volume, Window } from "./volume.ts";
import { gray } from "./window.ts";

/** Integers of up to 16 bits go through a table. */
const TABLE = 1 << 16;

/**
 * [rows, columns, 1] of gray, or [rows, columns, 3] of colours and palettes. Gray is 255 times the window's, rounded; inverted where the volume shows
 * low values bright. Alpha is left out. Colours of 8 bits stay as they are, others are divided by the range of their type; no window touches them.
 */
export function render(slice: Slice, window: Window, { inverted = false, palette }: Partial<Pick<Volume, "inverted" | "palette">> = {}): RawImage {
  expectHas("render", "slice", slice, ["data", "rows", "columns", "samples"], "a slice, as a volume gives it");
  const { data, rows, columns, samples } = slice;
  if (data.length !== rows * columns * samples) {
    const expected = `${rows}×${columns}×${samples} values`;
    throw refused("render", "slice", expected, data.length, "Pass a slice as the volume gives it.");
  }
  if (samples >= 3) return { data: colours(data, samples), width: columns, height: rows, channels: 3 };
  if (palette) return { data: fromPalette(data, samples, palette), width: columns, height: rows, channels: 3 };
  return { data: grays(data, samples, gray(window), inverted), width: columns, height: rows, channels: 1 };
}

function grays(data: SliceData, samples: number, toGray: (value: number) => number, inverted: boolean): Uint8Array {
  const out = new Uint8Array(data.length / samples);
  const level = (value: number) => {
    const y = toGray(value);
    return Math.round(255 * (inverted ? 1 - y : y));
  };
  const first = data instanceof Int16Array ? -32768 : data instanceof Int8Array ? -128 : 0;
  const small = data instanceof Int16Array || data instanceof Uint16Array || data instanceof Int8Array || data instanceof Uint8Array;
  if (small && out.length > TABLE / 4) {
    const table = Uint8Array.from({ length: data.BYTES_PER_ELEMENT === 1 ? 256 : TABLE }, (_, i) => level(i + first));
    for (let i = 0, at = 0; i < out.length; i++, at += samples) out[i] = table[(data[at] as number) - first] as number;
  } else for (let i = 0, at = 0; i < out.length; i++, at += samples) out[i] = level(data[at] as number);
  return out;
}

function colours(data: SliceData, samples: number): Uint8Array {
  const out = new Uint8Array((data.length / samples) * 3);
  const whole = data instanceof Uint8Array;
  const most = data instanceof Uint16Array ? 65535 : data instanceof Float32Array || data instanceof Float64Array ? 1 : 255;
  for (let from = 0, to = 0; from < data.length; from += samples) {
    for (let s = 0; s < 3; s++) {
      const value = data[from + s] as number;
      out[to++] = whole ? value : Math.max(0, Math.min(255, Math.round((value / most) * 255))) || 0;
    }
  }
  return out;
}

function fromPalette(data: SliceData, samples: number, palette: Uint8Array): Uint8Array {
  const out = new Uint8Array((data.length / samples) * 3);
  for (let from = 0, to = 0; from < data.length; from += samples) {
    const entry = 3 * (data[from] as number);
    for (let s = 0; s < 3; s++) out[to++] = palette[entry + s] ?? 0;
  }
  return out;
}
