// What `--weights` may name, and how it becomes something the model reads.
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ReadProgress } from "../bytes/byte_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { nodeSource } from "../bytes/node_source.ts";
import { openCheckpoint } from "../checkpoint/open.ts";
import { UsageError } from "./usage.ts";

const SYNTHETIC = /^synthetic:(.*)$/;
const ADDRESS = /^https?:\/\//i;

/** Catches a mistyped seed before anything is loaded. */
export function checkWeights(text: string): string {
  const seed = SYNTHETIC.exec(text)?.[1];
  if (seed !== undefined && !(/^\d{1,10}$/.test(seed) && Number(seed) <= 0xffffffff)) {
    throw new UsageError(`--weights ${text}: the seed must be a whole number from 0 to 4294967295, for instance synthetic:7`);
  }
  if (text === "") throw new UsageError("--weights is empty: name a checkpoint file, or synthetic:SEED");
  return text;
}

export function isFile(weights: string): boolean {
  return !SYNTHETIC.test(weights) && !ADDRESS.test(weights);
}

/** The model that comes with the package; this file runs as dist/cli.js or src/cli/weights.ts. */
export function defaultWeights(): string {
  const found = ["../weights/", "../../weights/"]
    .map((folder) => fileURLToPath(new URL(`${folder}sam-med2d-tiny.safetensors`, import.meta.url)))
    .find((path) => existsSync(path));
  if (!found) throw new UsageError("--weights is needed: name a checkpoint file, or synthetic:SEED to try the program without one");
  return found;
}

/** Paths and addresses are opened here; downloads are kept in the cache folder. The library makes synthetic weights itself. */
export async function openWeights(weights: string, signal: AbortSignal, onProgress?: (progress: ReadProgress) => void): Promise<Checkpoint | string> {
  if (SYNTHETIC.test(weights)) return weights;
  return openCheckpoint(weights, { signal, openSource: nodeSource, ...(onProgress ? { onProgress } : {}) });
}

/** SHA-256 of a file, in hex. */
export async function fileHash(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(piece);
  return hash.digest("hex");
}
