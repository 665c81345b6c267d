// How each member of the family was fed by its own code: what the network's numbers are of an image, and what its logits are to become.
import type { ChannelOrder, Fit } from "./image.ts";

export type InputName = "sam" | "sam-med2d" | "medsam" | "lite-medsam";

export interface InputPreset {
  readonly fit: Fit;
  readonly channelOrder: ChannelOrder;
  /** In place of what the fit has of itself: nearest neighbour where it stretches, triangles where it fits the long side. */
  readonly resampling?: "cubic" | "area";
  /** Values to about -2 … 2 by the mean and deviation of training images, or to 0 … 1 by the image's own smallest and largest. */
  readonly intensity: "mean-std" | "min-max";
  /** Whether logits become probabilities before they are resized, and that in one step instead of two. */
  readonly masksFromProbabilities: boolean;
  /** Three masks, or the single one, where a prompt does not say. */
  readonly multimask: boolean;
}

const BY_STATISTICS = { intensity: "mean-std", masksFromProbabilities: false, multimask: true } as const;

export const INPUTS: Readonly<Record<InputName, InputPreset>> = {
  sam: { fit: "long-side", channelOrder: "rgb", ...BY_STATISTICS },
  "sam-med2d": { fit: "resize", channelOrder: "bgr", ...BY_STATISTICS },
  medsam: { fit: "resize", channelOrder: "rgb", resampling: "cubic", intensity: "min-max", masksFromProbabilities: true, multimask: false },
  "lite-medsam": { fit: "long-side", channelOrder: "rgb", resampling: "area", intensity: "min-max", masksFromProbabilities: false, multimask: false },
};

/** Per network channel, whatever colour the channel order puts there. */
const MEAN = [123.675, 116.28, 103.53];
const DEVIATION = [58.395, 57.12, 57.375];

/** What the network subtracts from each channel and divides it by, [2, 4], for pixels of `preprocess`. */
export function coloursOf(pixels: Uint32Array, intensity: InputPreset["intensity"]): Float32Array<ArrayBuffer> {
  if (intensity === "mean-std") return Float32Array.of(...MEAN, 0, ...DEVIATION, 1);
  let [low, high] = [255, 0];
  for (const pixel of pixels) {
    if (pixel >>> 24 === 0) continue;
    for (let shift = 0; shift < 24; shift += 8) {
      const value = (pixel >>> shift) & 255;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const range = Math.max(high - low, 1e-8);
  return Float32Array.of(low, low, low, 0, range, range, range, 1);
}
