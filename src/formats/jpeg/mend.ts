// A damaged JPEG: how many of its rows are whole, and a JPEG of them.
import type { Mended } from "../mend.ts";
import { type Jpeg, readJpeg } from "./coefficients.ts";
import { oddJpeg } from "./odd.ts";

const END = [0xff, 0xd9] as const;

/** What is missing of the picture is left to decoders, which fill it with the last colour. */
export function mendJpeg(bytes: Uint8Array<ArrayBuffer>): Mended {
  const odd = oddJpeg(bytes);
  if (odd) return { kind: "JPEG", rows: 0, checksum: false, odd };
  let jpeg: Jpeg;
  try {
    jpeg = readJpeg(bytes, { keep: false });
  } catch {
    return { kind: "JPEG", rows: 0, checksum: false };
  }
  const { frame, damage, ended } = jpeg;
  // Scans of a progressive picture each go over all rows: none is whole before the last.
  const given = frame.progressive ? (ended ? frame.rows : 0) : Math.min(...frame.components.map(({ wholeRows }) => wholeRows));
  const facts = { kind: "JPEG", rows: given, height: frame.rows, checksum: false } as const;
  if (given === 0) return facts;
  let end = damage?.at ?? bytes.length;
  while (end > 2 && bytes[end - 1] === 0xff) end--;
  const mended = new Uint8Array(end + END.length);
  mended.set(bytes.subarray(0, end));
  mended.set(END, end);
  return { ...facts, bytes: mended };
}
