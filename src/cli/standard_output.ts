// Standard output that tells when what was written did not arrive.
import { readdirSync, readFileSync, statSync } from "node:fs";
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

const SHELL = /^(ba|da|a|z|k|mk|fi)?sh$|^busybox$/;
/** Who may be started so that a shell's `_` names it. */
const STARTED = /\/(node|npx|npm|sam-med2d[^/]*)$/;

/**
 * Node puts /dev/null, open for reading and writing, where a descriptor is closed at the start (`>&-`): just what programs pass to those they
 * want to hear nothing of, as Python does for `subprocess.DEVNULL`. Shells open it for writing alone. So it was closed where a shell started
 * the outermost process that has it.
 */
function wasClosed(): boolean {
  if (process.platform !== "linux") return false;
  try {
    if (!isNothing("self", 1) || (isNothing("self", 0) && isNothing("self", 2))) return false;
    let outermost = "self";
    let parent = parentOf(outermost);
    for (; isNothing(parent, 1); parent = parentOf(parent)) outermost = parent;
    // Some shells close their own for as long as the command runs.
    if (!readdirSync(`/proc/${parent}/fd`).includes("1")) return true;
    if (SHELL.test(readFileSync(`/proc/${parent}/comm`, "utf8").trim())) return true;
    // A shell that had nothing else to do became this process: it left its mark in the environment.
    const mark = markOf(outermost);
    return mark !== undefined && mark !== markOf(parent) && STARTED.test(mark);
  } catch {
    return false;
  }
}

function isNothing(pid: string, descriptor: number): boolean {
  if (!readdirSync(`/proc/${pid}/fd`).includes(`${descriptor}`)) return false;
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, "utf8"))?.[1] ?? "0";
  return statSync(`/proc/${pid}/fd/${descriptor}`).rdev === statSync("/dev/null").rdev && (Number.parseInt(flags, 8) & 3) === 2;
}

const parentOf = (pid: string) => /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
const markOf = (pid: string) => /(?:^|\0)_=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, "utf8"))?.[1];
