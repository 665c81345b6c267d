// What a caller may say to `load`, `encode` and `decode`.
import { namesOf } from "./option_names.ts";
import type { OpenOptions, Weights } from "./checkpoint/open.ts";
import type { Progress } from "./engine.ts";
import { type ErrorCode, SamError } from "./errors.ts";
import type { Device } from "./gpu/device.ts";
import type { WeightType as Precision } from "./graph/tensor.ts";
import type { ChannelOrder, Fit } from "./image/image.ts";
import type { InputName } from "./image/input.ts";
import type { Output } from "./segmenter.ts";
import { browserStore, type TuningStore } from "./tuning.ts";

export interface LoadOptions {
  /**
   * A safetensors or .pth file as an address, File, Blob or bytes; `hf:owner/name`, with `@revision` and `/file` where wanted, for a
   * repository of the hub of models; `synthetic:SEED` for the made-up ViT-B of the tests; or an opened checkpoint.
   */
  readonly weights: Weights;
  /** `off` leaves the checkpoint's adapter layers unused, `on` requires them; by default they are used where there are any. */
  readonly adapter?: "on" | "off" | undefined;
  /**
   * How the image encoder's matrices are kept on the GPU and multiplied, by default as the file has them, multiplied in f32: the same masks
   * for less memory. `f16` also multiplies in f16 where the device has `shader-f16`; `int8` has a scale for each output channel; `f32` is exact.
   */
  readonly precision?: Precision | undefined;
  /**
   * On the first load on a GPU, times the kernels' variants on the model's own shapes, under two seconds, and keeps the fastest for later loads.
   * `false` takes the defaults. By default kept in the browser's Cache Storage; or in a store of the caller's.
   */
  readonly tune?: boolean | TuningStore | undefined;
  /** A device to share; the model's `dispose` leaves it alone. By default one of its own, with default limits. */
  readonly device?: Device | undefined;
  /** Side of the model's image in pixels, where it is not to be the checkpoint's own; position tables are resized. */
  readonly imageSize?: number | undefined;
  /** Refuse a file with tensors that change the answer and are not run (LoRA, adapters of other projects); by default they are told by a notice. */
  readonly strict?: boolean | undefined;
  /**
   * How images are brought in and logits become masks, as the original code of a member of the family does. By default what the file's name or
   * its tensors tell: only MedSAM's weights need it, since they look like SAM's, where `medsam` is not part of the file's name.
   */
  readonly input?: InputName | undefined;
  /** SHA-256 of the weights' file, in hex: checked while it is read. */
  readonly sha256?: string | undefined;
  /** Address of the hub that `hf:` names are looked up at, where it is not the public one: a mirror's. */
  readonly hub?: string | undefined;
  /** Keep weights from an address in the browser's Cache Storage; default true. */
  readonly cache?: boolean | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Cancels loading; everything loaded so far is freed and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface EncodeOptions {
  /** Which colour channel 0 of the network is: blue (`bgr`: SAM-Med2D was trained so), or red (all others); by default as the model's input has it. Gray images don't care. */
  readonly channelOrder?: ChannelOrder | undefined;
  /**
   * How the image is brought to the model's square: stretched (`resize`), centred on zeros where it is smaller (`pad`), or its long side
   * fitted (`long-side`); by default as the model's input has it.
   */
  readonly fit?: Fit | undefined;
  /** Told after each part where encoding takes several, on slow devices. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DecodeOptions<O extends Output = "all"> {
  /**
   * What is made and brought back: `all` (default); the `best` mask without logits; the same as it is `packed`, a bit a pixel; or
   * the low-resolution `logits`, without any mask of the image's size.
   */
  readonly output?: O | undefined;
  /** Told after each part of the work, with how many prompts are done, fractions of one included. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const LOAD = namesOf<Required<LoadOptions>>({
  weights: 1,
  adapter: 1,
  precision: 1,
  tune: 1,
  device: 1,
  imageSize: 1,
  input: 1,
  strict: 1,
  sha256: 1,
  hub: 1,
  cache: 1,
  onProgress: 1,
  signal: 1,
});
/** What the engine takes besides, for tests: the kernels of another device. */
export const LOAD_UNSAID = ["target"];
export const ENCODE = namesOf<Required<EncodeOptions>>({ channelOrder: 1, fit: 1, onProgress: 1, signal: 1 });
export const DECODE = namesOf<Required<DecodeOptions>>({ output: 1, onProgress: 1, signal: 1 });

export const OUTPUTS = Object.keys({ all: 1, best: 1, packed: 1, logits: 1 } satisfies Record<Output, 1>);

/** Throws unless `value` is one of `names`. */
export function expectOneOf(names: readonly string[], value: unknown, code: ErrorCode, op: string, argument: string): void {
  if (names.includes(value as string)) return;
  const [expected, got] = [names.map((name) => `"${name}"`).join(", "), JSON.stringify(value) ?? typeof value];
  throw new SamError({ code, op, argument, expected, got, remedy: "Leave it out for the usual one." });
}

export function tuningOf(tune: LoadOptions["tune"] = true): TuningStore | undefined {
  return tune === true ? browserStore : tune || undefined;
}

export function openOptions({ signal, sha256, cache, hub, onProgress }: LoadOptions): OpenOptions {
  return {
    ...(signal && { signal }),
    ...(sha256 !== undefined && { sha256 }),
    ...(hub !== undefined && { hub }),
    ...(cache !== undefined && { cache }),
    onProgress: ({ stage, loaded, total }) => {
      // What is read is reported as it reaches the GPU.
      if (stage === "download") onProgress?.({ stage, loaded, total, unit: "bytes" });
    },
    onNotice: (notice) => onProgress?.({ stage: "open", loaded: 0, total: 0, unit: "bytes", notice }),
  };
}
