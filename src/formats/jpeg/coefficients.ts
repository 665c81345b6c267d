// A JPEG's frame and the coefficients of its blocks, sequential and progressive, 8 and 12 bits; of a damaged one those before the damage.
import { BitReader, readTables, type Table } from "./bits.ts";

export interface Component {
  readonly id: number;
  readonly h: number;
  readonly v: number;
  readonly quantization: number;
  /** Blocks that hold pixels, and those that interleaved scans fill. */
  readonly blocksWide: number;
  readonly blocksHigh: number;
  readonly stride: number;
  /** [blocks, 64], in natural order; one block, of whatever was read last, where they are not kept. */
  readonly coefficients: Int16Array;
  dc: number;
  /** Rows of the picture, from the top, that a sequential scan has given whole. */
  wholeRows: number;
}

export interface Frame {
  readonly bits: number;
  readonly rows: number;
  readonly columns: number;
  readonly progressive: boolean;
  readonly components: Component[];
  readonly unitsWide: number;
  readonly unitsHigh: number;
}

interface Scan {
  readonly components: readonly { readonly component: Component; readonly dc: Table | undefined; readonly ac: Table | undefined }[];
  readonly first: number;
  readonly last: number;
  readonly high: number;
  readonly low: number;
}

const ZIGZAG = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22,
  15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
]);

export interface Jpeg {
  readonly frame: Frame;
  /** In natural order, by number. */
  readonly quantizations: readonly Float64Array[];
  /** What Adobe's marker says of the colours; absent without one. */
  readonly transform?: number;
  /** Whether the mark of its end was met. */
  readonly ended: boolean;
  /** From where on it can't be read, in bytes, and why; without a reason where data are missing that count as zeros. */
  readonly damage?: Damage;
}

interface Damage {
  readonly at: number;
  readonly cause?: unknown;
}

export interface JpegOptions {
  /** Whether coefficients are wanted; without them a sequential picture takes no memory, whatever its header says. */
  readonly keep?: boolean;
}

/** A block of 64 pixels takes a bit at least. */
const MOST_PIXELS_A_BYTE = 600;

/** Throws where there is no frame that can be read, or it is of another process. */
export function readJpeg(bytes: Uint8Array<ArrayBuffer>, { keep = true }: JpegOptions = {}): Jpeg {
  const read: Reading = { keep, quantizations: [], tables: new Map(), interval: 0 };
  const isEnd = (at: number) => bytes[at] === 0xff && bytes[at + 1] === 0xd9;
  let at = 2;
  try {
    while (at + 4 <= bytes.length && !isEnd(at)) at = readSegment(bytes, at, read);
  } catch (cause) {
    if (!read.frame) throw cause;
    read.damage = { at: read.damage?.at ?? (cause instanceof Broken ? cause.at : at), cause };
  }
  const { frame, quantizations, transform, damage } = read;
  if (!frame) throw new Error("no frame");
  return { frame, quantizations, ended: !damage && isEnd(at), ...(transform === undefined ? {} : { transform }), ...(damage ? { damage } : {}) };
}

interface Reading {
  readonly keep: boolean;
  readonly quantizations: Float64Array[];
  readonly tables: Map<number, Table>;
  frame?: Frame;
  interval: number;
  transform?: number;
  damage?: Damage;
}

/** A scan that ends early or holds what no encoder writes. */
class Broken extends Error {
  constructor(
    readonly at: number,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Where the next one begins. */
function readSegment(bytes: Uint8Array<ArrayBuffer>, at: number, read: Reading): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[at] !== 0xff) throw new Error(`no marker at byte ${at}`);
  const marker = bytes[at + 1] as number;
  if (marker === 0xff) return at + 1;
  if (marker >= 0xd0 && marker <= 0xd8) return at + 2;
  const end = at + 2 + view.getUint16(at + 2);
  const body = at + 4;
  if (end > bytes.length) throw new Error("a segment beyond the end");
  if (marker === 0xdb) readQuantizations(view, body, end, read.quantizations);
  else if (marker === 0xc4) readTables(bytes, body, end, read.tables);
  else if (marker === 0xc0 || marker === 0xc1 || marker === 0xc2) read.frame = readFrame(view, body, marker === 0xc2, read.keep);
  else if (marker === 0xdd) read.interval = view.getUint16(body);
  else if (marker === 0xee && view.getUint32(body) === 0x41646f62) read.transform = view.getUint8(body + 11);
  else if (marker === 0xda) {
    if (!read.frame) throw new Error("a scan before its frame");
    return readScan(bytes, end, read.frame, scanOf(bytes, body, read.frame, read.tables), read);
  } else if (marker >= 0xc3 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) throw new Error("another JPEG process");
  return end;
}

