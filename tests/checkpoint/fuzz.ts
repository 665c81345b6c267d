// Broken files by the ten thousand: seeded, so that a failure is found again, and built from parts, so that most of them
// get past the first check.
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { BYTES_PER_ELEMENT } from "../../src/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { SamError } from "../../src/errors.ts";
import { elements } from "../../src/graph/tensor.ts";
import { type Bytes, concat } from "./support.ts";

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 2^32). */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let h = this.#state;
    h = Math.imul(h ^ (h >>> 15), h | 1);
    h ^= h + Math.imul(h ^ (h >>> 7), h | 61);
    return (h ^ (h >>> 14)) >>> 0;
  }

  /** In [0, n). */
  below(n: number): number {
    return this.bits() % n;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }
}

/** Whole numbers that sit on the edge of something. */
export const EDGES = [0, 1, 2, 3, 4, 7, 8, 16, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53 - 1, 2 ** 53, -1];

/** Flips, cuts, repeats or drops bytes anywhere. */
export function mutateBytes(random: Random, bytes: Bytes): Bytes {
  const out = bytes.slice();
  const at = random.below(Math.max(1, out.length));
  switch (random.below(6)) {
    case 0:
      return out.slice(0, at);
    case 1:
      return concat(out.subarray(0, at), out.subarray(at + random.below(16)));
    case 2:
      return concat(out.subarray(0, at), out.subarray(Math.max(0, at - random.below(32))));
    default:
      for (let flips = 1 + random.below(4); flips > 0; flips--)
        out[random.below(Math.max(1, out.length))] = random.chance(3) ? random.pick(EDGES) : random.bits();
      return out;
  }
}

/** Extra bytes a reader may hold beyond the file. */
const SLACK = 64 << 20;

export interface Outcome {
  readonly opened: boolean;
  readonly read: number;
}

/** Opens the file and reads every tensor. Throws if anything but a result or a typed error comes of it, or too much is read or given. */
export async function exercise(bytes: Bytes): Promise<Outcome> {
  const source = bufferSource(bytes, "fuzz");
  let asked = 0;
  const guarded = {
    ...source,
    read(offset: number, length: number) {
      // A reader that asks for more than there is would have allocated it on any other source.
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) throw new Error(`asked for ${length} bytes at ${offset} of ${bytes.length}`);
      asked += length;
      return source.read(offset, length);
    },
  };
  let read = 0;
  try {
    const checkpoint = await openCheckpoint(guarded);
    if (asked > 2 * bytes.length + SLACK) throw new Error(`read ${asked} bytes to open ${bytes.length}`);
    for (const { name, shape, dtype } of checkpoint.tensors.values()) {
      const count = elements(shape);
      const expected = count * BYTES_PER_ELEMENT[dtype];
      if (expected > 4 * bytes.length + SLACK) throw new Error(`${name} claims ${expected} bytes of a file of ${bytes.length}`);
      for (const [begin, end] of [
        [0, count],
        [count >> 1, count],
        [0, Math.min(count, 1)],
      ] as const) {
        try {
          const got = await checkpoint.read(name, begin, end);
          if (got.length !== (end - begin) * BYTES_PER_ELEMENT[dtype]) throw new Error(`${name}: ${got.length} bytes for ${end - begin} elements`);
          if (got.byteOffset % 4 !== 0) throw new Error(`${name} is not aligned`);
          read++;
        } catch (error) {
          expectTyped(error);
        }
      }
    }
    await checkpoint.close();
    return { opened: true, read };
  } catch (error) {
    expectTyped(error);
    return { opened: false, read };
  }
}

function expectTyped(error: unknown): void {
  if (!(error instanceof SamError) || error.code !== "checkpoint") throw error;
  if (error.message.length > 2000) throw new Error(`a message of ${error.message.length} characters`);
}

/** What the readers say about a file, without the parts that vary: the kinds of complaint, or "opened". */
export async function complaints(bytes: Bytes): Promise<Set<string>> {
  const found = new Set<string>();
  const note = (error: unknown) => {
    expectTyped(error);
    const { expected, remedy } = error as SamError;
    found.add(`${expected} / ${remedy}`.replace(/"(?:[^"\\]|\\.)*"|\[[^\]]*\]|CRC \w+|-?\b\d[\d.e+]*/g, "…"));
  };
  try {
    const checkpoint = await openCheckpoint(bufferSource(bytes, "corpus"));
    found.add("opened");
    for (const { name, shape } of checkpoint.tensors.values()) await checkpoint.read(name, 0, elements(shape)).catch(note);
  } catch (error) {
    note(error);
  }
  return found;
}

/** Runs `cases` cases of `make`; a failure names the case, which the same seed makes again. */
export async function fuzz(seed: number, cases: number, make: (random: Random) => Bytes): Promise<{ opened: number }> {
  let opened = 0;
  for (let i = 0; i < cases; i++) {
    const bytes = make(new Random(Math.imul(seed, 0x9e3779b1) + i));
    try {
      if ((await exercise(bytes)).opened) opened++;
    } catch (cause) {
      throw new Error(`seed ${seed}, case ${i}: ${cause instanceof Error ? cause.stack : cause}\n${Buffer.from(bytes).toString("base64").slice(0, 4000)}`, {
        cause,
      });
    }
  }
  return { opened };
}
