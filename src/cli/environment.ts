// What a command needs from outside: the terminal, a signal, and a model. Tests give their own.
import type { InputName, Precision, Segmenter } from "../index.ts";
import type { Stream, Terminal } from "./terminal.ts";

export const MEANINGLESS = "the weights are synthetic: the masks mean nothing and only show that the program works";

export interface ModelOptions {
  /** A path, an address, or `synthetic:SEED`. */
  readonly weights: string;
  readonly adapter?: "on" | "off";
  readonly precision?: Precision;
  /** Refuse weights with tensors that change the answer and are not read. */
  readonly strict?: boolean;
  readonly input?: InputName;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

export interface Environment {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Aborted with an `Interrupted`. */
  readonly signal: AbortSignal;
  /** Print stacks and causes. */
  readonly debug: boolean;
  readonly loadModel: (options: ModelOptions) => Promise<Segmenter>;
}

type HowOptions = Pick<ModelOptions, "adapter" | "precision" | "strict" | "input">;

/** What of a command's options is the model's. */
export function modelOptions({ adapter, precision, strict, input }: HowOptions): HowOptions {
  return { ...(adapter && { adapter }), ...(precision && { precision }), ...(strict && { strict }), ...(input && { input }) };
}
