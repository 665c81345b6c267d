/**
 * The main entry: the model on the page's own thread, what becomes of masks, and all types.
 * @module sam-med2d-webgpu
 */
export type { CachedFile } from "./bytes/cache.ts";
export { clearCached, listCached } from "./bytes/kept.ts";
export type { Checkpoint, StoredDType, StoredTensor } from "./checkpoint/checkpoint.ts";
export { openCheckpoint, type Weights } from "./checkpoint/open.ts";
export { type EncodedImage, type EncodeManyOptions, encodeMany, type LazyImage } from "./fetched.ts";
export type { ModelDevice, Progress } from "./engine.ts";
export { type ErrorCode, SamError } from "./errors.ts";
export type { DeviceSummary } from "./gpu/device.ts";
export type { WeightType as Precision } from "./graph/tensor.ts";
export type { ChannelOrder, Fit, Framing, ImageSource, RawImage } from "./image/image.ts";
export type { InputName, InputPreset } from "./image/input.ts";
export { type Contour, maskToContours } from "./image/contours.ts";
export type { Mask } from "./image/mask.ts";
export { maskFromBits, maskInputOf, maskToImageData, maskToRle } from "./image/mask_out.ts";
export type { Config } from "./model/config.ts";
export type { ModelInput } from "./model/input.ts";
export type { Box, Point, Prompt } from "./model/prompts.ts";
export type { TuningStore } from "./tuning.ts";
export { type LoadOptions, SamMed2D } from "./sam_med2d.ts";
export type {
  Decoded,
  DecodedAs,
  DecodedBest,
  DecodedLogits,
  DecodedPacked,
  DecodeOptions,
  Embedding,
  EncodeOptions,
  MaskSource,
  ModelStats,
  Output,
  SavedEmbedding,
  Segmenter,
} from "./segmenter.ts";
