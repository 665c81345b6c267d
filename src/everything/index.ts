// sam-med2d-webgpu/everything: masks for all that can be seen in an image.
export { type BatchSegmenter, decodeEverything, type EverythingOptions, type EverythingStep, type Found } from "./everything.ts";
export type { ImageSource, RawImage } from "../image/image.ts";
export type { Runs } from "../volume/runs.ts";
export type { EncodedPicture, SegmenterAnswer, SegmenterPrompt } from "../volume/segmenter.ts";
