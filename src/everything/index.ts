/**
 * Masks for all that can be seen in an image.
 * @module everything
 */
export { decodeEverything, type EverythingOptions, type EverythingStep, type Found } from "./everything.ts";
export type { ImageSource, RawImage } from "../image/image.ts";
export type { Runs } from "../volume/runs.ts";
export type { Decoded, Embedding, MaskSource, Prompt, Segmenter } from "../segmenter.ts";