function readQuantizations(view: DataView, begin: number, end: number, into: Float64Array[]): void {
  for (let at = begin; at < end; ) {
    const head = view.getUint8(at++);
    const wide = head >> 4 !== 0;
    const table = new Float64Array(64);
    for (let i = 0; i < 64; i++) table[ZIGZAG[i] as number] = wide ? view.getUint16(at + 2 * i) : view.getUint8(at + i);
    into[head & 15] = table;
    at += wide ? 128 : 64;
  }
}

function readFrame(view: DataView, at: number, progressive: boolean, keep: boolean): Frame {
  const [bits, rows, columns, count] = [view.getUint8(at), view.getUint16(at + 1), view.getUint16(at + 3), view.getUint8(at + 5)];
  if ((bits !== 8 && bits !== 12) || rows === 0 || columns === 0 || (count !== 1 && count !== 3 && count !== 4))
    throw new Error(`${bits} bits, ${count} components`);
  const heads = Array.from({ length: count }, (_, i) => {
    const sampling = view.getUint8(at + 7 + 3 * i);
    return { id: view.getUint8(at + 6 + 3 * i), h: sampling >> 4, v: sampling & 15, quantization: view.getUint8(at + 8 + 3 * i) };
  });
  const [h, v] = [Math.max(...heads.map((head) => head.h)), Math.max(...heads.map((head) => head.v))];
  if (heads.some((head) => head.h === 0 || head.v === 0 || head.h > 4 || head.v > 4)) throw new Error("a wrong sampling");
  const stored = keep || progressive;
  if (stored && rows * columns > MOST_PIXELS_A_BYTE * view.byteLength) throw new Error("more pixels than its bytes can hold");
  const [unitsWide, unitsHigh] = [Math.ceil(columns / (8 * h)), Math.ceil(rows / (8 * v))];
  const components = heads.map((head): Component => {
    const blocksWide = Math.ceil(Math.ceil((columns * head.h) / h) / 8);
    const blocksHigh = Math.ceil(Math.ceil((rows * head.v) / v) / 8);
    const stride = unitsWide * head.h;
    const coefficients = new Int16Array(stored ? stride * unitsHigh * head.v * 64 : 64);
    return { ...head, blocksWide, blocksHigh, stride, coefficients, dc: 0, wholeRows: 0 };
  });
  return { bits, rows, columns, progressive, components, unitsWide, unitsHigh };
}

function scanOf(bytes: Uint8Array, at: number, frame: Frame, tables: ReadonlyMap<number, Table>): Scan {
  const count = bytes[at] as number;
  const components = Array.from({ length: count }, (_, i) => {
    const component = frame.components.find(({ id }) => id === bytes[at + 1 + 2 * i]);
    if (!component) throw new Error("a scan of an unknown component");
    const chosen = bytes[at + 2 + 2 * i] as number;
    return { component, dc: tables.get(chosen >> 4), ac: tables.get(16 + (chosen & 15)) };
  });
  const [first, last, approximation] = bytes.subarray(at + 1 + 2 * count) as unknown as [number, number, number];
  if (first > last || last > 63) throw new Error("a wrong band");
  return { components, first, last, high: approximation >> 4, low: approximation & 15 };
}

