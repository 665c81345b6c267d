// How a slice is laid out on a screen: pixels at their true shape, letters at its edges.
import { axis, type Geometry, letters, type Vector3 } from "./geometry.ts";

/** Screen sides of a pixel, the shorter one 1: of slices 5 mm apart seen from the side, 1 across and 5 down, say. Square where no sizes are known. */
export function pixelAspect(geometry: Geometry | undefined): { readonly across: number; readonly down: number } {
  const { betweenColumns = 1, betweenRows = 1 } = geometry?.spacing ?? {};
  const least = Math.min(betweenColumns, betweenRows);
  if (!(least > 0) || !Number.isFinite(betweenColumns + betweenRows)) return { across: 1, down: 1 };
  return { across: betweenColumns / least, down: betweenRows / least };
}

/** The largest size, in screen pixels, at which a slice fits into `room` at its true shape. */
export function fittedSize(
  { columns, rows, geometry }: { readonly columns: number; readonly rows: number; readonly geometry?: Geometry },
  room: { readonly width: number; readonly height: number },
): { readonly width: number; readonly height: number } {
  const { across, down } = pixelAspect(geometry);
  const [width, height] = [columns * across, rows * down];
  const scale = Math.min(room.width / width, room.height / height);
  return { width: width * scale, height: height * scale };
}

export interface EdgeLetters {
  readonly left: string;
  readonly right: string;
  readonly top: string;
  readonly bottom: string;
}

/** What stands at the four edges of a slice as it is stored: "R", "A", "HL". Undefined where the file does not say how it lies: nobody is to guess. */
export function edgeLetters(geometry: Geometry | undefined): EdgeLetters | undefined {
  if (!geometry || geometry.unoriented) return undefined;
  const [right, bottom] = [axis(geometry, 0), axis(geometry, 1)];
  const back = (a: Vector3): Vector3 => [-a[0], -a[1], -a[2]];
  return { left: letters(back(right)), right: letters(right), top: letters(back(bottom)), bottom: letters(bottom) };
}
