// What a prompt alone is worth, without any network: the ellipse in its box, and a disc around its point.
import { type Framing, toOriginal } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import type { FirstPrompts } from "./prompts.ts";

/** Of discs, in model pixels. */
export const RADII: readonly number[] = Array.from({ length: 59 }, (_, i) => 2 * (i + 1));

export interface Baselines {
  /** Dice of the ellipse in the first box. */
  readonly ellipse: number;
  /** Dice of a disc of each of `RADII` around the first point. */
  readonly discs: readonly number[];
}

/** `first` is in model pixels, the truth of the original size. A pixel belongs to a shape where its middle does. */
export function baselinesOf({ box, point }: FirstPrompts, truth: Mask, framing: Framing): Baselines {
  const { data, width, height } = truth;
  const [x0, y0] = toOriginal(framing, box[0], box[1]);
  const [x1, y1] = toOriginal(framing, box[2], box[3]);
  const [px, py] = toOriginal(framing, point.x, point.y);
  const unit = framing.fit === "pad" ? 1 : Math.sqrt(width * height) / framing.size;
  let size = 0;
  let ellipse = 0;
  let both = 0;
  const pixels = new Float64Array(RADII.length);
  const hits = new Float64Array(RADII.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = data[y * width + x] as number;
      size += inside;
      if (((x + 0.5 - (x0 + x1) / 2) / ((x1 - x0) / 2)) ** 2 + ((y + 0.5 - (y0 + y1) / 2) / ((y1 - y0) / 2)) ** 2 <= 1) {
        ellipse++;
        both += inside;
      }
      // The smallest radius that reaches it.
      const radius = Math.max(0, Math.ceil(Math.hypot(x - px, y - py) / unit / 2) - 1);
      if (radius >= RADII.length) continue;
      pixels[radius] = (pixels[radius] as number) + 1;
      hits[radius] = (hits[radius] as number) + inside;
    }
  }
  let [reached, found] = [0, 0];
  const discs = RADII.map((_, i) => {
    reached += pixels[i] as number;
    found += hits[i] as number;
    return (2 * found) / (reached + size);
  });
  return { ellipse: (2 * both) / (ellipse + size), discs };
}
