// CRC-32 as zip has it, eight bytes a step: a file of a gigabyte is checked in a second or two.

let tables: Int32Array | undefined;

/** Table k at `256 k`: the effect of a byte that has k more bytes behind it. */
function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
    made[byte] = value;
  }
  for (let i = 256; i < made.length; i++) {
    const before = made[i - 256] as number;
    made[i] = (before >>> 8) ^ (made[before & 255] as number);
  }
  return made;
}

/** The CRC of what came before (0 at the start) followed by `bytes`; unsigned. */
export function crc32(bytes: Uint8Array, before = 0): number {
  tables ??= makeTables();
  const t = tables;
  let crc = ~before;
  let at = 0;
  while (at < bytes.length && (bytes.byteOffset + at) % 4 !== 0) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[at++] as number)) & 255] as number);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (bytes.length - at) >> 2);
  const pairs = words.length & ~1;
  for (let i = 0; i < pairs; i += 2) {
    const a = (words[i] as number) ^ crc;
    const b = words[i + 1] as number;
    crc =
      (t[1792 + (a & 255)] as number) ^
      (t[1536 + ((a >>> 8) & 255)] as number) ^
      (t[1280 + ((a >>> 16) & 255)] as number) ^
      (t[1024 + (a >>> 24)] as number) ^
      (t[768 + (b & 255)] as number) ^
      (t[512 + ((b >>> 8) & 255)] as number) ^
      (t[256 + ((b >>> 16) & 255)] as number) ^
      (t[b >>> 24] as number);
  }
  for (at += pairs * 4; at < bytes.length; at++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[at] as number)) & 255] as number);
  return ~crc >>> 0;
}
