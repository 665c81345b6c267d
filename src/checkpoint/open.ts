// Anything a user may name as weights → a checkpoint. The kind of file is read off its content, never off its name.
import { blobSource, bufferSource, type ByteSource, isByteSource, progressOver, type ReadProgress } from "../bytes/byte_source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { bad } from "../bytes/fail.ts";
import type { CachedFile } from "../bytes/cache.ts";
import type { HttpOptions } from "../bytes/http_source.ts";
import { type Container, containerOf } from "./container.ts";
import type { Found } from "./find.ts";
import type { Look } from "./look.ts";
import { canonical } from "./names.ts";
import { expectOptions, namesOf } from "../option_names.ts";
import { describe } from "../options.ts";
import { openSafetensors } from "./safetensors.ts";

/** A list is the files of one checkpoint: its shards, with their index or without. */
export type Weights = string | URL | Blob | ArrayBuffer | Uint8Array | ByteSource | Checkpoint | readonly Blob[];

export interface OpenOptions {
  readonly signal?: AbortSignal;
  /** Bytes so far, of all files. */
  readonly onProgress?: (progress: ReadProgress) => void;
  /** Of a single file: checked while it is read, and by `verify()` of the checkpoint. */
  readonly sha256?: string;
  /** Names the version of what an address gives; the default is the server's word for it. */
  readonly version?: string;
  /** Keep what comes from an address in the browser's Cache Storage. Default true. */
  readonly cache?: boolean;
  /** What the user should know though it is no error. */
  readonly onNotice?: (words: string) => void;
  /** Opens a string or URL, checking `sha256` where one is given; the default fetches it. The command line has its own. */
  readonly openSource?: (location: string | URL, options: OpenOptions) => Promise<ByteSource>;
  readonly http?: HttpOptions;
  /** Address of the hub that `hf:` names are looked up at; default the public one. */
  readonly hub?: string;
  /** What is kept of earlier downloads, for when a hub does not answer; default the browser's Cache Storage. */
  readonly kept?: () => Promise<readonly CachedFile[]>;
}

const NAMES = namesOf<Required<OpenOptions>>({
  signal: 1,
  onProgress: 1,
  sha256: 1,
  version: 1,
  cache: 1,
  onNotice: 1,
  openSource: 1,
  http: 1,
  hub: 1,
  kept: 1,
});

export function isCheckpoint(value: unknown): value is Checkpoint {
  return typeof value === "object" && value !== null && "tensors" in value && value.tensors instanceof Map && "read" in value;
}

/** Opens weights and checks their directory; tensors are read later. Names are canonical: `image_encoder.…`. */
export async function openCheckpoint(weights: Weights, options: OpenOptions = {}): Promise<Checkpoint> {
  await expectOptions(options, NAMES, "checkpoint", "openCheckpoint");
  const { signal, onProgress, onNotice } = options;
  signal?.throwIfAborted();
  if (isCheckpoint(weights)) return canonical(weights, onNotice);
  // Hub addresses are a module of its own, fetched for them.
  if (typeof weights === "string" && /^hf:/i.test(weights)) return (await import("./hub.ts")).openFromHub(weights, options, openCheckpoint);
  const opened: ByteSource[] = [];
  const told = onProgress ? progressOver(onProgress) : (source: ByteSource) => source;
  const keep = (source: ByteSource) => {
    opened.push(source);
    return source;
  };
  const openFile = async (source: ByteSource, container: Container) =>
    container === "zip" ? (await import("./pth.ts")).openPth(source, find, signal) : openSafetensors(source, signal);
  try {
    // What few bring is a module of its own, fetched when they do: several files, and .pth files below.
    if (Array.isArray(weights) && weights.length !== 1)
      return await canonical(await (await import("./sharded.ts")).openFiles(weights as readonly Blob[], told, look, openFile, signal), onNotice);
    const single = (Array.isArray(weights) ? weights[0] : weights) as Exclude<Weights, Checkpoint | readonly Blob[]>;
    const source = keep(await toSource(single, options));
    const head = await source.read(0, Math.min(source.size, 512), signal);
    const container = containerOf(head);
    if (container === "index") {
      const { openShards, readIndex } = await import("./sharded.ts");
      const { files, fileOf } = await readIndex(source, signal);
      await source.close();
      // The hash promised is that of the one file, not of each.
      const { sha256: _, ...each } = options;
      const places = files.map((file) => [file, beside(single, file)] as const);
      const shards = new Map(places.map(([file, place]) => [file, async () => told(keep(await toSource(place, each)))]));
      return besides(await canonical(await openShards(source.label, shards, fileOf, look, openFile, signal), onNotice), single, options);
    }
    if (!container) {
      const { seen, remedy } = await look(head);
      throw bad(source.label, "a checkpoint (.pth or .safetensors)", seen, remedy);
    }
    const checkpoint = await openFile(told(source), container);
    return besides(await canonical(source.verify ? { ...checkpoint, verify: source.verify } : checkpoint, onNotice), single, options);
  } catch (error) {
    for (const source of opened) await source.close();
    throw error;
  }
}

