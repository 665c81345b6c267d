// How far a damaged PNG or JPEG can be read.
import { crc32 } from "../bytes/crc32.ts";
import { SamError } from "../errors.ts";
import { codec } from "./image_pixels.ts";

export interface Damage {
  readonly kind: "PNG" | "JPEG";
  /** Complete rows from the top, as stored, to the strip the decoder works by. */
  readonly rows: number;
  /** Absent where the header is damaged. */
  readonly height?: number;
  /** A checksum fails, so rows before may be wrong as well. */
  readonly checksum: boolean;
}

/** The decoder reads from the top and stops at the damage, so halving finds the row. */
export async function damagedRows(bytes: Buffer): Promise<Damage> {
  const sharp = await codec();
  const kind = bytes[0] === 0xff ? "JPEG" : "PNG";
  const checksum = kind === "PNG" && failingChecksum(bytes);
  const found = await sharp(bytes, { failOn: "none", limitInputPixels: false })
    .metadata()
    .catch(() => undefined);
  if (!found?.height || found.width * found.height > MOST_PROBED) return { kind, rows: 0, checksum, ...(found?.height ? { height: found.height } : {}) };
  const { width, height } = found;
  const reads = (rows: number) =>
    sharp(bytes, { failOn: "error", ignoreIcc: true, limitInputPixels: false, sequentialRead: true })
      .extract({ left: 0, top: 0, width, height: rows })
      .raw()
      .toBuffer()
      .then(
        () => true,
        () => false,
      );
  let rows = 0;
  for (let end = height; rows < end; ) {
    const middle = Math.ceil((rows + end) / 2);
    if (await reads(middle)) rows = middle;
    else end = middle - 1;
  }
  return { kind, rows, height, checksum };
}

/** Pixels; a damaged file that declares more is not tried row by row. */
const MOST_PROBED = 1 << 26;

/** `offer` is what the user may add to get what could be read. */
export function damaged(path: string, damage: Damage, offer?: string, cause?: unknown): SamError {
  const { kind, rows } = damage;
  const again = "Fetch or export the file again";
  const remedy = offer && rows > 0 ? `${again}, or add ${offer} to use what could be read.` : `${again}.`;
  const facts = { code: "image", op: path, expected: `a whole ${kind} image`, got: `one that is ${damageWords(damage)}`, remedy } as const;
  return new SamError(facts, cause === undefined ? undefined : { cause });
}

export function damageWords({ rows, height, checksum }: Damage): string {
  const where = height === undefined ? "in its header" : `after row ${rows} of ${height}`;
  return `damaged ${where}${checksum && rows > 0 ? " (a checksum fails: rows before may be wrong as well)" : ""}`;
}

/** Whether a chunk's content is not what its checksum was made of; a chunk that is cut off is not asked. */
function failingChecksum(png: Buffer): boolean {
  for (let at = 8; at + 12 <= png.length; ) {
    const length = png.readUInt32BE(at);
    if (at + 12 + length > png.length) return false;
    if (crc32(png.subarray(at + 4, at + 8 + length)) !== png.readUInt32BE(at + 8 + length)) return true;
    at += 12 + length;
  }
  return false;
}
