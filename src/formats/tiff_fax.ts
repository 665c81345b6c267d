// CCITT fax compression: modified Huffman (TIFF 2), group 3 (3) and group 4 (4), to rows of bits, 1 for black.
import { badFile, DAMAGED } from "./fail.ts";

const WHITE =
  "00110101,000111,0111,1000,1011,1100,1110,1111,10011,10100,00111,01000,001000,000011,110100,110101,101010,101011,0100111,0001100,0001000,0010111,0000011,0000100,0101000,0101011,0010011,0100100,0011000,00000010,00000011,00011010,00011011,00010010,00010011,00010100,00010101,00010110,00010111,00101000,00101001,00101010,00101011,00101100,00101101,00000100,00000101,00001010,00001011,01010010,01010011,01010100,01010101,00100100,00100101,01011000,01011001,01011010,01011011,01001010,01001011,00110010,00110011,00110100";
const WHITE_64 =
  "11011,10010,010111,0110111,00110110,00110111,01100100,01100101,01101000,01100111,011001100,011001101,011010010,011010011,011010100,011010101,011010110,011010111,011011000,011011001,011011010,011011011,010011000,010011001,010011010,011000,010011011";
const BLACK =
  "0000110111,010,11,10,011,0011,0010,00011,000101,000100,0000100,0000101,0000111,00000100,00000111,000011000,0000010111,0000011000,0000001000,00001100111,00001101000,00001101100,00000110111,00000101000,00000010111,00000011000,000011001010,000011001011,000011001100,000011001101,000001101000,000001101001,000001101010,000001101011,000011010010,000011010011,000011010100,000011010101,000011010110,000011010111,000001101100,000001101101,000011011010,000011011011,000001010100,000001010101,000001010110,000001010111,000001100100,000001100101,000001010010,000001010011,000000100100,000000110111,000000111000,000000100111,000000101000,000001011000,000001011001,000000101011,000000101100,000001011010,000001100110,000001100111";
const BLACK_64 =
  "0000001111,000011001000,000011001001,000001011011,000000110011,000000110100,000000110101,0000001101100,0000001101101,0000001001010,0000001001011,0000001001100,0000001001101,0000001110010,0000001110011,0000001110100,0000001110101,0000001110110,0000001110111,0000001010010,0000001010011,0000001010100,0000001010101,0000001011010,0000001011011,0000001100100,0000001100101";
const BOTH_1792 =
  "00000001000,00000001100,00000001101,000000010010,000000010011,000000010100,000000010101,000000010110,000000010111,000000011100,000000011101,000000011110,000000011111";

/** Run lengths by code, a 1 set before its first digit. */
type Codes = ReadonlyMap<number, number>;

function codesOf(single: string, by64: string): Codes {
  const codes = new Map<number, number>();
  const enter = (list: string, first: number, step: number) => {
    list.split(",").forEach((code, i) => {
      codes.set(Number.parseInt(`1${code}`, 2), first + i * step);
    });
  };
  enter(single, 0, 1);
  enter(by64, 64, 64);
  enter(BOTH_1792, 1792, 64);
  return codes;
}

/** Modes of two-dimensional coding: how far the edge is from the one above, or pass and horizontal. */
const MODES = new Map<number, number | "pass" | "horizontal">(
  (
    [
      ["1", 0],
      ["011", 1],
      ["000011", 2],
      ["0000011", 3],
      ["010", -1],
      ["000010", -2],
      ["0000010", -3],
      ["0001", "pass"],
      ["001", "horizontal"],
    ] as const
  ).map(([code, mode]) => [Number.parseInt(`1${code}`, 2), mode]),
);

let tables: readonly [Codes, Codes] | undefined;

/** `rows` lines of `columns` bits, each line filled to a byte. `kind`: TIFF's number; `options`: tag T4Options, bit 0 two-dimensional. */
export function unpackFax(bytes: Uint8Array, columns: number, rows: number, kind: number, options: number, path: string): Uint8Array<ArrayBuffer> {
  tables ??= [codesOf(WHITE, WHITE_64), codesOf(BLACK, BLACK_64)];
  const [white, black] = tables;
  const line = Math.ceil(columns / 8);
  const out = new Uint8Array(line * rows);
  let at = 0;
  const end = bytes.length * 8;
  const bit = () => {
    const value = at < end ? ((bytes[at >> 3] as number) >> (7 - (at & 7))) & 1 : 0;
    at++;
    return value;
  };
  const damaged = () => badFile(path, "sound fax data", "a code that is none", DAMAGED);
  const run = (codes: Codes): number => {
    for (let total = 0; ; ) {
      let code = 1;
      let length: number | undefined;
      for (let digits = 0; digits < 13 && length === undefined; digits++) {
        code = code * 2 + bit();
        length = codes.get(code);
      }
      if (length === undefined || at > end + 16) throw damaged();
      total += length;
      if (length < 64) return total;
    }
  };
  /** Skips an end-of-line mark (eleven zeros or more and a one) if there is one. */
  const skipMark = () => {
    const start = at;
    let zeros = 0;
    while (at < end && bit() === 0) zeros++;
    if (zeros < 11) at = start;
    return zeros >= 11;
  };

  /** Columns where the colour changes, white first, ended by `columns`. */
  let above: number[] = [columns];
  for (let row = 0; row < rows; row++) {
    let flat = kind !== 4;
    if (kind === 2) at = (at + 7) & ~7;
    if (kind === 3) {
      skipMark();
      if (options & 1) flat = bit() === 1;
    }
    if (at >= end) break;
    const edges = flat ? [] : twoDimensional();
    if (!edges) break;
    if (flat) {
      for (let x = 0, colour = 0; x < columns; colour ^= 1) {
        x += run(colour ? black : white);
        if (x > columns) throw damaged();
        edges.push(x);
      }
    }
    for (let i = 0; i < edges.length; i += 2) {
      const [from, to] = [edges[i] as number, edges[i + 1] ?? columns];
      for (let x = from; x < to; x++) (out as Uint8Array)[row * line + (x >> 3)] = (out[row * line + (x >> 3)] as number) | (0x80 >> (x & 7));
    }
    above = edges;
  }
  return out;

  function twoDimensional(): number[] | undefined {
    const edges: number[] = [];
    let x = -1;
    let colour = 0;
    while (x < columns) {
      // The first edge above, right of here, to the other colour: an even one in white, an odd one in black.
      let i = 0;
      while (i < above.length && ((above[i] as number) <= x || (i & 1) !== colour)) i++;
      const [b1, b2] = [above[i] ?? columns, above[i + 1] ?? columns];
      let code = 1;
      let mode: number | "pass" | "horizontal" | undefined;
      for (let digits = 0; digits < 7 && mode === undefined; digits++) {
        code = code * 2 + bit();
        mode = MODES.get(code);
      }
      if (mode === undefined) {
        // Seven zeros begin the mark at the end of the data.
        if (code === 128 && edges.length === 0) return undefined;
        throw damaged();
      }
      if (mode === "pass") x = b2;
      else if (mode === "horizontal") {
        const first = Math.max(x, 0) + run(colour ? black : white);
        x = first + run(colour ? white : black);
        if (x > columns) throw damaged();
        edges.push(first, x);
      } else {
        const edge = b1 + mode;
        if (edge < Math.max(x, 0) || edge > columns) throw damaged();
        edges.push(edge);
        x = edge;
        colour ^= 1;
      }
    }
    return edges;
  }
}
