// Why a file was not opened, in one or two sentences.
import { SamError } from "../errors.ts";

/** Without the file's name, which stands beside it. */
export function reasonOf(error: unknown): string {
  if (error instanceof SamError) return `Expected ${error.expected}, got ${error.got}. ${error.remedy}`;
  if (error instanceof RangeError && /stack|array|buffer|memory/i.test(error.message))
    return "It asks for more memory than there is: the file is damaged or too large.";
  return "It cannot be read: the file is damaged.";
}
