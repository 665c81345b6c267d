// A checkpoint in several safetensors files: an index says which tensor is in which.
import { blobSource, type ByteSource } from "../bytes/byte_source.ts";
import { type Checkpoint, type OtherTensor, SCALE_SUFFIX, type StoredTensor } from "./checkpoint.ts";
import { SamError } from "../errors.ts";
import { expectElements } from "./elements.ts";
import { bad, DAMAGED, quoted } from "../bytes/fail.ts";
import { parseJson } from "./json.ts";
import { type Container, containerOf } from "./container.ts";
import type { Look } from "./look.ts";

const MAX_INDEX = 4 << 20;
const MAX_FILES = 1000;
const SETTINGS = /^(preprocessor_config|config|generation_config|processor_config)\.json$/;
const CHOOSE = "Choose *.safetensors.index.json or the .safetensors file.";

/** Reads `*.safetensors.index.json` or `pytorch_model.bin.index.json` and gives the names of the files, in order. */
export async function readIndex(source: ByteSource, signal?: AbortSignal): Promise<{ files: string[]; fileOf: Map<string, string> }> {
  const { label, size } = source;
  if (size > MAX_INDEX) throw bad(label, `an index of at most ${MAX_INDEX} bytes`, `${size}`, "This is not the index of a checkpoint.");
  const bytes = await source.read(0, size, signal);
  // Windows' editors begin a file with a byte order mark.
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const index = parseJson(label, marked ? bytes.subarray(3) : bytes, "JSON", CHOOSE);
  const map: unknown = typeof index === "object" && index !== null && "weight_map" in index ? index.weight_map : undefined;
  if (typeof map !== "object" || map === null || Array.isArray(map)) throw bad(label, "an index with a weight_map", `other JSON${saying(index)}`, CHOOSE);
  const fileOf = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    // The files lie beside the index: nothing that leads elsewhere is followed.
    if (typeof file !== "string" || !/^[\w-][\w.-]{0,250}$/.test(file))
      throw bad(label, "plain file names", (JSON.stringify(file) ?? "").slice(0, 120), DAMAGED, quoted(name));
    fileOf.set(name, file);
  }
  const files = [...new Set(fileOf.values())].sort();
  if (files.length === 0 || files.length > MAX_FILES) throw bad(label, `1 to ${MAX_FILES} files`, `${files.length}`, DAMAGED);
  return { files, fileOf };
}

/** What a server says in place of the file. */
function saying(answer: unknown): string {
  const { error, message, detail } = (answer ?? {}) as Record<string, unknown>;
  const said = [error, message, detail].find((words) => typeof words === "string");
  return said ? `, which says ${quoted(said as string)}` : "";
}

