// The names that PyTorch's own files use, and which others stand for data: settings, random states, schedules, classes of a script.
import { type Allowed, Dict, OPAQUE } from "./pickle.ts";

/** What is known of a dtype; PyTorch names it, and the class of a storage of it. */
export interface Kind extends Allowed {
  /** As safetensors writes it. */
  readonly dtype: string;
  readonly bytes: number;
}

/** PyTorch's name, the name of its storage class, ours, and the bytes of an element. */
const DTYPES =
  "float32 Float F32 4,float16 Half F16 2,bfloat16 BFloat16 BF16 2,float64 Double F64 8,int64 Long I64 8,int32 Int I32 4,int16 Short I16 2," +
  "int8 Char I8 1,uint8 Byte U8 1,bool Bool BOOL 1,uint16 UInt16 U16 2,uint32 UInt32 U32 4,uint64 UInt64 U64 8," +
  "float8_e4m3fn Float8_e4m3fn F8_E4M3 1,float8_e5m2 Float8_e5m2 F8_E5M2 1,float8_e8m0fnu Float8_e8m0fnu F8_E8M0 1," +
  "float8_e4m3fnuz Float8_e4m3fnuz F8_E4M3FNUZ 1,float8_e5m2fnuz Float8_e5m2fnuz F8_E5M2FNUZ 1," +
  "complex32 ComplexHalf C32 4,complex64 ComplexFloat C64 8,complex128 ComplexDouble C128 16,qint8 QInt8 QI8 1,quint8 QUInt8 QU8 1,qint32 QInt32 QI32 4";

export class Storage {
  constructor(
    readonly key: string,
    /** Of an untyped storage: bytes, whose meaning its tensors say. */
    readonly kind: Kind,
    readonly count: number,
  ) {}
}

/** A tensor as the pickle describes it: nothing checked yet, because most of an optimizer's are never looked at. */
export class Described {
  constructor(
    readonly storage: unknown,
    readonly offset: unknown,
    readonly shape: unknown,
    readonly strides: unknown,
    readonly dtype?: unknown,
  ) {}
}

export function isKind(value: unknown): value is Kind {
  return typeof value === "object" && value !== null && "bytes" in value;
}

export const ALLOWED: ReadonlyMap<string, Allowed> = allowList();

function isAllowed(value: unknown): value is Allowed {
  return typeof value === "object" && value !== null && "make" in value;
}

/** Of pairs, as old Pythons write an OrderedDict. */
function dictOf(items: unknown): Dict {
  const dict = new Dict();
  if (Array.isArray(items)) for (const pair of items) if (Array.isArray(pair)) dict.set(pair[0], pair[1]);
  return dict;
}

function allowList(): Map<string, Allowed> {
  const list = new Map<string, Allowed>();
  const allow = (names: string, make: (args: readonly unknown[]) => unknown) => {
    for (const name of names.split(" ")) list.set(name, { name, make });
  };
  const kind = (name: string, dtype: string, bytes: number) => list.set(name, { name, dtype, bytes } as Kind);
  const first = ([value]: readonly unknown[]) => value;
  const copied = ([items]: readonly unknown[]) => (Array.isArray(items) ? [...items] : []);
  allow("collections.OrderedDict collections.defaultdict collections.Counter builtins.dict __builtin__.dict", ([items]) => dictOf(items));
  allow("builtins.list builtins.set builtins.frozenset builtins.tuple __builtin__.list __builtin__.set __builtin__.frozenset __builtin__.tuple", copied);
  // Harmless, and nothing of them is needed.
  allow("argparse.Namespace numpy.core.multiarray.scalar numpy._core.multiarray.scalar numpy.dtype _codecs.encode torch.device", () => OPAQUE);
  allow("builtins.int builtins.float builtins.bool builtins.complex __builtin__.int __builtin__.float __builtin__.bool __builtin__.complex", () => OPAQUE);
  allow("torch.Size torch._utils._rebuild_parameter torch._utils._rebuild_parameter_with_state", first);
  allow("torch._utils._rebuild_tensor torch._utils._rebuild_tensor_v2", ([storage, offset, shape, strides]) => new Described(storage, offset, shape, strides));
  allow("torch._utils._rebuild_tensor_v3", ([storage, offset, shape, strides, , , dtype]) => new Described(storage, offset, shape, strides, dtype));
  // A subclass of Tensor: the tensor's own rebuilding, with its arguments.
  allow("torch._tensor._rebuild_from_type_v2", ([rebuild, , args]) => (isAllowed(rebuild) && Array.isArray(args) ? rebuild.make?.(args) : OPAQUE));
  for (const line of DTYPES.split(",")) {
    const [name, storage, dtype, bytes] = line.split(" ") as [string, string, string, string];
    for (const full of [name, `${storage}Storage`, `cuda.${storage}Storage`]) kind(`torch.${full}`, dtype, Number(bytes));
  }
  for (const name of ["torch.UntypedStorage", "torch.storage.UntypedStorage"]) kind(name, "", 1);
  return list;
}

/** Modules of which a file of weights has no need: whoever names one wants something run. */
const HOSTILE =
  /^(os|posix|nt|posixpath|ntpath|subprocess|sys|shutil|socket|ssl|runpy|importlib|imp|ctypes|pty|commands|popen2|webbrowser|code|codeop|pdb|bdb|marshal|types|inspect|asyncio|multiprocessing|concurrent|signal|http|urllib|requests|ftplib|smtplib|pip|timeit|profile|cProfile|trace|tempfile|site|gc|atexit|pickle|_pickle|cloudpickle|dill|zipimport|pkgutil|ensurepip|venv|platform|builtins|__builtin__)(\.|$)/;
/** Of those, plain values and classes. */
const PLAIN =
  /^(builtins|__builtin__)\.(object|slice|range|xrange|bytearray|bytes|str|unicode|long|type|Ellipsis|NotImplemented|getattr|\w*(Error|Exception|Warning))$|^types\.(SimpleNamespace|MappingProxyType|NoneType)$|^sys\.version_info$/;
/** What Python, NumPy and Cython call by such names to make an object anew. */
const UNPICKLING = /^__(newobj|reconstructor|newobj_ex)__$|^__[a-z_]+_ctor$|^__pyx_unpickle_\w+$/;
const DOTTED = /^(?!__)[A-Za-z_]\w*(\.(?!__)[A-Za-z_]\w*)*$/;

/** Whether a name may stand in a file beside the weights. Nothing is run in any case; this tells an attack from a settings object. */
export function isHarmless(module: string, name: string): boolean {
  if (PLAIN.test(`${module}.${name}`)) return true;
  return !HOSTILE.test(module) && (module === "__main__" || DOTTED.test(module)) && (DOTTED.test(name) || UNPICKLING.test(name));
}
