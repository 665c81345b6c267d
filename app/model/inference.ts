// Encodes and decodes one thing at a time, always the latest wanted: what was overtaken is never started, or dropped.
import type { Decoded, Embedding, Progress, RawImage } from "../../src/index.ts";
import { type Runs, runsOf } from "../../src/volume/index.ts";
import type { Place } from "../annotate/case.ts";
import type { SamMed2DWorker } from "../../src/worker/client.ts";
import { isEmpty, type Prompts, toPrompt } from "../annotate/prompts.ts";

export type Runner = Pick<SamMed2DWorker, "encode" | "decode">;

/** `auto` is what the model was trained with. */
export interface Settings {
  readonly fit: "auto" | "resize" | "pad";
  readonly channelOrder: "auto" | "bgr" | "rgb";
  readonly multimask: boolean;
}

export interface Job {
  /** Names the image: one embedding is kept for each. */
  readonly image: string;
  readonly pixels: RawImage;
  readonly prompts: Prompts;
  readonly settings: Settings;
  /** Whose prompts they are. */
  readonly of?: { readonly id: string; readonly object: number; readonly place: Place };
}

export interface Result {
  /** One for each candidate, as runs: at full size three of them would take three bytes a pixel, for every click ever made. */
  readonly masks: readonly Runs[];
  /** Predicted IoU of each candidate. */
  readonly scores: Float32Array;
  /** [K, 4g, 4g]; null for results of long ago, which are decoded again when they are wanted again. */
  readonly logits: Float32Array | null;
  /** Index of the highest score. */
  readonly best: number;
  /** Milliseconds from asking to having it, the way to the worker and back included. */
  readonly decodeMs: number;
}

export type Activity = { readonly kind: "idle" } | { readonly kind: "encoding" | "decoding"; readonly since: number; readonly share?: number };

export interface InferenceEvents {
  onActivity(activity: Activity): void;
  onEncoded(ms: number): void;
  onResult(job: Job, result: Result): void;
  onError(error: unknown): void;
}

/** 256 KiB each, on the device. */
const EMBEDDINGS_KEPT = 16;

/** Of all results together: beyond it the oldest lose their logits, then go. */
const LOGITS_KEPT_BYTES = 6 << 20;
const MASKS_KEPT_BYTES = 6 << 20;

export class Inference {
  readonly #events: InferenceEvents;
  #model: Runner | null = null;
  #modelNumber = 0;
  #wanted: Job | null = null;
  #failed: Job | null = null;
  #running = false;
  #encoding: { readonly key: string; readonly controller: AbortController } | null = null;
  /** In the order of last use. */
  #results = new Map<Prompts, Result>();
  /** In the order of last use. */
  readonly #embeddings = new Map<string, Embedding>();

  constructor(events: InferenceEvents) {
    this.#events = events;
  }

  /** Another model, or none for now. `number` tells models apart. What the last one made is forgotten, what is wanted stays. */
  use(model: Runner | null, number: number): void {
    this.#model = model;
    this.#modelNumber = number;
    this.#results = new Map();
    this.#embeddings.clear();
    this.#failed = null;
    this.#encoding?.controller.abort();
    void this.#run();
  }

