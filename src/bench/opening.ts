// Opening a model as the library does, with clocks on its parts: they run at the same time, so their sum is more than the whole.
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { Engine } from "../engine.ts";
import type { Choices } from "../graph/target.ts";
import type { Config } from "../model/config.ts";
import { engineOptions, type Precision } from "./precision.ts";

export interface OpenTimes {
  readonly totalMs: number;
  /** Waiting for the checkpoint's bytes. */
  readonly readMs: number;
  /** The rest of the time until the last weight was on the device. */
  readonly uploadMs: number;
  readonly compileMs: number;
  /** Trying variants of the kernels; 0 where none was tried. */
  readonly tuneMs: number;
}

/** Adds up the time during which at least one piece of work is under way. */
export class BusyClock {
  #under = 0;
  #since = 0;
  #ms = 0;

  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#under++ === 0) this.#since = performance.now();
    try {
      return await work();
    } finally {
      if (--this.#under === 0) this.#ms += performance.now() - this.#since;
    }
  }

  /** Milliseconds so far; it begins again at nothing. */
  take(): number {
    const ms = this.#ms;
    this.#ms = 0;
    return ms;
  }
}

export interface OpenOptions {
  readonly config: Config;
  readonly checkpoint: Checkpoint;
  readonly precision: Precision;
  readonly pinned?: Choices | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (step: string, done: number, total: number) => void;
}

/** `compiling` stays on the device: what is compiled later, for decode, runs under it too. */
export async function openClocked(device: GPUDevice, { config, checkpoint, precision, pinned, signal, onProgress }: OpenOptions) {
  const reading = new BusyClock();
  const compiling = clockOf(device);
  compiling.take();
  const begun = performance.now();
  let uploaded = begun;
  let tuned = 0;
  const clocked: Checkpoint = { ...checkpoint, read: (...piece) => reading.during(() => checkpoint.read(...piece)) };
  const engine = await Engine.open(config, clocked, {
    device,
    signal,
    ...engineOptions(precision, pinned, () => {
      tuned = performance.now();
    }),
    onProgress: ({ stage, loaded, total }) => {
      if (stage === "weights") uploaded = performance.now();
      onProgress(stage === "weights" ? "Loading weights" : "Compiling kernels", loaded, total);
    },
  });
  const readMs = reading.take();
  const times: OpenTimes = {
    totalMs: performance.now() - begun,
    readMs,
    uploadMs: Math.max(0, uploaded - begun - readMs),
    compileMs: compiling.take(),
    tuneMs: tuned > 0 ? tuned - uploaded : 0,
  };
  return { engine, times, compiling };
}

const CLOCKS = new WeakMap<GPUDevice, BusyClock>();

/** One clock a device: pipelines that it compiles run under it. */
function clockOf(device: GPUDevice): BusyClock {
  const known = CLOCKS.get(device);
  if (known) return known;
  const clock = new BusyClock();
  const compile = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = (descriptor) => clock.during(() => compile(descriptor));
  CLOCKS.set(device, clock);
  return clock;
}
