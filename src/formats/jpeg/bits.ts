// Huffman codes and bits of a JPEG scan, stuffed bytes and markers told apart.

export interface Table {
  /** By the next 8 bits: length of the code << 8 | symbol; 0 where the code is longer. */
  readonly quick: Uint16Array;
  /** Of codes of each length: the largest, and what leads from it to its symbol. */
  readonly largest: Int32Array;
  readonly offset: Int32Array;
  readonly symbols: Uint8Array;
}

/** Of a segment into `into`, by class (0 for DC, 16 for AC) and number. */
export function readTables(bytes: Uint8Array, begin: number, end: number, into: Map<number, Table>): void {
  for (let at = begin; at + 17 <= end; ) {
    const key = bytes[at] as number;
    const counts = bytes.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    into.set(key, tableOf(counts, bytes.subarray(at + 17, at + 17 + total)));
    at += 17 + total;
  }
}

/** `counts[i]` codes of length i + 1. */
function tableOf(counts: Uint8Array, symbols: Uint8Array): Table {
  const quick = new Uint16Array(256);
  const largest = new Int32Array(18).fill(-1);
  const offset = new Int32Array(18);
  let code = 0;
  let at = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1] as number;
    offset[length] = at - code;
    for (let i = 0; i < count; i++, code++, at++) {
      if (length <= 8) quick.fill((length << 8) | (symbols[at] as number), code << (8 - length), (code + 1) << (8 - length));
    }
    if (count > 0) largest[length] = code - 1;
    code <<= 1;
  }
  return { quick, largest, offset, symbols };
}

export class BitReader {
  #buffer = 0;
  #held = 0;
  /** Zeros taken beyond the end or a marker: some are usual, many mean that data are missing. */
  #made = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {}

  #fill(): void {
    while (this.#held <= 16) {
      let byte = this.bytes[this.at];
      if (byte === 0xff && this.bytes[this.at + 1] === 0) this.at += 2;
      else if (byte === undefined || byte === 0xff) {
        byte = 0;
        if (++this.#made > 4096) throw new Error("the scan ends early");
      } else this.at++;
      this.#buffer = ((this.#buffer << 8) | byte) & 0xffffff;
      this.#held += 8;
    }
  }

  bits(count: number): number {
    if (count > 8) return this.bits(count - 8) * 256 + this.bits(8);
    if (this.#held < count) this.#fill();
    this.#held -= count;
    return (this.#buffer >>> this.#held) & ((1 << count) - 1);
  }

  bit(): number {
    return this.bits(1);
  }

  /** A coefficient of `size` bits (T.81 F.2.2.1). */
  signed(size: number): number {
    const value = this.bits(size);
    return value < 2 ** (size - 1) ? value - 2 ** size + 1 : value;
  }

  symbol(table: Table | undefined): number {
    if (!table) throw new Error("no Huffman table");
    if (this.#held < 16) this.#fill();
    const quick = table.quick[(this.#buffer >>> (this.#held - 8)) & 0xff] as number;
    if (quick !== 0) {
      this.#held -= quick >> 8;
      return quick & 0xff;
    }
    let code = 0;
    for (let length = 1; length <= 16; length++) {
      code = code * 2 + this.bit();
      if (code <= (table.largest[length] as number)) return table.symbols[code + (table.offset[length] as number)] as number;
    }
    throw new Error("no such Huffman code");
  }

  /** Whether bits were taken that the scan has not. */
  isBeyond(): boolean {
    return 8 * this.#made > this.#held;
  }

  /** Of the byte that is read next; a few bytes ahead of the bits. */
  get position(): number {
    return this.at;
  }

  /** On to the byte after the next restart marker. */
  restart(): void {
    this.#toMarker();
    this.#made = 0;
    const marker = this.bytes[this.at + 1];
    if (marker !== undefined && marker >= 0xd0 && marker <= 0xd7) this.at += 2;
  }

  /** Where the next marker stands. */
  end(): number {
    this.#toMarker();
    return this.at;
  }

  #toMarker(): void {
    // Bytes taken ahead of their time are behind the marker never: filling stops there.
    this.#buffer = 0;
    this.#held = 0;
    while (this.at < this.bytes.length && !(this.bytes[this.at] === 0xff && this.bytes[this.at + 1] !== 0)) this.at++;
  }
}
