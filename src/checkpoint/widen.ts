// Tensors in number types that no weight needs, as f32: f64 (to the nearest), integers, booleans and the 8-bit floats.
import { type Checkpoint, OTHER_BYTES, type OtherDType, type StoredTensor } from "./checkpoint.ts";
import { expectElements } from "./elements.ts";

/** Little-endian bytes → f32 values. */
function toF32(bytes: Uint8Array<ArrayBuffer>, dtype: OtherDType): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset } = aligned(bytes, OTHER_BYTES[dtype]);
  const count = bytes.byteLength / OTHER_BYTES[dtype];
  switch (dtype) {
    case "F64":
      return Float32Array.from(new Float64Array(buffer, byteOffset, count));
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
    case "U64":
      return Float32Array.from(new BigUint64Array(buffer, byteOffset, count), Number);
    case "I32":
      return Float32Array.from(new Int32Array(buffer, byteOffset, count));
    case "U32":
      return Float32Array.from(new Uint32Array(buffer, byteOffset, count));
    case "I16":
      return Float32Array.from(new Int16Array(buffer, byteOffset, count));
    case "U16":
      return Float32Array.from(new Uint16Array(buffer, byteOffset, count));
    case "I8":
      return Float32Array.from(new Int8Array(buffer, byteOffset, count));
    case "BOOL":
      return Float32Array.from(bytes, (value) => (value === 0 ? 0 : 1));
    case "F8_E4M3":
      return Float32Array.from(bytes, (value) => small(value, 4, 7, true));
    case "F8_E5M2":
      return Float32Array.from(bytes, (value) => small(value, 5, 15, false));
    case "U8":
      return Float32Array.from(bytes);
  }
}

function aligned(bytes: Uint8Array<ArrayBuffer>, to: number): Uint8Array<ArrayBuffer> {
  return bytes.byteOffset % to === 0 ? bytes : bytes.slice();
}

/** An 8-bit float; `finite` has no infinities, only NaN where all bits are set (e4m3fn). */
function small(byte: number, exponentBits: number, bias: number, finite: boolean): number {
  const mantissaBits = 7 - exponentBits;
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte >> mantissaBits) & (2 ** exponentBits - 1);
  const mantissa = byte & (2 ** mantissaBits - 1);
  const top = 2 ** exponentBits - 1;
  if (finite && (byte & 0x7f) === 0x7f) return Number.NaN;
  if (!finite && exponent === top) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits);
  return sign * (1 + mantissa / 2 ** mantissaBits) * 2 ** (exponent - bias);
}

/** `others` among the tensors. */
export function widened(checkpoint: Checkpoint): Checkpoint {
  const { others: found, readStored, ...rest } = checkpoint;
  if (!found || !readStored) return checkpoint;
  const others = new Map([...found].map(([name, { dtype, shape }]): [string, StoredTensor] => [name, { name, dtype: "F32", shape, stored: dtype }]));
  return {
    ...rest,
    tensors: new Map([...checkpoint.tensors, ...others]),
    async read(name, begin, end, signal) {
      const other = found.get(name);
      if (!other) return checkpoint.read(name, begin, end, signal);
      expectElements(checkpoint.label, others, name, begin, end);
      return new Uint8Array(toF32(await readStored(name, begin, end, signal), other.dtype).buffer);
    },
    readStored: (name, begin, end, signal) => readStored(name, begin, end, signal),
    close: () => checkpoint.close(),
  };
}
