// One set of weights on one device, and the executors that run on it. Lives until it is disposed or the device is lost.
import { adapterInfo, closeGpu, type Device, type DeviceSummary, type Gpu, guarded, issue, openGpu } from "./gpu/device.ts";
import { Executor } from "./gpu/executor.ts";
import { pipelineOf } from "./gpu/kernel.ts";
import { ActivationPool } from "./gpu/pool.ts";
import { Readback } from "./gpu/readback.ts";
import type { Timed } from "./gpu/tuner.ts";
import { uploadWeights, type WeightBuffers } from "./gpu/weights.ts";
import { type Checkpoint, QUANTISED_FROM, readF32, type StoredTensor } from "./checkpoint/checkpoint.ts";
import { type RawDecoded, split } from "./decoded.ts";
import { SamError } from "./errors.ts";
import type { Target } from "./graph/target.ts";
import { byteLength, elements, type Tensor, type WeightType } from "./graph/tensor.ts";
import { SUBMIT_BUDGET_MS } from "./graph/time_model.ts";
import type { Config } from "./model/config.ts";
import { type DecodeGraph, decodeGraph, type DecodeShape, type EncodeGraph, encodeGraph, networkWeights } from "./model/network.ts";
import type { EncodedPrompt } from "./model/prompts.ts";
import { type TuningStore, tuningKey } from "./tuning.ts";
import { version } from "../package.json";

export interface Progress {
  /** `encode` is reported by software adapters and slow GPUs only: others are done before there is anything to report. */
  readonly stage: "open" | "download" | "weights" | "tune" | "compile" | "ready" | "encode" | "decode";
  readonly loaded: number;
  readonly total: number;
  readonly unit: "bytes" | "kernels" | "flop" | "prompts" | "images";
  /** What the user should know though it is no error: weights that could not be kept for the next time, say. */
  readonly notice?: string;
}

/** What a model runs on, and how. */
export interface ModelDevice extends DeviceSummary {
  /** How the image encoder's matrices are stored. */
  readonly precision: WeightType;
  /** How they are multiplied; sums, norms, softmax and the mask decoder are f32 in any case. */
  readonly products: "f32" | "f16";
}

export interface EngineOptions {
  readonly device?: Device | undefined;
  readonly precision?: WeightType | undefined;
  /** In place of what is seen of the device: a GPU's kernels on a software adapter, for tests, or a tuner's choices. */
  readonly target?: Partial<Target> | undefined;
  /** Where choices of kernels are kept; without one, GPUs get the defaults. */
  readonly tuning?: TuningStore | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Short submits from the start: the device before was lost. */
  readonly cautious?: boolean;
}

/** Prompts of one graph: bounds the activation memory; more prompts run in chunks behind each other, in one command buffer where they may. */
const MAX_BATCH = 8;
/** Bytes of all masks of a graph: half of what one binding may be by default. */
const MAX_MASK_BYTES = 64 * 1024 * 1024;
/** Bytes read back from a command buffer: those of 64 prompts on an image of 2000×2000 pixels. */
const MAX_READ_BYTES = 128 * 1024 * 1024;
/** Decode graphs kept ready: one for each number of tokens a user clicks through. */
const KEPT_DECODERS = 12;

interface Decoder extends DecodeGraph {
  readonly executor: Executor;
  /** What its embedding buffer holds. */
  embedding?: Float32Array;
}

interface DecodeRun extends Pick<DecodeShape, "output"> {
  readonly signal?: AbortSignal | undefined;
  readonly onShare?: ((share: number) => void) | undefined;
}

/** Prompts that one run of a graph takes. */
interface Chunk {
  readonly decoder: Decoder;
  readonly prompts: readonly EncodedPrompt[];
}

export class Engine {
  readonly pool: ActivationPool;
  readonly #readback: Readback;
  readonly #decoders = new Map<string, Decoder>();
  /** Inputs of all chunks of a command buffer. */
  #staging: GPUBuffer | undefined;

  private constructor(
    readonly gpu: Gpu,
    readonly target: Target,
    /** What the tuner timed when this engine was opened. */
    readonly tuned: readonly Timed[],
    readonly config: Config,
    readonly weights: WeightBuffers,
    readonly weightBytes: number,
    readonly encoder: EncodeGraph & { readonly executor: Executor },
    pool: ActivationPool,
  ) {
    this.pool = pool;
    this.#readback = new Readback(gpu);
  }

