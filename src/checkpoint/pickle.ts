// Reads the pickle of a PyTorch file by an allow-list. A pickle is a program for a stack machine that may name any
// function; here a name stands for one of a few plain constructors or the file is refused, and nothing is executed.
// Opcodes are those of protocols 2 to 5, the ones torch.save writes.
import { bad, DAMAGED, quoted, RESAVE } from "../bytes/fail.ts";

/** A dict, as it was written: key, value, key, value, … */
export class Dict {
  // Made when first needed: a file may hold a million empty dicts.
  #items: unknown[] | undefined;

  get items(): readonly unknown[] {
    return this.#items ?? [];
  }

  set(key: unknown, value: unknown): void {
    this.#items ??= [];
    this.#items.push(key, value);
  }

  get(key: string): unknown {
    // The last one counts, as in Python.
    for (let i = this.items.length - 2; i >= 0; i -= 2) if (this.items[i] === key) return this.items[i + 1];
    return undefined;
  }
}

/** A name of the allow-list. `make` builds what a call gives; without it the name is a plain value (a dtype). */
export interface Allowed {
  readonly name: string;
  readonly make?: (args: readonly unknown[]) => unknown;
}

/** An object of a class that is not known, as data: nothing of it was run. Its items are those of a dict or list; `state` its attributes. */
export class Foreign extends Dict {
  state: unknown;

  /** `name` is `module.class`. */
  constructor(readonly name: string) {
    super();
  }

  /** What a call of it gives. */
  make(): Foreign {
    return new Foreign(this.name);
  }
}

/** What is kept of a harmless object of which nothing is needed: a numpy number, training arguments. */
export const OPAQUE = Object.freeze({ opaque: true });

export interface Unpickling {
  readonly label: string;
  /** By `module.name`. */
  readonly allowed: ReadonlyMap<string, Allowed>;
  /** Of other names: those that stand for data. Left out: none. */
  readonly harmless?: (module: string, name: string) => boolean;
  readonly persistent: (id: unknown) => unknown;
}

/** Every opcode makes at most one small object, so this bounds the memory. A tensor takes about 35: there is room for 14,000. */
const MAX_OPCODES = 500_000;

