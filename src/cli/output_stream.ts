// Bytes into a pipe, a device or an open descriptor: in place, never blocked where an interruption could not reach.
import { close, constants, open, write } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import type { Target } from "./output_target.ts";

/** Between two tries of what would block. */
const PAUSE_MS = 10;

const openAsync = promisify(open);
const closeAsync = promisify(close);

export class Stream {
  private constructor(
    private readonly descriptor: number,
    private readonly ours: boolean,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Waits for the reader of a pipe. */
  static async open(target: Target, signal?: AbortSignal): Promise<Stream> {
    if (target.kind === "descriptor") return new Stream(target.descriptor, false, signal);
    if (target.kind === "folder") throw Object.assign(new Error("a folder"), { code: "EISDIR" });
    for (;;) {
      signal?.throwIfAborted();
      try {
        return new Stream(await openAsync(target.path, constants.O_WRONLY | constants.O_NONBLOCK), true, signal);
      } catch (error) {
        if (target.kind !== "pipe" || !has(error, "ENXIO")) throw error;
        await wait(PAUSE_MS);
      }
    }
  }

  /** A reader that has had enough is not a fault. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      this.signal?.throwIfAborted();
      try {
        at += await new Promise<number>((resolve, reject) => {
          write(this.descriptor, bytes, at, bytes.length - at, null, (error, written) => (error ? reject(error) : resolve(written)));
        });
      } catch (error) {
        if (has(error, "EPIPE")) return;
        if (!has(error, "EAGAIN")) throw error;
        await wait(PAUSE_MS);
      }
    }
  }

  async close(): Promise<void> {
    if (this.ours) await closeAsync(this.descriptor);
  }
}

function has(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
