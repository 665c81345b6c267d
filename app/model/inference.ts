// Encodes and decodes one thing at a time, always the latest wanted: what was overtaken is never started, or dropped. What will be wanted next is
// encoded when nothing is, and gives way at once.
import type { Decoded, DecodeOptions, Embedding, Framing, Mask, Progress, Prompt, RawImage, Segmenter } from "../../src/index.ts";
import { type MaskSource, maskInputOfRuns, type Runs, runsOf } from "../../src/volume/index.ts";
import type { Place } from "../annotate/case.ts";
import { isEmpty, type Prompts, toPrompt } from "../annotate/prompts.ts";
import { Embeddings, type EmbeddingStore } from "./embeddings.ts";

/** `auto` is what the model was trained with. */
export interface Settings {
  readonly fit: "auto" | "resize" | "pad";
  readonly channelOrder: "auto" | "bgr" | "rgb";
  readonly multimask: boolean | "auto";
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
  /** How many candidates there are. */
  readonly count: number;
  /** A candidate's mask at full size, as runs, made when it is first asked for: most are never chosen. */
  mask(index: number): Runs;
  /** Bytes of the masks that were made. */
  readonly maskBytes: number;
  /** Of the picture in the square that logits are of. */
  readonly framing: Framing;
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

/** A picture that may be wanted next. */
export interface Ahead {
  readonly image: string;
  readonly settings: Settings;
  /** Null where it cannot be had. */
  pixels(signal: AbortSignal): Promise<RawImage | null>;
}

export interface InferenceEvents {
  onActivity(activity: Activity): void;
  onEncoded(ms: number): void;
  onResult(job: Job, result: Result): void;
  onError(error: unknown): void;
  /** What may be wanted next, the likeliest first; asked for when nothing else is to be done. */
  ahead?(): readonly Ahead[];
}

/** Nothing is begun ahead while one thing follows the other. */
const REST_MS = 250;

/** Where one picture follows the other faster than they are encoded, one is encoded that is looked at for a quarter of what that takes, within these. */
const LOOKED_AT_MS = { least: 150, most: 1000 };

/** How far a decode is, is told of those that take longer. */
const TOLD_AFTER_MS = 500;

/** Of all results together: beyond it the oldest lose their logits, then go. */
const LOGITS_KEPT_BYTES = 6 << 20;
const MASKS_KEPT_BYTES = 6 << 20;

export class Inference {
  readonly #events: InferenceEvents;
  #model: Segmenter | null = null;
  #modelNumber = 0;
  #wanted: Job | null = null;
  #failed: Job | null = null;
  #running = false;
  #encoding: Making | null = null;
  /** The last encode was given up for another picture. */
  #overtaken = false;
  /** What the last one took that was not. */
  #encodeMs = 0;
  /** Ends the wait for whether a picture is looked at. */
  #lookedAt: (() => void) | null = null;
  #decoding: Making | null = null;
  /** What is encoded though nobody asked for it yet. */
  #ahead: Making | null = null;
  #aheadTimer: ReturnType<typeof setTimeout> | undefined;
  /** Others that use the model by themselves. */
  #guests = 0;
  /** Encoded ahead before, or not to be had: not tried again. */
  #aheadDone = new Set<string>();
  /** In the order of last use. */
  #results = new Map<Prompts, Result>();
  readonly #embeddings: Embeddings;

  constructor(events: InferenceEvents, store: EmbeddingStore | null = null) {
    this.#events = events;
    this.#embeddings = new Embeddings(store);
  }

  /** Another model, or none for now. `number` tells models apart. What the last one made is forgotten, what is wanted stays. */
  use(model: Segmenter | null, number: number): void {
    this.#model = model;
    this.#modelNumber = number;
    this.#results = new Map();
    this.#embeddings.clear();
    this.#aheadDone = new Set();
    this.#failed = null;
    // Whether the other one keeps up is not known.
    this.#overtaken = false;
    this.#encoding?.controller.abort();
    this.#lookedAt?.();
    this.#ahead?.controller.abort();
    void this.#run();
  }

