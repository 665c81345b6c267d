// load → encode(image) → embedding → decode(prompts) → masks.
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { fingerprinted } from "./checkpoint/fingerprint.ts";
import { compareTensors } from "./checkpoint/names.ts";
import { openCheckpoint } from "./checkpoint/open.ts";
import { bestOf, type RawDecoded } from "./decoded.ts";
import { DISPOSE } from "./disposing.ts";
import { type Embedding, expectSaved, HeldEmbedding, type SavedEmbedding } from "./embedding.ts";
import { Engine, type EngineOptions, type ModelDevice } from "./engine.ts";
import { formatShape, SamError } from "./errors.ts";
import { elements } from "./graph/tensor.ts";
import { type Fit, frame, type Framing, type ImageSource, innerSides, toModel, toRawImage } from "./image/image.ts";
import { type InputPreset, statisticalColours } from "./image/input.ts";
import { fetchUpsampling, type Mask, maskOf } from "./image/mask.ts";
import { preprocess, type Resize } from "./image/preprocess.ts";
import { type Config, detectConfig, VIT_B } from "./model/config.ts";
import { ADAPTER } from "./model/tensor_names.ts";
import type { ModelInput } from "./model/input.ts";
import { fetchFamily, fetchVit } from "./model/families.ts";
import { modelName } from "./model/name.ts";
import { expectedTensors } from "./model/network.ts";
import { encodePrompt, fitsImage, type Prompt } from "./model/prompts.ts";
import { expectOptions } from "./option_names.ts";
import { describe, isNamed, obeying } from "./options.ts";
import {
  DECODE,
  type DecodeOptions,
  ENCODE,
  type EncodeOptions,
  expectOneOf,
  LOAD,
  LOAD_UNSAID,
  type LoadOptions,
  openOptions,
  OUTPUTS,
  tuningOf,
} from "./sam_options.ts";
import type { DecodedAs, GraphStats, ModelStats, Output, Segmenter } from "./segmenter.ts";

export type { DecodeOptions, EncodeOptions, LoadOptions } from "./sam_options.ts";

const SYNTHETIC = /^synthetic:(\d+)$/;

export class SamMed2D implements Segmenter {
  #engine: Engine | undefined;
  /** Kept to rebuild after a lost device; not where the caller's bytes would be held in memory for it. */
  #checkpoint: Checkpoint | undefined;
  /** What the engine is opened with again. */
  readonly #how: Pick<EngineOptions, "precision" | "tuning">;
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(
    readonly config: Config,
    /** Synthetic weights: the masks mean nothing. */
    readonly meaningless: boolean,
    /** `SAM-Med2D vit_b 256, adapters, f32, 271.2 M parameters` */
    readonly name: string,
    /** How images are brought in and masks out, and what told so. */
    readonly input: ModelInput,
    readonly device: ModelDevice,
    engine: Engine,
    checkpoint: Checkpoint | undefined,
    how: Pick<EngineOptions, "precision" | "tuning">,
    /** Of weights and configuration: whether a saved embedding is of this model. */
    readonly fingerprint: string,
  ) {
    this.#engine = engine;
    this.#checkpoint = checkpoint;
    this.#how = how;
  }

