// What the page and the worker say to each other. Every call has a number; its answer carries the same one.
import type { SavedEmbedding } from "../embedding.ts";
import type { Progress } from "../engine.ts";
import { type ErrorFacts, SamError } from "../errors.ts";
import type { Framing, RawImage } from "../image/image.ts";
import type { Mask, PackedMask } from "../image/mask.ts";
import type { Prompt } from "../model/prompts.ts";
import type { EncodeOptions, LoadOptions } from "../sam_options.ts";
import type { Decoded, DecodedAs, DecodeOptions, ModelStats, Output, Segmenter } from "../segmenter.ts";

/** `SamMed2D.load`, without what can't cross: a `GPUDevice`, and checkpoints, sources and stores made of functions. */
export type WorkerLoadOptions = Omit<LoadOptions, "device" | "weights" | "tune"> & { readonly weights: WorkerWeights; readonly tune?: boolean | undefined };

/** Several blobs are the shards of one checkpoint. */
export type WorkerWeights = string | URL | Blob | readonly Blob[] | ArrayBuffer | Uint8Array;

type Sent<Options> = Omit<Options, "signal" | "onProgress">;

/** Calls that are answered. `model` and `embedding` are the numbers of the calls that made them. */
export interface Calls {
  load: { params: Sent<Omit<WorkerLoadOptions, "weights">> & { readonly weights: Exclude<WorkerWeights, URL> }; result: Loaded };
  encode: { params: { readonly model: number; readonly image: RawImage; readonly options: Sent<EncodeOptions> }; result: Framing };
  decode: {
    params: { readonly model: number; readonly embedding: number; readonly prompts: Prompt | readonly Prompt[]; readonly options: Sent<DecodeOptions<Output>> };
    result: SentDecoded | SentDecoded[];
  };
  save: { params: { readonly model: number; readonly embedding: number }; result: SavedEmbedding };
  stats: { params: { readonly model: number }; result: ModelStats };
}

/** Masks as they are kept: nobody may ask for those that were not the best. */
export type SentDecoded =
  | (Omit<Decoded, "masks" | "mask"> & { readonly masks: readonly (Mask | PackedMask)[] })
  | (Omit<DecodedAs["best"], "mask"> & { readonly kept: Mask | PackedMask })
  | DecodedAs["packed" | "logits"];

export type Loaded = Pick<Segmenter, "config" | "name" | "input" | "device" | "meaningless" | "fingerprint">;
export type Method = keyof Calls;

export type ToWorker =
  | { [M in Method]: { readonly kind: "call"; readonly id: number; readonly method: M; readonly params: Calls[M]["params"] } }[Method]
  | { readonly kind: "abort"; readonly id: number }
  | { readonly kind: "restore"; readonly model: number; readonly embedding: number; readonly saved: SavedEmbedding }
  | { readonly kind: "release"; readonly model: number; readonly embedding: number }
  | { readonly kind: "dispose"; readonly model: number };

export type FromWorker =
  | { readonly kind: "result"; readonly id: number; readonly result: Calls[Method]["result"] }
  | { readonly kind: "error"; readonly id: number; readonly error: PlainError }
  | { readonly kind: "progress"; readonly id: number; readonly progress: Progress };

/** What both ends need of a worker, a worker's own scope or a message port. */
export interface Port {
  postMessage(message: unknown, options: { transfer: Transferable[] }): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** An error as data: structured clone would drop a subclass's fields. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly facts?: ErrorFacts;
  readonly cause?: PlainError;
}

export function toPlain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  return {
    name: error.name,
    message: error.message,
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(error instanceof SamError && { facts: factsOf(error) }),
    ...(error.cause !== undefined && { cause: toPlain(error.cause) }),
  };
}

export function fromPlain({ name, message, stack, facts, cause }: PlainError): Error {
  const options = cause ? { cause: fromPlain(cause) } : undefined;
  const error = facts ? new SamError(facts, options) : Object.assign(new Error(message, options), { name });
  // As it was written where it happened.
  error.message = message;
  if (stack !== undefined) error.stack = stack;
  return error;
}

export function disposed(what: "model" | "embedding"): SamError {
  return new SamError({
    code: "disposed",
    op: "worker",
    argument: what,
    expected: "in use",
    got: "disposed",
    remedy: what === "model" ? "Load the weights again." : "Encode the image again.",
  });
}

function factsOf({ code, op, argument, expected, got, remedy }: SamError): ErrorFacts {
  return { code, op, ...(argument !== undefined && { argument }), expected, got, remedy };
}
