// A file on disk, where there is Node (or what offers its modules) to read it; nothing is imported and no global
// of Node's is named barely, for which bundlers would bring a substitute.
import type { FileHandle } from "node:fs/promises";
import { SamError } from "../errors.ts";
import { type ByteSource, expectInside } from "./byte_source.ts";
import { bad, DAMAGED } from "./fail.ts";

const PATH = "Check the path.";
const PERMISSIONS = "Check the permissions of the file and its folders.";
const REASONS: Readonly<Record<string, readonly [got: string, remedy: string]>> = {
  ENOENT: ["no such file", PATH],
  EACCES: ["no permission", PERMISSIONS],
  EPERM: ["no permission", PERMISSIONS],
  EISDIR: ["a folder", "Name the file in it."],
  ENOTDIR: ["a path through something that is not a folder", PATH],
  ENOSPC: ["no room left on the disk", "Free some space, or set XDG_CACHE_HOME to a folder on another disk."],
  EROFS: ["a disk that is read-only", "Set XDG_CACHE_HOME to a folder that may be written to."],
};

/** In the user's words, by the system's code. */
export function fileError(name: string, expected: string, cause: unknown): SamError {
  if (cause instanceof SamError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const [got, remedy] = REASONS[code] ?? [`${cause}`, PATH];
  return bad(name, expected, got, remedy, undefined, cause);
}

/** A path or a `file:` URL. */
export async function fileSource(path: string | URL): Promise<ByteSource> {
  const { Buffer } = globalThis.process.getBuiltinModule("node:buffer");
  const { open } = globalThis.process.getBuiltinModule("node:fs/promises");
  const { fileURLToPath } = globalThis.process.getBuiltinModule("node:url");
  let name = `${path}`;
  const failed = (cause: unknown) => fileError(name, "a readable file", cause);
  let handle: FileHandle;
  let size: number;
  try {
    // Not every address is a path: one with a host, for instance, where shares have none.
    if (name.startsWith("file://")) name = fileURLToPath(name);
    handle = await open(name, "r");
    const stats = await handle.stat();
    size = stats.size;
    if (!stats.isFile()) {
      await handle.close();
      throw Object.assign(new Error("not a file"), { code: stats.isDirectory() ? "EISDIR" : "" });
    }
  } catch (cause) {
    throw failed(cause);
  }
  let closed = false;
  const source: ByteSource = {
    label: name,
    size,
    fresh: true,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      expectInside(source, offset, length);
      // Not zeroed first: every byte is overwritten below or the read fails.
      const { buffer } = Buffer.allocUnsafeSlow(length);
      const bytes = new Uint8Array(buffer, 0, length);
      let filled = 0;
      while (filled < length) {
        let bytesRead: number;
        try {
          ({ bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled));
        } catch (cause) {
          throw failed(cause);
        }
        signal?.throwIfAborted();
        if (bytesRead === 0) throw bad(name, `${size} bytes, as when it was opened`, `an end at byte ${offset + filled}`, DAMAGED);
        filled += bytesRead;
      }
      return bytes;
    },
    async close() {
      if (!closed) await handle.close();
      closed = true;
    },
  };
  return source;
}
