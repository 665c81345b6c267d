// PyTorch files that are almost right: real ones taken apart, changed by an opcode or a zip field, and put together again.
import { readdirSync, readFileSync } from "node:fs";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { openZip } from "../../src/bytes/zip.ts";
import { type Entry, op, tensorOps, type ZipOptions, zipFile } from "./build.ts";
import { EDGES, mutateBytes, type Random } from "./fuzz.ts";
import { type Bytes, concat } from "./support.ts";

/** One seed file taken apart: its entries, and its pickle as opcodes. */
export interface Parts {
  readonly name: string;
  readonly bytes: Bytes;
  readonly entries: readonly Entry[];
  readonly opcodes: readonly Uint8Array[];
}

/** Bytes of argument after each opcode; a string: a count of so many bytes, or lines. */
const ARGUMENTS: Readonly<Record<number, number | "count1" | "count4" | "line" | "lines">> = {
  128: 1,
  75: 1,
  77: 2,
  74: 4,
  71: 8,
  113: 1,
  114: 4,
  104: 1,
  106: 4,
  149: 8,
  138: "count1",
  140: "count1",
  85: "count1",
  67: "count1",
  88: "count4",
  84: "count4",
  66: "count4",
  139: "count4",
  99: "lines",
  73: "line",
  76: "line",
  70: "line",
};

function opcodes(pickle: Bytes): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < pickle.length; ) {
    const kind = ARGUMENTS[pickle[at] as number] ?? 0;
    const line = (from: number) => pickle.indexOf(10, from) + 1;
    let end = at + 1;
    if (typeof kind === "number") end += kind;
    else if (kind === "count1") end += 1 + (pickle[at + 1] as number);
    else if (kind === "count4") end += 4 + new DataView(pickle.buffer, pickle.byteOffset).getUint32(at + 1, true);
    else end = kind === "line" ? line(end) : line(line(end));
    list.push(pickle.slice(at, end));
    at = end;
  }
  return list;
}

/** The fixtures written by PyTorch, taken apart. */
export async function pthSeeds(fixtures = new URL("fixtures/", import.meta.url)): Promise<Parts[]> {
  const names = readdirSync(fixtures).filter((name) => /\.pth?$/.test(name) && name !== "legacy.pth");
  return Promise.all(
    names.map(async (name) => {
      const bytes = Uint8Array.from(readFileSync(new URL(name, fixtures)));
      const zip = await openZip(bufferSource(bytes));
      const entries: Entry[] = [];
      let list: Uint8Array[] = [];
      for (const entry of zip.entries.values()) {
        if (!entry.stored) continue;
        const data = await zip.read(entry, 0, entry.size);
        if (entry.name.endsWith("/data.pkl")) list = opcodes(data);
        entries.push({ name: entry.name, data });
      }
      return { name, bytes, entries, opcodes: list };
    }),
  );
}

const GLOBALS = [
  "torch._utils _rebuild_tensor_v2",
  "torch._utils _rebuild_tensor_v3",
  "torch._utils _rebuild_parameter",
  "collections OrderedDict",
  "torch FloatStorage",
];
const MORE_GLOBALS = [
  "torch HalfStorage",
  "torch.storage UntypedStorage",
  "torch bfloat16",
  "torch Size",
  "os system",
  "builtins eval",
  "__builtin__ set",
  "numpy dtype",
];

function randomOpcode(random: Random): Uint8Array {
  const [module, name] = random.pick([...GLOBALS, ...MORE_GLOBALS]).split(" ") as [string, string];
  const number = random.pick(EDGES);
  const choices: number[][] = [
    [random.bits() & 255],
    [0x28],
    [0x30],
    [0x31],
    [0x32],
    [0x5d],
    [0x7d],
    [0x29],
    [0x74],
    [0x85],
    [0x86],
    [0x87],
    [0x75],
    [0x73],
    [0x65],
    [0x61],
    [0x52],
    [0x62],
    [0x51],
    [0x81],
    [0x93],
    [0x94],
    [0x2e],
    op.global(module, name),
    op.get(random.below(40)),
    op.put(random.chance(3) ? number : random.below(40)),
    op.int(number),
    op.long(BigInt(Math.trunc(number)), 1 + random.below(10)),
    op.text(random.pick(["0", "1", "a", "storage", "cpu", "__proto__", "model", "module.a", "", "\0"])),
    tensorOps({
      key: String(random.below(5)),
      count: random.pick(EDGES),
      offset: random.pick(EDGES),
      shape: [random.pick(EDGES), 2],
      strides: [random.pick(EDGES), 1],
    }),
  ];
  return Uint8Array.from(random.pick(choices));
}