  /** Uploads the weights and compiles every kernel, at the same time. Frees everything on failure. */
  static async open(
    config: Config,
    checkpoint: Checkpoint,
    { device, precision, target: seen, tuning, signal, onProgress, cautious }: EngineOptions,
  ): Promise<Engine> {
    const gpu = await openGpu(device, cautious);
    const pool = new ActivationPool(gpu);
    let weights: WeightBuffers = new Map();
    let executor = undefined as Executor | undefined;
    try {
      signal?.throwIfAborted();
      return await guarded(gpu, "load", async () => {
        const untuned = targetOf({ ...gpu.target, ...seen }, gpu.device, checkpoint, precision);
        const key = tuningKey(gpu.summary, adapterInfo(gpu.device).device, version);
        const known = { ...(untuned.kind === "gpu" && (await tuning?.read(key))), ...untuned.choices };
        let target: Target = { ...untuned, choices: known };
        const tensors = networkWeights(config, target);
        let encode = encodeGraph(config, target);
        const room = Math.min(gpu.device.limits.maxStorageBufferBindingSize, gpu.device.limits.maxBufferSize);
        const tooLarge = [...tensors, ...encode.graph.tensors].find((tensor) => byteLength(tensor) > room);
        if (tooLarge) throw (await import("./gpu/no_device.ts")).noRoom(tooLarge.label, byteLength(tooLarge), room);
        // Started now, waited for below: the device compiles while the weights are read. A failure is met again there.
        const once = tensors.flatMap(({ source }) => (source?.kind === "derived" ? source.graph.dispatches : []));
        for (const dispatch of [...encode.graph.dispatches, ...once]) pipelineOf(gpu, dispatch).catch(() => undefined);
        weights = await uploadWeights(gpu, tensors, checkpoint, {
          signal,
          readF32: (name) => readF32(checkpoint, name, signal),
          onProgress: (loaded, total) => onProgress?.({ stage: "weights", loaded, total, unit: "bytes" }),
        });
        const tuned: Timed[] = [];
        if (tuning && target.kind === "gpu") {
          const { tune } = await import("./gpu/tuner.ts");
          const choices = await tune(gpu, {
            record: (choices) => encodeGraph(config, { ...untuned, choices }).graph,
            compile: (graph) => Executor.create(gpu, graph, pool, weights, { signal }),
            pool,
            known,
            signal,
            budgetMs: tuning.budgetMs,
            onTimed: (timed) => tuned.push(timed),
            onProgress: (loaded, total) => onProgress?.({ stage: "tune", loaded, total, unit: "kernels" }),
          });
          const again = new Set(tuned.flatMap(({ key, whole }) => (whole ? [] : [key])));
          const kept = Object.fromEntries(Object.entries(choices).filter(([shape]) => !again.has(shape)));
          if (tuned.length > 0) await tuning.write(key, kept);
          target = { ...untuned, choices };
          encode = encodeGraph(config, target);
        }
        executor = await Executor.create(gpu, encode.graph, pool, weights, {
          signal,
          onProgress: (loaded, total) => onProgress?.({ stage: "compile", loaded, total, unit: "kernels" }),
        });
        const weightBytes = tensors.reduce((sum, tensor) => sum + byteLength(tensor), 0);
        return new Engine(gpu, target, tuned, config, weights, weightBytes, { ...encode, executor }, pool);
      });
    } catch (error) {
      executor?.dispose();
      for (const buffer of weights.values()) buffer.destroy();
      closeGpu(gpu);
      throw error;
    }
  }

  get summary(): ModelDevice {
    const { weights: precision = "f32", halfProducts = false } = this.target;
    return { ...this.gpu.summary, precision, products: precision === "f16" && halfProducts ? "f16" : "f32" };
  }

