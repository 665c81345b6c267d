// PyTorch's own file: a zip with `data.pkl`, which says what the tensors are, and one entry of raw bytes for each storage.
// Only the pickle is read when the file is opened; tensors are read in place, piece by piece.
import { elements } from "../graph/tensor.ts";
import type { ByteSource } from "../bytes/byte_source.ts";
import { BYTES_PER_ELEMENT, type Checkpoint, OTHER_BYTES, type OtherTensor, type StoredTensor } from "./checkpoint.ts";
import { expectElements } from "./elements.ts";
import { bad, DAMAGED, expectName, quoted } from "../bytes/fail.ts";
import type { findNetwork } from "./find.ts";
import { Dict, Foreign, unpickle } from "./pickle.ts";
import { ALLOWED, Described, isHarmless, isKind, Storage } from "./pickle_names.ts";
import { NPZ, WITH_ARRAYS } from "./remedies.ts";
import { isContiguous, lastElement, readStrided } from "./strided.ts";
import { openZip, type Zip, type ZipEntry } from "../bytes/zip.ts";

/** A model with its optimizer is a few hundred kilobytes. */
const MAX_PICKLE = 8 << 20;

const SAVE_SCRIPTED = `Save its weights with PyTorch: python -c "import torch; torch.save(torch.jit.load('old.pt', map_location='cpu').state_dict(), 'new.pth')"`;

const SAVE_DICT = "Save the dict that the model gives: torch.save(model.state_dict(), 'new.pth').";

interface Located {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly entry: ZipEntry;
  /** In elements, from the start of the storage. */
  readonly offset: number;
  readonly strides: readonly number[];
}

type Find = (label: string, names: Iterable<string>) => Promise<ReturnType<typeof findNetwork>>;

