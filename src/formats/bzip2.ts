// bzip2, which no platform unpacks: blocks of up to 900 kB, each Huffman-coded, moved to front, sorted by Burrows and Wheeler, runs shortened.

const BLOCK = 100_000;
const MOST_CODE = 20;
const END_OF_STREAM = 0x177245385090;
const START_OF_BLOCK = 0x314159265359;

/** What is wrong with the bytes, or that they end too early. */
export class Bzip2Error extends Error {
  constructor(
    message: string,
    readonly cut = false,
  ) {
    super(message);
  }
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

class Bits {
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(readonly bytes: Uint8Array) {}

  /** Up to 24 bits. */
  read(count: number): number {
    while (this.#count < count) {
      if (this.#at >= this.bytes.length) throw new Bzip2Error("the data end early", true);
      this.#held = ((this.#held & 0xffffff) << 8) | (this.bytes[this.#at++] as number);
      this.#count += 8;
    }
    this.#count -= count;
    return (this.#held >>> this.#count) & ((1 << count) - 1);
  }

  get position(): number {
    return this.#at;
  }

  /** To the next whole byte; gives whether any is left. */
  align(): boolean {
    this.#count -= this.#count % 8;
    return this.#count > 0 || this.#at < this.bytes.length;
  }
}

interface Bzip2Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Packed bytes so far. */
  readonly read: number;
}

/** A block at a time; streams behind each other are one. Throws a Bzip2Error. */
export function* bunzip2(bytes: Uint8Array): Generator<Bzip2Block> {
  const bits = new Bits(bytes);
  for (let first = true; first || bits.align(); first = false) {
    const mark = bits.read(24);
    // Behind a stream only another one is more than padding.
    if (mark !== 0x425a68) {
      if (first) throw new Bzip2Error("not bzip2");
      return;
    }
    const level = bits.read(8) - 0x30;
    if (!(level >= 1 && level <= 9)) throw new Bzip2Error("no size of its blocks");
    for (;;) {
      const magic = bits.read(24) * 0x1000000 + bits.read(24);
      const crc = ((bits.read(16) << 16) | bits.read(16)) >>> 0;
      if (magic === END_OF_STREAM) break;
      if (magic !== START_OF_BLOCK) throw new Bzip2Error("no block where one begins");
      yield { bytes: block(bits, level * BLOCK, crc), read: bits.position };
    }
  }
}

function block(bits: Bits, limit: number, crc: number): Uint8Array<ArrayBuffer> {
  if (bits.read(1)) throw new Bzip2Error("a block of the oldest kind");
  const origin = bits.read(24);
  const symbols = symbolsOf(bits);
  const { codes, selectors } = tablesOf(bits, symbols.length + 2);
  const sorted = new Uint8Array(limit);
  let filled = 0;
  let run = 0;
  let weight = 1;
  const end = symbols.length + 1;
  for (let group = 0, left = 0, code: Code | undefined; ; left--) {
    if (left === 0) {
      code = codes[selectors[group++] as number];
      if (!code) throw new Bzip2Error("more symbols than tables");
      left = 50;
    }
    const symbol = decode(bits, code as Code);
    // Runs are numbers of base two whose digits are 1 and 2.
    if (symbol <= 1) {
      run += weight << symbol;
      weight *= 2;
      if (run > limit) throw new Bzip2Error("a run longer than its block");
      continue;
    }
    if (run > 0) {
      if (filled + run > limit) throw new Bzip2Error("more than a block holds");
      sorted.fill(symbols[0] as number, filled, filled + run);
      filled += run;
      [run, weight] = [0, 1];
    }
    if (symbol === end) break;
    if (filled >= limit) throw new Bzip2Error("more than a block holds");
    const value = symbols[symbol - 1] as number;
    symbols.copyWithin(1, 0, symbol - 1);
    symbols[0] = value;
    sorted[filled++] = value;
  }
  if (origin >= filled) throw new Bzip2Error("a block without its beginning");
  return withRuns(unsorted(sorted.subarray(0, filled), origin), crc);
}

function symbolsOf(bits: Bits): Uint8Array {
  const found: number[] = [];
  const rows = bits.read(16);
  for (let row = 0; row < 16; row++) {
    if (!((rows >> (15 - row)) & 1)) continue;
    const used = bits.read(16);
    for (let i = 0; i < 16; i++) if ((used >> (15 - i)) & 1) found.push(16 * row + i);
  }
  if (found.length === 0) throw new Bzip2Error("a block without symbols");
  return Uint8Array.from(found);
}

interface Code {
  /** The largest code of each length, and what to take from a code to find its symbol. */
  readonly limits: Int32Array;
  readonly bases: Int32Array;
  readonly symbols: Uint16Array;
}

function tablesOf(bits: Bits, size: number): { codes: Code[]; selectors: Uint8Array } {
  const count = bits.read(3);
  const selectors = new Uint8Array(bits.read(15));
  if (count < 2 || count > 6 || selectors.length === 0) throw new Bzip2Error("no tables");
  const recent = Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < selectors.length; i++) {
    let place = 0;
    while (bits.read(1)) if (++place >= count) throw new Bzip2Error("a table that is not there");
    const [table] = recent.splice(place, 1) as [number];
    recent.unshift(table);
    selectors[i] = table;
  }
  const codes = Array.from({ length: count }, () => {
    let length = bits.read(5);
    const lengths = new Uint8Array(size);
    for (let i = 0; i < size; i++) {
      while (bits.read(1)) length += bits.read(1) ? -1 : 1;
      if (length < 1 || length > MOST_CODE) throw new Bzip2Error("a code of no length");
      lengths[i] = length;
    }
    return codeOf(lengths);
  });
  return { codes, selectors };
}

function codeOf(lengths: Uint8Array): Code {
  const symbols = new Uint16Array(lengths.length);
  const [limits, bases] = [new Int32Array(MOST_CODE + 2), new Int32Array(MOST_CODE + 2)];
  let code = 0;
  let filled = 0;
  for (let length = 1; length <= MOST_CODE; length++) {
    bases[length] = code - filled;
    for (let i = 0; i < lengths.length; i++) {
      if (lengths[i] !== length) continue;
      symbols[filled++] = i;
      code++;
    }
    limits[length] = code - 1;
    code *= 2;
  }
  return { limits, bases, symbols };
}

function decode(bits: Bits, { limits, bases, symbols }: Code): number {
  let code = 0;
  for (let length = 1; length <= MOST_CODE; length++) {
    code = code * 2 + bits.read(1);
    if (code > (limits[length] as number)) continue;
    const symbol = symbols[code - (bases[length] as number)];
    if (symbol !== undefined) return symbol;
  }
  throw new Bzip2Error("a code that is not there");
}

/** Burrows and Wheeler's sort undone. */
function unsorted(sorted: Uint8Array, origin: number): Uint8Array {
  const starts = new Uint32Array(256);
  for (const byte of sorted) starts[byte] = (starts[byte] as number) + 1;
  for (let byte = 0, sum = 0; byte < 256; byte++) {
    const count = starts[byte] as number;
    starts[byte] = sum;
    sum += count;
  }
  const next = new Uint32Array(sorted.length);
  for (let i = 0; i < sorted.length; i++) {
    const byte = sorted[i] as number;
    next[starts[byte] as number] = i;
    starts[byte] = (starts[byte] as number) + 1;
  }
  const out = new Uint8Array(sorted.length);
  for (let i = 0, at = next[origin] as number; i < out.length; i++, at = next[at] as number) out[i] = sorted[at] as number;
  return out;
}

/** After four equal bytes comes how often they go on. */
function withRuns(bytes: Uint8Array, expected: number): Uint8Array<ArrayBuffer> {
  let length = 0;
  const each = (put: (byte: number, count: number) => void) => {
    let [last, same] = [-1, 0];
    for (const byte of bytes) {
      if (same === 4) {
        put(last, byte);
        [last, same] = [-1, 0];
        continue;
      }
      same = byte === last ? same + 1 : 1;
      last = byte;
      put(byte, 1);
    }
  };
  each((_, count) => {
    length += count;
  });
  const out = new Uint8Array(length);
  let at = 0;
  let crc = -1;
  each((byte, count) => {
    for (let i = 0; i < count; i++) {
      out[at++] = byte;
      crc = (crc << 8) ^ (CRC[((crc >>> 24) ^ byte) & 255] as number);
    }
  });
  if (~crc >>> 0 !== expected) throw new Bzip2Error("a block that was changed");
  return out;
}
