// Random numbers that depend on a seed and a name only: the same whatever the order, the shard or the machine.

const GOLDEN = 0x9e3779b1;

function mix32(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

export class Random {
  #state: number;

  constructor(seed: number, name: string) {
    this.#state = (fnv1a32(name) + Math.imul(seed, GOLDEN)) | 0;
  }

  /** A whole number from 0 to below `n`, for `n` up to 2^21. */
  below(n: number): number {
    const drawn = mix32(this.#state);
    this.#state = (this.#state + GOLDEN) | 0;
    return Math.floor((drawn * n) / 2 ** 32);
  }
}
