// A checkpoint rewritten as safetensors: another dtype, with or without adapters, in one file or several. Streams, and
// gives the same bytes for the same input.
import { elements, type Shape } from "../graph/tensor.ts";
import { type Checkpoint, decodeF32, type OTHER_BYTES, QUANTISED_FROM, SCALE_SUFFIX, type StoredDType, type StoredTensor } from "./checkpoint.ts";
import { bad } from "../bytes/fail.ts";
import { toHalves } from "./half.ts";
import { channelAxis, gatherLargest, type Int8Scales, quantise, scaleShape, scalesFrom } from "./int8.ts";
import { fileOrder, safetensorsHeader, type WrittenDType, writeSafetensors, writtenBytes } from "./safetensors_writer.ts";
import { type Hasher, Sha256 } from "../bytes/sha256.ts";

export interface ConvertOptions {
  readonly dtype: "f32" | "f16" | "bf16" | "int8";
  /** Default `keep`. */
  readonly adapter?: "keep" | "drop";
  /** Whose names the tensors get; default the reference's. */
  readonly names?: "reference" | "transformers";
  /** Upper bound of each file's bytes; a tensor larger than that has a file of its own. Default: one file. */
  readonly shardBytes?: number;
  /** Of the files, without extension. Default `model`. */
  readonly name?: string;
  /** Kept in the file's metadata and in the manifest. */
  readonly config?: unknown;
  /** What it was made from, for the manifest: a file name, never a path. Default the checkpoint's label, shortened to one. */
  readonly source?: string;
  /** Of the source file, where it is known. */
  readonly sourceSha256?: string;
  /** A faster SHA-256 than the library's own, where there is one (Node's `createHash("sha256")`). */
  readonly createHash?: () => Hasher;
  readonly signal?: AbortSignal;
  /** Elements read so far and in all; int8 reads everything twice. */
  readonly onProgress?: (progress: { readonly loaded: number; readonly total: number }) => void;
}

export interface ConvertedFile {
  readonly name: string;
  readonly bytes: number;
  /** The file from first to last byte. */
  pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;
}

