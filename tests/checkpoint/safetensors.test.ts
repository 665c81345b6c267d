import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { decodeF32, readF32 } from "../../src/checkpoint/checkpoint.ts";
import { openSafetensors } from "../../src/checkpoint/safetensors.ts";
import { fileOrder, safetensorsHeader, type WrittenTensor, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { collect, concat, counting, f32, rawSafetensors, samError } from "./support.ts";

const open = (bytes: Uint8Array<ArrayBuffer>) => openSafetensors(bufferSource(bytes, "w.safetensors"));
const F4 = { dtype: "F32", shape: [1], data_offsets: [0, 4] };

describe("safetensors", () => {
  it("reads f32, f16 and bf16 tensors in file order, whole and in parts", async () => {
    const halves = new Uint16Array([0x3c00, 0xc000, 0x0001, 0x7bff]); // 1, -2, 2^-24, 65504
    const brains = new Uint16Array([0x3f80, 0x4049]); // 1, 3.140625
    const file = rawSafetensors(
      {
        late: { dtype: "BF16", shape: [2], data_offsets: [32, 36] },
        first: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
        half: { dtype: "F16", shape: [4], data_offsets: [24, 32] },
        __metadata__: { format: "pt" },
      },
      concat(f32(1, 2, 3, 4, 5, 6), new Uint8Array(halves.buffer), new Uint8Array(brains.buffer)),
    );
    const checkpoint = await open(file);
    expect([...checkpoint.tensors.keys()]).toEqual(["first", "half", "late"]);
    expect(checkpoint.tensors.get("first")).toEqual({ name: "first", dtype: "F32", shape: [2, 3] });
    expect(checkpoint.metadata?.get("format")).toBe("pt");
    expect([...(await readF32(checkpoint, "first"))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...decodeF32(await checkpoint.read("first", 2, 5), "F32")]).toEqual([3, 4, 5]);
    expect([...(await readF32(checkpoint, "half"))]).toEqual([1, -2, 2 ** -24, 65504]);
    expect([...decodeF32(await checkpoint.read("half", 1, 2), "F16")]).toEqual([-2]);
    expect([...(await readF32(checkpoint, "late"))]).toEqual([1, 3.140625]);
    expect((await checkpoint.read("half", 1, 4)).byteOffset % 4).toBe(0);
  });

  it("reads only what is asked for", async () => {
    const file = rawSafetensors({ a: { dtype: "F32", shape: [1000], data_offsets: [0, 4000] } }, 4000);
    const source = counting(bufferSource(file));
    const checkpoint = await openSafetensors(source);
    expect(source.reads.reduce((sum, { length }) => sum + length, 0)).toBe(file.length - 4000);
    await checkpoint.read("a", 10, 20);
    expect(source.reads.at(-1)).toEqual({ offset: file.length - 4000 + 40, length: 40 });
  });

  it("takes no tensors, scalars, empty tensors and odd names", async () => {
    expect((await open(rawSafetensors("{}  ", 0))).tensors.size).toBe(0);
    const checkpoint = await open(
      rawSafetensors(
        {
          ["__proto__"]: { dtype: "F32", shape: [], data_offsets: [0, 4] },
          constructor: { dtype: "F32", shape: [0, 7], data_offsets: [4, 4] },
          "7": { dtype: "I64", shape: [1], data_offsets: [4, 12] },
          "née.重み": { dtype: "F32", shape: [1], data_offsets: [12, 16] },
        },
        concat(f32(1.5), new Uint8Array(8), f32(2.5)),
      ),
    );
    expect([...checkpoint.tensors.keys()].sort()).toEqual(["__proto__", "constructor", "née.重み"]);
    expect([...(await readF32(checkpoint, "__proto__"))]).toEqual([1.5]);
    expect(await readF32(checkpoint, "constructor")).toHaveLength(0);
    expect([...(checkpoint.others?.values() ?? [])]).toEqual([{ name: "7", dtype: "I64", shape: [1] }]);
  });

  const bad: [what: string, file: Uint8Array<ArrayBuffer>, message: RegExp][] = [
    ["an empty file", new Uint8Array(0), /0 bytes/],
    ["a file cut in the length", new Uint8Array(7), /7 bytes/],
    ["a header of 4 GB", rawSafetensors({ a: F4 }, 4, 1n << 32n), /4294967296/],
    ["a header of 2^63 bytes", rawSafetensors({ a: F4 }, 4, 1n << 63n), /header length/],
    ["a header one byte past the end", rawSafetensors("{}", 0, 3n), /header length/],
    ["a header of zero bytes", rawSafetensors("{}", 0, 0n), /header length/],
    ["a header that ends early", rawSafetensors({ a: F4 }, 4, 20n), /JSON/],
    ["a header larger than any", rawSafetensors(" ".repeat((4 << 20) + 1), 0), /at most 4194304/],
    ["an array as header", rawSafetensors("[]", 0), /object/],
    ["text that is not UTF-8", rawSafetensors("{}", new Uint8Array([0xff]), 3n), /UTF-8/],
    ["deep nesting", rawSafetensors(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 0), /nesting/],
    ["four megabytes of empty objects", rawSafetensors(`{"a":[${"{},".repeat(1_398_000)}{}]}`, 0), /at most 300000 keys, objects and lists/],
    ["four megabytes of keys", rawSafetensors(`{${Array.from({ length: 400_000 }, (_, i) => `"${i.toString(36)}":0`).join(",")}}`, 0), /at most 300000 keys/],
    ["one name twice", rawSafetensors(`{"a":${JSON.stringify(F4)},"\\u0061":${JSON.stringify(F4)}}`, 4), /"a" twice/],
    ["one field twice", rawSafetensors(`{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}}`, 4), /"dtype" twice/],
    ["a name with NUL", rawSafetensors({ "a\0b": F4 }, 4), /printable/],
    ["a name with half a surrogate pair", rawSafetensors(`{"\\ud800":${JSON.stringify(F4)}}`, 4), /printable/],
    ["an empty name", rawSafetensors({ "": F4 }, 4), /printable/],
    ["metadata that is not text", rawSafetensors({ __metadata__: { a: 1 } }, 0), /__metadata__/],
    ["an entry that is not an object", rawSafetensors({ a: 3 }, 0), /dtype, shape/],
    ["an unknown dtype", rawSafetensors({ a: { ...F4, dtype: "Q4" } }, 4), /"Q4"/],
    ["a dtype from the prototype", rawSafetensors({ a: { ...F4, dtype: "toString" } }, 4), /"toString"/],
    ["a negative side", rawSafetensors({ a: { ...F4, shape: [-1] } }, 4), /whole numbers/],
    ["a broken side", rawSafetensors({ a: { ...F4, shape: [1.5] } }, 4), /whole numbers/],
    ["a side past 2^53", rawSafetensors(`{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}`, 4), /whole numbers/],
    ["a product that overflows", rawSafetensors({ a: { ...F4, shape: [2 ** 40, 2 ** 40] } }, 4), /bytes for F32/],
    ["too many dimensions", rawSafetensors({ a: { ...F4, shape: new Array(17).fill(1) } }, 4), /at most 16/],
    ["one offset", rawSafetensors({ a: { ...F4, data_offsets: [0] } }, 4), /data_offsets/],
    ["offsets backwards", rawSafetensors({ a: { ...F4, data_offsets: [4, 0] } }, 4), /data_offsets/],
    ["an offset past the end", rawSafetensors({ a: { ...F4, data_offsets: [4, 8] } }, 4), /data_offsets/],
    ["a shape of another size", rawSafetensors({ a: { ...F4, shape: [2] } }, 4), /8 bytes for F32 \[2\]/],
    ["an overlap", rawSafetensors({ a: F4, b: F4 }, 4), /overlap/],
    ["a gap at the start", rawSafetensors({ a: { ...F4, data_offsets: [4, 8] } }, 8), /gap/],
    ["bytes after the last tensor", rawSafetensors({ a: F4 }, 8), /bytes, as the header says/],
  ];
  for (const [what, file, message] of bad) {
    it(`refuses ${what}`, async () => {
      const source = counting(bufferSource(file, "w.safetensors"));
      expect((await samError(() => openSafetensors(source))).message).toMatch(message);
      for (const { offset, length } of source.reads) expect(offset + length).toBeLessThanOrEqual(file.length);
    });
  }

  it("refuses a file cut at any byte", async () => {
    const file = rawSafetensors({ a: F4, b: { ...F4, data_offsets: [4, 8] } }, 8);
    for (let length = 0; length < file.length; length++) await samError(() => open(file.slice(0, length)));
  });

  it("refuses a range outside the tensor and a name that is not there", async () => {
    const checkpoint = await open(rawSafetensors({ a: F4 }, 4));
    for (const [begin, end] of [
      [0, 2],
      [-1, 1],
      [1, 0],
      [Number.NaN, 1],
    ] as const)
      await samError(() => checkpoint.read("a", begin, end));
    expect((await samError(() => checkpoint.read("b", 0, 1))).message).toContain('"b"');
  });

  it("writes what it reads: wide elements first, data at a multiple of 8, the same bytes each time", async () => {
    const tensors: WrittenTensor[] = [
      { name: 'quo"te', dtype: "F16", shape: [3] },
      { name: "weights", dtype: "F32", shape: [1, 2] },
      { name: "half", dtype: "BF16", shape: [] },
    ];
    async function* data({ name }: WrittenTensor) {
      if (name === "weights") yield* [f32(1), f32(2)];
      else yield new Uint8Array(name === "half" ? [0x80, 0x3f] : [0, 0x3c, 0, 0x40, 0, 0x42]);
    }
    const ordered = fileOrder(tensors);
    const make = () => collect(writeSafetensors(ordered, data, [["config", '{"width":768}']]));
    const file = await make();
    expect(await make()).toEqual(file);
    expect(safetensorsHeader(ordered).length % 8).toBe(0);
    const checkpoint = await open(file);
    expect([...checkpoint.tensors.keys()]).toEqual(["weights", 'quo"te', "half"]);
    expect(checkpoint.metadata?.get("config")).toBe('{"width":768}');
    expect([...(await readF32(checkpoint, "weights"))]).toEqual([1, 2]);
    expect([...(await readF32(checkpoint, 'quo"te'))]).toEqual([1, 2, 3]);
    expect([...(await readF32(checkpoint, "half"))]).toEqual([1]);
  });
});
