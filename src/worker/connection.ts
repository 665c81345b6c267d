// The page's side of the wire: numbers the calls, keeps the promises, and fails them all if the worker does.
import type { Progress } from "../engine.ts";
import { SamError } from "../errors.ts";
import { type Calls, type FromWorker, fromPlain, type Method, type ToWorker } from "./protocol.ts";

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  /** Stops listening for the abort. */
  readonly settle: () => void;
}

interface CallOptions {
  readonly transfer?: Transferable[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Numbers are unique in a realm, so that several clients can talk to one worker. */
let lastId = 0;

export function nextId(): number {
  lastId += 1;
  return lastId;
}

export class Connection {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #listening = new AbortController();
  #failure: unknown;

  constructor(worker: Worker) {
    this.#worker = worker;
    const { signal } = this.#listening;
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#receive(data), { signal });
    worker.addEventListener("error", (event) => this.close(event.message ? crashed(event.message) : unreachable()), { signal });
    worker.addEventListener("messageerror", () => this.close(crashed("a message that can't be read")), { signal });
  }

  /** Resolves with the worker's answer; rejects with its error, `signal.reason`, or the reason of `close`. */
  call<M extends Method>(
    method: M,
    params: Calls[M]["params"],
    { transfer = [], signal, onProgress }: CallOptions = {},
    id = nextId(),
  ): Promise<Calls[M]["result"]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#pending.delete(id);
        this.send({ kind: "abort", id });
        reject(signal?.reason);
      };
      const settle = () => signal?.removeEventListener("abort", abort);
      this.#pending.set(id, { resolve, reject, onProgress, settle });
      signal?.addEventListener("abort", abort, { once: true });
      try {
        this.send({ kind: "call", id, method, params } as ToWorker, transfer);
      } catch (error) {
        this.#take(id)?.reject(unsendable(method, error));
      }
    });
  }

  send(message: ToWorker, transfer: Transferable[] = []): void {
    if (this.#failure === undefined) this.#worker.postMessage(message, { transfer });
  }

  /** From now on every call, waiting or new, rejects with `reason`. The first reason stands. */
  close(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#listening.abort();
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(reason);
  }

  #receive(message: FromWorker): void {
    if (message.kind === "progress") this.#pending.get(message.id)?.onProgress?.(message.progress);
    else if (message.kind === "result") this.#take(message.id)?.resolve(message.result as never);
    else this.#take(message.id)?.reject(fromPlain(message.error));
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.settle();
    return pending;
  }
}

function crashed(got: string): SamError {
  return new SamError({
    code: "device",
    op: "worker",
    expected: "the worker to keep running",
    got,
    // The type stands there for those who left it out: browsers say no more of that than a SyntaxError.
    remedy: 'Make a new Worker with { type: "module" } and load the weights again.',
  });
}

/** A script that fails while it runs has a message; one that never came has none. */
function unreachable(): SamError {
  return new SamError({
    code: "device",
    op: "worker",
    expected: "the worker's script to load",
    got: "a script that does not load or run",
    remedy: "Check that machine and server are online, and load the weights again.",
  });
}

const CODE_OF_METHOD = { load: "checkpoint", encode: "image", decode: "prompt", save: "disposed", stats: "disposed" } as const;

function unsendable(method: Method, cause: unknown): SamError {
  const got = cause instanceof Error ? cause.message : String(cause);
  return new SamError(
    {
      code: CODE_OF_METHOD[method],
      op: method,
      expected: "arguments that can be sent to a worker",
      got,
      remedy: "Pass plain data: numbers, arrays, typed arrays, Blobs.",
    },
    { cause },
  );
}
