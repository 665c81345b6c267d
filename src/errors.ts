// The one error type of the library: what was wrong, what was expected, what to do.

/** What a caller may branch on. */
export type ErrorCode =
  /** The image is not one, or has a size the library does not take. */
  | "image"
  /** A point, box or mask input is malformed or outside the image. */
  | "prompt"
  /** The weights are damaged, of another network, or not finite. */
  | "checkpoint"
  /** WebGPU is missing, lacks a limit, ran out of memory, or the device was lost. */
  | "device"
  /** A file of images or labels is damaged, of a kind that is not read, or does not fit what it belongs to. */
  | "file"
  /** A dataset for evaluation lacks files or holds ones that do not fit. */
  | "dataset"
  /** A shape or value inside the graph does not fit; a bug in the library or in a hand-made graph. */
  | "graph"
  /** The object was disposed. */
  | "disposed";

export interface ErrorFacts {
  readonly code: ErrorCode;
  /** Where it happened: an operation (`decode`, `layer_norm`) or a file. */
  readonly op: string;
  /** The argument at fault: `box`, `weight`; left out, all that the caller gave is (`weights`, `image`, `device`). */
  readonly argument?: string;
  readonly expected: string;
  readonly got: string;
  /** What the caller can do about it. */
  readonly remedy: string;
}

const WHOLE: Partial<Record<ErrorCode, string>> = { checkpoint: "weights", image: "image", device: "device" };

/** `op: argument must be <expected>, got <got>. <remedy>` */
export class SamError extends Error implements ErrorFacts {
  override readonly name = "SamError";
  readonly code: ErrorCode;
  readonly op: string;
  readonly argument?: string;
  readonly expected: string;
  readonly got: string;
  readonly remedy: string;

  constructor(facts: ErrorFacts, options?: ErrorOptions) {
    const subject = facts.argument ? `${facts.argument} must be` : "expected";
    super(`${facts.op}: ${subject} ${facts.expected}, got ${facts.got}. ${facts.remedy}`, options);
    this.code = facts.code;
    this.op = facts.op;
    const argument = facts.argument ?? WHOLE[facts.code];
    if (argument !== undefined) this.argument = argument;
    this.expected = facts.expected;
    this.got = facts.got;
    this.remedy = facts.remedy;
  }
}

/** `[256, 768]` */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
