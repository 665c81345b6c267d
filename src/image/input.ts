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
  /** Three masks, or the single one, where a prompt does not say; `ambiguous`: three for at most one point and nothing else, else the single one. */
  readonly multimask: boolean | "ambiguous";
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

/** What the network subtracts from each channel and divides it by, [2, 4], where it was trained with the statistics of many images. */
export function statisticalColours(): Float32Array<ArrayBuffer> {
  return Float32Array.of(...MEAN, 0, ...DEVIATION, 1);
}