  want(job: Job): void {
    const before = this.#wanted;
    const sameSettings = before !== null && JSON.stringify(before.settings) === JSON.stringify(job.settings);
    if (before && sameSettings && before.image === job.image && before.prompts === job.prompts) return;
    if (before && !sameSettings) this.#results = new Map();
    this.#wanted = job;
    if (this.#encoding && this.#encoding.key !== keyOf(job)) this.#encoding.controller.abort();
    void this.#run();
  }

  resultOf(prompts: Prompts): Result | undefined {
    return this.#results.get(prompts);
  }

  /** Once more what failed. */
  retry(): void {
    this.#failed = null;
    void this.#run();
  }

  /** An image that is gone. */
  forget(image: string): void {
    for (const [key, embedding] of [...this.#embeddings]) {
      if (!key.startsWith(`${image}|`)) continue;
      this.#embeddings.delete(key);
      embedding.dispose();
    }
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let job = this.#next(); job; job = this.#next()) await this.#step(job);
    this.#running = false;
    this.#events.onActivity({ kind: "idle" });
  }

  #next(): Job | null {
    const job = this.#wanted;
    if (!this.#model || !job || job === this.#failed) return null;
    const done = this.#embeddings.has(keyOf(job)) && (isEmpty(job.prompts) || Boolean(this.#results.get(job.prompts)?.logits));
    return done ? null : job;
  }

  async #step(job: Job): Promise<void> {
    const model = this.#model as Runner;
    const results = this.#results;
    try {
      const embedding = await this.#embed(model, job);
      if (model !== this.#model || this.#wanted !== job || isEmpty(job.prompts)) return;
      const since = performance.now();
      this.#events.onActivity({ kind: "decoding", since });
      const decoded = await model.decode(embedding, toPrompt(job.prompts, this.#modelNumber, job.settings.multimask));
      results.delete(job.prompts);
      const result = packed(decoded, performance.now() - since);
      results.set(job.prompts, result);
      trim(results);
      if (results === this.#results) this.#events.onResult(job, result);
    } catch (error) {
      // What was overtaken meanwhile, or asked of a model that is gone: nobody waits for it.
      if (model !== this.#model || this.#wanted !== job) return;
      this.#failed = job;
      this.#events.onError(error);
    }
  }

  async #embed(model: Runner, job: Job): Promise<Embedding> {
    const key = keyOf(job);
    const kept = this.#embeddings.get(key);
    if (kept) {
      this.#embeddings.delete(key);
      this.#embeddings.set(key, kept);
      return kept;
    }
    const controller = new AbortController();
    this.#encoding = { key, controller };
    try {
      const since = performance.now();
      this.#events.onActivity({ kind: "encoding", since });
      const { fit, channelOrder } = job.settings;
      const options = { ...(fit !== "auto" && { fit }), ...(channelOrder !== "auto" && { channelOrder }) };
      // Slow devices tell how far they are.
      const onProgress = ({ loaded, total }: Progress) => this.#events.onActivity({ kind: "encoding", since, share: loaded / total });
      const embedding = await model.encode(job.pixels, { ...options, onProgress, signal: controller.signal });
      if (model !== this.#model) return embedding;
      this.#embeddings.set(key, embedding);
      this.#events.onEncoded(performance.now() - since);
      this.#evict();
      return embedding;
    } finally {
      this.#encoding = null;
    }
  }

  #evict(): void {
    for (const [key, embedding] of this.#embeddings) {
      if (this.#embeddings.size <= EMBEDDINGS_KEPT) return;
      this.#embeddings.delete(key);
      embedding.dispose();
    }
  }
}

function packed({ masks, scores, logits, best }: Decoded, decodeMs: number): Result {
  return { masks: masks.map(({ data }) => runsOf(data)), scores, logits, best, decodeMs };
}

/** The latest always stays whole. */
function trim(results: Map<Prompts, Result>): void {
  let [logitBytes, maskBytes] = [0, 0];
  for (const [index, [prompts, result]] of [...results].reverse().entries()) {
    maskBytes += result.masks.reduce((sum, runs) => sum + runs.byteLength, 0);
    logitBytes += result.logits?.byteLength ?? 0;
    if (index === 0) continue;
    if (maskBytes > MASKS_KEPT_BYTES) results.delete(prompts);
    else if (result.logits && logitBytes > LOGITS_KEPT_BYTES) results.set(prompts, { ...result, logits: null });
  }
}

function keyOf({ image, settings: { fit, channelOrder } }: Job): string {
  return `${image}|${fit}|${channelOrder}`;
}