/** The argument of one opcode changed, its kind kept. */
function mutateArgument(random: Random, opcode: Uint8Array): Uint8Array {
  const out = Uint8Array.from(opcode);
  const view = new DataView(out.buffer);
  const number = random.pick(EDGES);
  switch (opcode[0]) {
    case 0x4b:
      out[1] = number;
      return out;
    case 0x4d:
      view.setUint16(1, number, true);
      return out;
    case 0x4a:
    case 0x6a:
    case 0x72:
      view.setUint32(1, number, true);
      return out;
    case 0x58: {
      if (random.chance(3)) view.setUint32(1, number, true);
      else if (out.length > 5) out[5 + random.below(out.length - 5)] = random.chance(2) ? 48 + random.below(10) : random.bits();
      return out;
    }
    default:
      if (out.length > 1) out[1 + random.below(out.length - 1)] = random.bits();
      return out;
  }
}

function mutatePickle(random: Random, opcodes: readonly Uint8Array[]): Bytes {
  const list = [...opcodes];
  for (let i = random.chance(2) ? 1 : 2; i > 0; i--) {
    const at = random.below(list.length);
    const other = random.below(list.length);
    switch (random.below(8)) {
      case 0:
        list.splice(at, 1);
        break;
      case 1:
        list.splice(at, 0, list[other] as Uint8Array);
        break;
      case 2:
        [list[at], list[other]] = [list[other] as Uint8Array, list[at] as Uint8Array];
        break;
      case 3:
        list.splice(at, 0, randomOpcode(random));
        break;
      case 4:
        list[at] = randomOpcode(random);
        break;
      default:
        list[at] = mutateArgument(random, list[at] as Uint8Array);
    }
  }
  return concat(...list);
}

function mutateEntry(random: Random, entry: Entry): Entry {
  const number = random.pick(EDGES.filter((edge) => edge >= 0));
  switch (random.below(7)) {
    case 0:
      return { ...entry, claim: { [random.pick(["size", "packed", "header", "crc"])]: number } };
    case 1:
      return { ...entry, claim: { size: entry.data.length + random.below(40) - 20, header: random.below(3000) } };
    case 2:
      return { ...entry, claim: { method: random.pick([8, 12, 93]), flags: random.pick([0, 1, 8, 0x800]) } };
    case 3:
      return { ...entry, localName: random.pick(["x", entry.name.replace("data", "date"), ""]) };
    case 4:
      return { ...entry, name: random.pick(["a/data.pkl", "a/data/0", "b/data.pkl", "a/code/x", "a/byteorder", "", "..", "\0"]) };
    case 5:
      return { ...entry, data: entry.data.slice(0, random.below(entry.data.length + 1)) };
    default:
      return { ...entry, pad: random.below(70) };
  }
}

export function pthCase(random: Random, seeds: readonly Parts[]): Bytes {
  // Files that open unchanged reach further than those that are refused anyway.
  const open = seeds.filter(({ name }) => /^(bare|kinds|parallel|protocol4|model_and_optimizer)\./.test(name));
  const seed = random.pick(random.chance(6) ? seeds : open);
  if (random.chance(6)) return mutateBytes(random, seed.bytes);
  // Structures shrink to a few storages: the point is the seams between them.
  let entries = seed.entries.map((entry) => ({ ...entry }) as Entry);
  if (!random.chance(3)) entries = entries.map((entry) => (entry.name.endsWith("/data.pkl") ? { ...entry, data: mutatePickle(random, seed.opcodes) } : entry));
  else {
    const at = random.below(entries.length);
    const list = [...entries];
    if (random.chance(5)) list.splice(at, 1);
    else if (random.below(5) === 1) list.push(list[at] as Entry);
    else list[at] = mutateEntry(random, list[at] as Entry);
    entries = list;
  }
  const edge = () => random.pick(EDGES.filter((value) => value >= 0));
  const options: ZipOptions = {
    zip64: random.chance(3),
    descriptors: !random.chance(4),
    ...(random.chance(12) ? { end: { [random.pick(["count", "length", "begin"])]: edge() } } : {}),
    ...(random.chance(20) ? { comment: "PK\x05\x06 ".repeat(random.below(9)) } : {}),
  };
  const file = zipFile(entries, { ...options, zip64: options.zip64 === true });
  return random.chance(8) ? mutateBytes(random, file) : file;
}