/** An address that is the file. */
const IN_ITSELF = /^data:/i;

/** With what lies beside it, of a file that has a place. */
function besides(checkpoint: Checkpoint, single: unknown, { sha256: _, version: __, ...options }: OpenOptions): Checkpoint {
  if ((typeof single !== "string" && !(single instanceof URL)) || IN_ITSELF.test(`${single}`)) return checkpoint;
  return { ...checkpoint, openBeside: (file) => toSource(beside(single, file), { ...options, cache: false }) };
}

/** A module of its own, fetched where names are not the network's alone. */
async function find(label: string, names: Iterable<string>): Promise<Found | undefined> {
  return (await import("./found.ts")).findNetwork(label, names);
}

/** A module of its own, fetched where a file holds no weights. */
async function look(head: Uint8Array): Promise<Look> {
  return (await import("./look.ts")).lookAt(head);
}

/** What checks the hash is a module of its own, fetched where one was promised. */
async function promised(source: ByteSource, sha256: string | undefined): Promise<ByteSource> {
  return sha256 === undefined ? source : (await import("../bytes/verify.ts")).verified(source, sha256);
}

async function toSource(weights: Exclude<Weights, Checkpoint | readonly Blob[]>, options: OpenOptions): Promise<ByteSource> {
  const { openSource, sha256, signal, http, cache = true } = options;
  if (typeof weights === "string" || weights instanceof URL) {
    if (openSource) return openSource(weights, options);
    const file = await fileInNode(weights);
    if (file) return promised(file, sha256);
    // What asks servers and keeps what they send is a module of its own, fetched for addresses.
    const { cachedSource, dataSource, httpSource } = await import("../bytes/address.ts");
    if (IN_ITSELF.test(`${weights}`)) return promised(await dataSource(weights), sha256);
    return cache ? cachedSource(weights, options) : promised(await httpSource(weights, http, signal), sha256);
  }
  return promised(localSource(weights), sha256);
}

function localSource(weights: Blob | ArrayBuffer | Uint8Array | ByteSource): ByteSource {
  if (weights instanceof Blob) return blobSource(weights);
  if (weights instanceof ArrayBuffer) return bufferSource(weights);
  if (weights instanceof Uint8Array) {
    if (weights.buffer instanceof ArrayBuffer) return bufferSource(weights as Uint8Array<ArrayBuffer>);
    throw bad("openCheckpoint", "bytes in an ArrayBuffer", "a view of shared memory", "Copy them first: bytes.slice().", "weights");
  }
  if (isByteSource(weights)) return weights;
  throw bad(
    "openCheckpoint",
    "a path or address, Blob, ArrayBuffer, Uint8Array or Checkpoint",
    describe(weights),
    "See the documentation of `weights`.",
    "weights",
  );
}

/** A `file:` address, which `fetch` of Node refuses: its file on disk, where there is Node (or Deno, or Bun) to read it. */
async function fileInNode(address: string | URL): Promise<ByteSource | undefined> {
  // Not `process` alone: a bundler would bring a substitute for it.
  if (!/^file:/i.test(String(address)) || !globalThis.process?.getBuiltinModule) return undefined;
  return (await import("../bytes/file_source.ts")).fileSource(new URL(address));
}

/** The file of that name in the same folder. */
function beside(index: unknown, file: string): string | URL {
  if (index instanceof URL || (typeof index === "string" && /^[a-z][a-z+]+:\/\//i.test(index))) return new URL(file, index);
  if (typeof index === "string") return index.replace(/[?#].*$/, "").replace(/[^/\\]*$/, "") + file;
  throw bad("openCheckpoint", "the index together with its files", "the index alone", "Choose all files of the checkpoint at once.", "weights");
}