export function unpickle(bytes: Uint8Array<ArrayBuffer>, { label, allowed, harmless, persistent }: Unpickling): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const latin1 = new TextDecoder("latin1");
  const stack: unknown[] = [];
  const marks: number[] = [];
  const memo: unknown[] = [];
  const classes = new Map<string, Allowed>();
  let at = 0;

  const fail = (expected: string, got: string) => bad(`${label}: data.pkl`, expected, `${got} at byte ${at}`, DAMAGED);
  const take = (length: number): number => {
    if (!(length >= 0 && at + length <= bytes.length)) throw fail(`${length} more bytes`, `${bytes.length - at}`);
    at += length;
    return at - length;
  };
  const u8 = () => bytes[take(1)] as number;
  const u32 = () => view.getUint32(take(4), true);
  const u64 = () => {
    const low = u32();
    return u32() * 2 ** 32 + low;
  };
  const text = (length: number, encoding = decoder): string => {
    const start = take(length);
    try {
      return encoding.decode(bytes.subarray(start, at));
    } catch {
      throw fail("text in UTF-8", "other bytes");
    }
  };
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    if (end < 0 || end - at > 4096) throw fail("a line", "none");
    return text(end + 1 - at).slice(0, -1);
  };
  /** Bytes are passed over: no number or name is in them. */
  const skip = (length: number) => {
    take(length);
    return OPAQUE;
  };
  /** Two's complement, little-endian; what a double cannot hold becomes NaN, which no use of a number here accepts. */
  const long = (length: number): number => {
    const start = take(length);
    if (length > 8) return Number.NaN;
    if (length === 8) return Number(view.getBigInt64(start, true));
    let value = 0;
    for (let i = 0; i < length; i++) value += (bytes[start + i] as number) * 256 ** i;
    return length > 0 && (bytes[at - 1] as number) > 127 ? value - 256 ** length : value;
  };
  const floor = () => marks.at(-1) ?? 0;
  const top = (): unknown => {
    if (stack.length <= floor()) throw fail("a value", "none");
    return stack[stack.length - 1];
  };
  const pop = (): unknown => {
    top();
    return stack.pop();
  };
  const sinceMark = (): unknown[] => {
    const mark = marks.pop();
    if (mark === undefined) throw fail("a mark", "none");
    return stack.splice(mark);
  };
  const asList = (value: unknown): unknown[] => {
    if (!Array.isArray(value)) throw fail("a list or tuple", typeof value);
    return value;
  };
  const append = (target: unknown, items: readonly unknown[]) => {
    if (target instanceof Foreign) for (const item of items) target.set(target.items.length / 2, item);
    else {
      const list = asList(target);
      for (const item of items) list.push(item);
    }
  };
  const setAll = (target: unknown, items: readonly unknown[]) => {
    if (!(target instanceof Dict) || items.length % 2 !== 0) throw fail("pairs for a dict", `${items.length} values for ${typeof target}`);
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const lookUp = (module: unknown, name: unknown): Allowed => {
    const full = `${String(module)}.${String(name)}`;
    const found = allowed.get(full) ?? classes.get(full);
    if (found) return found;
    if (typeof module !== "string" || typeof name !== "string" || !harmless?.(module, name)) {
      const got = `${quoted(full)}, which is refused: nothing a file names is ever run`;
      throw bad(`${label}: data.pkl`, "tensors, plain containers and numbers", got, "Do not open this file with Python unless you trust where it is from.");
    }
    const foreign: Allowed = { name: full, make: () => new Foreign(full) };
    classes.set(full, foreign);
    return foreign;
  };
  const call = (callee: unknown, args: unknown): unknown => {
    const target = callee as Partial<Allowed> | null | undefined;
    if (typeof target !== "object" || typeof target?.make !== "function")
      throw fail("a call of an allowed name", `a call of ${quoted(String(target?.name ?? typeof callee))}`);
    return target.make(asList(args));
  };
  const remember = (index: number) => {
    // Every writer counts up from zero; a gap would let a few bytes claim gigabytes.
    if (!(index >= 0 && index <= memo.length)) throw fail(`at most memo entry ${memo.length}`, `${index}`);
    memo[index] = top();
  };
  const recall = (index: number) => {
    if (!(index >= 0 && index < memo.length)) throw fail(`one of ${memo.length} memo entries`, `${index}`);
    stack.push(memo[index]);
  };

  for (let count = 0; ; count++) {
    if (count >= MAX_OPCODES) throw fail(`at most ${MAX_OPCODES} opcodes`, "more");
    const opcode = u8();
    switch (opcode) {
      case 0x80: {
        // PROTO
        const protocol = u8();
        if (protocol > 5) throw fail("a protocol up to 5", `${protocol}`);
        break;
      }
      case 0x95: // FRAME: how much follows, for readers that buffer
        take(8);
        break;
      case 0x2e: // STOP
        if (stack.length !== 1 || marks.length > 0) throw fail("one value at the end", `${stack.length}`);
        return stack[0];
      case 0x28: // MARK
        marks.push(stack.length);
        break;
      case 0x30: // POP
        if (marks.length > 0 && stack.length === floor()) marks.pop();
        else pop();
        break;
      case 0x31: // POP_MARK
        sinceMark();
        break;
      case 0x32: // DUP
        stack.push(top());
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        stack.push(opcode === 0x88);
        break;
      case 0x4b: // BININT1
        stack.push(u8());
        break;
      case 0x4d: // BININT2
        stack.push(view.getUint16(take(2), true));
        break;
      case 0x4a: // BININT
        stack.push(view.getInt32(take(4), true));
        break;
      case 0x8a: // LONG1
        stack.push(long(u8()));
        break;
      case 0x8b: // LONG4
        stack.push(long(u32()));
        break;
      case 0x47: // BINFLOAT
        stack.push(view.getFloat64(take(8)));
        break;
      case 0x8c: // SHORT_BINUNICODE
        stack.push(text(u8()));
        break;
      case 0x58: // BINUNICODE
        stack.push(text(u32()));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(text(u64()));
        break;
      case 0x55: // SHORT_BINSTRING
        stack.push(text(u8(), latin1));
        break;
      case 0x54: // BINSTRING
        stack.push(text(u32(), latin1));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(skip(u8()));
        break;
      case 0x42: // BINBYTES
        stack.push(skip(u32()));
        break;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(skip(u64()));
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
      case 0x8f: // EMPTY_SET
        stack.push([]);
        break;
      case 0x74: // TUPLE
      case 0x91: // FROZENSET
        stack.push(sinceMark());
        break;
      case 0x85: // TUPLE1
        stack.push([pop()]);
        break;
      case 0x86: {
        // TUPLE2
        const second = pop();
        stack.push([pop(), second]);
        break;
      }
      case 0x87: {
        // TUPLE3
        const third = pop();
        const second = pop();
        stack.push([pop(), second, third]);
        break;
      }
      case 0x61: {
        // APPEND
        const item = pop();
        append(top(), [item]);
        break;
      }
      case 0x65: // APPENDS
      case 0x90: {
        // ADDITEMS
        const items = sinceMark();
        append(top(), items);
        break;
      }
      case 0x7d: // EMPTY_DICT
        stack.push(new Dict());
        break;
      case 0x73: {
        // SETITEM
        const value = pop();
        const key = pop();
        setAll(top(), [key, value]);
        break;
      }
      case 0x75: {
        // SETITEMS
        const items = sinceMark();
        setAll(top(), items);
        break;
      }
      case 0x71: // BINPUT
        remember(u8());
        break;
      case 0x72: // LONG_BINPUT
        remember(u32());
        break;
      case 0x94: // MEMOIZE
        remember(memo.length);
        break;
      case 0x68: // BINGET
        recall(u8());
        break;
      case 0x6a: // LONG_BINGET
        recall(u32());
        break;
      case 0x63: {
        // GLOBAL
        const module = line();
        stack.push(lookUp(module, line()));
        break;
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = pop();
        stack.push(lookUp(pop(), name));
        break;
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = pop();
        stack.push(call(pop(), args));
        break;
      }
      case 0x92: {
        // NEWOBJ_EX, with keyword arguments
        pop();
        const args = pop();
        stack.push(call(pop(), args));
        break;
      }
      case 0x62: {
        // BUILD: attributes of an object
        const state = pop();
        const target = top();
        if (typeof target !== "object") throw fail("an object to give attributes to", typeof target);
        if (target instanceof Foreign) target.state = state;
        break;
      }
      case 0x51: // BINPERSID
        stack.push(persistent(pop()));
        break;
      default:
        throw bad(`${label}: data.pkl`, "a pickle of protocol 2 to 5, as torch.save writes it", `opcode ${opcode} at byte ${at}`, RESAVE);
    }
  }
}
