// What callers pass as bytes, checked before it is read.
import { SamError } from "../errors.ts";
import { describe } from "../options.ts";

/** Throws a SamError of code "file" where `value`, given to `op`, is no array of bytes. */
export function expectBytes(op: string, argument: string, value: unknown): void {
  if (ArrayBuffer.isView(value)) return;
  throw new SamError({ code: "file", op, argument, expected: "a Uint8Array", got: describe(value), remedy: "Pass the bytes of the file." });
}
