// Errors of this folder are of code "file": what is left to say is short enough for one call.
import { SamError } from "../errors.ts";

/** `op` is the call, or the volume's name; `argument` what of it is at fault. */
export function refused(op: string, argument: string | undefined, expected: string, got: unknown, remedy: string): SamError {
  return new SamError({ code: "file", op, expected, got: `${got ?? "nothing"}`, remedy, ...(argument && { argument }) });
}

/** Throws where a call was given a name that is none of `names`, with the one that may be meant. */
export function expectKnown(op: string, given: object, names: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const near = names.find(([first]) => first === unknown[0]);
  throw refused(op, unknown, names.join(", "), "an unknown name", near ? `Perhaps ${near} is meant.` : "Leave it out.");
}
