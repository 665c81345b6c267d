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
  return { name, mask: Uint8Array.from(field.parts, (part) => Number(parts.includes(part))) };
}

/** For what is not painted on a field: light and sound that go through one thing and into the next. */
export function shaped(name: string, { width, height }: { readonly width: number; readonly height: number }, shape: Shape): Structure {
  const mask = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) for (let x = 0; x < width; x++, i++) mask[i] = Number(shape.distance(x, y) < 0);
  return { name, mask };
}
