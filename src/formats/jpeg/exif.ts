// Which way up a JPEG is.

/** 1 to 8; 1 where nothing is said. */
export function exifOrientation(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; at += 2 + view.getUint16(at + 2)) {
    if (bytes[at + 1] !== 0xe1 || at + 18 > bytes.length || view.getUint32(at + 4) !== 0x45786966) continue;
    const tiff = at + 10;
    const little = view.getUint16(tiff) === 0x4949;
    const entries = tiff + view.getUint32(tiff + 4, little);
    if (entries + 2 > bytes.length) return 1;
    for (let i = 0; i < view.getUint16(entries, little); i++) {
      const entry = entries + 2 + 12 * i;
      if (entry + 12 > bytes.length) return 1;
      if (view.getUint16(entry, little) !== 0x0112) continue;
      const value = view.getUint16(entry + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  }
  return 1;
}
