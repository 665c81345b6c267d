// safetensors files that are almost right: the header as an object, as text and as bytes, broken in one place or two.
import { EDGES, mutateBytes, type Random } from "./fuzz.ts";
import { type Bytes, rawSafetensors } from "./support.ts";

interface Item {
  name: unknown;
  dtype: unknown;
  shape: unknown;
  data_offsets: unknown;
}

const SIZES: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2, I8: 1, I64: 8, BOOL: 1 };
const NAMES = [
  "a",
  "module.a",
  "model.a",
  "a.scale",
  "w",
  "w.scale",
  "__proto__",
  "constructor",
  "toString",
  "",
  "\0",
  "a\nb",
  "\ud800",
  "é".repeat(200),
  "x".repeat(600),
  "0",
];
const VALUES: readonly unknown[] = [...EDGES, 1.5, -0.5, 1e308, null, true, "4", "", [], {}, [[]], [1, [2]], { a: 1 }];

/** A file that is right: tensors of several kinds one after another, int8 pairs among them. */
function goodItems(random: Random): { items: Item[]; bytes: number } {
  const items: Item[] = [];
  let at = 0;
  const add = (name: string, dtype: string, shape: number[]) => {
    const bytes = shape.reduce((product, side) => product * side, SIZES[dtype] as number);
    items.push({ name, dtype, shape, data_offsets: [at, at + bytes] });
    at += bytes;
  };
  for (let i = random.below(4); i >= 0; i--) {
    const shape = Array.from({ length: random.below(4) }, () => random.below(5));
    if (random.chance(3)) {
      add(`w${i}.scale`, "F32", random.chance(2) ? [shape[0] ?? 1] : shape.map((side, d) => (d === 0 ? side : 1)));
      add(`w${i}`, "I8", shape);
    } else add(random.chance(4) ? random.pick(NAMES) : `t${i}`, random.pick(Object.keys(SIZES)), shape);
  }
  return { items, bytes: at };
}

function mutateItem(random: Random, item: Item): void {
  const number = () => random.pick(VALUES);
  const inList = (list: unknown) => (Array.isArray(list) ? list.map((value: unknown) => (random.chance(2) ? number() : value)) : number());
  switch (random.below(7)) {
    case 0:
      item.name = random.pick(NAMES);
      break;
    case 1:
      item.dtype = random.pick([...Object.keys(SIZES), "F64", "U64", "f32", "toString", "__proto__", 7, null]);
      break;
    case 2:
      item.shape = inList(item.shape);
      break;
    case 3:
      item.shape = Array.isArray(item.shape) ? [...(item.shape as unknown[]), number()] : [];
      break;
    case 4:
      item.data_offsets = inList(item.data_offsets);
      break;
    case 5:
      item.data_offsets = Array.isArray(item.data_offsets) ? item.data_offsets.map((at: unknown) => Number(at) + random.below(9) - 4) : [0, 0];
      break;
    default:
      item.shape = number();
  }
}

function mutateText(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const bits = ['"', "{", "}", "[", "]", ",", ":", "\\", "\\u0000", "\\ud800", "1e999", "-", "null", " ", "\ufeff", "é", '"a":1,', "[[[[[["];
  return text.slice(0, at) + (random.chance(2) ? random.pick(bits) : "") + text.slice(at + random.below(4));
}

export function safetensorsCase(random: Random): Bytes {
  const { items, bytes } = goodItems(random);
  for (let i = random.below(3); i > 0 && items.length > 0; i--) {
    if (random.chance(6)) items.push({ ...random.pick(items) });
    else if (random.chance(8)) items.splice(random.below(items.length), 1);
    else mutateItem(random, random.pick(items));
  }
  const metadata = random.chance(5) ? `"__metadata__":${JSON.stringify(random.pick([{ a: "b" }, { a: 1 }, null, [], "x"]))},` : "";
  const entries = items.map(({ name, ...rest }) => `${JSON.stringify(name) ?? "null"}:${JSON.stringify(rest)}`);
  let header = `{${metadata}${entries.join(",")}}`;
  if (random.chance(4)) header = mutateText(random, header);
  const data = random.chance(6) ? Math.max(0, bytes + random.below(17) - 8) : bytes;
  const claimed = random.chance(10) ? BigInt(random.pick(EDGES.filter((edge) => edge >= 0))) : undefined;
  const file = rawSafetensors(header, data, claimed);
  return random.chance(5) ? mutateBytes(random, file) : file;
}
