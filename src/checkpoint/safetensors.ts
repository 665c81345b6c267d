// The safetensors format: u64 header length, JSON header, the tensors' bytes. Everything the header claims is checked
// against the file's size before any tensor is read.
import { elements } from "../graph/tensor.ts";
import type { ByteSource } from "../bytes/byte_source.ts";
import {
  BYTES_PER_ELEMENT,
  type Checkpoint,
  decodeF32,
  OTHER_BYTES,
  type OtherDType,
  type OtherTensor,
  SCALE_SUFFIX,
  type StoredDType,
  type StoredTensor,
} from "./checkpoint.ts";
import { expectElements } from "./elements.ts";
import { bad, DAMAGED, expectName, quoted } from "../bytes/fail.ts";
import { parseJson } from "./json.ts";
import type { Int8Scales } from "./int8.ts";

/** 30,000 tensors fit; parsing more than this would cost memory out of proportion to any file of the family. */
const MAX_HEADER = 4 << 20;
const MAX_DIMENSIONS = 16;

/** Bytes per element of every dtype of the format; only some of them can be loaded, but all are measured. */
const SIZES: Readonly<Record<string, number>> = {
  ...BYTES_PER_ELEMENT,
  ...OTHER_BYTES,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  F4: 0.5,
  F6_E2M3: 0.75,
  F6_E3M2: 0.75,
  C64: 8,
};

export interface FileTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In file order. */
  readonly tensors: readonly FileTensor[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Parses the header and checks it against the file's size: length, JSON, names, dtypes, shapes, offsets, overlaps, gaps. */
export async function readHeader(source: ByteSource, signal?: AbortSignal): Promise<SafetensorsHeader> {
  const { label, size } = source;
  if (size < 10) throw bad(label, "a safetensors file", `${size} bytes`, DAMAGED);
  const head = await source.read(0, 8, signal);
  const view = new DataView(head.buffer, head.byteOffset, 8);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length < 2 || length > size - 8) throw bad(label, `a header of 2 to ${size - 8} bytes`, `${length}`, DAMAGED, "header length");
  if (length > MAX_HEADER) throw bad(label, `at most ${MAX_HEADER} bytes`, `${length}`, "This is not a checkpoint of this family.", "header length");
  const begin = 8 + length;
  const tensors: FileTensor[] = [];
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(parseHeader(label, await source.read(8, length, signal)))) {
    if (name === "__metadata__") {
      if (!isRecord(value) || !Object.values(value).every((text) => typeof text === "string"))
        throw bad(label, "strings by name", typeof value, DAMAGED, "__metadata__");
      for (const [key, text] of Object.entries(value)) metadata.set(key, text as string);
    } else tensors.push(fileTensor(label, name, value, begin, size));
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = begin;
  for (const tensor of tensors) {
    if (tensor.begin !== end)
      throw bad(
        label,
        `an offset of ${end - begin}, where the tensor before it ends`,
        `${tensor.begin - begin} (${tensor.begin < end ? "overlap" : "gap"})`,
        DAMAGED,
        quoted(tensor.name),
      );
    end = tensor.end;
  }
  if (end !== size) throw bad(label, `${end} bytes, as the header says`, `${size}`, DAMAGED);
  return { tensors, metadata };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseHeader(label: string, bytes: Uint8Array): Record<string, unknown> {
  const header = parseJson(label, bytes, "a JSON header in UTF-8");
  if (!isRecord(header)) throw bad(label, "a JSON object as header", typeof header, DAMAGED);
  return header;
}

function fileTensor(label: string, name: string, value: unknown, start: number, size: number): FileTensor {
  const fail = (expected: string, got: unknown) => bad(label, expected, (JSON.stringify(got) ?? "nothing").slice(0, 120), DAMAGED, quoted(name));
  expectName(label, name);
  if (!isRecord(value)) throw fail("{dtype, shape, data_offsets}", value);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(SIZES, dtype)) throw fail(`a dtype of ${Object.keys(SIZES).join(", ")}`, dtype);
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || shape.length > MAX_DIMENSIONS || !shape.every(isCount)) throw fail(`a shape of at most ${MAX_DIMENSIONS} whole numbers`, shape);
  const [from, to] = (Array.isArray(offsets) && offsets.length === 2 ? offsets : []) as unknown[];
  if (!isCount(from) || !isCount(to) || from > to || start + to > size) throw fail(`data_offsets within the ${size - start} bytes of data`, offsets);
  const bytes = elements(shape) * (SIZES[dtype] as number);
  if (bytes !== to - from) throw fail(`${bytes} bytes for ${dtype} [${shape.join(", ")}]`, to - from);
  return { name, dtype, shape, begin: start + from, end: start + to };
}

/** A checkpoint over one safetensors file. int8 weights are given as f32. */
export async function openSafetensors(source: ByteSource, signal?: AbortSignal): Promise<Checkpoint> {
  const { label } = source;
  const { tensors: entries, metadata } = await readHeader(source, signal);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const scalesOf = ({ name, dtype }: FileTensor) => (dtype === "I8" ? byName.get(name + SCALE_SUFFIX) : undefined);
  const isScale = ({ name }: FileTensor) => name.endsWith(SCALE_SUFFIX) && byName.get(name.slice(0, -SCALE_SUFFIX.length))?.dtype === "I8";
  const tensors = new Map<string, StoredTensor>();
  const others = new Map<string, OtherTensor>();
  const refused = new Map<string, string>();
  const int8 = new Map<string, Int8Scales>();
  for (const entry of entries) {
    const { name, dtype, shape } = entry;
    const scales = scalesOf(entry);
    if (isScale(entry)) continue;
    if (scales) {
      if (scales.dtype !== "F32") throw bad(label, "scales in F32", scales.dtype, DAMAGED, quoted(scales.name));
      const { expectScales, scaleInner } = await import("./int8.ts");
      const inner = scaleInner(label, name, shape, scales.shape);
      const values = decodeF32(await source.read(scales.begin, scales.end - scales.begin, signal), "F32");
      expectScales(label, name, values);
      int8.set(name, { scales: values, inner });
      tensors.set(name, { name, dtype: "F32", shape, stored: "int8" });
    } else if (dtype in BYTES_PER_ELEMENT) tensors.set(name, { name, dtype: dtype as StoredDType, shape });
    else if (dtype in OTHER_BYTES) others.set(name, { name, dtype: dtype as OtherDType, shape });
    else refused.set(name, `as ${dtype} [${shape.join(", ")}], a dtype that is not loaded`);
  }
  return {
    label,
    format: "safetensors",
    tensors,
    others,
    refused,
    metadata,
    ...(source.fresh ? { fresh: true } : {}),
    async read(name, begin, end, signal) {
      const tensor = expectElements(label, tensors, name, begin, end);
      const from = (byName.get(name) as FileTensor).begin;
      const scaling = int8.get(name);
      if (scaling) {
        const { dequantise } = await import("./int8.ts");
        return new Uint8Array(dequantise(await source.read(from + begin, end - begin, signal), begin, scaling).buffer);
      }
      const bytes = BYTES_PER_ELEMENT[tensor.dtype];
      return source.read(from + begin * bytes, (end - begin) * bytes, signal);
    },
    async readStored(name, begin, end, signal) {
      const other = expectElements(label, others, name, begin, end);
      const bytes = OTHER_BYTES[other.dtype];
      return source.read((byName.get(name) as FileTensor).begin + begin * bytes, (end - begin) * bytes, signal);
    },
    close: () => source.close(),
  };
}
