// What kind of JPEG a file is, by its header.

/** Kinds that only medical and scientific software reads: which of them, in words; undefined of an ordinary one. */
export function oddJpeg(bytes: Uint8Array): string | undefined {
  const frame = frameOf(bytes);
  if (!frame) return undefined;
  const { marker, precision } = frame;
  if (marker === 0xf7) return "a JPEG-LS image";
  if ([0xc3, 0xc7, 0xcb, 0xcf].includes(marker)) return `a lossless JPEG image of ${precision} bits`;
  return precision === 8 ? undefined : `a JPEG image of ${precision} bits`;
}

/** Whether colours are stored as inks (CMYK, YCCK), which `pixelDecoders` read as "jpeg-cmyk". */
export function isCmykJpeg(bytes: Uint8Array): boolean {
  const frame = frameOf(bytes);
  return frame !== undefined && frame.components === 4 && frame.precision === 8 && frame.marker <= 0xc2;
}

function frameOf(bytes: Uint8Array): { readonly marker: number; readonly precision: number; readonly components: number } | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  for (let at = 2; at + 10 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      // Any number of these may stand before a marker.
      at++;
      continue;
    }
    const segment = at;
    at += 2 + (bytes[at + 2] as number) * 256 + (bytes[at + 3] as number);
    if (marker === 0xda) return undefined;
    if (marker !== 0xf7 && (marker < 0xc0 || marker > 0xcf || marker === 0xc4 || marker === 0xc8 || marker === 0xcc)) continue;
    return { marker, precision: bytes[segment + 4] as number, components: bytes[segment + 9] as number };
  }
  return undefined;
}
