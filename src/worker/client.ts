/**
 * SamMed2D off the main thread: the same methods and types, carried out by a worker.
 * @module client
 */
import { DISPOSE } from "../disposing.ts";
import { type Embedding, expectSaved, type SavedEmbedding } from "../embedding.ts";
import { type ErrorCode, SamError } from "../errors.ts";
import { type Framing, type ImageSource, kindOf, type RawImage, toRawImage } from "../image/image.ts";
import { fetchUpsampling, type Mask, maskOf, type PackedMask } from "../image/mask.ts";
import type { Known } from "../known.ts";
import type { Prompt } from "../model/prompts.ts";
import { describe, isNamed } from "../options.ts";
import type { EncodeOptions } from "../sam_options.ts";
import type { DecodedAs, DecodeOptions, ModelStats, Output, Segmenter } from "../segmenter.ts";
import { Connection, nextId } from "./connection.ts";
import { type Calls, disposed, type Loaded, type SentDecoded, type WorkerLoadOptions, type WorkerWeights } from "./protocol.ts";

export type { ModelDevice, Progress } from "../engine.ts";
export type { ErrorCode } from "../errors.ts";
export type { WeightType as Precision } from "../graph/tensor.ts";
export type { ChannelOrder, Fit } from "../image/image.ts";
export type { Mask } from "../image/mask.ts";
export type { Config } from "../model/config.ts";
export type { Box, Point } from "../model/prompts.ts";
export { SamError };
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
  Prompt,
  SavedEmbedding,
  Segmenter,
} from "../segmenter.ts";
export type { Framing, ImageSource, RawImage, WorkerLoadOptions, WorkerWeights };

/**
 * A model that lives in a worker, of the package's `sam-med2d-webgpu/client`:
 * `SamMed2DWorker.load(new Worker(new URL("sam-med2d-webgpu/worker", import.meta.url), { type: "module" }), { weights })`.
 * Results are moved out of the worker, not copied. The worker stays its owner's: `dispose` frees the model, `worker.terminate()`
 * the rest. If the worker crashes, every call, waiting or new, rejects with a `SamError` of code `device`.
 */
export class SamMed2DWorker implements Segmenter {
  readonly config: Loaded["config"];
  /** `SAM-Med2D vit_b 256, adapters, f32, 271.2 M parameters` */
  readonly name: string;
  readonly input: Loaded["input"];
  readonly device: Loaded["device"];
  readonly meaningless: boolean;
  /** Of weights and configuration: whether a saved embedding is of this model. */
  readonly fingerprint: string;
  readonly #connection: Connection;
  readonly #id: number;

  private constructor(connection: Connection, id: number, { config, name, input, device, meaningless, fingerprint }: Loaded) {
    this.#connection = connection;
    this.#id = id;
    this.config = config;
    this.name = name;
    this.input = input;
    this.device = device;
    this.meaningless = meaningless;
    this.fingerprint = fingerprint;
  }

  /**
   * As `SamMed2D.load`. An address is resolved against the page, not the worker's script. An `ArrayBuffer`, or a `Uint8Array`
   * over a whole one, is moved into the worker and is empty afterwards; a `Blob` is read where it lies.
   */
  static async load(worker: Known<"Worker">, options: WorkerLoadOptions): Promise<SamMed2DWorker> {
    if (!worker?.addEventListener || !worker.postMessage) (await import("../options_check.ts")).expectWorker(worker);
    if (!isSendable(options)) await refuse(options, "checkpoint", "load");
    const { weights, signal, onProgress, ...others } = options;
    const connection = new Connection(worker);
    const id = nextId();
    try {
      const moved = movedWeights(weights);
      const sent = await connection.call("load", { ...others, ...moved }, { signal, onProgress, transfer: buffersIn(moved.weights) }, id);
      return new SamMed2DWorker(connection, id, sent);
    } catch (error) {
      connection.close(error);
      throw error;
    }
  }