/** Where the entropy-coded data end. */
function readScan(bytes: Uint8Array, begin: number, frame: Frame, scan: Scan, read: Reading): number {
  const reader = new BitReader(bytes, begin);
  const state = { run: 0 };
  const single = scan.components.length === 1;
  const [only] = scan.components as readonly [Scan["components"][0]];
  const units = single ? only.component.blocksWide * only.component.blocksHigh : frame.unitsWide * frame.unitsHigh;
  let whole = 0;
  try {
    for (let unit = 0; unit < units; unit++) {
      if (unit % (read.interval || units) === 0) {
        if (unit > 0) reader.restart();
        state.run = 0;
        for (const { component } of scan.components) component.dc = 0;
      }
      if (single) {
        const { blocksWide, stride } = only.component;
        readBlock(reader, frame, scan, only, Math.floor(unit / blocksWide) * stride + (unit % blocksWide), state);
      } else {
        const [row, column] = [Math.floor(unit / frame.unitsWide), unit % frame.unitsWide];
        for (const part of scan.components) {
          const { h, v, stride } = part.component;
          for (let y = 0; y < v; y++) for (let x = 0; x < h; x++) readBlock(reader, frame, scan, part, (row * v + y) * stride + column * h + x, state);
        }
      }
      if (reader.isBeyond()) read.damage ??= { at: reader.position };
      else if (!read.damage) whole = unit + 1;
    }
  } catch (cause) {
    throw new Broken(reader.position, cause);
  } finally {
    if (!frame.progressive) noteRows(frame, scan, whole, units);
  }
  return reader.end();
}

function noteRows({ rows, unitsWide, components }: Frame, scan: Scan, whole: number, units: number): void {
  const tallest = Math.max(...components.map(({ v }) => v));
  const single = scan.components.length === 1;
  for (const { component } of scan.components) {
    const high = single ? (8 * tallest) / component.v : 8 * tallest;
    const wide = single ? component.blocksWide : unitsWide;
    component.wholeRows = whole === units ? rows : Math.min(rows, Math.floor(whole / wide) * high);
  }
}

function readBlock(reader: BitReader, frame: Frame, scan: Scan, { component, dc, ac }: Scan["components"][0], block: number, state: { run: number }): void {
  const { coefficients } = component;
  const out = coefficients.length === 64 ? coefficients : coefficients.subarray(64 * block, 64 * block + 64);
  const { first, last, high, low } = scan;
  let k = first;
  if (k === 0) {
    if (high === 0) {
      const size = reader.symbol(dc);
      component.dc += size === 0 ? 0 : reader.signed(size);
      out[0] = component.dc * 2 ** low;
    } else if (reader.bit()) out[0] = (out[0] as number) | (1 << low);
    k = 1;
  }
  if (k > last) return;
  if (frame.progressive && high > 0) {
    refine(reader, scan, ac, out, k, state);
    return;
  }
  if (state.run > 0) {
    state.run--;
    return;
  }
  while (k <= last) {
    const symbol = reader.symbol(ac);
    const [zeros, size] = [symbol >> 4, symbol & 15];
    if (size === 0) {
      if (zeros === 15) k += 16;
      else {
        // In sequential frames the block ends; in progressive ones perhaps many more end.
        if (frame.progressive) state.run = (1 << zeros) - 1 + (zeros > 0 ? reader.bits(zeros) : 0);
        return;
      }
    } else {
      k += zeros;
      if (k > last) throw new Error("a coefficient beyond the block");
      out[ZIGZAG[k++] as number] = reader.signed(size) * 2 ** low;
    }
  }
}

/** One more bit of the coefficients of a band (T.81 G.1.2.3). */
function refine(reader: BitReader, { last, low }: Scan, ac: Table | undefined, out: Int16Array, begin: number, state: { run: number }): void {
  const one = 1 << low;
  let k = begin;
  const correct = (at: number) => {
    const value = out[at] as number;
    if (reader.bit() && (value & one) === 0) out[at] = value + (value > 0 ? one : -one);
  };
  if (state.run === 0) {
    while (k <= last) {
      const symbol = reader.symbol(ac);
      let zeros = symbol >> 4;
      let value = 0;
      if ((symbol & 15) !== 0) value = reader.bit() ? one : -one;
      else if (zeros < 15) {
        state.run = (1 << zeros) + (zeros > 0 ? reader.bits(zeros) : 0);
        break;
      }
      for (; k <= last; k++) {
        const at = ZIGZAG[k] as number;
        if (out[at] !== 0) correct(at);
        else if (zeros-- === 0) {
          out[at] = value;
          k++;
          break;
        }
      }
    }
  }
  if (state.run === 0) return;
  for (; k <= last; k++) if (out[ZIGZAG[k] as number] !== 0) correct(ZIGZAG[k] as number);
  state.run--;
}
