// Compares the SHA-256 of a file with the one promised, while the file is read.
import type { ByteSource } from "./byte_source.ts";
import { bad } from "./fail.ts";
import { type Hasher, Sha256 } from "./sha256.ts";

/** Gaps of less between two reads (a zip's headers and padding) are read as well, so that the hash can go on. */
const GAP = 1 << 20;
const PIECE = 4 << 20;

export type VerifiedSource = ByteSource & Required<Pick<ByteSource, "verify">>;

export function newHash(): Sha256 {
  return new Sha256();
}

export function expectSha256(sha256: string, where: string): string {
  if (/^[0-9a-f]{64}$/i.test(sha256)) return sha256.toLowerCase();
  throw bad(where, "64 hexadecimal digits", JSON.stringify(sha256), "Copy it from the manifest.", "sha256");
}

export function mismatch(label: string, expected: string, got: string): Error {
  return bad(label, `SHA-256 ${expected}`, got, "The file is damaged, or another than the manifest describes: fetch it again.");
}

/** Read front to back, the source throws on its last read if the hash is another. */
export function verified(source: ByteSource, sha256: string, hash: Hasher = new Sha256()): VerifiedSource {
  const expected = expectSha256(sha256, source.label);
  let next = 0;
  let error: Error | undefined;
  let finished = false;

  /** Hashes what of these bytes is new. Asked after every wait, since reads may overtake each other. */
  function take(offset: number, bytes: Uint8Array): void {
    if (offset <= next && next < offset + bytes.length) {
      hash.update(bytes.subarray(next - offset));
      next = offset + bytes.length;
    }
    if (next !== source.size) return;
    if (!finished) {
      const got = hash.digest("hex");
      if (got !== expected) error = mismatch(source.label, expected, got);
      finished = true;
    }
    if (error) throw error;
  }

  return {
    ...source,
    async read(offset, length, signal) {
      if (offset > next && offset - next <= GAP) {
        const from = next;
        take(from, await source.read(from, offset - from, signal));
      }
      const bytes = await source.read(offset, length, signal);
      take(offset, bytes);
      return bytes;
    },
    async verify(signal) {
      while (next < source.size) {
        const from = next;
        take(from, await source.read(from, Math.min(PIECE, source.size - from), signal));
      }
      take(next, new Uint8Array(0));
    },
    close: () => source.close(),
  };
}
