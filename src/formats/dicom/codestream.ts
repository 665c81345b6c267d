// What a compressed frame says of itself, read from its first markers: so that decoders are asked for what is there and nothing is taken on trust.

export interface Codestream {
  readonly kind: "jpeg" | "jpeg-12bit" | "jpeg-lossless" | "jpeg-ls" | "jpeg-2000" | "htj2k";
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly bits: number;
  /** Wavelet or DCT coefficients were thrown away, or may have been. */
  readonly lossy?: boolean;
  /** JPEG: a marker that settles which colours the samples are. */
  readonly colorMarked: boolean;
}

/** Undefined where `bytes`, a frame or its beginning, is none of these. */
export function codestreamOf(bytes: Uint8Array): Codestream | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpeg(bytes);
  const box = bytes[4] === 0x6a && bytes[5] === 0x50 && bytes[6] === 0x20;
  const start = box ? findSoc(bytes) : 0;
  return start >= 0 && bytes[start] === 0xff && bytes[start + 1] === 0x4f ? jpeg2000(bytes, start) : undefined;
}

const u16 = (bytes: Uint8Array, at: number) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const u32 = (bytes: Uint8Array, at: number) => u16(bytes, at) * 0x10000 + u16(bytes, at + 2);

function findSoc(bytes: Uint8Array): number {
  for (let i = 0; i + 3 < bytes.length; i++) if (bytes[i] === 0xff && bytes[i + 1] === 0x4f && bytes[i + 2] === 0xff && bytes[i + 3] === 0x51) return i;
  return -1;
}

function jpeg(bytes: Uint8Array): Codestream | undefined {
  let colorMarked = false;
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] as number;
    if (marker === 0xff || (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const frame = (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) || marker === 0xf7;
    if (marker === 0xe0 && bytes[at + 4] === 0x4a && bytes[at + 5] === 0x46) colorMarked = true;
    if (marker === 0xee && bytes[at + 4] === 0x41 && bytes[at + 5] === 0x64) colorMarked = true;
    if (frame) {
      const bits = bytes[at + 4] as number;
      const lossless = marker === 0xc3 || marker === 0xc7 || marker === 0xcb || marker === 0xcf;
      const kind = marker === 0xf7 ? "jpeg-ls" : lossless ? "jpeg-lossless" : bits > 8 ? "jpeg-12bit" : "jpeg";
      return { kind, rows: u16(bytes, at + 5), columns: u16(bytes, at + 7), samples: bytes[at + 9] as number, bits, colorMarked };
    }
    if (marker === 0xda || marker === 0xd9) return undefined;
    at += 2 + u16(bytes, at + 2);
  }
  return undefined;
}

function jpeg2000(bytes: Uint8Array, start: number): Codestream | undefined {
  let found: Omit<Codestream, "kind" | "lossy"> | undefined;
  let high = false;
  let lossy = false;
  for (let at = start + 2; at + 4 < bytes.length && bytes[at] === 0xff; at += 2 + u16(bytes, at + 2)) {
    const marker = bytes[at + 1];
    if (marker === 0x51) {
      const columns = u32(bytes, at + 6) - u32(bytes, at + 14);
      const rows = u32(bytes, at + 10) - u32(bytes, at + 18);
      found = { rows, columns, samples: u16(bytes, at + 38), bits: ((bytes[at + 40] as number) & 0x7f) + 1, colorMarked: true };
    } else if (marker === 0x50) high = true;
    else if (marker === 0x52) lossy = bytes[at + 13] === 0;
    else if (marker === 0x90) break;
  }
  return found && { kind: high ? "htj2k" : "jpeg-2000", ...found, lossy };
}

/** With Adobe's marker after the first, which tells decoders that the samples are red, green and blue (0) or one brightness and two differences (1). */
export function withColorMarker(bytes: Uint8Array, transform: 0 | 1): Uint8Array<ArrayBuffer> {
  const marker = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform];
  const out = new Uint8Array(bytes.length + marker.length);
  out.set(bytes.subarray(0, 2));
  out.set(marker, 2);
  out.set(bytes.subarray(2), 2 + marker.length);
  return out;
}
