// Words on stderr: messages, and one line of progress where a person is looking.
import type { ReadProgress } from "../bytes/byte_source.ts";
import type { Progress } from "../index.ts";
import { printable } from "./printable.ts";

export interface Stream {
  write(text: string): unknown;
  /** Resolves when all that was written has gone out; rejects where it could not. */
  flush?(): Promise<void>;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export class Terminal {
  /** What was said though it is no error, for results that are read later. */
  readonly notices: string[] = [];
  #line = false;
  #drawn = Number.NEGATIVE_INFINITY;

  constructor(private readonly stream: Stream) {}

  say(text: string): void {
    this.clear();
    this.stream.write(`${printable(text)}\n`);
  }

  /** What the user should know though it is no error. */
  notice(text: string): void {
    this.notices.push(text);
    this.say(`sam-med2d: ${text}`);
  }

  /** Replaces the progress line; nothing where stderr is a file or a pipe. */
  progress(text: string): void {
    if (!this.stream.isTTY || performance.now() - this.#drawn < REDRAW_MS) return;
    this.#drawn = performance.now();
    this.#line = true;
    this.stream.write(`\r\x1b[K${printable(text).slice(0, (this.stream.columns || 80) - 1)}`);
  }

  clear(): void {
    if (this.#line) this.stream.write("\r\x1b[K");
    this.#line = false;
    this.#drawn = Number.NEGATIVE_INFINITY;
  }
}

const REDRAW_MS = 100;

const STAGES: Readonly<Record<Progress["stage"], string>> = {
  open: "Opening the weights",
  download: "Downloading",
  weights: "Loading weights",
  tune: "Choosing kernels for this GPU",
  compile: "Compiling kernels",
  ready: "Ready",
  encode: "Encoding the image",
  decode: "Decoding the prompts",
};

/** `Loading weights  512.0 of 1085.0 MB, 310 MB/s` */
export function loadProgress(terminal: Terminal, now: () => number = () => performance.now()): (progress: Progress) => void {
  const started = new Map<string, number>();
  return ({ stage, loaded, total, unit, notice }) => {
    if (notice !== undefined) return terminal.notice(notice);
    const since = started.get(stage) ?? now();
    started.set(stage, since);
    const done =
      unit === "bytes" ? bytes(loaded, total, (now() - since) / 1000) : unit === "flop" ? `${Math.round((100 * loaded) / total)} %` : `${loaded} of ${total}`;
    terminal.progress(total > 0 ? `${STAGES[stage]}  ${done}` : STAGES[stage]);
  };
}

/** What is read of a file is told again when it is loaded; what comes over the network is told here. */
export function downloadProgress(terminal: Terminal): (progress: ReadProgress) => void {
  return ({ stage, loaded, total, bytesPerSecond }) => {
    if (stage === "download") terminal.progress(`Downloading  ${megabytes(loaded)} of ${megabytes(total)} MB, ${megabytes(bytesPerSecond)} MB/s`);
  };
}

function megabytes(count: number): string {
  return (count / 1e6).toFixed(1);
}

function bytes(loaded: number, total: number, elapsed: number): string {
  const rate = elapsed > 0.2 ? `, ${(loaded / 1e6 / elapsed).toFixed(0)} MB/s` : "";
  return `${megabytes(loaded)} of ${megabytes(total)} MB${rate}`;
}

/** Short enough for eighty columns. */
const BAR = 12;

/** `Evaluating  ███░░░░░░░░░  250 of 1000 images, 1.25 images/s, 10 min left` */
export function workProgress(what: string, done: number, all: number, unit: string, elapsed: number): string {
  const full = Math.floor((done / all) * BAR);
  const left = (elapsed / done) * (all - done);
  const rate = ((done / elapsed) * 1000).toFixed(2);
  return `${what}  ${"█".repeat(full)}${"░".repeat(BAR - full)}  ${done} of ${all} ${unit}, ${rate} ${unit}/s, ${timeLeft(left)} left`;
}

/** Rounded up, so that the last second is not none: `8 s`, `12 min`, `3 h 20 min` */
function timeLeft(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `850 ms`, `12.4 s` */
export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
