// Writes the safetensors format as a stream of pieces, so that a file larger than memory can be made.
import { elements, type Shape } from "../graph/tensor.ts";
import { BYTES_PER_ELEMENT, OTHER_BYTES, type OtherDType, type StoredDType } from "./checkpoint.ts";

/** `I8` is what int8 weights are stored as (`int8.ts`). */
export type WrittenDType = StoredDType | OtherDType;

const BYTES = { ...BYTES_PER_ELEMENT, ...OTHER_BYTES };

export interface WrittenTensor {
  readonly name: string;
  readonly dtype: WrittenDType;
  readonly shape: Shape;
}

export function writtenBytes({ dtype, shape }: WrittenTensor): number {
  return elements(shape) * BYTES[dtype];
}

/** Wide elements first, so that every tensor is aligned to its element; otherwise the order given. */
export function fileOrder<T extends WrittenTensor>(tensors: Iterable<T>): T[] {
  const width = ({ dtype }: T) => writtenBytes({ name: "", dtype, shape: [] });
  return [...tensors].sort((a, b) => width(b) - width(a));
}

/** The length and the JSON header of a file with `tensors` in this order, padded so that the data starts at a multiple of 8. */
export function safetensorsHeader(tensors: Iterable<WrittenTensor>, metadata: Iterable<readonly [string, string]> = []): Uint8Array<ArrayBuffer> {
  let at = 0;
  const entries: string[] = [];
  const described = [...metadata].map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
  if (described.length > 0) entries.push(`"__metadata__":{${described.join(",")}}`);
  for (const tensor of tensors) {
    const end = at + writtenBytes(tensor);
    entries.push(`${JSON.stringify(tensor.name)}:{"dtype":"${tensor.dtype}","shape":[${tensor.shape.join(",")}],"data_offsets":[${at},${end}]}`);
    at = end;
  }
  const json = new TextEncoder().encode(`{${entries.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

/** The pieces of a file, first to last: the header, then what `read` gives for each tensor in this order. */
export async function* writeSafetensors<T extends WrittenTensor>(
  tensors: readonly T[],
  read: (tensor: T) => AsyncIterable<Uint8Array<ArrayBuffer>>,
  metadata: Iterable<readonly [string, string]> = [],
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  yield safetensorsHeader(tensors, metadata);
  for (const tensor of tensors) {
    let written = 0;
    for await (const piece of read(tensor)) {
      written += piece.byteLength;
      yield piece;
    }
    if (written !== writtenBytes(tensor)) throw new Error(`${tensor.name}: ${written} bytes given for ${writtenBytes(tensor)}`);
  }
}