  want(job: Job): void {
    const before = this.#wanted;
    const sameSettings = before !== null && JSON.stringify(before.settings) === JSON.stringify(job.settings);
    if (before && sameSettings && before.image === job.image && before.prompts === job.prompts) {
      this.#rest();
      return;
    }
    if (before && !sameSettings) this.#results = new Map();
    this.#wanted = job;
    const left = this.#encoding?.key === keyOf(job) ? null : this.#encoding;
    if (left) {
      left.controller.abort();
      this.#overtaken = true;
    }
    if (left || !isEmpty(job.prompts)) this.#lookedAt?.();
    // Answers to prompts that are overtaken are kept for undo; but nobody waits for those of another picture, or that were cleared.
    if (this.#decoding && (this.#decoding.key !== keyOf(job) || isEmpty(job.prompts))) this.#decoding.controller.abort();
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
    this.#embeddings.forget(image);
  }

  /** The model for who goes through many pictures alone: meanwhile nothing is encoded ahead, and nothing twice. `leave` it when done. */
  guest(settings: Settings): (MaskSource & { leave(): void }) | null {
    const model = this.#model;
    if (!model) return null;
    this.#guests += 1;
    this.#ahead?.controller.abort();
    const lent = new WeakMap<Embedding, Embedding>();
    const decode = (guest: Embedding, prompt: Prompt, options?: DecodeOptions) => model.decode(lent.get(guest) ?? guest, prompt, options);
    return {
      config: model.config,
      input: model.input,
      encode: async (pixels, { signal = new AbortController().signal } = {}) => {
        const embedding = await this.#embeddings.of(model, { image: null, pixels: pixels as RawImage, settings }, { signal });
        // It stays for whoever looks at the picture next.
        const guest: Embedding = { framing: embedding.framing, save: () => embedding.save(), dispose: () => {}, [Symbol.dispose]: () => {} };
        lent.set(guest, embedding);
        return guest;
      },
      decode: decode as Segmenter["decode"],
      leave: () => {
        this.#guests -= 1;
        this.#rest();
      },
    };
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    clearTimeout(this.#aheadTimer);
    for (let job = this.#next(); job; job = this.#next()) await this.#step(job);
    this.#running = false;
    this.#events.onActivity({ kind: "idle" });
    this.#rest();
  }

  #next(): Job | null {
    const job = this.#wanted;
    if (!this.#model || !job || job === this.#failed) return null;
    const done = this.#embeddings.holds(job) && (isEmpty(job.prompts) || Boolean(this.#results.get(job.prompts)?.logits));
    return done ? null : job;
  }

  async #step(job: Job): Promise<void> {
    const model = this.#model as Segmenter;
    const results = this.#results;
    try {
      const embedding = await this.#embed(model, job);
      if (model !== this.#model || this.#wanted !== job || isEmpty(job.prompts)) return;
      const since = performance.now();
      this.#events.onActivity({ kind: "decoding", since });
      const decoded = await this.#decode(model, embedding, job, since);
      results.delete(job.prompts);
      const result = resultOf(decoded, performance.now() - since, embedding.framing, job.prompts.previous);
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

  async #decode(model: Segmenter, embedding: Embedding, job: Job, since: number): Promise<Decoded> {
    const controller = new AbortController();
    this.#decoding = { key: keyOf(job), controller };
    // Of a hundred points and more it takes seconds on slow devices.
    const onProgress = ({ loaded, total }: Progress) => {
      if (performance.now() - since > TOLD_AFTER_MS) this.#events.onActivity({ kind: "decoding", since, share: loaded / total });
    };
    try {
      return await model.decode(embedding, this.#promptOf(model, embedding, job), { signal: controller.signal, onProgress });
    } finally {
      this.#decoding = null;
    }
  }

  #promptOf({ config }: Segmenter, { framing }: Embedding, { prompts, settings }: Job) {
    return toPrompt(prompts, this.#modelNumber, settings.multimask, (drawn) => maskInputOfRuns(drawn, framing, 4 * config.grid));
  }

  /** The mask that these prompts would give: of a picture that is encoded already, while nothing else is done; null otherwise. Nothing is kept. */
  async peek(job: Job, signal: AbortSignal): Promise<Runs | null> {
    const model = this.#model;
    if (!model || this.#running || !this.#embeddings.holds(job)) return null;
    try {
      const embedding = await this.#embeddings.of(model, job, { signal });
      const { masks, best } = await model.decode(embedding, this.#promptOf(model, embedding, job), { signal });
      const mask = masks[best];
      return mask && !signal.aborted ? runsOf(mask.data) : null;
    } catch {
      // What failed is said when it is asked for in earnest.
      return null;
    }
  }

  async #embed(model: Segmenter, job: Job): Promise<Embedding> {
    const controller = new AbortController();
    const key = keyOf(job);
    this.#encoding = { key, controller };
    // What is encoded ahead gives way, unless it is this very picture.
    if (this.#ahead?.key !== key) this.#ahead?.controller.abort();
    let since = performance.now();
    let encoded = false;
    try {
      const embedding = await this.#embeddings.of(model, job, {
        signal: controller.signal,
        onStart: async () => {
          encoded = true;
          this.#events.onActivity({ kind: "encoding", since });
          if (!this.#overtaken || !isEmpty(job.prompts)) return;
          await this.#look();
          since = performance.now();
        },
        // Slow devices tell how far they are.
        onProgress: ({ loaded, total }) => this.#events.onActivity({ kind: "encoding", since, share: loaded / total }),
      });
      this.#overtaken = false;
      if (encoded && model === this.#model) {
        this.#encodeMs = performance.now() - since;
        this.#events.onEncoded(this.#encodeMs);
      }
      return embedding;
    } finally {
      this.#encoding = null;
    }
  }

  /** Until this picture is looked at for a while, is asked something of, or is left. */
  async #look(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#lookedAt = resolve;
      setTimeout(resolve, Math.min(LOOKED_AT_MS.most, Math.max(LOOKED_AT_MS.least, this.#encodeMs / 4)));
    });
    this.#lookedAt = null;
  }

  /** Nothing is to be done: soon what may be wanted next is encoded. */
  #rest(): void {
    clearTimeout(this.#aheadTimer);
    if (this.#events.ahead) this.#aheadTimer = setTimeout(() => void this.#goAhead(), REST_MS);
  }

  async #goAhead(): Promise<void> {
    const model = this.#model;
    if (!model || this.#running || this.#ahead || this.#guests > 0) return;
    const asked = this.#events.ahead?.().find((one) => !this.#embeddings.holds(one) && !this.#aheadDone.has(keyOf(one)));
    if (!asked) return;
    const { image, settings } = asked;
    const controller = new AbortController();
    const { signal } = controller;
    this.#ahead = { key: keyOf(asked), controller };
    try {
      const pixels = await asked.pixels(signal);
      if (pixels && !signal.aborted && model === this.#model) await this.#embeddings.ensure(model, { image, pixels, settings }, { signal });
    } catch {
      // Nobody asked for it: who does is told what is wrong with it.
    }
    if (!signal.aborted && model === this.#model) this.#aheadDone.add(keyOf(asked));
    this.#ahead = null;
    if (!this.#running) this.#rest();
  }
}

interface Making {
  readonly key: string;
  readonly controller: AbortController;
}

function resultOf({ masks, scores, logits, best }: Decoded, decodeMs: number, framing: Framing, previous: Prompts["previous"]): Result {
  const made = new Map<number, Runs>();
  // What was made of is let go of: at full size even a bit a pixel adds up.
  const waiting: (Mask | undefined)[] = [...masks];
  const result = {
    count: masks.length,
    mask(index: number): Runs {
      const known = made.get(index);
      if (known) return known;
      const runs = runsOf((waiting[index] as Mask).data);
      made.set(index, runs);
      waiting[index] = undefined;
      return runs;
    },
    get maskBytes() {
      return [...made.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    },
    scores,
    logits,
    best: previous && "drawn" in previous ? likest(previous.drawn, logits, scores, framing) : best,
    decodeMs,
    framing,
  };
  result.mask(result.best);
  return result;
}

/** Of a mask that is corrected, the candidate most like it is the best: the predicted IoU knows nothing of what it was. Looked at as small as the network made them. */
function likest(drawn: Runs, logits: Float32Array, scores: Float32Array, framing: Framing): number {
  const cells = logits.length / scores.length;
  const before = maskInputOfRuns(drawn, framing, Math.sqrt(cells));
  const worth = [...scores].map((score, candidate) => {
    let [both, either] = [0, 0];
    for (let i = 0; i < cells; i++) {
      const inside = (logits[candidate * cells + i] as number) > 0 ? 1 : 0;
      both += inside * (before[i] as number);
      either += inside + (before[i] as number);
    }
    return (either === 0 ? 1 : (2 * both) / either) + 1e-3 * score;
  });
  return worth.indexOf(Math.max(...worth));
}

/** The latest always stays whole. */
function trim(results: Map<Prompts, Result>): void {
  let [logitBytes, maskBytes] = [0, 0];
  for (const [index, [prompts, result]] of [...results].reverse().entries()) {
    maskBytes += result.maskBytes;
    logitBytes += result.logits?.byteLength ?? 0;
    if (index === 0) continue;
    if (maskBytes > MASKS_KEPT_BYTES) results.delete(prompts);
    else if (result.logits && logitBytes > LOGITS_KEPT_BYTES) results.set(prompts, shortened(result));
  }
}

/** Only with the mask that was looked at: the logits that others are made of go. */
function shortened({ count, scores, best, decodeMs, framing, mask, maskBytes }: Result): Result {
  const runs = mask(best);
  return { count, mask: () => runs, maskBytes, framing, scores, logits: null, best, decodeMs };
}

function keyOf({ image, settings: { fit, channelOrder } }: Pick<Job, "image" | "settings">): string {
  return `${image}|${fit}|${channelOrder}`;
}
