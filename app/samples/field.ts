// A plane of numbers to paint shapes on, and its way to 8-bit pixels.
import { mix, step } from "./noise.ts";
import type { Shape } from "./shapes.ts";

/** What to paint: a value, or one made of the place, the value there before, and the signed distance to the outline. */
export type Level = number | ((x: number, y: number, before: number, distance: number) => number);

/** RGBA, 8 bits. */
export interface Picture {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

export class Field {
  readonly width: number;
  readonly height: number;
  /** [height, width] */
  readonly data: Float32Array;
  /** Which part the pixel shows, by the number it was painted under; 0 is anything else. */
  readonly parts: Uint8Array;

  constructor(width: number, height: number, level = 0) {
    this.width = width;
    this.height = height;
    this.data = new Float32Array(width * height).fill(level);
    this.parts = new Uint8Array(width * height);
  }

  /** Covers what is under the shape; its border is `soft` pixels wide to each side. */
  paint(shape: Shape, level: Level, soft = 0.8, part = 0): this {
    const [x0, y0, x1, y1] = shape.bounds;
    for (let y = Math.max(0, Math.floor(y0 - soft)); y <= Math.min(this.height - 1, y1 + soft); y++) {
      for (let x = Math.max(0, Math.floor(x0 - soft)); x <= Math.min(this.width - 1, x1 + soft); x++) {
        const distance = shape.distance(x, y);
        const cover = step(soft, -soft, distance);
        if (cover === 0) continue;
        const i = y * this.width + x;
        const before = this.data[i] as number;
        const after = typeof level === "number" ? level : level(x, y, before, distance);
        this.data[i] = mix(before, after, cover);
        // A level may leave a place as it was: then what is seen there is what was seen before.
        if (distance < 0 && (part !== 0 || after !== before)) this.parts[i] = part;
      }
    }
    return this;
  }

  each(change: (value: number, x: number, y: number) => number): this {
    for (let y = 0, i = 0; y < this.height; y++) for (let x = 0; x < this.width; x++, i++) this.data[i] = change(this.data[i] as number, x, y);
    return this;
  }

  /** Three box blurs of the radius, close to a Gaussian. */
  blur(radius: number): this {
    if (radius < 1) return this;
    for (let pass = 0; pass < 3; pass++) {
      for (let y = 0; y < this.height; y++) boxBlur(this.data, y * this.width, 1, this.width, radius);
      for (let x = 0; x < this.width; x++) boxBlur(this.data, x, this.width, this.height, radius);
    }
    return this;
  }
}

function boxBlur(data: Float32Array, start: number, stride: number, count: number, radius: number): void {
  // The line, its ends repeated beyond them.
  const line = new Float32Array(count + 2 * radius + 1);
  for (let i = 0; i < line.length; i++) line[i] = data[start + Math.min(count - 1, Math.max(0, i - radius)) * stride] as number;
  const wide = 2 * radius + 1;
  let sum = 0;
  for (let i = 0; i < wide; i++) sum += line[i] as number;
  for (let i = 0; i < count; i++) {
    data[start + i * stride] = sum / wide;
    sum += (line[i + wide] as number) - (line[i] as number);
  }
}

/** Values 0..1 to gray pixels. */
export function toGray({ width, height, data }: Field): Picture {
  const pixels = new Uint8ClampedArray(4 * data.length);
  for (let i = 0; i < data.length; i++) {
    const level = Math.round(255 * (data[i] as number));
    pixels[4 * i] = level;
    pixels[4 * i + 1] = level;
    pixels[4 * i + 2] = level;
    pixels[4 * i + 3] = 255;
  }
  return { data: pixels, width, height };
}

/** Values 0..1 of three planes to colour pixels. */
export function toColour(red: Field, green: Field, blue: Field): Picture {
  const pixels = new Uint8ClampedArray(4 * red.data.length);
  for (let i = 0; i < red.data.length; i++) {
    pixels[4 * i] = Math.round(255 * (red.data[i] as number));
    pixels[4 * i + 1] = Math.round(255 * (green.data[i] as number));
    pixels[4 * i + 2] = Math.round(255 * (blue.data[i] as number));
    pixels[4 * i + 3] = 255;
  }
  return { data: pixels, width: red.width, height: red.height };
}
