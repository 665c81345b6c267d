// Elements of a tensor whose memory order is not its own: a transposed weight saved as it was, a slice of a larger one.
import { elements, type Shape } from "../graph/tensor.ts";

/** Elements of storage held at once. */
const WINDOW = 4 << 20;

/** Whether the elements lie one after another in row-major order. */
export function isContiguous(shape: Shape, strides: Shape): boolean {
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const side = shape[d] as number;
    if (side === 0) return true;
    if (side !== 1 && strides[d] !== expected) return false;
    expected *= side;
  }
  return true;
}

/** Position of the last element, counted from the first. */
export function lastElement(shape: Shape, strides: Shape): number {
  return shape.reduce((sum, side, d) => sum + Math.max(0, side - 1) * (strides[d] as number), 0);
}

export interface Strided {
  readonly shape: Shape;
  /** In elements; none is negative. */
  readonly strides: Shape;
  readonly offset: number;
}

/**
 * Elements `[begin, end)` in row-major order. `read` gives a run of the storage; it is asked for the runs that matter, in
 * windows, so that memory stays bounded however the elements are scattered.
 */
export async function readStrided(
  read: (first: number, count: number) => Promise<Uint8Array<ArrayBuffer>>,
  bytesPerElement: 1 | 2 | 4 | 8,
  { shape, strides, offset }: Strided,
  begin: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const Words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[bytesPerElement];
  const out = new Words(end - begin);
  if (out.length === 0) return new Uint8Array(out.buffer);
  // Rows of the first dimension that the range touches bound the part of the storage it needs.
  const row = elements(shape.slice(1));
  const span = lastElement(shape.slice(1), strides.slice(1));
  const first = offset + Math.floor(begin / row) * (strides[0] ?? 0);
  const last = offset + Math.floor((end - 1) / row) * (strides[0] ?? 0) + span;
  for (let at = first; at <= last; at += WINDOW) {
    const count = Math.min(WINDOW, last + 1 - at);
    const bytes = await read(at, count);
    const words = bytes.byteOffset % bytesPerElement === 0 ? new Words(bytes.buffer, bytes.byteOffset, count) : new Words(bytes.slice().buffer, 0, count);
    const index = startIndex(shape, begin);
    let from = offset + index.reduce((sum, i, d) => sum + i * (strides[d] as number), 0) - at;
    for (let i = 0; i < out.length; i++) {
      if (from >= 0 && from < count) out[i] = words[from] as never;
      for (let d = shape.length - 1; d >= 0; d--) {
        const side = shape[d] as number;
        const next = (index[d] as number) + 1;
        from += strides[d] as number;
        index[d] = next;
        if (next < side) break;
        from -= side * (strides[d] as number);
        index[d] = 0;
      }
    }
  }
  return new Uint8Array(out.buffer);
}

/** Row-major element number → index in each dimension. */
function startIndex(shape: Shape, element: number): number[] {
  const index = shape.map(() => 0);
  let rest = element;
  for (let d = shape.length - 1; d >= 0; d--) {
    index[d] = rest % (shape[d] as number);
    rest = Math.floor(rest / (shape[d] as number));
  }
  return index;
}
