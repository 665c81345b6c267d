// What becomes of a mask: a picture over the image, run lengths, the next prompt's mask.
import { SamError } from "../errors.ts";
import type { Known } from "../known.ts";
import { describe } from "../options.ts";
import { type Mask, maskOf } from "./mask.ts";
import { checkedMask } from "./mask_check.ts";

/** The mask of `decode`'s output `packed`, its bytes made when they are read. */
export function maskFromBits(mask: { readonly bits: Uint32Array; readonly width: number; readonly height: number }): Mask {
  const { bits, width, height } = checkedMask("maskFromBits", mask, "bits");
  return maskOf({ bits, width, height });
}

/** RGBA, `color` (sRGB, 0 to 255) at `opacity` (0 to 1) inside and transparent outside, for `putImageData` on a canvas over the image. */
export function maskToImageData(mask: Mask, color: readonly [number, number, number] = [30, 144, 255], opacity = 0.5): Known<"ImageData"> {
  const { data, width, height } = checkedMask("maskToImageData", mask);
  const fault = (expected: string, got: string, remedy: string) => new SamError({ code: "image", op: "maskToImageData", expected, got, remedy });
  if (typeof ImageData === "undefined") throw fault("a browser, which has ImageData", "none", "Elsewhere take the mask's data, a byte a pixel.");
  if (color?.length !== 3 || ![...color, 255 * opacity].every((value) => value >= 0 && value <= 255))
    throw fault("[red, green, blue] of 0 to 255, opacity of 0 to 1", `${describe(color)}, ${describe(opacity)}`, "Leave them out for blue.");
  const pixels = new Uint32Array(width * height);
  const [inside] = new Uint32Array(Uint8ClampedArray.of(...color, 255 * opacity).buffer) as unknown as [number];
  for (let i = 0; i < pixels.length; i++) if (data[i]) pixels[i] = inside;
  return new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
}

/** COCO's uncompressed run lengths: down the columns, the first run outside the mask, which may be 0. */
export function maskToRle(mask: Mask): { size: [height: number, width: number]; counts: number[] } {
  const { data, width, height } = checkedMask("maskToRle", mask);
  const counts: number[] = [];
  let [run, inside] = [0, 0];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const here = data[y * width + x] ? 1 : 0;
      if (here !== inside) {
        counts.push(run);
        [run, inside] = [0, here];
      }
      run++;
    }
  }
  counts.push(run);
  return { size: [height, width], counts };
}

/** What a mask input is made of: the sigmoid of logits. */
export function probabilities(logits: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
}

/** What `maskInput` of the next prompt takes to go on from a candidate, the best if none is named: its logits as probabilities, [4g, 4g]. */
export function maskInputOf(
  decoded: { readonly scores: Float32Array; readonly logits: Float32Array; readonly best: number },
  index = decoded?.best,
): Float32Array<ArrayBuffer> {
  const { scores, logits } = decoded ?? {};
  if (!scores?.length || !logits?.length || !(index in scores)) {
    const expected = "an answer of decode with logits, and one of its candidates, from 0";
    throw new SamError({
      code: "prompt",
      op: "maskInputOf",
      expected,
      got: `${describe(decoded)}, and ${describe(index)}`,
      remedy: 'Ask decode for output "all" or "logits"; leave the index out for the best.',
    });
  }
  const side2 = logits.length / scores.length;
  return probabilities(logits.subarray(index * side2, (index + 1) * side2));
}
