// Which weights made an embedding: a number over the configuration and the first values of every tensor, gathered while they are read.
import type { Checkpoint } from "./checkpoint.ts";

/** Bytes of each tensor: enough to tell trainings apart, the same however a device has the tensors read. */
const SAMPLE = 64;

export interface Fingerprinted {
  readonly checkpoint: Checkpoint;
  /** 16 hexadecimal digits, once every tensor was read. */
  value(): string;
}

/** The checkpoint, whose reads are looked at. The order of the tensors does not matter. */
export function fingerprinted(checkpoint: Checkpoint, config: unknown): Fingerprinted {
  const seen = new Map<string, [number, number]>();
  return {
    checkpoint: {
      ...checkpoint,
      async read(name, begin, end, signal) {
        const bytes = await checkpoint.read(name, begin, end, signal);
        if (begin === 0) seen.set(name, hash(name, bytes.subarray(0, SAMPLE)));
        return bytes;
      },
      close: () => checkpoint.close(),
    },
    value() {
      let [high, low] = hash(JSON.stringify(config), new Uint8Array());
      for (const [a, b] of seen.values()) [high, low] = [high ^ a, low ^ b];
      return [high, low].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}

/** FNV-1a, twice, over the name and the bytes. */
function hash(name: string, bytes: Uint8Array): [number, number] {
  let [a, b] = [0x811c9dc5, 0x01234567];
  const take = (byte: number) => {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte ^ (a >>> 24), 0x85ebca6b);
  };
  for (const byte of new TextEncoder().encode(name)) take(byte);
  for (const byte of bytes) take(byte);
  return [a, b];
}
