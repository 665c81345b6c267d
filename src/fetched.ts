// What is fetched when it is first asked for: many images at once.
import type { EncodedImage, EncodeManyOptions, LazyImage } from "./encode_many.ts";
import type { Segmenter } from "./segmenter.ts";

export type { EncodedImage, EncodeManyOptions, LazyImage } from "./encode_many.ts";

/**
 * Yields each embedding when it is made. One image is encoded at a time and the next one brought in meanwhile; nothing is encoded before it is asked
 * for, so calls in between, the decode of a click for one, wait for one encode at most. Leaving the loop, or the signal, ends it.
 * @throws SamError as `encode` does, `argument` says of which image; the signal's reason.
 */
export async function* encodeMany(
  segmenter: Pick<Segmenter, "encode">,
  images: Iterable<LazyImage>,
  options?: EncodeManyOptions,
): AsyncGenerator<EncodedImage, void> {
  yield* (await import("./encode_many.ts")).encodeMany(segmenter, images, options);
}
