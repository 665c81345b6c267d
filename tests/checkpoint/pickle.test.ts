import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { type Allowed, Dict, OPAQUE, unpickle } from "../../src/checkpoint/pickle.ts";
import { dictOps, op, pickled } from "./build.ts";
import { type Bytes, concat, samError } from "./support.ts";
import { QUICK } from "../support/quick.ts";

const allowed = new Map<string, Allowed>([["m.make", { name: "m.make", make: (args) => ({ made: [...args] }) }]]);
const load = (bytes: Bytes) => unpickle(bytes, { label: "w.pth", allowed, persistent: (id) => ({ id }) });
const value = (...ops: number[]) => load(pickled(ops));
const ascii = (text: string) => [...new TextEncoder().encode(text)];

describe("unpickle", () => {
  const values: [what: string, ops: number[], expected: unknown][] = [
    ["None, True, False", [...op.tuple(op.none, [0x88], [0x89])], [null, true, false]],
    ["small integers", [...op.tuple([0x4b, 200], [0x4d, 1, 2], op.int(-5))], [200, 513, -5]],
    [
      "long integers",
      [...op.tuple(op.long(-2n, 1), op.long(1n << 40n, 6), op.long(0n, 0), op.long(-1n), op.long(1n << 70n, 9))],
      [-2, 2 ** 40, 0, -1, Number.NaN],
    ],
    ["floats", [0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 1.5],
    ["strings", [...op.tuple(op.text("née"), [0x8c, 1, 65], [0x55, 1, 66])], ["née", "A", "B"]],
    ["bytes, which nothing needs", [0x43, 2, 7, 8], OPAQUE],
    ["tuples of one to three", [...op.none, 0x85, ...op.none, 0x86, 0x88, 0x89, 0x87], [[[null], null], true, false]],
    ["lists", [...op.emptyList, ...op.none, 0x61, 0x28, 0x88, 0x89, 0x65], [null, true, false]],
    ["sets", [0x8f, 0x28, 0x4b, 1, 0x90], [1]],
    ["memo", [...op.text("x"), ...op.put(0), ...op.get(0), 0x86], ["x", "x"]],
    ["memoize and short gets", [...op.text("x"), 0x94, 0x68, 0, 0x86], ["x", "x"]],
    ["calls of allowed names", [...op.global("m", "make"), ...op.tuple(op.int(3)), ...op.reduce], { made: [3] }],
    ["names from the stack", [...op.text("m"), ...op.text("make"), 0x93, ...op.tuple(), 0x81], { made: [] }],
    ["persistent ids", [...op.text("key"), ...op.persistent], { id: "key" }],
    ["frames, pops and duplicates", [0x95, 9, 0, 0, 0, 0, 0, 0, 0, ...op.none, ...op.none, 0x30, 0x32, 0x86], [null, null]],
    ["marks thrown away", [...op.none, 0x28, 0x88, 0x31, 0x28, 0x30], null],
  ];
  for (const [what, ops, expected] of values) it(`reads ${what}`, () => expect(value(...ops)).toEqual(expected));

  it("keeps dicts as pairs, the last of equal keys counting", () => {
    const dict = value(...op.emptyDict, ...op.text("a"), 0x4b, 1, 0x73, ...op.mark, ...op.text("a"), 0x4b, 2, ...op.text("__proto__"), 0x4b, 3, ...op.setItems);
    expect(dict).toBeInstanceOf(Dict);
    if (!(dict instanceof Dict)) return;
    expect([dict.get("a"), dict.get("__proto__"), dict.get("toString")]).toEqual([2, 3, undefined]);
  });

  const hostile: [what: string, bytes: Bytes, message: RegExp][] = [
    ["os.system", pickled(op.global("os", "system"), op.tuple(op.text("id")), op.reduce), /"os\.system", which is refused/],
    ["builtins.eval by way of the stack", pickled(op.text("builtins"), op.text("eval"), [0x93]), /"builtins\.eval", which is refused/],
    ["a module name with a line of its own", pickled(op.text("os\nsystem"), op.text("x"), [0x93]), /refused/],
    ["names that are not text", pickled(op.int(1), op.none, [0x93]), /refused/],
    ["__proto__ as a name", pickled(op.global("__proto__", "constructor")), /refused/],
    ["an instance of the old kind", pickled(op.mark, [0x69], ascii("os\nsystem\n")), /protocol 2 to 5/],
    ["an extension code", pickled([0x82, 1]), /protocol 2 to 5/],
    ["a call of what is not a function", pickled(op.text("make"), op.tuple(), op.reduce), /allowed name/],
    ["a call of what a call made", pickled(op.global("m", "make"), op.tuple(), op.reduce, op.tuple(), op.reduce), /allowed name/],
    ["a call without a tuple", pickled(op.global("m", "make"), op.none, op.reduce), /list or tuple/],
    ["a memo entry far away", pickled(op.none, op.put(0xfffffff0)), /memo entry 0, got 4294967280/],
    ["a memo entry that is not there", pickled(op.get(5)), /memo entries, got 5/],
    ["text of 4 GB", pickled([0x58, 255, 255, 255, 255, 65]), /4294967295 more bytes/],
    ["text of 2^63 bytes", pickled([0x8d, 0, 0, 0, 0, 0, 0, 0, 128]), /more bytes/],
    ["bytes of 2^40", pickled([0x8e, 0, 0, 0, 0, 0, 1, 0, 0]), /more bytes/],
    ["a number of 4 GB", pickled([0x8b, 255, 255, 255, 255]), /more bytes/],
    ["text that is not UTF-8", pickled([0x8c, 1, 0xff]), /UTF-8/],
    ["a line that does not end", pickled([0x63], ascii("x".repeat(10_000))), /a line/],
    ["protocol 9", Uint8Array.from([0x80, 9, 0x2e]), /protocol up to 5/],
    ["an empty stack", pickled([0x30]), /a value, got none/],
    ["a pop below the mark", pickled(op.none, op.mark, [0x85]), /a value, got none/],
    ["a tuple without a mark", pickled(op.none, [0x74]), /a mark/],
    ["an open mark at the end", pickled(op.none, op.mark), /one value at the end/],
    ["two values at the end", pickled(op.none, op.none), /one value at the end/],
    ["no value at the end", pickled(), /one value at the end/],
    ["no end", Uint8Array.from(op.proto), /1 more bytes/],
    ["a key without a value", pickled(op.emptyDict, op.mark, op.none, op.setItems), /pairs/],
    ["items for what is no dict", pickled(op.none, op.mark, op.none, op.none, op.setItems), /pairs/],
    ["an element for what is no list", pickled(op.none, op.none, [0x61]), /list or tuple/],
    ["attributes for a number", pickled(op.int(1), op.none, op.build), /give attributes/],
  ];
  for (const [what, bytes, message] of hostile) {
    it(`refuses ${what}`, async () => expect((await samError(async () => load(bytes))).message).toMatch(message));
  }

  it("refuses a pickle cut at any byte", async () => {
    const whole = pickled(dictOps({ a: op.tuple(op.text("x"), op.int(1), op.long(5n)) }));
    for (let length = 0; length < whole.length; length++) await samError(async () => load(whole.slice(0, length)));
  });

  it("follows nesting without recursion and stops at the bound on opcodes", async () => {
    const deep = new Uint8Array(450_000).fill(0x85);
    expect(load(concat(Uint8Array.from([...op.proto, 0x4e]), deep, Uint8Array.from(op.stop)))).toHaveLength(1);
    const endless = new Uint8Array(500_001).fill(0x5d);
    expect((await samError(async () => load(endless))).message).toMatch(/at most 500000 opcodes/);
  });

  const repeat = (count: number, ...ops: number[]) => {
    const out = new Uint8Array(count * ops.length);
    for (let i = 0; i < out.length; i++) out[i] = ops[i % ops.length] as number;
    return out;
  };
  const none = Uint8Array.of(0x4e);
  const bombs: [what: string, pickle: Uint8Array][] = [
    ["half a million dicts", repeat(499_980, 0x7d)],
    ["half a million lists", repeat(499_980, 0x5d)],
    ["lists of one", repeat(166_000, 0x5d, 0x4e, 0x61)],
    ["dicts of one", repeat(124_000, 0x7d, 0x4e, 0x4e, 0x73)],
    ["tuples in tuples", concat(none, repeat(499_980, 0x85))],
    ["half a million marks", repeat(499_980, 0x28)],
    ["a full memo", concat(none, repeat(499_980, 0x94))],
    ["short texts", repeat(495_000, 0x8c, 6, 65, 66, 67, 68, 69, 70)],
    ["lists of one text", repeat(166_000, 0x5d, 0x8c, 2, 65, 66, 0x61)],
    ["dicts of texts", repeat(124_000, 0x7d, 0x8c, 2, 65, 66, 0x8c, 2, 67, 68, 0x73)],
    ["lists of one float", repeat(166_000, 0x5d, 0x47, 1, 2, 3, 4, 5, 6, 7, 8, 0x61)],
    ["short bytes", repeat(495_000, 0x43, 1, 65)],
    ["floats", repeat(495_000, 0x47, 1, 2, 3, 4, 5, 6, 7, 8)],
    ["calls", repeat(160_000, ...op.global("m", "make"), 0x29, 0x52)],
  ];
  for (const [what, bomb] of QUICK ? bombs.slice(0, 3) : bombs) {
    it(`holds ${what} within the file's size and 64 MB`, () => {
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as () => void;
      const held = () => {
        // The second waits for what the first left to be freed in the background.
        collect();
        collect();
        const { heapUsed, external } = process.memoryUsage();
        return heapUsed + external;
      };
      const bytes = concat(Uint8Array.from(op.proto), bomb, Uint8Array.of(0x4e, 0x51));
      const before = held();
      let most = Number.NaN;
      // Asked for with everything still on the stack.
      const persistent = () => {
        most = held() - before;
        return null;
      };
      expect(() => unpickle(bytes, { label: "w.pth", allowed, persistent })).toThrow(/more bytes/);
      expect(most).toBeLessThan(bytes.length + (64 << 20));
    });
  }

  it("makes no copies of what the memo repeats", () => {
    // Each list holds the one before it ten times: written out, the last would have 10^50 elements.
    const level = [...op.emptyList, ...op.mark, ...Array.from({ length: 10 }, () => op.get(0)).flat(), 0x65, ...op.put(0), 0x30];
    const levels = Array.from({ length: 50 }, () => level);
    expect(load(pickled(op.text("x"), op.put(0), [0x30], ...levels, op.get(0)))).toHaveLength(10);
  });
});
