// Damaged PNG and JPEG: how far they can be read, fetched when one is met.
import { expectBytes } from "../bytes/bytes_check.ts";

export interface Mended {
  readonly kind: "PNG" | "JPEG";
  /** Complete rows from the top, as stored (before an EXIF turn). */
  readonly rows: number;
  /** Absent where the header is damaged. */
  readonly height?: number;
  /** A checksum fails, so rows before may be wrong as well. */
  readonly checksum: boolean;
  /** A whole file with these rows, the others filled; absent where there is none. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** A kind of JPEG that is not damaged but that browsers do not read, in words. */
  readonly odd?: string;
}

/** What can be read of a PNG or JPEG that a decoder refused. */
export async function mendPicture(bytes: Uint8Array<ArrayBuffer>): Promise<Mended> {
  expectBytes("mendPicture", "bytes", bytes);
  if (bytes[0] === 0xff) return (await import("./jpeg/mend.ts")).mendJpeg(bytes);
  return (await import("./mend_png.ts")).mendPng(bytes);
}

/** Whether all that matters is there: only its end is missing, or what follows it is wrong. */
export const isWhole = ({ rows, height, checksum }: Mended): boolean => rows === height && !checksum;

/** "damaged after row 136 of 240" */
export function damageWords({ rows, height, checksum }: Mended): string {
  if (height === undefined) return "damaged in its header";
  if (rows === height) return checksum ? "damaged: a checksum fails, so any row may be wrong" : "damaged, though its rows seem to be all there";
  return `damaged after row ${rows} of ${height}${checksum && rows > 0 ? " (a checksum fails: rows before may be wrong as well)" : ""}`;
}
