// Which weights made an embedding: a number over the configuration and every value of every tensor, gathered while they are read.
import type { Checkpoint } from "./checkpoint.ts";

export interface Fingerprinted {
  readonly checkpoint: Checkpoint;
  /** 16 hexadecimal digits, once every tensor was read. */
  value(): string;
}

/** The checkpoint, whose reads are looked at: every device reads the same pieces, in whatever order and how often. */
export function fingerprinted(checkpoint: Checkpoint, config: unknown): Fingerprinted {
  const seen = new Map<string, State>();
  return {
    checkpoint: {
      ...checkpoint,
      async read(name, begin, end, signal) {
        const bytes = await checkpoint.read(name, begin, end, signal);
        const piece = `${name} ${begin}`;
        seen.set(piece, mix(mix(START, textOf(piece)), bytes));
        return bytes;
      },
      close: () => checkpoint.close(),
    },
    value() {
      let [high, low] = mix(START, textOf(JSON.stringify(config)));
      for (const [a, b] of seen.values()) [high, low] = [high ^ a, low ^ b];
      return [high, low].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}

/** Two numbers that every bit changes. */
type State = readonly [number, number];

const START: State = [0x811c9dc5, 0x01234567];
const textOf = (text: string) => new TextEncoder().encode(text);

/** Four bytes at a time, by turns into one number and the other: of a gigabyte it takes a third of a second. */
function mix([a, b]: State, bytes: Uint8Array): State {
  const words = wordsOf(bytes);
  for (let i = 0; i < words.length; i += 2) {
    a ^= words[i] as number;
    a = Math.imul(a ^ (a >>> 15), 0x85ebca6b);
    b ^= words[i + 1] ?? 0;
    b = Math.imul(b ^ (b >>> 15), 0xc2b2ae35);
  }
  return [a, b];
}

/** Where they lie among others in any way, or are no whole number of words, a copy with zeros behind. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, byteLength } = bytes;
  if ((byteOffset | byteLength) % 4 === 0) return new Int32Array(buffer, byteOffset, byteLength / 4);
  const words = new Int32Array(Math.ceil(byteLength / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
