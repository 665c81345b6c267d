// PyTorch's own file: a zip with `data.pkl`, which says what the tensors are, and one entry of raw bytes for each storage.
// Only the pickle is read when the file is opened; tensors are read in place, piece by piece.
import { elements } from "../graph/tensor.ts";
import type { ByteSource } from "../bytes/byte_source.ts";
import { BYTES_PER_ELEMENT, type Checkpoint, type StoredTensor } from "./checkpoint.ts";
import { expectElements } from "./elements.ts";
import { bad, DAMAGED, expectName, quoted, SAVE_WEIGHTS } from "../bytes/fail.ts";
import { type Allowed, Dict, OPAQUE, unpickle } from "./pickle.ts";
import { isContiguous, lastElement, readStrided } from "./strided.ts";
import { openZip, type Zip, type ZipEntry } from "../bytes/zip.ts";

/** A model with its optimizer is a few hundred kilobytes. */
const MAX_PICKLE = 8 << 20;

/** What is known of a dtype; PyTorch names it, and the class of a storage of it. */
interface Kind extends Allowed {
  /** As safetensors writes it. */
  readonly dtype: string;
  readonly bytes: number;
}

/** PyTorch's name, the name of its storage class, ours, and the bytes of an element. */
const DTYPES =
  "float32 Float F32 4,float16 Half F16 2,bfloat16 BFloat16 BF16 2,float64 Double F64 8,int64 Long I64 8,int32 Int I32 4,int16 Short I16 2," +
  "int8 Char I8 1,uint8 Byte U8 1,bool Bool BOOL 1,complex64 ComplexFloat C64 8,complex128 ComplexDouble C128 16";

/** The reference's training script saves its optimizer as an object: it is passed over like the state of one. */
const OPTIMIZERS = "Adadelta Adagrad Adam Adamax AdamW ASGD LBFGS NAdam RAdam RMSprop Rprop SGD";

class Storage {
  constructor(
    readonly key: string,
    /** Of an untyped storage: bytes, whose meaning its tensors say. */
    readonly kind: Kind,
    readonly count: number,
  ) {}
}

/** A tensor as the pickle describes it: nothing checked yet, because most of an optimizer's are never looked at. */
class Described {
  constructor(
    readonly storage: unknown,
    readonly offset: unknown,
    readonly shape: unknown,
    readonly strides: unknown,
    readonly dtype?: unknown,
  ) {}
}

function isKind(value: unknown): value is Kind {
  return typeof value === "object" && value !== null && "bytes" in value;
}

const ALLOWED: ReadonlyMap<string, Allowed> = allowList();

function allowList(): Map<string, Allowed> {
  const list = new Map<string, Allowed>();
  const allow = (names: string, make: (args: readonly unknown[]) => unknown) => {
    for (const name of names.split(" ")) list.set(name, { name, make });
  };
  const kind = (name: string, dtype: string, bytes: number) => list.set(name, { name, dtype, bytes } as Kind);
  const first = ([value]: readonly unknown[]) => value;
  const copied = ([items]: readonly unknown[]) => (Array.isArray(items) ? [...items] : []);
  allow("collections.OrderedDict collections.defaultdict collections.Counter builtins.dict __builtin__.dict", () => new Dict());
  allow("builtins.list builtins.set builtins.frozenset builtins.tuple __builtin__.list __builtin__.set __builtin__.frozenset __builtin__.tuple", copied);
  // Harmless, and nothing of them is needed.
  allow("argparse.Namespace numpy.core.multiarray.scalar numpy._core.multiarray.scalar numpy.dtype _codecs.encode torch.device", () => OPAQUE);
  allow(
    OPTIMIZERS.replace(/\w+/g, (name) => `torch.optim.${name.toLowerCase()}.${name}`),
    () => OPAQUE,
  );
  allow("builtins.int builtins.float builtins.bool builtins.complex __builtin__.int __builtin__.float __builtin__.bool __builtin__.complex", () => OPAQUE);
  allow("torch.Size torch._utils._rebuild_parameter torch._utils._rebuild_parameter_with_state", first);
  allow("torch._utils._rebuild_tensor torch._utils._rebuild_tensor_v2", ([storage, offset, shape, strides]) => new Described(storage, offset, shape, strides));
  allow("torch._utils._rebuild_tensor_v3", ([storage, offset, shape, strides, , , dtype]) => new Described(storage, offset, shape, strides, dtype));
  for (const line of DTYPES.split(",")) {
    const [name, storage, dtype, bytes] = line.split(" ") as [string, string, string, string];
    for (const full of [name, `${storage}Storage`, `cuda.${storage}Storage`]) kind(`torch.${full}`, dtype, Number(bytes));
  }
  for (const name of ["torch.UntypedStorage", "torch.storage.UntypedStorage"]) kind(name, "", 1);
  return list;
}

