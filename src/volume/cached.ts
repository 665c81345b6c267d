// Slices that were read, kept while there is room, and the next ones read ahead of whoever scrolls.
import { expectKnown } from "./fail.ts";
import type { Slice, Volume } from "./volume.ts";

export interface SliceCacheOptions {
  /** Of decoded slices, for all volumes together. Default 256 MB. */
  readonly bytes?: number;
  /** Slices read ahead in the direction of the last step. Default 8; 0 for none. */
  readonly ahead?: number;
}

/** Read ahead at a time: decoders have several workers. */
const AT_ONCE = 3;

interface Kept {
  readonly slice: Promise<Slice>;
  readonly stop: AbortController;
  /** Who waits for it; one that nobody waits for is given up. */
  waiting: number;
  /** Once it is read. */
  bytes: number;
}

/** One for all volumes that are open. Slices looked at last are kept longest; a slice that several ask for is read once. */
export class SliceCache {
  readonly #limit: number;
  readonly #ahead: number;
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #volumes = 0;

  /** Throws a SamError for an unknown option. */
  constructor(options: SliceCacheOptions = {}) {
    expectKnown("SliceCache", options, ["bytes", "ahead"]);
    const { bytes = 256e6, ahead = 8 } = options;
    this.#limit = bytes;
    this.#ahead = ahead;
  }

  /** Of what is kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The same volume, its slices kept here. Whoever asks for one after its neighbour has the next ones in that direction read ahead. */
  of(volume: Volume): Volume {
    const id = ++this.#volumes;
    let last = Number.NaN;
    let reading: AbortController | undefined;
    return {
      ...volume,
      slice: async (index, { signal } = {}) => {
        signal?.throwIfAborted();
        const step = index - last;
        last = index;
        reading?.abort();
        reading = undefined;
        const slice = await this.#read(id, volume, index, signal);
        if (Math.abs(step) === 1 && last === index) {
          reading = new AbortController();
          void this.#readAhead(id, volume, index, step, reading.signal);
        }
        return slice;
      },
    };
  }

  clear(): void {
    for (const [key, { waiting }] of this.#kept) if (waiting === 0) this.#drop(key);
  }

  async #readAhead(id: number, volume: Volume, from: number, step: number, signal: AbortSignal): Promise<void> {
    let next = 1;
    const read = async () => {
      while (next <= this.#ahead && !signal.aborted) {
        const count = next++;
        const index = from + count * step;
        if (index < 0 || index >= volume.slices) return;
        // What cannot be read is told when it is looked at.
        const slice = await this.#read(id, volume, index, signal).catch(() => undefined);
        // No use where it pushes out what lies before it.
        if (!slice || slice.data.byteLength * (count + 2) > this.#limit) return;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, read));
  }

  #read(id: number, volume: Volume, index: number, signal?: AbortSignal): Promise<Slice> {
    const key = `${id} ${index}`;
    const kept = this.#kept.get(key) ?? this.#start(key, volume, index);
    // Used last.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return this.#wait(key, kept, signal);
  }

  #start(key: string, volume: Volume, index: number): Kept {
    const stop = new AbortController();
    const kept: Kept = { slice: volume.slice(index, { signal: stop.signal }), stop, waiting: 0, bytes: 0 };
    kept.slice.then(
      ({ data }) => {
        if (this.#kept.get(key) !== kept) return;
        kept.bytes = data.byteLength;
        this.#bytes += kept.bytes;
        this.#makeRoom(key);
      },
      () => {
        if (this.#kept.get(key) === kept) this.#kept.delete(key);
      },
    );
    return kept;
  }

  async #wait(key: string, kept: Kept, signal?: AbortSignal): Promise<Slice> {
    kept.waiting++;
    let cancel = () => {};
    try {
      if (!signal) return await kept.slice;
      const cancelled = new Promise<never>((_, reject) => {
        cancel = () => reject(signal.reason);
        signal.addEventListener("abort", cancel);
      });
      return await Promise.race([kept.slice, cancelled]);
    } finally {
      signal?.removeEventListener("abort", cancel);
      kept.waiting--;
      if (kept.waiting === 0 && kept.bytes === 0 && signal?.aborted) {
        if (this.#kept.get(key) === kept) this.#kept.delete(key);
        kept.stop.abort(signal.reason);
      }
    }
  }

  #makeRoom(newest: string): void {
    for (const [key, { bytes }] of this.#kept) {
      if (this.#bytes <= this.#limit) return;
      if (bytes > 0 && key !== newest) this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}