  /** As `guarded`. Where the device ran out of memory its buffers are no good: all but the weights are made anew for the next run. */
  async #guarded<T>(op: string, work: () => Promise<T>): Promise<T> {
    try {
      return await guarded(this.gpu, op, work);
    } catch (error) {
      if (error instanceof SamError && error.code === "device") this.#release();
      throw error;
    }
  }

  /** pixels [S·S] and colours [2, 4] (see `patchify`) → embedding [T, D]. */
  async encode(
    pixels: Uint32Array<ArrayBuffer>,
    colours: Float32Array<ArrayBuffer>,
    { signal, onProgress }: Pick<EngineOptions, "signal" | "onProgress"> = {},
  ): Promise<Float32Array> {
    return this.#guarded("encode", async () => {
      const { executor, embedding, pixels: input, colours: normalisation } = this.encoder;
      executor.prepare();
      issue(this.gpu, () => {
        this.gpu.device.queue.writeBuffer(executor.buffer(input), 0, pixels);
        this.gpu.device.queue.writeBuffer(executor.buffer(normalisation), 0, colours);
        this.#readback.begin(byteLength(embedding));
      });
      const started = performance.now();
      await executor.run({
        signal,
        onProgress: (loaded, total) => onProgress?.({ stage: "encode", loaded, total, unit: "flop" }),
        after: (encoder) => this.#readback.copy(encoder, [{ buffer: executor.buffer(embedding), bytes: byteLength(embedding) }]),
      });
      const tokens = new Float32Array(await this.#readback.read());
      executor.learnWhole(performance.now() - started);
      if (this.target.halfProducts) (await import("./gpu/beyond_half.ts")).expectWithinHalf(tokens);
      return tokens;
    });
  }

  /** Prompts of one shape: as many tokens each, all multimask or none. `onShare` is told what share of the work is done. */
  async decode(
    embedding: Float32Array,
    prompts: readonly EncodedPrompt[],
    upsample: DecodeShape["upsample"],
    { signal, onShare, output }: DecodeRun = {},
  ): Promise<RawDecoded[]> {
    const [first] = prompts;
    if (!first) return [];
    // Fewer at a time where the grid is finer or the masks are larger, so that the memory stays the same.
    const maskBytes = output === "logits" ? 0 : 4 * Math.ceil((upsample.width * upsample.height) / 8 / 4);
    const most = Math.max(1, Math.min(Math.floor((MAX_BATCH * 256) / this.config.grid ** 2), Math.floor(MAX_MASK_BYTES / maskBytes)));
    return this.#guarded("decode", async () => {
      const chunks: Chunk[] = [];
      for (let begin = 0; begin < prompts.length; begin += most) {
        const group = prompts.slice(begin, begin + most);
        const shape = { batch: group.length, tokens: first.tokens.length / 4, multimask: first.multimask, output, upsample };
        chunks.push({ decoder: await this.#decoder(shape), prompts: group });
      }
      const results: RawDecoded[] = [];
      let submits = 0;
      for (const together of this.#commandBuffers(chunks)) {
        signal?.throwIfAborted();
        const done = results.length;
        const within = together.reduce((sum, chunk) => sum + chunk.prompts.length, 0);
        const onRun = onShare && ((share: number) => onShare((done + share * within) / prompts.length));
        results.push(...(await this.#run(together, embedding, { signal, onShare: onRun })));
        submits += together.length === 1 ? (together[0] as Chunk).decoder.executor.submits : 1;
      }
      (chunks.at(-1) as Chunk).decoder.executor.submits = submits;
      return results;
    });
  }

  /** Chunks that share a command buffer: as many as are read back at once and keep the device busy no longer than it may be. */
  #commandBuffers(chunks: readonly Chunk[]): Chunk[][] {
    const buffers: Chunk[][] = [];
    let [flop, bytes] = [0, 0];
    for (const chunk of chunks) {
      flop += chunk.decoder.executor.flop;
      bytes += readBytes(chunk);
      if (buffers.length === 0 || flop / this.gpu.flopPerMs > SUBMIT_BUDGET_MS || bytes > MAX_READ_BYTES) {
        buffers.push([]);
        [flop, bytes] = [chunk.decoder.executor.flop, readBytes(chunk)];
      }
      buffers.at(-1)?.push(chunk);
    }
    return buffers;
  }

  async #run(chunks: readonly Chunk[], embedding: Float32Array, { signal, onShare }: DecodeRun): Promise<RawDecoded[]> {
    const { queue } = this.gpu.device;
    // Twice: memory that one graph reserves may replace what another one has bound.
    for (const { decoder } of [...chunks, ...chunks]) decoder.executor.prepare();
    const copyInputs = issue(this.gpu, () => {
      for (const { decoder } of chunks) {
        if (decoder.embedding !== embedding) queue.writeBuffer(decoder.executor.buffer(decoder.inputs.embedding), 0, embedding as Float32Array<ArrayBuffer>);
        decoder.embedding = embedding;
      }
      this.#readback.begin(chunks.reduce((sum, chunk) => sum + readBytes(chunk), 0));
      return this.#stage(chunks);
    });
    const copyOutputs = (encoder: GPUCommandEncoder, { decoder }: Chunk) =>
      this.#readback.copy(
        encoder,
        decoder.outputs.map((tensor) => ({ buffer: decoder.executor.buffer(tensor), bytes: byteLength(tensor) })),
      );
    const [only] = chunks as readonly [Chunk];
    if (chunks.length === 1) {
      // Alone, a graph may be cut into several submits.
      await only.decoder.executor.run({
        signal,
        onProgress: (loaded, total) => onShare?.(loaded / total),
        before: (encoder) => copyInputs(encoder, 0),
        after: (encoder) => copyOutputs(encoder, only),
      });
    } else {
      issue(this.gpu, () => {
        const encoder = this.gpu.device.createCommandEncoder({ label: "decode" });
        chunks.forEach((chunk, i) => {
          copyInputs(encoder, i);
          chunk.decoder.executor.encode(encoder);
          copyOutputs(encoder, chunk);
        });
        queue.submit([encoder.finish()]);
      });
    }
    const bytes = await this.#readback.read();
    signal?.throwIfAborted();
    onShare?.(1);
    let begin = 0;
    return chunks.flatMap((chunk) => {
      begin += readBytes(chunk);
      return split(chunk.decoder, bytes, begin - readBytes(chunk));
    });
  }

  /** Writes the inputs of all chunks to one buffer; gives what copies those of one chunk into its graph's own. */
  #stage(chunks: readonly Chunk[]): (encoder: GPUCommandEncoder, chunk: number) => void {
    const { device } = this.gpu;
    const placed = chunks.map(({ decoder: { inputs }, prompts }) => {
      const tensors = [inputs.prompts, inputs.maskGiven, ...(prompts.some(({ mask }) => mask) ? [inputs.mask] : [])];
      return tensors.map((tensor) => ({ tensor, at: 0 }));
    });
    let bytes = 0;
    for (const place of placed.flat()) {
      place.at = bytes;
      bytes += byteLength(place.tensor);
    }
    const data = new ArrayBuffer(bytes);
    chunks.forEach(({ prompts }, i) => {
      const [points, given, masks] = placed[i] as { tensor: Tensor; at: number }[];
      prompts.forEach(({ tokens, mask }, b) => {
        new Float32Array(data, points?.at).set(tokens, b * tokens.length);
        if (!mask || !masks) return;
        new Uint32Array(data, given?.at)[b] = 1;
        new Float32Array(data, masks.at).set(mask, b * mask.length);
      });
    });
    if (!this.#staging || this.#staging.size < bytes) {
      this.#staging?.destroy();
      this.#staging = device.createBuffer({ label: "prompts", size: bytes, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
    }
    const staging = this.#staging;
    device.queue.writeBuffer(staging, 0, data);
    return (encoder, chunk) => {
      const { executor } = (chunks[chunk] as Chunk).decoder;
      for (const { tensor, at } of placed[chunk] ?? []) encoder.copyBufferToBuffer(staging, at, executor.buffer(tensor), 0, byteLength(tensor));
    };
  }

  async #decoder(shape: DecodeShape): Promise<Decoder> {
    const key = JSON.stringify(shape);
    let decoder = this.#decoders.get(key);
    if (decoder) this.#decoders.delete(key);
    else {
      const recorded = decodeGraph(this.config, shape, this.target);
      decoder = { ...recorded, executor: await Executor.create(this.gpu, recorded.graph, this.pool, this.weights) };
    }
    this.#decoders.set(key, decoder);
    for (const [old, { executor }] of this.#decoders) {
      if (this.#decoders.size <= KEPT_DECODERS) break;
      executor.dispose();
      this.#decoders.delete(old);
    }
    return decoder;
  }

  /** The decoder used last. */
  get lastDecoder(): Decoder | undefined {
    return [...this.#decoders.values()].at(-1);
  }

  /** Frees what a run makes. */
  #release(): void {
    for (const { executor } of this.#decoders.values()) executor.dispose();
    this.#decoders.clear();
    this.#readback.dispose();
    this.#staging?.destroy();
    this.#staging = undefined;
    this.pool.dispose();
  }

  dispose(): void {
    this.#release();
    this.encoder.executor.dispose();
    for (const buffer of this.weights.values()) buffer.destroy();
    closeGpu(this.gpu);
  }
}

