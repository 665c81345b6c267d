// Standard output that tells when what was written did not arrive.
import { fstatSync, readFileSync, statSync } from "node:fs";
import type { Stream } from "./terminal.ts";

/** A reader that has had enough (`| head`) is no fault; anything else is told by `flush`. */
export function standardOutput(): Stream {
  const { stdout } = process;
  const written: Promise<void>[] = [];
  let failure: NodeJS.ErrnoException | undefined;
  const note = (error: NodeJS.ErrnoException | null | undefined) => {
    if (error && error.code !== "EPIPE") failure ??= error;
  };
  stdout.on("error", note);
  return {
    write(text) {
      if (wasClosed()) failure ??= Object.assign(new Error("closed"), { code: "EBADF" });
      written.push(
        new Promise((resolve) => {
          stdout.write(text, (error) => {
            note(error);
            resolve();
          });
        }),
      );
    },
    async flush() {
      await Promise.all(written.splice(0));
      if (failure) throw failure;
    },
  };
}

/**
 * Node puts /dev/null, open for reading and writing, where a descriptor is closed at the start (`>&-`). Where the others are
 * that as well, the caller wants to hear nothing, as of `subprocess.DEVNULL`.
 */
function wasClosed(): boolean {
  if (process.platform !== "linux") return false;
  try {
    const nothing = statSync("/dev/null");
    const isNothing = (descriptor: number) => {
      const { rdev } = fstatSync(descriptor);
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1] ?? "0";
      return rdev === nothing.rdev && (Number.parseInt(flags, 8) & 3) === 2;
    };
    return isNothing(1) && !isNothing(0) && !isNothing(2);
  } catch {
    return false;
  }
}