  /**
   * Opens the weights, checks them against the network, uploads them and compiles the kernels.
   * @throws SamError `checkpoint`: damaged, of another network, not finite; `device`: no WebGPU, out of memory.
   */
  static async load(options: LoadOptions): Promise<SamMed2D> {
    if (!isNamed(options, LOAD)) (await import("./options_check.ts")).expectNames(options, LOAD, { code: "checkpoint", op: "load" }, [], LOAD_UNSAID);
    const { weights, precision, signal, onProgress } = options;
    signal?.throwIfAborted();
    onProgress?.({ stage: "open", loaded: 0, total: 0, unit: "bytes" });
    if (precision !== undefined) expectOneOf(["f32", "f16", "int8"], precision, "checkpoint", "load", "precision");
    const seed = typeof weights === "string" ? SYNTHETIC.exec(weights)?.[1] : undefined;
    const checkpoint = seed !== undefined ? await syntheticOf(Number(seed)) : await openCheckpoint(weights, openOptions(options));
    const how = { precision, tuning: tuningOf(options.tune) };
    let engine: Engine | undefined;
    try {
      await fetchFamily(checkpoint.tensors);
      const { metadata, refused } = checkpoint;
      const config = detectConfig(checkpoint.label, checkpoint.tensors, { ...options, metadata, refused });
      const input = await (await import("./model/input.ts")).inputOf(config, checkpoint, options.input, signal);
      if (input.warning) onProgress?.({ stage: "open", loaded: 0, total: 0, unit: "bytes", notice: input.warning });
      const expected = expectedTensors(config);
      const { unknown, missing, misshaped } = compareTensors(checkpoint, expected);
      if (missing.length + misshaped.length > 0) (await import("./checkpoint/misfit.ts")).checkTensors(checkpoint, expected);
      const narrow = [...checkpoint.tensors.values()].some(({ stored = "" }) => /^([IU]8|BOOL)$/.test(stored));
      if (unknown.length > 0 || checkpoint.refused?.size || narrow) {
        const left = (name: string) => options.adapter === "off" && ADAPTER.test(name);
        const onNotice = (notice: string) => onProgress?.({ stage: "open", loaded: 0, total: 0, unit: "bytes", notice });
        (await import("./checkpoint/unread.ts")).tellUnread(checkpoint, unknown, { left, strict: options.strict, onNotice });
      }
      const read = fingerprinted(checkpoint, [config, input.name]);
      engine = await Engine.open(config, read.checkpoint, { ...options, ...how });
      await checkpoint.verify?.(signal);
      const inMemory = weights instanceof ArrayBuffer || ArrayBuffer.isView(weights);
      if (inMemory) await checkpoint.close();
      const model = new SamMed2D(
        config,
        seed !== undefined,
        modelName(config, checkpoint.tensors, input.name),
        input,
        engine.summary,
        engine,
        inMemory ? undefined : checkpoint,
        how,
        read.value(),
      );
      onProgress?.({ stage: "ready", loaded: 1, total: 1, unit: "kernels" });
      // At hand where the network is gone by then.
      Promise.all([fetchUpsampling(), import("./model/prompt_check.ts")]).catch(() => undefined);
      return model;
    } catch (error) {
      engine?.dispose();
      await checkpoint.close();
      throw error;
    }
  }

  /** @throws SamError `image`: not an image, or of a size that is not taken; `device`: lost, out of memory. */
  async encode(image: ImageSource, options: EncodeOptions = {}): Promise<Embedding> {
    if (!isNamed(options, ENCODE)) await expectOptions(options, ENCODE, "image", "encode");
    const { fit = this.input.fit, channelOrder = this.input.channelOrder, signal, onProgress } = options;
    expectOneOf(["bgr", "rgb"], channelOrder, "image", "encode", "channelOrder");
    const raw = toRawImage(image);
    const framing = frame(raw.width, raw.height, this.config.imageSize, fit);
    const pixels = preprocess(raw, framing, channelOrder, await resizeOf(this.input, framing.fit));
    const colours = this.input.intensity === "mean-std" ? statisticalColours() : (await import("./image/resample.ts")).ownColours(pixels);
    const tokens = await this.#exclusive("encode", (engine) => engine.encode(pixels, colours, { signal, onProgress }), { signal, onProgress });
    return new HeldEmbedding(tokens, this.config.decoder.width, framing, this.name, this.fingerprint);
  }