/** `find` tells which of the names are the network's. */
export async function openPth(source: ByteSource, find: Find, signal?: AbortSignal): Promise<Checkpoint> {
  const { label } = source;
  const zip = await openZip(source, signal);
  const pickles = [...zip.entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  const root = pickle?.name.slice(0, -"data.pkl".length) ?? "";
  if (!pickle || pickles.length > 1) {
    const remedy = isNpz(zip) ? NPZ : "Unpack it, and choose the file with the weights.";
    throw bad(label, "a PyTorch checkpoint, a zip archive with one data.pkl", archive(zip), remedy);
  }
  if ([...zip.entries.keys()].some((name) => name.startsWith(`${root}code/`))) {
    throw bad(label, "a state dict", "a TorchScript archive", SAVE_SCRIPTED);
  }
  if (pickle.size > MAX_PICKLE) {
    const got = `${(pickle.size / 1e6).toFixed(1)} MB of pickle, with values in it as NumPy arrays or lists have them`;
    throw bad(label, "a checkpoint whose values are tensors", got, WITH_ARRAYS);
  }
  await expectLittleEndian(label, zip, root, signal);
  const opcodes = await zip.read(pickle, 0, pickle.size, signal);
  const content = unpickle(opcodes, { label, allowed: ALLOWED, harmless: isHarmless, persistent: (id) => asStorage(label, id) });
  const refused = new Map<string, string>();
  const found: Located[] = [];
  const { named, elsewhere } = await chosen(label, content, find);
  for (const [name, tensor] of named) {
    if (tensor instanceof Foreign) {
      refused.set(name, `as ${kindOf(tensor.name)}, which is not loaded`);
      continue;
    }
    const located = locate(label, name, tensor, zip, root, source.size);
    if (located.dtype in BYTES_PER_ELEMENT || located.dtype in OTHER_BYTES) found.push(located);
    else refused.set(name, `as ${located.dtype} [${located.shape.join(", ")}], a dtype that is not loaded`);
  }
  found.sort((a, b) => a.entry.header - b.entry.header || a.offset - b.offset);
  const located = new Map(found.map((tensor) => [tensor.name, tensor]));
  const of = <T>(bytes: object) => new Map(found.flatMap((tensor) => (tensor.dtype in bytes ? [[tensor.name, tensor as T]] : [])));
  const tensors = of<Located & StoredTensor>(BYTES_PER_ELEMENT);
  const others = of<Located & OtherTensor>(OTHER_BYTES);
  const read = async (name: string, begin: number, end: number, signal: AbortSignal | undefined) => {
    const { dtype, entry, offset, shape, strides } = located.get(name) as Located;
    const bytes: 1 | 2 | 4 | 8 = { ...BYTES_PER_ELEMENT, ...OTHER_BYTES }[dtype as StoredTensor["dtype"] | OtherTensor["dtype"]];
    const storage = (first: number, count: number) => zip.read(entry, first * bytes, count * bytes, signal);
    if (isContiguous(shape, strides)) return storage(offset + begin, end - begin);
    return readStrided(storage, bytes, { shape, strides, offset }, begin, end);
  };
  return {
    label,
    format: "pth",
    tensors,
    others,
    refused,
    elsewhere,
    ...(source.fresh ? { fresh: true } : {}),
    async read(name, begin, end, signal) {
      expectElements(label, tensors, name, begin, end);
      return read(name, begin, end, signal);
    },
    async readStored(name, begin, end, signal) {
      expectElements(label, others, name, begin, end);
      return read(name, begin, end, signal);
    },
    close: () => source.close(),
  };
}

/** `torch._utils._rebuild_sparse_tensor` → a sparse tensor */
function kindOf(name: string): string {
  const [, kind = ""] = /_rebuild_(\w+?)_?(?:tensor\w*)?$/.exec(name) ?? [];
  const known = { q: "a quantized tensor", sparse: "a sparse tensor", nested: "a nested tensor", meta: "a tensor without values (of the device meta)" };
  return known[kind.replace(/_.*/, "") as keyof typeof known] ?? `a tensor of ${quoted(name)}`;
}

function isNpz({ entries }: Zip): boolean {
  return entries.size > 0 && [...entries.keys()].every((name) => name.endsWith(".npy"));
}

/** What a zip archive that is no checkpoint holds. */
function archive(zip: Zip): string {
  const names = [...zip.entries.keys()];
  if (isNpz(zip)) return `NumPy arrays in one file (.npz), ${names.length} of them`;
  if (names.length === 0) return "an empty zip archive";
  return `a zip archive that holds ${names.slice(0, 3).map(quoted).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
}

async function expectLittleEndian(label: string, zip: Zip, root: string, signal: AbortSignal | undefined): Promise<void> {
  const entry = zip.entries.get(`${root}byteorder`);
  if (!entry) return;
  const order = new TextDecoder().decode(await zip.read(entry, 0, Math.min(entry.size, 16), signal));
  if (order !== "little") throw bad(label, "little-endian numbers", quoted(order), "Save it again on a little-endian machine.", "byteorder");
}

/** `("storage", class, key, device, count)` */
function asStorage(label: string, id: unknown): Storage {
  const [tag, kind, key, , count] = Array.isArray(id) ? (id as unknown[]) : [];
  if (tag === "storage" && isKind(kind) && typeof key === "string" && isCount(count)) return new Storage(key, kind, count);
  throw bad(`${label}: data.pkl`, "a storage as PyTorch writes it", quoted(String(tag)), DAMAGED);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A tensor, or an object that stands for one of a kind that is not read. */
type Named = Described | Foreign;

/** Parts of a name: as deep as wrappers, parts and modules go. */
const MAX_DEPTH = 40;

interface Chosen {
  readonly named: ReadonlyMap<string, Named>;
  /** Where the file has other networks. */
  readonly elsewhere: readonly string[];
}

/** The network's tensors by their path, wherever the training script put them; without a network, those of the outermost dict that has any. */
async function chosen(label: string, content: unknown, find: Find): Promise<Chosen> {
  const groups = tensorGroups(label, content);
  const all = new Map<string, Named>();
  for (const { path, tensors } of groups) for (const [name, tensor] of tensors) all.set(path + name, tensor);
  const network = await find(label, all.keys());
  const names = network && [...network.names.keys()];
  if (names) {
    for (const name of names) expectName(label, name);
    return { named: new Map(names.map((name) => [name, all.get(name) as Named])), elsewhere: network.others };
  }
  const [first] = groups;
  if (first && [...first.tensors.keys()].every((name) => /^\d+$/.test(name)))
    throw bad(label, "tensors with their names, as state_dict() has them", `a list of ${first.tensors.size} tensors without names`, SAVE_DICT);
  if (first) {
    for (const name of first.tensors.keys()) expectName(label, name);
    return { named: first.tensors, elsewhere: [] };
  }
  if (hasArrays(content)) throw bad(label, "a checkpoint whose values are tensors", "NumPy arrays", WITH_ARRAYS);
  const got =
    content instanceof Described
      ? "a lone tensor"
      : content instanceof Foreign
        ? `an object of ${quoted(content.name)} without tensors`
        : content instanceof Dict
          ? `a dict with ${keys(content) || "nothing in it"}, and no tensors`
          : "something else";
  throw bad(label, "the tensors of a network, as torch.save(model.state_dict(), …) writes them", got, "Choose the file with the weights.");
}

/** Within two dicts: `{"model": {…}}`. */
function hasArrays(value: unknown, depth = 2): boolean {
  if (value instanceof Foreign) return /^numpy\.(_?core|ndarray)/.test(value.name);
  return depth > 0 && [...itemsOf(value)].some(([, item]) => hasArrays(item, depth - 1));
}

/** Every dict with tensors, the outermost first. What is met twice counts once, by its first path. */
function tensorGroups(label: string, content: unknown): { path: string; tensors: Map<string, Named> }[] {
  const groups: { path: string; tensors: Map<string, Named> }[] = [];
  const seen = new Set<unknown>([content]);
  let level = [{ path: "", value: content }];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { path, value } of level) {
      const tensors = new Map<string, Named>();
      for (const [key, item] of itemsOf(value)) {
        if (item instanceof Described || (item instanceof Foreign && /^torch\._\w+\._rebuild/.test(item.name))) {
          if (tensors.has(key)) throw bad(label, "each name once", `${quoted(key)} twice`, DAMAGED);
          tensors.set(key, item);
        } else if (typeof item === "object" && item !== null && !seen.has(item)) {
          seen.add(item);
          next.push({ path: key === "" ? path : `${path}${key}.`, value: item });
        }
      }
      if (tensors.size > 0) groups.push({ path, tensors });
    }
    level = next;
  }
  return groups;
}

/** What `list(state_dict.items())` gives, and `dict()` takes. */
function isPair(value: unknown): value is [key: string, item: unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string";
}

function* itemsOf(value: unknown): Generator<[key: string, item: unknown]> {
  if (Array.isArray(value) && value.every(isPair)) yield* value;
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield [`${i}`, item];
  if (!(value instanceof Dict)) return;
  for (let i = 0; i < value.items.length; i += 2) {
    const key = value.items[i];
    if (typeof key === "string" || typeof key === "number") yield [`${key}`, value.items[i + 1]];
  }
  // An object's attributes are found as if they were its items.
  if (value instanceof Foreign && typeof value.state === "object") yield ["", value.state];
}

function keys(dict: Dict): string {
  const names = dict.items.filter((_, i) => i % 2 === 0).slice(0, 8);
  return names.map((name) => quoted(String(name))).join(", ");
}

/** Checks one tensor against its storage and the file. */
function locate(label: string, name: string, tensor: Described, zip: Zip, root: string, fileSize: number): Located {
  const fail = (expected: string, got: string) => bad(label, expected, got, DAMAGED, quoted(name));
  const { storage, offset, shape, strides } = tensor;
  if (!(storage instanceof Storage)) throw fail("a tensor with a storage", typeof storage);
  const kind = tensor.dtype ?? storage.kind;
  if (!isKind(kind) || kind.dtype === "") throw fail("a dtype", "an untyped storage");
  const { dtype, bytes } = kind;
  const entry = zip.entries.get(`${root}data/${storage.key}`);
  if (!entry) throw fail(`the entry ${quoted(`data/${storage.key}`)}`, "none");
  if (entry.size !== storage.count * storage.kind.bytes) throw fail(`${storage.count} elements in ${quoted(`data/${storage.key}`)}`, `${entry.size} bytes`);
  const sides = (value: unknown): value is number[] => Array.isArray(value) && value.length <= 16 && value.every(isCount);
  if (!isCount(offset) || !sides(shape) || !sides(strides) || shape.length !== strides.length)
    throw fail("whole numbers for offset, shape and strides", "others");
  const count = elements(shape);
  // A stride of zero repeats elements: legal, but not as a way to claim more than the file could hold.
  if (!(count * bytes <= fileSize)) throw fail(`at most the ${fileSize} bytes of the file`, `[${shape.join(", ")}]`);
  const last = offset + lastElement(shape, strides);
  if (count > 0 && !((last + 1) * bytes <= entry.size))
    throw fail(`elements within the ${entry.size} bytes of ${quoted(`data/${storage.key}`)}`, `element ${last}`);
  return { name, dtype, shape, strides, offset, entry };
}
