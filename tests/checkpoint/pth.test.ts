import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { decodeF32, readF32 } from "../../src/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { dictOps, op, pickled, pthFile, tensorOps, zipFile } from "./build.ts";
import { type Bytes, counting, f32, samError } from "./support.ts";

const fixture = (name: string): Bytes => Uint8Array.from(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const open = (bytes: Bytes) => openCheckpoint(bufferSource(bytes, "w.pth"));

interface Expected {
  readonly dtype: string;
  readonly shape: number[];
  readonly values: number[];
}
const EXPECTED = JSON.parse(new TextDecoder().decode(fixture("expected.json"))) as Record<string, Record<string, Expected>>;

const A = tensorOps({ count: 2, shape: [2] });

describe("files written by PyTorch", () => {
  for (const [file, tensors] of Object.entries(EXPECTED)) {
    it(`${file}: every tensor, whole and in parts`, async () => {
      const checkpoint = await open(fixture(file));
      expect(checkpoint.format).toBe("pth");
      for (const [name, { dtype, shape, values }] of Object.entries(tensors)) {
        const float = ["F32", "F16", "BF16"].includes(dtype);
        expect(checkpoint.tensors.get(name)).toMatchObject(float ? { name, dtype, shape } : { name, dtype: "F32", stored: dtype, shape });
        expect([...(await readF32(checkpoint, name))], name).toEqual(values.map(Math.fround));
        for (let begin = 0; begin < values.length; begin += 3) {
          const end = Math.min(begin + 5, values.length);
          const bytes = await checkpoint.read(name, begin, end);
          expect(bytes.byteOffset % 4).toBe(0);
          expect([...decodeF32(bytes, checkpoint.tensors.get(name)?.dtype ?? "F32")], `${name} ${begin}`).toEqual(values.slice(begin, end).map(Math.fround));
        }
      }
      expect(checkpoint.tensors.size + (checkpoint.refused?.size ?? 0)).toBe(Object.keys(tensors).length);
      await checkpoint.close();
    });
  }

  it("reads no storage until a tensor is asked for, and tensors in file order", async () => {
    const bytes = fixture("model_and_optimizer.pth");
    const source = counting(bufferSource(bytes));
    const checkpoint = await openCheckpoint(source);
    const opened = source.reads.length;
    const offsets: number[] = [];
    for (const { name, stored } of checkpoint.tensors.values()) {
      // Counters come last.
      if (stored) continue;
      await readF32(checkpoint, name);
      offsets.push(source.reads.at(-1)?.offset ?? -1);
    }
    expect(opened).toBeLessThan(8);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
  });

  it("tells of a second network that stands beside the one it takes", async () => {
    const names = ["image_encoder.neck.0.weight", "prompt_encoder.no_mask_embed.weight", "mask_decoder.iou_token.weight"];
    const network = dictOps(Object.fromEntries(names.map((name) => [name, A])));
    const bytes = pthFile(pickled(dictOps({ model: network, model_ema: [...network] })), { 0: f32(1, 2) });
    const notices: string[] = [];
    const checkpoint = await openCheckpoint(bufferSource(bytes, "w.pth"), { onNotice: (words) => notices.push(words) });
    expect([...checkpoint.tensors.keys()].sort()).toEqual([...names].sort());
    expect(notices).toEqual(['The file holds 2 networks: "model" is used, not "model_ema".']);
  });

  it.each<[what: string, names: string[], got: RegExp]>([
    ["another archive", ["best.pth", "readme.txt"], /^a zip archive that holds "best\.pth", "readme\.txt"$/],
    ["NumPy's", ["a.npy", "b.npy"], /^NumPy arrays in one file \(\.npz\), 2 of them$/],
    ["many files", ["a", "b", "c", "d"], /^a zip archive that holds "a", "b", "c" and 1 more$/],
  ])("names %s by what it holds", async (_, names, got) => {
    const error = await samError(open(zipFile(names.map((name) => ({ name, data: f32(1) })))));
    expect(error.got).toMatch(got);
    expect(error.remedy).toMatch(names[0] === "a.npy" ? /^If you trust the file.*numpy\.load\('old\.npz'\)/ : /^Unpack it/);
  });

  it.each<[what: string, content: number[]]>([
    ["pairs, as list(state_dict.items()) gives them", op.list(op.tuple(op.text("a.w"), A), op.tuple(op.text("b"), A))],
    ["lists of two", op.list(op.list(op.text("a.w"), A), op.list(op.text("b"), A))],
    ["a tuple of pairs under a name", dictOps({ model: op.tuple(op.tuple(op.text("a.w"), A), op.tuple(op.text("b"), A)) })],
  ])("reads %s", async (_, content) => {
    const checkpoint = await open(pthFile(pickled(content), { 0: f32(1, 2) }));
    expect([...checkpoint.tensors.keys()].sort()).toEqual(["a.w", "b"]);
    expect([...(await readF32(checkpoint, "a.w"))]).toEqual([1, 2]);
  });

  it("says what of a file is no tensor, and how to make tensors of it", async () => {
    const array = [...op.global("numpy._core.multiarray", "_reconstruct"), ...op.tuple(), ...op.reduce];
    const said = async (content: number[]) => samError(open(pthFile(pickled(content), { 0: f32(1, 2) })));
    for (const content of [dictOps({ w: array }), dictOps({ model: dictOps({ w: array }) })])
      expect(await said(content)).toMatchObject({ got: "NumPy arrays", remedy: expect.stringMatching(/weights_only=False.*'new\.pth'/) });
    expect(await said(op.list(A, A))).toMatchObject({ got: "a list of 2 tensors without names", remedy: expect.stringContaining("state_dict()") });
    const sparse = [...op.global("torch._utils", "_rebuild_sparse_tensor"), ...op.tuple(A), ...op.reduce];
    const { refused } = await open(pthFile(pickled(dictOps({ a: A, b: sparse })), { 0: f32(1, 2) }));
    expect(refused).toEqual(new Map([["b", "as a sparse tensor, which is not loaded"]]));
  });

  it("is not kept from the weights by a random state of NumPy", async () => {
    const state = [...op.global("numpy.random._pickle", "__generator_ctor"), ...op.tuple(op.text("PCG64")), ...op.reduce];
    const seeds = [...op.global("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"), ...op.tuple(), ...op.reduce];
    const checkpoint = await open(pthFile(pickled(dictOps({ model: dictOps({ a: A }), rng: state, seeds })), { 0: f32(1, 2) }));
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
  });

  it("lets no optimizer stand for a tensor or have attributes that are looked at", async () => {
    const adam = [...op.global("torch.optim.adam", "Adam"), ...op.tuple(), 0x81, ...dictOps({ state: A }), ...op.build];
    const checkpoint = await open(pthFile(pickled(dictOps({ model: dictOps({ a: A }), optimizer: adam })), { 0: f32(1, 2) }));
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
    const inState = pthFile(pickled(dictOps({ a: A, b: adam })), { 0: f32(1, 2) });
    expect([...(await open(inState)).tensors.keys()]).toEqual(["a"]);
    const unknown = [...op.global("torch.optim.adam", "__builtins__"), ...op.tuple(), 0x81];
    expect((await samError(open(pthFile(pickled(unknown), {})))).message).toMatch(/"torch\.optim\.adam\.__builtins__", which is refused/);
  });

  const refusals: [file: string, message: RegExp][] = [
    ["legacy.pth", /legacy format.*torch\.save\(torch\.load/],
    ["hostile.pth", /"posix\.system", which is refused/],
    ["no_tensors.pth", /a dict with "epoch", "note"/],
    ["lone_tensor.pth", /a lone tensor/],
    ["scripted.pt", /TorchScript/],
  ];
  for (const [file, message] of refusals) {
    it(`refuses ${file}`, async () => {
      const source = counting(bufferSource(fixture(file), file));
      expect((await samError(openCheckpoint(source))).message).toMatch(message);
      expect(source.closed).toBe(true);
    });
  }

  it("reads a module that was saved whole, running nothing of it", async () => {
    const checkpoint = await open(fixture("whole_module.pth"));
    expect([...checkpoint.tensors.keys()].sort()).toEqual(["bias", "weight"]);
    expect(checkpoint.tensors.get("weight")?.dtype).toBe("F32");
  });

  it("refuses a file cut at any byte", async () => {
    const bytes = fixture("bare.pth");
    for (let length = 0; length < bytes.length; length++) await samError(open(bytes.slice(0, length)));
  });
});

const good = () => pthFile(pickled(dictOps({ a: A })), { 0: f32(1, 2) });

describe("pth", () => {
  it("opens what the builder of the broken files makes when nothing is broken", async () => {
    expect([...(await readF32(await open(good()), "a"))]).toEqual([1, 2]);
  });

  it("gives memory of its own where the source does, so that it can be let go of", async () => {
    expect((await openCheckpoint(new Blob([good()]))).fresh).toBe(true);
    expect((await open(good())).fresh).toBeUndefined();
  });

  it("reads newer files: byte order, serialization id, untyped storages with a dtype", async () => {
    const stored = [...op.tuple(op.text("storage"), op.global("torch.storage", "UntypedStorage"), op.text("0"), op.text("cpu"), op.int(8)), ...op.persistent];
    const args = op.tuple(stored, op.int(1), op.tuple(op.int(3)), op.tuple(op.int(1)), [0x89], op.none, op.global("torch", "bfloat16"));
    const v3 = [...op.global("torch._utils", "_rebuild_tensor_v3"), ...args, ...op.reduce];
    const extra = [
      { name: "archive/byteorder", data: new TextEncoder().encode("little") },
      { name: "archive/.data/serialization_id", data: new Uint8Array(40) },
    ];
    const halves = new Uint8Array(new Uint16Array([0, 0x3f80, 0x4000, 0x4040]).buffer);
    const checkpoint = await open(pthFile(pickled(dictOps({ b: v3 })), { 0: halves }, { extra }));
    expect(checkpoint.tensors.get("b")).toMatchObject({ dtype: "BF16", shape: [3] });
    expect([...(await readF32(checkpoint, "b"))]).toEqual([1, 2, 3]);
    const big = [{ name: "archive/byteorder", data: new TextEncoder().encode("big") }];
    expect((await samError(open(pthFile(pickled(dictOps({ a: A })), { 0: f32(1, 2) }, { extra: big })))).message).toMatch(/little-endian/);
  });

  it("keeps odd names apart from the language's own", async () => {
    const checkpoint = await open(pthFile(pickled(dictOps({ ["__proto__"]: A, constructor: A })), { 0: f32(1, 2) }));
    expect([...checkpoint.tensors.keys()].sort()).toEqual(["__proto__", "constructor"]);
    expect([...(await readF32(checkpoint, "__proto__"))]).toEqual([1, 2]);
  });

  const wrong: [what: string, tensor: number[], message: RegExp][] = [
    ["a storage that is not there", tensorOps({ key: "9", count: 2, shape: [2] }), /entry "data\/9"/],
    ["a storage key that leaves the archive", tensorOps({ key: "../../etc/passwd", count: 2, shape: [2] }), /entry "data/],
    ["a storage of another length", tensorOps({ count: 3, shape: [2] }), /3 elements in "data\/0"/],
    ["a storage of 2^60 elements", tensorOps({ count: 2 ** 50, shape: [2] }), /elements in "data\/0"/],
    ["a shape past the storage", tensorOps({ count: 2, shape: [3] }), /element 2/],
    ["an offset past the storage", tensorOps({ count: 2, offset: 1, shape: [2] }), /element 2/],
    ["a negative offset", tensorOps({ count: 2, offset: -1, shape: [2] }), /whole numbers/],
    ["a negative stride", tensorOps({ count: 2, offset: 1, shape: [2], strides: [-1] }), /whole numbers/],
    ["strides of another rank", tensorOps({ count: 2, shape: [2], strides: [1, 1] }), /whole numbers/],
    ["a stride past the storage", tensorOps({ count: 2, shape: [2], strides: [2 ** 40] }), /within the 8 bytes/],
    ["a million elements out of one", tensorOps({ count: 2, shape: [1000, 1000], strides: [0, 0] }), /bytes of the file/],
    ["sides whose product overflows", tensorOps({ count: 2, shape: new Array(16).fill(2 ** 50), strides: new Array(16).fill(0) }), /bytes of the file/],
    [
      "a storage that is not one",
      [...op.global("torch._utils", "_rebuild_tensor_v2"), ...op.tuple(op.none, op.int(0), op.tuple(), op.tuple()), ...op.reduce],
      /with a storage/,
    ],
    ["an untyped storage without dtype", tensorOps({ storage: "UntypedStorage", count: 8, shape: [2] }), /a dtype/],
  ];
  for (const [what, tensor, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const error = await samError(open(pthFile(pickled(dictOps({ a: tensor })), { 0: f32(1, 2) })));
      expect(error.message).toMatch(message);
    });
  }

  it("refuses a name that cannot be printed and a name twice", async () => {
    await samError(open(pthFile(pickled(dictOps({ "a\0b": A })), { 0: f32(1, 2) })));
    const twice = [...op.emptyDict, ...op.mark, ...op.text("a"), ...A, ...op.text("a"), ...A, ...op.setItems];
    expect((await samError(open(pthFile(pickled(twice), { 0: f32(1, 2) })))).message).toMatch(/"a" twice/);
  });

  it("reads a scattered tensor of many windows in bounded pieces", async () => {
    const rows = 3000;
    const columns = 3001;
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < values.length; i++) values[i] = i;
    const transposed = tensorOps({ count: values.length, shape: [columns, rows], strides: [1, columns] });
    const source = counting(bufferSource(pthFile(pickled(dictOps({ a: transposed })), { 0: new Uint8Array(values.buffer) })));
    const checkpoint = await openCheckpoint(source);
    const begin = 7 * rows + 11;
    const got = decodeF32(await checkpoint.read("a", begin, begin + 2 * rows), "F32");
    for (let i = 0; i < got.length; i++) {
      const element = begin + i;
      if (got[i] !== (element % rows) * columns + Math.floor(element / rows)) throw new Error(`element ${element}: ${got[i]}`);
    }
    expect(Math.max(...source.reads.map(({ length }) => length))).toBeLessThanOrEqual(16 << 20);
  });
});
