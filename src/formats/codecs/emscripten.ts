// What the WebAssembly codecs have in common: bytes in, a frame out, memory given back.
import type { DecodedPixels } from "../reader.ts";

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned?: boolean;
}

export interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getFrameInfo(): FrameInfo;
  getDecodedBuffer(): Uint8Array;
  /** JPEG-LS: 0 for a plane after the other. */
  getInterleaveMode?(): number;
  delete(): void;
}

export type Create<Name extends string> = (options: {
  readonly wasmBinary: Uint8Array;
  readonly print: () => void;
  readonly printErr: () => void;
}) => Promise<Readonly<Record<Name, new () => Decoder>>>;

/** `address` is a data: address with the module in base64. Nothing is printed, whatever is decoded. */
export function start<Name extends string>(create: Create<Name>, address: string): Promise<Readonly<Record<Name, new () => Decoder>>> {
  const binary = atob(address.slice(address.indexOf(",") + 1));
  const wasmBinary = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  return create({ wasmBinary, print: () => undefined, printErr: () => undefined });
}

/** Throws an Error, which a codec's exceptions are not: numbers, where they lie in its memory. Samples of a pixel stand side by side, whatever the codec's order. */
export function run(Decoder: new () => Decoder, bytes: Uint8Array): DecodedPixels {
  const decoder = new Decoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height, bitsPerSample, componentCount, isSigned } = decoder.getFrameInfo();
    // A copy: the codec's own memory is given back, or moves when it grows.
    const raw = decoder.getDecodedBuffer().slice();
    const count = width * height * componentCount;
    // Some codecs only print what is wrong.
    if (count === 0) throw new Error("nothing decoded");
    const wide = bitsPerSample > 8;
    if (raw.length < count * (wide ? 2 : 1)) throw new Error(`${raw.length} bytes for ${count} samples`);
    const data = wide
      ? new (isSigned ? Int16Array : Uint16Array)(raw.buffer, 0, count)
      : isSigned
        ? new Int8Array(raw.buffer, 0, count)
        : raw.subarray(0, count);
    const planes = decoder.getInterleaveMode?.() === 0 && componentCount > 1;
    return { data: planes ? sideBySide(data, componentCount) : data, rows: height, columns: width, samples: componentCount };
  } catch (cause) {
    throw cause instanceof Error ? cause : new Error("data that cannot be decoded");
  } finally {
    decoder.delete();
  }
}

function sideBySide<Data extends DecodedPixels["data"]>(data: Data, samples: number): Data {
  const out = data.slice() as Data;
  const pixels = data.length / samples;
  for (let sample = 0; sample < samples; sample++) for (let i = 0; i < pixels; i++) out[i * samples + sample] = data[sample * pixels + i] as number;
  return out;
}
