// What can be asked for masks: `SamMed2D`, `SamMed2DWorker`, or anything that answers like them.
import type { Framing, RawImage } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";

export interface SegmenterPrompt {
  /** Original pixels; label 1 inside, 0 outside. */
  readonly points?: readonly { readonly x: number; readonly y: number; readonly label?: 0 | 1 }[];
  /** Original pixels, half-open. */
  readonly box?: readonly [x0: number, y0: number, x1: number, y1: number];
  /** [4g, 4g] probabilities in model space. */
  readonly maskInput?: Float32Array;
}

export interface SegmenterAnswer {
  /** One for each candidate, at the picture's own size. */
  readonly masks: readonly Mask[];
  /** Predicted IoU of each. */
  readonly scores: Float32Array;
  /** [candidates, 4g, 4g] logits in model space. */
  readonly logits: Float32Array;
  /** Index of the highest score. */
  readonly best: number;
}

export interface EncodedPicture {
  readonly framing: Framing;
  dispose(): void;
}

export interface Segmenter<E extends EncodedPicture = EncodedPicture> {
  /** `grid`: g, image tokens a side. */
  readonly config: { readonly grid: number };
  encode(image: RawImage, options?: { readonly signal?: AbortSignal }): Promise<E>;
  decode(embedding: E, prompt: SegmenterPrompt, options?: { readonly signal?: AbortSignal }): Promise<SegmenterAnswer>;
}
