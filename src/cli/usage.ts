// What can go wrong on a command line, the words for it, and the exit code.
import { SamError } from "../errors.ts";
import { oneLine } from "./printable.ts";

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** The command line itself is wrong: an option, its value, or a prompt that does not lie in the image. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A file or machine is not what the command needs. The message names it, says what was found and what is wanted. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** The reason a command's signal is aborted with. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(readonly exitCode: number) {
    super("interrupted");
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof UsageError || (error instanceof SamError && error.code === "prompt")) return EXIT.usage;
  return EXIT.failed;
}

/** One line for people; with `debug`, the stack and the causes as well. */
export function messageOf(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return String(error);
  if (!debug) return oneLine(isSystem(error) ? `${error.path ?? "a file"}: ${reasonOf(error)}` : error.message || error.name);
  const cause = error.cause === undefined ? "" : `\ncaused by ${messageOf(error.cause, true)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** What the system said of a file: `no such file`. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = REASONS.get(code);
  if (known) return known;
  if (!(error instanceof Error)) return String(error);
  // As Node has it: `EINVAL: invalid argument, write '/x'`.
  return isSystem(error) ? (/^E[A-Z0-9]+: ([^,]+)/.exec(error.message)?.[1] ?? error.message) : error.message;
}

/** What the system said of a file that no command expected to fail. */
function isSystem(error: Error): error is NodeJS.ErrnoException {
  return "syscall" in error && "code" in error;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file"],
  ["EISDIR", "it is a folder"],
  ["ENOTDIR", "a part of its path is a file"],
  ["EACCES", "no permission"],
  ["EPERM", "no permission"],
  ["ENOSPC", "no space left on the disk"],
  ["EROFS", "the disk is read-only"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "it is larger than this disk takes"],
  ["EIO", "the disk reports an error"],
  ["ELOOP", "its links lead in a circle"],
  ["ENAMETOOLONG", "its name is too long"],
  ["EMFILE", "too many files are open"],
  ["EBADF", "that descriptor is not open"],
  ["ENXIO", "there is no such device"],
  ["ENODEV", "there is no such device"],
  ["EBUSY", "it is in use"],
  ["ETXTBSY", "it is a program that is running"],
  ["EPIPE", "its reader is gone"],
]);