  /**
   * Masks for one prompt, or for many on the same embedding.
   * @throws SamError `prompt`: outside the image, empty box, mask of another shape; `device`: lost, out of memory.
   */
  async decode<O extends Output = "all">(embedding: Embedding, prompt: Prompt, options?: DecodeOptions<O>): Promise<DecodedAs[O]>;
  async decode<O extends Output = "all">(embedding: Embedding, prompts: readonly Prompt[], options?: DecodeOptions<O>): Promise<DecodedAs[O][]>;
  async decode(embedding: Embedding, prompts: Prompt | readonly Prompt[], options: DecodeOptions<Output> = {}) {
    if (!isNamed(options, DECODE)) await expectOptions(options, DECODE, "prompt", "decode");
    const { output = "all" } = options;
    expectOneOf(OUTPUTS, output, "prompt", "decode", "output");
    const { signal, onProgress } = options;
    const { tokens, framing } = this.#held(embedding);
    const many = Array.isArray(prompts) ? (prompts as readonly Prompt[]) : [prompts as Prompt];
    const space = { width: framing.width, height: framing.height, toModel: (x: number, y: number) => toModel(framing, x, y) };
    for (const prompt of many) if (!fitsImage(prompt, this.config, space)) (await import("./model/prompt_check.ts")).checkPrompt(prompt, this.config, space);
    const encoded = many.map((prompt) => encodePrompt(prompt, space, this.input.multimask));
    const probabilities = this.input.masksFromProbabilities && framing.fit === "resize";
    const inner = probabilities ? { width: 4 * this.config.grid, height: 4 * this.config.grid } : innerSides(framing);
    const upsample = {
      width: framing.width,
      height: framing.height,
      left: framing.left,
      top: framing.top,
      resize: framing.fit !== "pad",
      spanX: inner.width,
      spanY: inner.height,
      probabilities,
    };
    if (output === "all" && encoded.some(({ multimask }) => multimask)) await fetchUpsampling();
    const decoded: DecodedAs[Output][] = new Array(many.length);
    let done = 0;
    await this.#exclusive(
      "decode",
      async (engine) => {
        // Prompts of one shape share a graph; padding the shorter ones instead would change their masks.
        for (const indices of byShape(encoded.map(({ tokens, multimask }) => `${tokens.length} ${multimask}`))) {
          const group = indices.map((i) => encoded[i] as (typeof encoded)[0]);
          const onShare = (share: number) => onProgress?.({ stage: "decode", loaded: done + share * indices.length, total: many.length, unit: "prompts" });
          const raw = await engine.decode(tokens, group, upsample, { signal, onShare, output: output === "packed" ? "best" : output });
          indices.forEach((index, i) => {
            decoded[index] = finish(raw[i] as RawDecoded, group[i]?.multimask as boolean, output, framing, probabilities);
          });
          done += indices.length;
        }
      },
      { signal, onProgress },
    );
    return Array.isArray(prompts) ? decoded : decoded[0];
  }

  /** An embedding saved by this model, in this session or another. */
  restore(saved: SavedEmbedding): Embedding {
    expectSaved(saved);
    const { data, shape, framing, model, fingerprint } = saved;
    const { grid, decoder, imageSize } = this.config;
    const expected = [1, decoder.width, grid, grid];
    const wrong = (argument: string, wanted: string, got: string, remedy: string) =>
      new SamError({ code: "image", op: "restore", argument, expected: wanted, got, remedy });
    if (shape.join() !== expected.join() || data.length !== elements(expected)) {
      throw wrong("shape", formatShape(expected), `${formatShape(shape)} with ${data.length} values`, "Restore it with the model that made it.");
    }
    if (!data.every(Number.isFinite)) throw wrong("data", "finite everywhere", "NaN or infinity", "Encode the image again.");
    if (fingerprint !== undefined && fingerprint !== this.fingerprint)
      throw wrong("fingerprint", `that of these weights, ${this.fingerprint}`, String(fingerprint), "Restore it with the model that made it.");
    const { width, height, fit } = framing;
    if (framing.size !== imageSize) throw wrong("framing.size", `${imageSize}`, `${framing.size}`, "Restore it with the model that made it.");
    return HeldEmbedding.restore({ data, shape, framing: frame(width, height, imageSize, fit, "restore"), model, fingerprint: this.fingerprint });
  }

  /** Dispatches, submits, FLOP and bytes of what has run. */
  stats(): ModelStats {
    const engine = this.#alive("stats");
    const decoder = engine.lastDecoder;
    const of = ({ graph, executor }: Pick<Engine["encoder"], "graph" | "executor">): GraphStats => ({
      dispatches: graph.dispatches.length,
      submits: executor.submits,
      flop: graph.dispatches.reduce((sum, { flop }) => sum + flop, 0),
      activationBytes: executor.plan.activationBytes,
    });
    return {
      input: `${this.input.name}, ${this.input.from}`,
      encode: of(engine.encoder),
      decode: decoder && of(decoder),
      weightBytes: engine.weightBytes,
      activationBytes: engine.pool.bytes,
    };
  }

  /** Frees everything the model holds on the GPU. Embeddings and results stay valid. */
  dispose(): void {
    this.#disposed = true;
    // After what is under way: its buffers must not go while commands use them, and it may be making a new engine.
    void this.#queue.then(() => {
      this.#engine?.dispose();
      void this.#checkpoint?.close();
      this.#engine = this.#checkpoint = undefined;
    });
  }

  [DISPOSE](): void {
    this.dispose();
  }

  /** One run at a time: all graphs share the activation memory. */
  #exclusive<T>(op: string, work: (engine: Engine) => Promise<T>, { signal, onProgress }: Pick<EngineOptions, "signal" | "onProgress">): Promise<T> {
    const run = this.#queue.then(async () => {
      signal?.throwIfAborted();
      // Not under the signal: a device that a call no longer waits for is the next one's.
      const engine = await this.#revived(op, onProgress);
      signal?.throwIfAborted();
      return work(engine);
    });
    this.#queue = run.catch(() => undefined);
    // At once, whether it waits for its turn or is under way: what the GPU has begun ends before the next one's turn.
    return obeying(signal, run);
  }

  #alive(op: string): Engine {
    if (this.#engine && !this.#disposed) return this.#engine;
    throw new SamError({ code: "disposed", op, argument: "model", expected: "in use", got: "disposed", remedy: "Load it again." });
  }

  /** The engine; a new one where the device was lost and the weights can still be read. */
  async #revived(op: string, onProgress: EngineOptions["onProgress"]): Promise<Engine> {
    const engine = this.#alive(op);
    if (!engine.gpu.lost || !engine.gpu.owned || !this.#checkpoint) return engine;
    engine.dispose();
    this.#engine = await Engine.open(this.config, this.#checkpoint, { ...this.#how, onProgress, cautious: true });
    return this.#alive(op);
  }

  #held(embedding: Embedding): HeldEmbedding {
    const { grid, decoder } = this.config;
    const wrong = (expected: string, got: string, remedy: string) =>
      new SamError({ code: "prompt", op: "decode", argument: "embedding", expected, got, remedy });
    if (!(embedding instanceof HeldEmbedding))
      throw wrong("an embedding of `encode` or `restore`", describe(embedding), "Pass a saved one through `restore` first.");
    const size = grid * grid * decoder.width;
    if (embedding.tokens.length !== size) {
      const got = embedding.tokens.length === 0 ? "a disposed one" : `one of ${embedding.model}`;
      throw wrong(`an embedding of ${this.name}`, got, "Encode the image again with this model.");
    }
    if (embedding.fingerprint !== this.fingerprint)
      throw wrong(`an embedding of these weights of ${this.name}`, `one of other weights of ${embedding.model}`, "Encode the image again with this model.");
    return embedding;
  }
}

