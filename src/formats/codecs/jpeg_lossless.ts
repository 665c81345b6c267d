// Lossless JPEG (ITU-T T.81 process 14): all predictors, 2 to 16 bits, restarts, point transform. Differences share the bit reader of 12-bit JPEG;
// the one library for it loses the last pixel of some files and takes no colours of 16 bits.
import type { DecodedPixels } from "../reader.ts";
import { BitReader, readTables, type Table } from "../jpeg/bits.ts";

interface Frame {
  readonly bits: number;
  readonly rows: number;
  readonly columns: number;
  readonly ids: readonly number[];
}

/** [rows, columns, samples]. Throws on damaged data. */
export function decode(bytes: Uint8Array<ArrayBuffer>): DecodedPixels {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = new Map<number, Table>();
  let frame: Frame | undefined;
  let data: Uint8Array | Uint16Array | undefined;
  let interval = 0;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) throw new Error(`no marker at byte ${at}`);
    const marker = bytes[at + 1] as number;
    if (marker === 0xd9) break;
    if (marker === 0xff || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const body = at + 4;
    at += 2 + view.getUint16(at + 2);
    if (at > bytes.length) throw new Error("a segment beyond the end");
    if (marker === 0xc4) readTables(bytes, body, at, tables);
    else if (marker === 0xdd) interval = view.getUint16(body);
    else if (marker === 0xc3) {
      frame = frameOf(view, body);
      const count = frame.rows * frame.columns * frame.ids.length;
      data = frame.bits > 8 ? new Uint16Array(count) : new Uint8Array(count);
    } else if (marker === 0xda) {
      if (!frame || !data) throw new Error("a scan before its frame");
      at = readScan(bytes, body, at, frame, data, tables, interval);
    }
  }
  if (!frame || !data) throw new Error("no lossless frame");
  return { data, rows: frame.rows, columns: frame.columns, samples: frame.ids.length };
}

function frameOf(view: DataView, at: number): Frame {
  const count = view.getUint8(at + 5);
  const ids = Array.from({ length: count }, (_, i) => {
    if (view.getUint8(at + 7 + 3 * i) !== 0x11 && count > 1) throw new Error("colours of lower resolution");
    return view.getUint8(at + 6 + 3 * i);
  });
  return { bits: view.getUint8(at), rows: view.getUint16(at + 1), columns: view.getUint16(at + 3), ids };
}

function readScan(
  bytes: Uint8Array,
  head: number,
  begin: number,
  { bits, rows, columns, ids }: Frame,
  data: Uint8Array | Uint16Array,
  tables: ReadonlyMap<number, Table>,
  interval: number,
): number {
  const count = bytes[head] as number;
  const parts = Array.from({ length: count }, (_, i) => {
    const sample = ids.indexOf(bytes[head + 1 + 2 * i] as number);
    const table = tables.get((bytes[head + 2 + 2 * i] as number) >> 4);
    if (sample < 0 || !table) throw new Error("a scan of an unknown component");
    return { sample, table };
  });
  const predictor = bytes[head + 1 + 2 * count] as number;
  const shift = (bytes[head + 3 + 2 * count] as number) & 15;
  const samples = ids.length;
  const line = columns * samples;
  const reader = new BitReader(bytes, begin);
  const start = 2 ** (bits - shift - 1);
  /** The row that begins without one above it: the first, and the first after each restart. */
  let top = 0;
  for (let y = 0, unit = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, unit++) {
      const fresh = unit === 0 || (interval > 0 && unit % interval === 0);
      if (fresh && unit > 0) {
        reader.restart();
        top = y;
      }
      for (const { sample, table } of parts) {
        const at = y * line + x * samples + sample;
        const size = reader.symbol(table);
        const difference = size === 0 ? 0 : size === 16 ? 32768 : reader.signed(size);
        let guess: number;
        if (fresh) guess = start;
        else if (y === top) guess = (data[at - samples] as number) >> shift;
        else if (x === 0) guess = (data[at - line] as number) >> shift;
        else
          guess = predict(
            predictor,
            (data[at - samples] as number) >> shift,
            (data[at - line] as number) >> shift,
            (data[at - line - samples] as number) >> shift,
          );
        data[at] = ((guess + difference) & 0xffff) << shift;
      }
    }
  }
  return reader.end();
}

/** From the pixels to the left, above, and above to the left (T.81 table H.1). */
function predict(predictor: number, a: number, b: number, c: number): number {
  switch (predictor) {
    case 1:
      return a;
    case 2:
      return b;
    case 3:
      return c;
    case 4:
      return a + b - c;
    case 5:
      return a + ((b - c) >> 1);
    case 6:
      return b + ((a - c) >> 1);
    case 7:
      return (a + b) >> 1;
    default:
      throw new Error(`predictor ${predictor}`);
  }
}
