// A stack or a folder of images, one after the other: what is looked at first, cancelled at once, over any segmenter.
import type { Progress } from "./engine.ts";
import { SamError } from "./errors.ts";
import type { ImageSource } from "./image/image.ts";
import { expectOptions, namesOf } from "./option_names.ts";
import { describe, isList, obeying } from "./options.ts";
import type { Embedding, EncodeOptions, Segmenter } from "./segmenter.ts";

export interface EncodeManyOptions extends EncodeOptions {
  /**
   * Asked for every image that waits, before each encode: the highest goes first, of equals the first. It may say something else every time, the
   * distance from the slice on screen for one. Without it images go in order.
   */
  readonly priority?: ((index: number) => number) | undefined;
  /** Told of an image that cannot be had or encoded; the others go on. Without it the first such error ends the work. */
  readonly onError?: ((error: unknown, index: number) => void) | undefined;
  /** Told after each image, and within one on slow devices: `loaded` of `total` images. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface EncodedImage {
  /** Which of the images, from 0. */
  readonly index: number;
  /** The caller's, to keep or to dispose. */
  readonly embedding: Embedding;
}

/** An image, or what gives it when its turn comes, so that not all of them must be in memory. */
export type LazyImage = ImageSource | (() => ImageSource | Promise<ImageSource>);

const NAMES = namesOf<Required<EncodeManyOptions>>({ priority: 1, onError: 1, channelOrder: 1, fit: 1, onProgress: 1, signal: 1 });

function expectKind(argument: string, expected: string, value: unknown, fits: boolean): void {
  const facts = { code: "image", op: "encodeMany", argument, expected, got: describe(value) } as const;
  if (!fits) throw new SamError({ ...facts, remedy: "Call encodeMany(model, [image, …], { priority: (index) => …, onError: (error, index) => … })." });
}

/** See fetched.ts. */
export async function* encodeMany(
  segmenter: Pick<Segmenter, "encode">,
  images: Iterable<LazyImage>,
  options: EncodeManyOptions = {},
): AsyncGenerator<EncodedImage, void> {
  await expectOptions(options, NAMES, "image", "encodeMany");
  expectKind("segmenter", "a model that encodes", segmenter, typeof segmenter?.encode === "function");
  expectKind("images", "a list of images", images, isList(images));
  const { priority = () => 0, onError, onProgress, ...how } = options;
  for (const [name, value] of Object.entries({ priority, onError })) expectKind(name, "a function", value, value === undefined || typeof value === "function");
  const waiting = Array.from(images, (image, index) => ({ index, image, brought: undefined as Promise<ImageSource> | undefined }));
  type Waiting = (typeof waiting)[number];
  const total = waiting.length;
  const next = (): Waiting | undefined => {
    // What is no number, of a priority that does not know the image, comes last.
    const worth = waiting.map(({ index }) => Number(priority(index))).map((value) => (Number.isNaN(value) ? -Infinity : value));
    return waiting[worth.reduce((best, value, i) => (value > (worth[best] as number) ? i : best), 0)];
  };
  const bring = async ({ image }: Waiting) => (typeof image === "function" ? await image() : image);
  for (let one = next(); one; one = next()) {
    how.signal?.throwIfAborted();
    const { index, brought } = one;
    waiting.splice(waiting.indexOf(one), 1);
    const done = total - waiting.length - 1;
    const onShare = ({ loaded, total: parts }: Progress) => onProgress?.({ stage: "encode", loaded: done + loaded / parts, total, unit: "images" });
    let embedding: Embedding;
    try {
      // A picture may be long in coming, and its maker need not know the signal.
      const encoding = segmenter.encode(await obeying(how.signal, brought ?? bring(one)), { ...how, ...(onProgress && { onProgress: onShare }) });
      const following = next();
      if (following) following.brought ??= bring(following);
      // Its failure is met when its turn comes.
      following?.brought?.catch(() => undefined);
      embedding = await encoding;
    } catch (error) {
      how.signal?.throwIfAborted();
      const told = error instanceof SamError && error.argument?.startsWith("image") ? ofImage(error, index, error.argument) : error;
      if (!onError) throw told;
      onError(told, index);
      continue;
    }
    onProgress?.({ stage: "encode", loaded: done + 1, total, unit: "images" });
    yield { index, embedding };
  }
}

function ofImage({ code, op, expected, got, remedy }: SamError, index: number, argument: string): SamError {
  return new SamError({ code, op, argument: argument.replace("image", `images[${index}]`), expected, got, remedy });
}
