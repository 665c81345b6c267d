// Images that were encoded, under the names of their pixels: the last ones in memory, hundreds on this machine, so that none is encoded twice.
import type { Embedding, Progress, RawImage, SavedEmbedding } from "../../src/index.ts";
import type { SamMed2DWorker } from "../../src/worker/client.ts";
import type { Settings } from "./inference.ts";

export type Encoder = Pick<SamMed2DWorker, "encode" | "restore" | "fingerprint">;

/** Where embeddings outlast the page. What cannot be kept is encoded again: no call rejects. */
export interface EmbeddingStore {
  has(name: string): Promise<boolean>;
  get(name: string): Promise<SavedEmbedding | null>;
  put(name: string, saved: SavedEmbedding): Promise<void>;
}

/** A picture as the network gets it. */
export interface Asked {
  /** Names the picture while it is open; null where nobody asks for it by name. */
  readonly image: string | null;
  readonly pixels: RawImage;
  readonly settings: Settings;
}

export interface Encoding {
  readonly signal: AbortSignal;
  /** It was nowhere: it is encoded now, once this has ended. */
  onStart?(): Promise<void>;
  onProgress?(progress: Progress): void;
}

/** 256 KiB each. */
const HELD = 32;

export class Embeddings {
  readonly #store: EmbeddingStore | null;
  /** In the order of last use. */
  readonly #held = new Map<string, Embedding>();
  /** Of the pictures that are open, by `keyOf`. */
  readonly #names = new Map<string, string>();
  readonly #making = new Map<string, Promise<Embedding>>();
  /** Counts models: what one made that is gone is held for nobody. */
  #models = 0;

  constructor(store: EmbeddingStore | null) {
    this.#store = store;
  }

  /** Whether it is at hand. */
  holds(asked: Omit<Asked, "pixels">): boolean {
    const name = this.#names.get(keyOf(asked));
    return name !== undefined && this.#held.has(name);
  }

  /** Another model: nothing of the last one's is of use in memory. */
  clear(): void {
    this.#models += 1;
    this.#held.clear();
    this.#names.clear();
    this.#making.clear();
  }

  /** A picture that is gone. What is kept of it on this machine stays for the next time. */
  forget(image: string): void {
    for (const [key, name] of [...this.#names]) {
      if (!key.startsWith(`${image}|`)) continue;
      this.#names.delete(key);
      this.#held.get(name)?.dispose();
      this.#held.delete(name);
    }
  }

  /** From memory, from this machine, or encoded now. Who asks for what is being made already waits for it. */
  async of(model: Encoder, asked: Asked, encoding: Encoding): Promise<Embedding> {
    const name = await this.#nameOf(model, asked);
    const held = this.#held.get(name);
    if (held) {
      this.#hold(name, held);
      return held;
    }
    const others = this.#making.get(name);
    if (others) {
      const made = await others.catch(() => null);
      encoding.signal.throwIfAborted();
      // It was given up there: here it is wanted still.
      return made ?? this.of(model, asked, encoding);
    }
    const making = this.#make(model, name, asked, encoding);
    this.#making.set(name, making);
    try {
      return await making;
    } finally {
      if (this.#making.get(name) === making) this.#making.delete(name);
    }
  }

  /** Sees to it that it is in memory or kept. */
  async ensure(model: Encoder, asked: Asked, encoding: Encoding): Promise<void> {
    const name = await this.#nameOf(model, asked);
    if (!this.#held.has(name) && !(await this.#store?.has(name))) await this.of(model, asked, encoding);
  }

  async #make(model: Encoder, name: string, { pixels, settings }: Asked, { signal, onStart, onProgress }: Encoding): Promise<Embedding> {
    const of = this.#models;
    const saved = await this.#store?.get(name);
    signal.throwIfAborted();
    if (saved) return this.#hold(name, model.restore(saved), of);
    await onStart?.();
    signal.throwIfAborted();
    const { fit, channelOrder } = settings;
    const options = { ...(fit !== "auto" && { fit }), ...(channelOrder !== "auto" && { channelOrder }), ...(onProgress && { onProgress }) };
    const embedding = this.#hold(name, await model.encode(pixels, { ...options, signal }), of);
    // Of a model that is gone by then there is nothing to keep.
    if (this.#store)
      void embedding.save().then(
        (made) => this.#store?.put(name, made),
        () => {},
      );
    return embedding;
  }

  #hold(name: string, embedding: Embedding, of = this.#models): Embedding {
    if (of !== this.#models) return embedding;
    this.#held.delete(name);
    this.#held.set(name, embedding);
    for (const [oldest, other] of this.#held) {
      if (this.#held.size <= HELD) break;
      this.#held.delete(oldest);
      other.dispose();
    }
    return embedding;
  }

  async #nameOf(model: Encoder, asked: Asked): Promise<string> {
    const key = keyOf(asked);
    const of = this.#models;
    const known = asked.image === null ? undefined : this.#names.get(key);
    const name = known ?? (await named(asked, model.fingerprint));
    if (asked.image !== null && of === this.#models) this.#names.set(key, name);
    return name;
  }
}

function keyOf({ image, settings: { fit, channelOrder } }: Omit<Asked, "pixels">): string {
  return `${image}|${fit}|${channelOrder}`;
}

/** The pixels have plane, slice and window in them: the same picture has the same name on any day. A valid name of a file. */
async function named({ pixels: { data, width, height, channels }, settings: { fit, channelOrder } }: Asked, fingerprint: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", data as Uint8Array<ArrayBuffer>));
  const digits = [...hash.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${digits}-${width}x${height}x${channels}-${fit}-${channelOrder}-${fingerprint}`;
}
