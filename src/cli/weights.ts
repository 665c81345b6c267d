// What `--weights` may name, and how it becomes something the model reads.
import { createHash, type Hash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ReadProgress } from "../bytes/byte_source.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { hubFile } from "../bytes/hub.ts";
import { listCachedFiles, nodeSource } from "../bytes/node_source.ts";
import { openCheckpoint } from "../checkpoint/open.ts";
import { UsageError } from "./usage.ts";

const SYNTHETIC = /^synthetic:(.*)$/;
const ADDRESS = /^(https?:\/\/|hf:)/i;
const HUB = /^hf:/i;

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

/** The files on disk that weights are read of: with an index, those it names. */
export async function filesOf(weights: string): Promise<string[]> {
  if (!isFile(weights)) return [];
  const found = await stat(weights).catch(() => undefined);
  const text = found?.isFile() && found.size <= MOST_INDEX ? await readFile(weights, "utf8").catch(() => "") : "";
  try {
    return [weights, ...partsOf(text.replace(/^\ufeff/, "")).map((part) => beside(weights, part))];
  } catch {
    return [weights];
  }
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
export async function openWeights(
  weights: string,
  signal: AbortSignal,
  onProgress?: (progress: ReadProgress) => void,
  onNotice?: (words: string) => void,
): Promise<Checkpoint | string> {
  if (SYNTHETIC.test(weights)) return weights;
  const told = { ...(onProgress && { onProgress }), ...(onNotice && { onNotice }) };
  return openCheckpoint(weights, { signal, openSource: nodeSource, ...hubOptions(), ...told });
}

/** `HF_ENDPOINT` names a mirror, as it does for the hub's own programs. */
function hubOptions(): { readonly hub?: string; readonly kept: typeof listCachedFiles } {
  const hub = process.env["HF_ENDPOINT"];
  return { ...(hub && { hub }), kept: listCachedFiles };
}

/** SHA-256 of a file, in hex. */
export async function fileHash(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(piece);
  return hash.digest("hex");
}

/**
 * What tells weights apart for results that are put together: their name, and SHA-256 of all that is read of them. Neither path
 * nor time is the same on every machine that shares the work, and a better model may have the size of the old.
 */
export async function identityOf(named: string, signal: AbortSignal): Promise<string> {
  if (SYNTHETIC.test(named)) return named;
  const { url: weights, commit: version } = HUB.test(named) ? await hubFile(named, { signal, ...hubOptions() }) : { url: named, commit: undefined };
  const hash = createHash("sha256");
  const text = await addTo(hash, weights, { signal, version }, /\.json([?#].*)?$/i.test(weights));
  for (const part of partsOf(text)) await addTo(hash, beside(weights, part), { signal, version }, false);
  const name = ADDRESS.test(weights) ? new URL(weights).pathname : weights;
  return `${basename(name)}, sha256 ${hash.digest("hex")}`;
}

const PIECE = 4 << 20;
/** Of an index, as the reader has it. */
const MOST_INDEX = 4 << 20;

interface Addressed {
  readonly signal: AbortSignal;
  /** The commit, of a hub's file. */
  readonly version: string | undefined;
}

/** Gives the content back where it is wanted as text. */
async function addTo(hash: Hash, location: string, { signal, version }: Addressed, wanted: boolean): Promise<string> {
  const source = await nodeSource(location, { signal, ...(version !== undefined && { version }) });
  const pieces: Uint8Array[] = [];
  try {
    for (let at = 0; at < source.size; at += PIECE) {
      const piece = await source.read(at, Math.min(PIECE, source.size - at), signal);
      hash.update(piece);
      if (wanted) pieces.push(piece);
    }
  } finally {
    await source.close();
  }
  return Buffer.concat(pieces)
    .toString("utf8")
    .replace(/^\ufeff/, "");
}

/** Files that an index names; what is no index was refused when the model was loaded. */
function partsOf(index: string): string[] {
  if (index === "") return [];
  const { weight_map } = JSON.parse(index) as { weight_map?: Readonly<Record<string, string>> };
  return [...new Set(Object.values(weight_map ?? {}))].sort();
}

function beside(index: string, file: string): string {
  return ADDRESS.test(index) ? String(new URL(file, index)) : join(dirname(index), file);
}