interface PthTensor extends StoredTensor {
  readonly entry: ZipEntry;
  /** In elements, from the start of the storage. */
  readonly offset: number;
  readonly strides: readonly number[];
}

export async function openPth(source: ByteSource, signal?: AbortSignal): Promise<Checkpoint> {
  const { label } = source;
  const zip = await openZip(source, signal);
  const pickles = [...zip.entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  const root = pickle?.name.slice(0, -"data.pkl".length) ?? "";
  if (!pickle || pickles.length > 1) {
    throw bad(
      label,
      "a PyTorch checkpoint with one data.pkl",
      `a zip archive with ${pickles.length} (${zip.entries.size} entries)`,
      "Choose the file with the weights.",
    );
  }
  if ([...zip.entries.keys()].some((name) => name.startsWith(`${root}code/`))) {
    throw bad(label, "a state dict", "a TorchScript archive", SAVE_WEIGHTS);
  }
  if (pickle.size > MAX_PICKLE) throw bad(label, `a data.pkl of at most ${MAX_PICKLE} bytes`, `${pickle.size}`, SAVE_WEIGHTS);
  await expectLittleEndian(label, zip, root, signal);
  const content = unpickle(await zip.read(pickle, 0, pickle.size, signal), { label, allowed: ALLOWED, persistent: (id) => asStorage(label, id) });
  const refused = new Map<string, string>();
  const found: PthTensor[] = [];
  for (const [name, tensor] of namedTensors(label, content)) {
    const located = locate(label, name, tensor, zip, root, source.size);
    if (located.dtype in BYTES_PER_ELEMENT) found.push(located as PthTensor);
    else refused.set(name, `${located.dtype} [${located.shape.join(", ")}]`);
  }
  found.sort((a, b) => a.entry.header - b.entry.header || a.offset - b.offset);
  const tensors = new Map(found.map((tensor) => [tensor.name, tensor]));
  return {
    label,
    format: "pth",
    tensors,
    refused,
    ...(source.fresh ? { fresh: true } : {}),
    async read(name, begin, end, signal) {
      const tensor = expectElements(label, tensors, name, begin, end) as PthTensor;
      const bytes = BYTES_PER_ELEMENT[tensor.dtype] as 2 | 4;
      const storage = (first: number, count: number) => zip.read(tensor.entry, first * bytes, count * bytes, signal);
      if (isContiguous(tensor.shape, tensor.strides)) return storage(tensor.offset + begin, end - begin);
      return readStrided(storage, bytes, tensor, begin, end);
    },
    close: () => source.close(),
  };
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

/** The tensors of the state dict, wherever the training script put it. What stands beside it is not looked at. */
function namedTensors(label: string, content: unknown): Map<string, Described> {
  let dict = content;
  for (let depth = 0; depth < 4 && dict instanceof Dict; depth++) {
    const tensors = new Map<string, Described>();
    for (let i = 0; i < dict.items.length; i += 2) {
      const name = dict.items[i];
      const value = dict.items[i + 1];
      if (!(value instanceof Described)) continue;
      expectName(label, name);
      if (tensors.has(name)) throw bad(label, "each name once", `${quoted(name)} twice`, DAMAGED);
      tensors.set(name, value);
    }
    if (tensors.size > 0) return tensors;
    const outer: Dict = dict;
    dict = ["model", "state_dict", "model_state_dict", "module"].map((key) => outer.get(key)).find((value) => value instanceof Dict) ?? null;
    if (dict === null) dict = keys(outer);
  }
  const got = typeof dict === "string" ? `a dict with ${dict || "nothing in it"}` : dict instanceof Described ? "a lone tensor" : "something else";
  throw bad(label, "a state dict, bare or under 'model' or 'state_dict'", got, SAVE_WEIGHTS);
}

function keys(dict: Dict): string {
  const names = dict.items.filter((_, i) => i % 2 === 0).slice(0, 8);
  return names.map((name) => quoted(String(name))).join(", ");
}

/** Checks one tensor against its storage and the file. */
function locate(
  label: string,
  name: string,
  tensor: Described,
  zip: Zip,
  root: string,
  fileSize: number,
): Omit<PthTensor, "dtype"> & { readonly dtype: string } {
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