  /** As `SamMed2D.encode`. */
  async encode(image: ImageSource, options: EncodeOptions = {}): Promise<Embedding> {
    if (!isSendable(options)) await refuse(options, "image", "encode");
    const { signal, onProgress, ...others } = options;
    const raw = owned(toRawImage(image), image);
    const id = nextId();
    const framing = await this.#connection.call(
      "encode",
      { model: this.#id, image: raw, options: others },
      { signal, onProgress, transfer: [raw.data.buffer as ArrayBuffer] },
      id,
    );
    return new RemoteEmbedding(this.#connection, this.#id, id, framing);
  }

  /** As `SamMed2D.decode`: one prompt or a batch of them on one embedding. */
  async decode<O extends Output = "all">(embedding: Embedding, prompt: Prompt, options?: DecodeOptions<O>): Promise<DecodedAs[O]>;
  async decode<O extends Output = "all">(embedding: Embedding, prompts: readonly Prompt[], options?: DecodeOptions<O>): Promise<DecodedAs[O][]>;
  async decode(embedding: Embedding, prompts: Prompt | readonly Prompt[], options: DecodeOptions<Output> = {}) {
    if (!isSendable(options)) await refuse(options, "prompt", "decode");
    const { signal, onProgress, ...others } = options;
    const params = { model: this.#id, embedding: this.#numberOf(embedding), prompts: plain(prompts), options: others };
    const result = await this.#connection.call("decode", params, { signal, onProgress });
    if ((options.output ?? "all") === "all") await fetchUpsampling();
    return Array.isArray(result) ? result.map(received) : received(result);
  }

  /** As `SamMed2D.restore`; an embedding that does not fit this model is reported by its first use. */
  restore(saved: SavedEmbedding): Embedding {
    expectSaved(saved);
    const embedding = nextId();
    const copy = plain({ ...saved, data: saved.data.slice() });
    this.#connection.send({ kind: "restore", model: this.#id, embedding, saved: copy }, [copy.data.buffer]);
    return new RemoteEmbedding(this.#connection, this.#id, embedding, saved.framing);
  }

  stats(): Promise<ModelStats> {
    return this.#connection.call("stats", { model: this.#id });
  }

  /** Frees the model and its embeddings in the worker; calls still waiting reject with code `disposed`. */
  dispose(): void {
    this.#connection.send({ kind: "dispose", model: this.#id });
    this.#connection.close(disposed("model"));
  }

  [DISPOSE](): void {
    this.dispose();
  }

  #numberOf(embedding: Embedding): number {
    if (embedding instanceof RemoteEmbedding && embedding.model === this.#id) return embedding.id;
    throw new SamError({
      code: "prompt",
      op: "decode",
      argument: "embedding",
      expected: "an embedding made by this model",
      got: embedding instanceof RemoteEmbedding ? "one made by another model" : describe(embedding),
      remedy: "Pass what its encode() or restore() gave.",
    });
  }
}

class RemoteEmbedding implements Embedding {
  readonly #connection: Connection;
  readonly model: number;
  readonly id: number;
  readonly framing: Framing;

  constructor(connection: Connection, model: number, id: number, framing: Framing) {
    this.#connection = connection;
    this.model = model;
    this.id = id;
    this.framing = framing;
  }

  save(): Promise<SavedEmbedding> {
    return this.#connection.call("save", { model: this.model, embedding: this.id });
  }

  dispose(): void {
    this.#connection.send({ kind: "release", model: this.model, embedding: this.id });
  }

  [DISPOSE](): void {
    this.dispose();
  }
}

/** Whether what stays on this side is what it should be; the worker looks at the rest. */
function isSendable(options: object): boolean {
  return isNamed(options, Object.keys(Object(options)));
}

async function refuse(options: object, code: ErrorCode, op: string): Promise<void> {
  const names = [...(op === "load" ? ["weights"] : []), "onProgress", "signal"];
  (await import("../options_check.ts")).expectNames(options, names, { code, op }, [], Object.keys(Object(options)));
}

function received(decoded: SentDecoded): DecodedAs[Output] {
  const maskIn = (kept: Mask | PackedMask): Mask => ("data" in kept ? kept : maskOf(kept));
  if ("kept" in decoded) return { scores: decoded.scores, best: decoded.best, mask: maskIn(decoded.kept) };
  if (!("masks" in decoded)) return decoded;
  const masks = decoded.masks.map(maskIn);
  return { ...decoded, masks, mask: masks[decoded.best] as Mask };
}

/** A copy without what a framework's state wraps around objects and lists, which no message takes. */
function plain<T>(value: T): T {
  if (Array.isArray(value)) return value.map(plain) as T;
  if (kindOf(value) !== "Object") return value;
  return Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, plain(item)])) as T;
}

/** Pixels that can be given away: the caller's own are copied once, those read from a canvas or bitmap are ours. */
function owned(raw: RawImage, source: ImageSource): RawImage {
  // Not by `slice`, which is a view of the same bytes where they are Node's.
  return "data" in source && raw.data.buffer === source.data.buffer ? { ...raw, data: new Uint8Array(raw.data) } : raw;
}

/** A relative address means the page's, and the worker's script lies elsewhere. */
function movedWeights(weights: WorkerWeights): Pick<Calls["load"]["params"], "weights"> {
  // A part of a buffer is copied here: sent as it is, the whole buffer would be cloned with it.
  if (isPart(weights)) return { weights: weights.slice() };
  if (typeof weights !== "string" && !(weights instanceof URL)) return { weights };
  const base = typeof document === "undefined" ? globalThis.location?.href : document.baseURI;
  return { weights: URL.canParse(String(weights), base) ? new URL(weights, base).href : String(weights) };
}

function isPart(weights: WorkerWeights): weights is Uint8Array {
  return weights instanceof Uint8Array && weights.byteLength !== weights.buffer.byteLength;
}

function buffersIn(weights: Calls["load"]["params"]["weights"]): Transferable[] {
  if (weights instanceof ArrayBuffer) return [weights];
  return weights instanceof Uint8Array && weights.buffer instanceof ArrayBuffer ? [weights.buffer] : [];
}