export interface Manifest {
  readonly format: "safetensors";
  readonly dtype: ConvertOptions["dtype"];
  readonly adapter: "keep" | "drop";
  readonly tensors: number;
  readonly parameters: number;
  readonly config?: unknown;
  readonly source: { readonly file: string; readonly format?: string; readonly sha256?: string };
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

export interface Conversion {
  readonly files: readonly ConvertedFile[];
  /** Once every file was read to its end. */
  manifest(): Manifest;
}

/** Elements held at once. */
const PIECE = 1 << 22;
const ADAPTER = /\.Adapter\./;
const DTYPES = { f32: "F32", f16: "F16", bf16: "BF16", int8: "F32" } as const satisfies Record<ConvertOptions["dtype"], StoredDType>;

interface Output {
  readonly name: string;
  readonly dtype: WrittenDType;
  readonly shape: Shape;
  pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;
}

/** What is no weight: kept as it is. */
type Counter = Exclude<keyof typeof OTHER_BYTES, "F64" | "F8_E4M3" | "F8_E5M2">;

function isCounter(stored: StoredTensor["stored"]): stored is Counter {
  return stored !== undefined && stored !== "int8" && !/^F/.test(stored);
}

/** Matrices and kernels large enough to be worth it; norms, biases, tokens and position tables stay f32. */
function isQuantised({ name, shape, stored }: StoredTensor): boolean {
  return !isCounter(stored) && name.endsWith(".weight") && shape.length >= 2 && elements(shape) >= QUANTISED_FROM;
}

export async function convertCheckpoint(checkpoint: Checkpoint, options: ConvertOptions): Promise<Conversion> {
  const { dtype, adapter = "keep", names = "reference", shardBytes, name = "model", config, signal, onProgress } = options;
  if (!Object.hasOwn(DTYPES, dtype)) throw bad("convertCheckpoint", "f32, f16, bf16 or int8", String(dtype), "Choose one of them.", "dtype");
  if (!(shardBytes === undefined || shardBytes >= 4096))
    throw bad("convertCheckpoint", "at least 4096 bytes", String(shardBytes), "Choose larger files.", "shardBytes");
  const [lost] = checkpoint.refused ?? [];
  if (lost) throw bad(checkpoint.label, "tensors that can be read, so that none is lost", `one ${lost[1]}`, "Save it as float32, or leave it out.", lost[0]);
  const tensors = [...checkpoint.tensors.values()].filter((tensor) => adapter === "keep" || !ADAPTER.test(tensor.name));
  const written = names === "transformers" ? (await import("./transformers.ts")).expectTransformersName : (_: string, name: string) => name;
  for (const tensor of tensors) written(checkpoint.label, tensor.name);
  const parameters = tensors.reduce((sum, { shape }) => sum + elements(shape), 0);
  const quantised = dtype === "int8" ? tensors.filter(isQuantised) : [];
  const total = parameters + quantised.reduce((sum, { shape }) => sum + elements(shape), 0);
  let loaded = 0;

  async function* floats({ name, shape, dtype }: StoredTensor): AsyncGenerator<{ begin: number; values: Float32Array }, void, undefined> {
    for (let begin = 0; begin < elements(shape); begin += PIECE) {
      const end = Math.min(elements(shape), begin + PIECE);
      const values = decodeF32(await checkpoint.read(name, begin, end, signal), dtype);
      expectFinite(checkpoint.label, name, values);
      yield { begin, values };
      loaded += end - begin;
      onProgress?.({ loaded, total });
    }
  }

  /** A tensor in a float format. */
  function plain(tensor: StoredTensor, dtype: StoredDType): Output {
    const { name, shape } = tensor;
    async function* pieces() {
      for await (const { values } of floats(tensor)) {
        if (dtype === "F32") yield new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
        else {
          if (dtype === "F16") expectWithinF16(checkpoint.label, name, values);
          yield toHalves(values, dtype);
        }
      }
    }
    return { name, dtype, shape, pieces };
  }

  /** Integers and booleans: bit for bit, whatever the weights become. */
  function counter(tensor: StoredTensor, dtype: Counter): Output {
    const { name, shape } = tensor;
    async function* pieces() {
      for (let begin = 0; begin < elements(shape); begin += PIECE) {
        const end = Math.min(elements(shape), begin + PIECE);
        yield await (checkpoint.readStored as NonNullable<Checkpoint["readStored"]>)(name, begin, end, signal);
        loaded += end - begin;
        onProgress?.({ loaded, total });
      }
    }
    return { name, dtype, shape, pieces };
  }

  /** The scales, measured now, and the int8 tensor they belong to. */
  async function quantisedPair(tensor: StoredTensor): Promise<[Output, Output]> {
    const { name, shape } = tensor;
    const axis = channelAxis(name);
    const inner = elements(shape.slice(axis + 1));
    const largest = new Float32Array(shape[axis] as number);
    for await (const { begin, values } of floats(tensor)) gatherLargest(values, begin, inner, largest);
    const scaling: Int8Scales = { scales: scalesFrom(largest), inner };
    async function* scalePieces() {
      yield new Uint8Array(scaling.scales.buffer as ArrayBuffer);
    }
    async function* pieces() {
      for await (const { begin, values } of floats(tensor)) yield quantise(values, begin, scaling);
    }
    return [
      { name: name + SCALE_SUFFIX, dtype: "F32", shape: scaleShape(shape, axis), pieces: scalePieces },
      { name, dtype: "I8", shape, pieces },
    ];
  }

  // Scales come first in the file: a reader needs them before it can use what follows.
  const scales: Output[] = [];
  const weights: Output[] = [];
  for (const tensor of tensors) {
    if (isCounter(tensor.stored)) weights.push(counter(tensor, tensor.stored));
    else if (!quantised.includes(tensor)) weights.push(plain(tensor, DTYPES[dtype]));
    else {
      const [scale, weight] = await quantisedPair(tensor);
      scales.push(scale);
      weights.push(weight);
    }
  }
  const renamed = (output: Output): Output => {
    const [base, scale] = output.name.endsWith(SCALE_SUFFIX) ? [output.name.slice(0, -SCALE_SUFFIX.length), SCALE_SUFFIX] : [output.name, ""];
    return { ...output, name: written(checkpoint.label, base) + scale };
  };
  const outputs = fileOrder([...scales, ...weights].map(renamed));
  const metadata: [string, string][] = [["format", "pt"]];
  for (const key of ["image_size", "input"]) {
    const said = checkpoint.metadata?.get(key);
    if (said !== undefined) metadata.push([key, said]);
  }
  if (config !== undefined) metadata.push(["config", JSON.stringify(config)]);
  const hashes = new Map<string, string>();
  const files = toFiles(name, shards(outputs, shardBytes), metadata, options.createHash ?? (() => new Sha256()), hashes);
  return {
    files,
    manifest() {
      const source = options.source ?? checkpoint.label.replace(/[?#].*$/, "").replace(/^.*[/\\]/, "");
      return {
        format: "safetensors",
        dtype,
        adapter,
        tensors: tensors.length,
        parameters,
        ...(config === undefined ? {} : { config }),
        source: {
          file: source,
          ...(checkpoint.format === undefined ? {} : { format: checkpoint.format }),
          ...(options.sourceSha256 === undefined ? {} : { sha256: options.sourceSha256 }),
        },
        files: files.map(({ name, bytes }) => {
          const sha256 = hashes.get(name);
          if (sha256 === undefined) throw bad("convertCheckpoint", "every file read to its end before the manifest", name, "Write the files first.");
          return { name, bytes, sha256 };
        }),
      };
    },
  };
}

function expectFinite(label: string, name: string, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw bad(label, "finite weights", String(values[at]), "The training that wrote them went wrong.", name);
}

function expectWithinF16(label: string, name: string, values: Float32Array): void {
  const at = values.findIndex((value) => Math.abs(value) >= 65520);
  if (at >= 0) throw bad(label, "values that f16 can hold (up to 65504)", String(values[at]), "Choose bf16 or f32.", name);
}

/** A tensor and its scales stay together: each file is readable alone. */
function shards(outputs: readonly Output[], limit = Number.POSITIVE_INFINITY): Output[][] {
  const groups = new Map<string, Output[]>();
  for (const output of outputs) {
    const key = output.name.endsWith(SCALE_SUFFIX) ? output.name.slice(0, -SCALE_SUFFIX.length) : output.name;
    groups.set(key, [...(groups.get(key) ?? []), output]);
  }
  const files: Output[][] = [];
  let room = 0;
  for (const group of groups.values()) {
    // What the header takes for each tensor is bounded by its name, its shape and its offsets.
    const bytes = group.reduce((sum, output) => sum + writtenBytes(output) + output.name.length + 200, 0);
    if (files.length === 0 || bytes > room) {
      files.push([]);
      room = limit - 1024;
    }
    files.at(-1)?.push(...group);
    room -= bytes;
  }
  return files.length === 0 ? [[]] : files.map((file) => fileOrder(file));
}

function toFiles(
  base: string,
  groups: readonly Output[][],
  metadata: readonly [string, string][],
  createHash: () => Hasher,
  hashes: Map<string, string>,
): ConvertedFile[] {
  const number = (i: number) => String(i).padStart(5, "0");
  const fileName = (i: number) => (groups.length === 1 ? `${base}.safetensors` : `${base}-${number(i + 1)}-of-${number(groups.length)}.safetensors`);
  const dataBytes = (outputs: readonly Output[]) => outputs.reduce((sum, output) => sum + writtenBytes(output), 0);

  function hashed(name: string, make: () => AsyncIterable<Uint8Array<ArrayBuffer>>) {
    return async function* pieces() {
      const hash = createHash();
      for await (const piece of make()) {
        hash.update(piece);
        yield piece;
      }
      hashes.set(name, hash.digest("hex"));
    };
  }

  const files: ConvertedFile[] = groups.map((outputs, i) => {
    const name = fileName(i);
    const bytes = safetensorsHeader(outputs, metadata).length + dataBytes(outputs);
    return { name, bytes, pieces: hashed(name, () => writeSafetensors(outputs, (output) => output.pieces(), metadata)) };
  });
  if (groups.length > 1) {
    const weightMap = Object.fromEntries(
      groups.flatMap((outputs, i) => outputs.map((output) => [output.name, fileName(i)])).sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
    );
    const total = groups.reduce((sum, outputs) => sum + dataBytes(outputs), 0);
    const index = new TextEncoder().encode(`${JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, null, 2)}\n`);
    const name = `${base}.safetensors.index.json`;
    async function* whole() {
      yield index;
    }
    files.push({ name, bytes: index.length, pieces: hashed(name, whole) });
  }
  return files;
}
