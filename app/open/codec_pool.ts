// Workers that decode compressed pixels: as many as the machine has room for, made when they are needed, the least busy one asked.
import type { DecodedPixels, PixelDecoders } from "../../src/formats/index.ts";
import type { ToWorker } from "./codec_worker.ts";

/** Each holds codecs of a megabyte or two. */
const MOST = 4;

interface Answer {
  readonly id: number;
  readonly decoded?: DecodedPixels;
  readonly error?: string;
}

interface Waiting {
  resolve(decoded: DecodedPixels): void;
  reject(error: unknown): void;
}

interface Member {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

export interface CodecPool extends PixelDecoders {
  close(): void;
}

/** `size` workers at most; by default one core is left to the page. */
export function codecPool(
  size = Math.max(1, Math.min(MOST, navigator.hardwareConcurrency - 1)),
  make = () => new Worker(new URL("./codec_worker.ts", import.meta.url), { type: "module" }),
): CodecPool {
  const members: Member[] = [];
  const queue: { readonly message: ToWorker; readonly waiting: Waiting; readonly signal: AbortSignal | undefined }[] = [];
  let last = 0;

  function start(): Member {
    const member: Member = { worker: make(), waiting: new Map() };
    member.worker.addEventListener("message", ({ data: { id, decoded, error } }: MessageEvent<Answer>) => {
      const waiting = member.waiting.get(id);
      member.waiting.delete(id);
      if (decoded) waiting?.resolve(decoded);
      else waiting?.reject(new Error(error));
      next();
    });
    // One that did not start or ran out of memory takes its frames along; the next frame starts another.
    member.worker.addEventListener("error", (event) => {
      event.preventDefault();
      members.splice(members.indexOf(member), 1);
      member.worker.terminate();
      for (const { reject } of member.waiting.values()) reject(new Error(event.message || "the decoder ended"));
      next();
    });
    members.push(member);
    return member;
  }

  /** Frames wait here and not in a worker: those that nobody wants any more are never decoded. */
  function next(): void {
    for (let first = queue[0]; first; first = queue[0]) {
      const free = members.find(({ waiting }) => waiting.size === 0) ?? (members.length < size ? start() : undefined);
      if (!free) return;
      queue.shift();
      if (first.signal?.aborted) {
        first.waiting.reject(first.signal.reason);
        continue;
      }
      free.waiting.set(first.message.id, first.waiting);
      free.worker.postMessage(first.message);
    }
  }

  return {
    decode(kind, bytes, signal) {
      return new Promise((resolve, reject) => {
        queue.push({ message: { id: ++last, kind, bytes }, waiting: { resolve, reject }, signal });
        next();
      });
    },
    close() {
      for (const { worker, waiting } of members.splice(0)) {
        worker.terminate();
        for (const { reject } of waiting.values()) reject(new Error("the decoders were closed"));
      }
    },
  };
}