async function syntheticOf(seed: number): Promise<Checkpoint> {
  const [{ synthetic }] = await Promise.all([import("./checkpoint/synthetic.ts"), fetchVit()]);
  return synthetic(seed, expectedTensors(VIT_B));
}

/** What is more than taking the nearest pixel, fetched where it is needed. */
async function resizeOf({ resampling }: InputPreset, fit: Fit): Promise<Resize | undefined> {
  if (!resampling && fit !== "long-side") return undefined;
  const { resizeArea, resizeCubic, resizeSmoothly } = await import("./image/resample.ts");
  if (!resampling) return resizeSmoothly;
  return resampling === "area" ? resizeArea : resizeCubic;
}

function finish({ logits, scores, bits }: RawDecoded, multimask: boolean, output: Output, framing: Framing, probabilities: boolean): DecodedAs[Output] {
  // Candidates are the last masks: all but the single one, or the single one alone.
  const [first, end] = multimask ? [1, scores.length] : [0, 1];
  const { width, height } = framing;
  const own = { scores: scores.slice(first, end), best: bestOf(scores.subarray(first, end)) };
  if (output === "packed") return { ...own, bits, width, height };
  if (output === "best") return { ...own, mask: maskOf({ width, height, bits }) };
  const side2 = logits.length / scores.length;
  const candidates = { ...own, logits: logits.slice(first * side2, end * side2) };
  if (output === "logits") return candidates;
  const masks = Array.from(own.scores, (_, i) =>
    maskOf(
      i === own.best ? { width, height, bits } : { width, height, logits: candidates.logits.subarray(i * side2, (i + 1) * side2), framing, probabilities },
    ),
  );
  return { ...candidates, masks, mask: masks[own.best] as Mask };
}

/** Indices of equal keys together, in order of appearance. */
function byShape(keys: readonly string[]): number[][] {
  const groups = new Map<string, number[]>();
  keys.forEach((key, i) => {
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return [...groups.values()];
}