/** The files of one checkpoint as one. With an index, it says what must be there; without, everything is. */
export async function openShards(
  label: string,
  files: ReadonlyMap<string, () => Promise<ByteSource>>,
  fileOf: ReadonlyMap<string, string> | undefined,
  look: (head: Uint8Array) => Promise<Look>,
  openFile: (source: ByteSource, container: Container) => Promise<Checkpoint>,
  signal: AbortSignal | undefined,
): Promise<Checkpoint> {
  const sources = new Map<string, ByteSource>();
  const shards = new Map<string, Checkpoint>();
  for (const [file, open] of files) {
    const source = await open().catch((cause: unknown) => {
      if (!fileOf || !(cause instanceof SamError)) throw cause;
      throw bad(label, `${file}, which the index names`, cause.got ?? "none", "Put all files of the checkpoint beside their index.", undefined, cause);
    });
    sources.set(file, source);
    const head = await source.read(0, Math.min(source.size, 512), signal);
    const container = containerOf(head);
    if (!container || container === "index") {
      const { seen, remedy } = await look(head);
      throw bad(source.label, "a part of the checkpoint (.safetensors or .bin)", container ? "an index" : seen, remedy);
    }
    shards.set(file, await openFile(source, container));
    // A browser holds few connections to one server: no shard keeps one while the next is opened.
    source.pause?.();
  }
  const tensors = new Map<string, StoredTensor>();
  const others = new Map<string, OtherTensor>();
  const refused = new Map<string, string>();
  const home = new Map<string, string>();
  for (const [file, shard] of shards) {
    for (const [name, what] of shard.refused ?? []) refused.set(name, what);
    for (const name of [...shard.tensors.keys(), ...(shard.others?.keys() ?? [])]) {
      const other = home.get(name);
      if (other !== undefined) throw bad(label, "each tensor in one file", `${quoted(name)} in ${other} and ${file}`, "Choose the files of one checkpoint.");
      home.set(name, file);
    }
    for (const [name, tensor] of shard.tensors) tensors.set(name, tensor);
    for (const [name, tensor] of shard.others ?? []) others.set(name, tensor);
  }
  for (const [name, file] of fileOf ?? []) {
    const scaled = name.endsWith(SCALE_SUFFIX) && home.get(name.slice(0, -SCALE_SUFFIX.length)) === file;
    if (home.get(name) !== file && !scaled && !refused.has(name))
      throw bad(label, `${quoted(name)} in ${file}, as the index says`, home.get(name) ?? "nowhere", DAMAGED);
  }
  const metadata = [...shards.values()].find((shard) => shard.metadata?.size)?.metadata;
  let last: string | undefined;
  const shardOf = (name: string): Checkpoint => {
    const file = home.get(name) as string;
    if (last !== undefined && last !== file) sources.get(last)?.pause?.();
    last = file;
    return shards.get(file) as Checkpoint;
  };
  return {
    label,
    format: [...shards.values()][0]?.format ?? "safetensors",
    tensors,
    others,
    refused,
    ...(metadata ? { metadata } : {}),
    async read(name, begin, end, signal) {
      expectElements(label, tensors, name, begin, end);
      return shardOf(name).read(name, begin, end, signal);
    },
    async readStored(name, begin, end, signal) {
      const shard = shardOf(name);
      if (!shard.readStored) throw bad(label, "a tensor of the file", quoted(name), DAMAGED);
      return shard.readStored(name, begin, end, signal);
    },
    async close() {
      for (const source of sources.values()) await source.close();
    },
  };
}

/** The shards of one checkpoint, with or without their index, as files in any order. */
export async function openFiles(
  blobs: readonly Blob[],
  told: (source: ByteSource) => ByteSource,
  look: (head: Uint8Array) => Promise<Look>,
  openFile: (source: ByteSource, container: Container) => Promise<Checkpoint>,
  signal: AbortSignal | undefined,
): Promise<Checkpoint> {
  const sources = new Map<string, ByteSource>();
  const besides = new Map<string, Blob>();
  let index: Awaited<ReturnType<typeof readIndex>> | undefined;
  for (const [i, blob] of blobs.entries()) {
    if (!(blob instanceof Blob)) throw bad("openCheckpoint", "a list of files", typeof blob, "See the documentation of `weights`.", "weights");
    const source = blobSource(blob);
    const head = await source.read(0, Math.min(source.size, 512), signal);
    const container = containerOf(head);
    const name = "name" in blob && typeof blob.name === "string" ? blob.name : `file ${i + 1}`;
    // Whoever chooses all files of a folder has the model's settings among them.
    if (container === "index" && SETTINGS.test(name)) besides.set(name, blob);
    else if (container === "index" && !index) index = await readIndex(source, signal);
    else if (!container || container === "index") {
      const { seen, remedy } = await look(head);
      throw bad(name, "files of weights and their one index", container ? "a second index" : seen, container ? "Choose the files of one checkpoint." : remedy);
    } else if (sources.has(name)) throw bad(name, "each file once", "it twice", "Choose the files of one checkpoint.");
    else sources.set(name, told(source));
  }
  const absent = index?.files.filter((file) => !sources.has(file)) ?? [];
  if (absent.length > 0)
    throw bad(
      "openCheckpoint",
      "all files the index names",
      `${absent.length} missing: ${absent.slice(0, 20).join(", ")}`,
      "Choose them all at once.",
      "weights",
    );
  if (sources.size === 0) throw bad("openCheckpoint", "at least one file", "none", "Choose the file with the weights.", "weights");
  const names = index?.files ?? [...sources.keys()];
  const shards = new Map(names.map((name) => [name, async () => sources.get(name) as ByteSource]));
  const checkpoint = await openShards(names.join(", "), shards, index?.fileOf, look, openFile, signal);
  return {
    ...checkpoint,
    openBeside: async (file) => {
      const blob = besides.get(file);
      return blob && blobSource(blob);
    },
  };
}
