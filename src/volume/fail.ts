// Errors of this folder are of code "file": what is left to say is short enough for one call.
import { SamError } from "../errors.ts";
import { describe } from "../options.ts";

/** `op` is the call, or the volume's name; `argument` what of it is at fault. */
export function refused(op: string, argument: string | undefined, expected: string, got: unknown, remedy: string): SamError {
  return new SamError({ code: "file", op, expected, got: `${got ?? "nothing"}`, remedy, ...(argument && { argument }) });
}

/** Throws where a call was given something else in place of `what`, which has these names. */
export function expectHas(op: string, argument: string, value: unknown, names: readonly string[], what: string): void {
  if (typeof value === "object" && value !== null && names.every((name) => name in value)) return;
  throw refused(op, argument, what, describe(value), "Look at what this call takes, and in which order.");
}

export function expectVolume(op: string, value: unknown, argument = "volume"): void {
  expectHas(op, argument, value, ["columns", "rows", "slices", "slice"], "a volume, as openFiles gives it");
}

export function expectLabelmap(op: string, value: unknown): void {
  expectHas(op, "labelmap", value, ["columns", "rows", "slices", "stack"], "a Labelmap");
}

export function expectSegmenter(op: string, value: unknown): void {
  expectHas(op, "segmenter", value, ["encode", "decode"], "a model, or what encodes and decodes like one");
}

/** Throws where one of `sets` is no runs: a mask, or its bytes, would be walked as other pixels without a word. */
export function expectRuns(op: string, ...sets: readonly unknown[]): void {
  for (const runs of sets) {
    if (Object.prototype.toString.call(runs) !== "[object Uint32Array]")
      throw refused(op, "runs", "runs", describe(runs), "Make them of a mask: runsOf(mask.data).");
  }
}

/** Throws where a call was given a name that is none of `names`, with the one that may be meant. */
export function expectKnown(op: string, given: object, names: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const near = names.find(([first]) => first === unknown[0]);
  throw refused(op, unknown, names.join(", "), "an unknown name", near ? `Perhaps ${near} is meant.` : "Leave it out.");
}
