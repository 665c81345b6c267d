// What a sample shows, known exactly: each structure's mask comes from the very shapes that its picture is painted with.
import type { Field, Picture } from "./field.ts";
import type { Shape } from "./shapes.ts";

export interface Structure {
  readonly name: string;
  /** [height, width], 0 or 1; what is hidden under something else is not part of it. */
  readonly mask: Uint8Array<ArrayBuffer>;
}

export interface Drawing {
  readonly picture: Picture;
  /** The first one is what the sample suggests to try. */
  readonly structures: readonly Structure[];
}

/** What was painted under these numbers and is still seen. */
export function painted(name: string, field: Field, ...parts: readonly number[]): Structure {
  const wanted = new Uint8Array(256);
  for (const part of parts) wanted[part] = 1;
  const mask = new Uint8Array(field.parts.length);
  for (let i = 0; i < mask.length; i++) mask[i] = wanted[field.parts[i] as number] as number;
  return { name, mask };
}

/** For what is not painted on a field: light and sound that go through one thing and into the next. */
export function shaped(name: string, { width, height }: { readonly width: number; readonly height: number }, shape: Shape): Structure {
  const mask = new Uint8Array(width * height);
  const [x0, y0, x1, y1] = shape.bounds;
  for (let y = Math.max(0, Math.floor(y0)); y <= Math.min(height - 1, y1); y++)
    for (let x = Math.max(0, Math.floor(x0)); x <= Math.min(width - 1, x1); x++) mask[y * width + x] = Number(shape.distance(x, y) < 0);
  return { name, mask };
}
