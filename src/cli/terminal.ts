// Words on stderr: messages, and one line of progress where a person is looking.
import type { ReadProgress } from "../checkpoint/byte_source.ts";
import type { Progress } from "../index.ts";

export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export class Terminal {
  #line = false;
  #drawn = Number.NEGATIVE_INFINITY;

  constructor(private readonly stream: Stream) {}

  say(text: string): void {
    this.clear();
    this.stream.write(`${text}\n`);
  }

  /** Replaces the progress line; nothing where stderr is a file or a pipe. */
  progress(text: string): void {
    if (!this.stream.isTTY || performance.now() - this.#drawn < REDRAW_MS) return;
    this.#drawn = performance.now();
    this.#line = true;
    this.stream.write(`\r\x1b[K${text.slice(0, (this.stream.columns || 80) - 1)}`);
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
};

/** `Loading weights  512.0 of 1085.0 MB, 310 MB/s` */
export function loadProgress(terminal: Terminal, now: () => number = () => performance.now()): (progress: Progress) => void {
  const started = new Map<string, number>();
  return ({ stage, loaded, total, unit }) => {
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

/** `850 ms`, `12.4 s` */
export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