/**
 * The device's target with the precision wished for. Without a wish a GPU keeps matrices as narrow as the file has them, which changes
 * no number; on a software adapter f32 is quickest.
 */
function targetOf(target: Target, { features }: GPUDevice, { tensors }: Checkpoint, precision: WeightType | undefined): Target {
  const weights = precision ?? (target.kind === "gpu" ? narrowest([...tensors.values()].filter(isMatrix)) : "f32");
  return { ...target, weights, halfProducts: precision === "f16" && target.kind === "gpu" && features.has("shader-f16") };
}

const isMatrix = ({ name, shape }: StoredTensor) => /^image_encoder\..*\.weight$/.test(name) && shape.length > 1;

/** The type that holds all of these as they are stored. */
function narrowest(tensors: readonly StoredTensor[]): WeightType {
  if (tensors.every(({ dtype }) => dtype === "F16")) return "f16";
  const small = ({ shape }: StoredTensor) => elements(shape) < QUANTISED_FROM;
  const quantised = ({ stored }: StoredTensor) => stored === "int8";
  return tensors.some(quantised) && tensors.every((tensor) => quantised(tensor) || small(tensor)) ? "int8" : "f32";
}

function readBytes({ decoder }: Chunk): number {
  return decoder.outputs.reduce((sum, tensor) => sum + byteLength(tensor), 0);
}
