// What is asked for masks: the types that a model, the worker's client and anything that answers like them have in common.
import type { Embedding, SavedEmbedding } from "./embedding.ts";
import type { ModelDevice } from "./engine.ts";
import type { ImageSource } from "./image/image.ts";
import type { Mask } from "./image/mask.ts";
import type { Config } from "./model/config.ts";
import type { ModelInput } from "./model/input.ts";
import type { Prompt } from "./model/prompts.ts";
import type { DecodeOptions, EncodeOptions } from "./sam_options.ts";

export type { Embedding, SavedEmbedding } from "./embedding.ts";
export type { Prompt } from "./model/prompts.ts";
export type { DecodeOptions, EncodeOptions } from "./sam_options.ts";

/** A loaded network, here or in a worker: `SamMed2D` and `SamMed2DWorker` are one each. */
export interface Segmenter {
  readonly config: Config;
  /** `SAM-Med2D vit_b 256, adapters, f32, 271.2 M parameters` */
  readonly name: string;
  /** How images are brought in and masks out, and what told so. */
  readonly input: ModelInput;
  readonly device: ModelDevice;
  /** Synthetic weights: the masks mean nothing. */
  readonly meaningless: boolean;
  /** Of weights and configuration: embeddings with another one are of another network. */
  readonly fingerprint: string;
  /** @throws SamError `image`: not an image, or of a size that is not taken; `device`: lost, out of memory. */
  encode(image: ImageSource, options?: EncodeOptions): Promise<Embedding>;
  /**
   * Masks for one prompt, or for many on the same embedding.
   * @throws SamError `prompt`: outside the image, empty box, mask of another shape; `device`: lost, out of memory.
   */
  decode<O extends Output = "all">(embedding: Embedding, prompt: Prompt, options?: DecodeOptions<O>): Promise<DecodedAs[O]>;
  decode<O extends Output = "all">(embedding: Embedding, prompts: readonly Prompt[], options?: DecodeOptions<O>): Promise<DecodedAs[O][]>;
  /** An embedding saved by this model, in this session or another. */
  restore(saved: SavedEmbedding): Embedding;
  /** Dispatches, submits, FLOP and bytes of what has run. */
  stats(): ModelStats | Promise<ModelStats>;
  /** Frees what the model holds on the GPU. */
  dispose(): void;
  /** `dispose`, for `using`. */
  [Symbol.dispose](): void;
}

/** As much of a `Segmenter` as propagation, everything mode and `encodeMany` ask: what somebody else's must have. `grid`: g, image tokens a side. */
export interface MaskSource extends Pick<Segmenter, "encode" | "decode"> {
  readonly config: Pick<Config, "grid">;
  /** Where it says `ambiguous`, propagation asks for three candidates all the same: it has the mask before to choose by. */
  readonly input?: Pick<ModelInput, "multimask">;
}

interface Scored {
  /** Predicted IoU of each candidate. */
  readonly scores: Float32Array;
  /** Index of the highest score. */
  readonly best: number;
}

export interface Decoded extends Scored {
  /** One for each candidate, at the image's own size: three, or one without multimask. The best is kept in a bit a pixel, others as logits. */
  readonly masks: readonly Mask[];
  /** The best of them: `masks[best]`. */
  readonly mask: Mask;
  /** [K, 4g, 4g], low resolution, in model space, before any threshold. */
  readonly logits: Float32Array;
}

export interface DecodedBest extends Scored {
  /** The best candidate's, at the image's own size. */
  readonly mask: Mask;
}

/** The best candidate's mask as it comes from the GPU; `maskFromBits` makes a `Mask` of it. */
export interface DecodedPacked extends Scored {
  /** Pixel p, row by row, is bit p mod 32 of word ⌊p / 32⌋. */
  readonly bits: Uint32Array<ArrayBuffer>;
  /** Of the original image. */
  readonly width: number;
  readonly height: number;
}

export interface DecodedLogits extends Scored {
  /** [K, 4g, 4g], low resolution, in model space, before any threshold. */
  readonly logits: Float32Array;
}

/** What `decode` gives for each `output`. */
export interface DecodedAs {
  readonly all: Decoded;
  readonly best: DecodedBest;
  readonly packed: DecodedPacked;
  readonly logits: DecodedLogits;
}

export type Output = keyof DecodedAs;

export interface ModelStats {
  readonly encode: GraphStats;
  /** Of the last decode. */
  readonly decode: GraphStats | undefined;
  /** `medsam, from the file's name` */
  readonly input: string;
  /** Bytes on the GPU. */
  readonly weightBytes: number;
  readonly activationBytes: number;
}

export interface GraphStats {
  readonly dispatches: number;
  /** Command buffers of the last run. */
  readonly submits: number;
  readonly flop: number;
  /** Planned for this graph alone. */
  readonly activationBytes: number;
}
