import { expect, it } from "vitest";
import { decodeF32, f16ToF32Bits, type StoredDType } from "../../src/checkpoint/checkpoint.ts";
import { toHalves } from "../../src/checkpoint/half.ts";
import { uploadWeights, type WeightReader } from "../../src/gpu/weights.ts";
import { Graph } from "../../src/graph/graph.ts";
import { elements, type Shape, type Tensor, type WeightType } from "../../src/graph/tensor.ts";
import { asStored, concatenated, packOnCpu, stackedLinear, transposedLinear, type WeightSource } from "../../src/graph/weight_source.ts";
import { convWeight } from "../../src/ops/conv2d.ts";
import { convTransposeWeight } from "../../src/ops/conv_transpose2d.ts";
import { describeGpu, readBuffer } from "../support/dawn.ts";
import { testGpu, values } from "../support/twins.ts";

interface Stored {
  readonly dtype: StoredDType;
  /** Little-endian. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const ELEMENT = { F32: 4, F16: 2, BF16: 2 };

function f32(data: ArrayLike<number>): Stored {
  return { dtype: "F32", bytes: new Uint8Array(Float32Array.from(data).buffer) };
}

function halves(dtype: "F16" | "BF16", words: ArrayLike<number>): Stored {
  return { dtype, bytes: new Uint8Array(Uint16Array.from(words).buffer) };
}

/** A checkpoint in memory whose bytes come one piece at a time, as from a file; `reads` counts them. */
function reader(tensors: Readonly<Record<string, Stored>>): WeightReader & { reads: string[] } {
  const reads: string[] = [];
  return {
    label: "test.safetensors",
    tensors: new Map(Object.entries(tensors)),
    reads,
    async read(name, begin, end) {
      const { dtype, bytes } = tensors[name] as Stored;
      reads.push(`${name} ${begin}-${end}`);
      return bytes.slice(begin * ELEMENT[dtype], end * ELEMENT[dtype]);
    },
  };
}

/** Uploads weights `name: [shape, source]` and reads them back. */
async function upload(stored: Readonly<Record<string, Stored>>, weights: Readonly<Record<string, readonly [Shape, WeightSource, WeightType?]>>) {
  const gpu = await testGpu();
  const graph = new Graph("weights");
  for (const [label, [shape, source, dtype]] of Object.entries(weights)) graph.weight(label, shape, source, dtype);
  const checkpoint = reader(stored);
  const readF32 = async (name: string) => decodeF32((stored[name] as Stored).bytes, (stored[name] as Stored).dtype);
  const progress: [number, number][] = [];
  const buffers = await uploadWeights(gpu, graph.weights, checkpoint, { readF32, onProgress: (...step) => progress.push(step) });
  const read = new Map<string, Uint32Array>();
  for (const { label, shape, dtype } of graph.weights) {
    const buffer = buffers.get(label) as GPUBuffer;
    // Weights cannot be copied out of their own buffers; a shader can read them.
    read.set(label, (await copyOut(buffer)).subarray(0, dtype === "f32" ? elements(shape) : undefined));
    buffer.destroy();
  }
  const weightOf = (label: string) => graph.weights.find((weight) => weight.label === label) as Tensor;
  return { read, progress, reads: checkpoint.reads, weightOf };
}

async function copyOut(buffer: GPUBuffer): Promise<Uint32Array> {
  const { device } = await testGpu();
  const code = `@group(0) @binding(0) var<storage, read> x: array<u32>; @group(0) @binding(1) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      for (var i = id.x; i < arrayLength(&x); i += 64 * groups.x) { y[i] = x[i]; } }`;
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module: device.createShaderModule({ code }) } });
  const out = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [buffer, out].map((resource, binding) => ({ binding, resource: { buffer: resource } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.min(65535, Math.ceil(buffer.size / 256)));
  pass.end();
  device.queue.submit([encoder.finish()]);
  const bytes = await readBuffer(device, out);
  out.destroy();
  return new Uint32Array(bytes);
}

function expectBits(got: Uint32Array | undefined, want: ArrayLike<number>, label: string): void {
  const first = Array.from({ length: want.length }, (_, i) => i).find((i) => got?.[i] !== (want[i] as number) >>> 0);
  if (got?.length !== want.length || first !== undefined) {
    throw new Error(
      `${label}: ${got?.length} words for ${want.length}, first apart at ${first}: got ${got?.[first ?? 0]?.toString(16)}, want ${want[first ?? 0]?.toString(16)}`,
    );
  }
}

const bitsOf = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);

describeGpu("unpack", () => {
  it("widens every finite f16 and bf16 exactly, subnormals and signed zeros included", async () => {
    const all = Array.from({ length: 65536 }, (_, bits) => bits);
    const f16 = all.filter((bits) => (bits & 0x7c00) !== 0x7c00);
    const bf16 = all.filter((bits) => (bits & 0x7f80) !== 0x7f80);
    const { read } = await upload(
      { a: halves("F16", f16), b: halves("BF16", bf16) },
      { a: [[f16.length], asStored("a", [f16.length])], b: [[bf16.length], asStored("b", [bf16.length])] },
    );
    expectBits(read.get("a"), f16.map(f16ToF32Bits), "f16");
    expectBits(
      read.get("b"),
      bf16.map((bits) => bits << 16),
      "bf16",
    );
  });

  it("keeps the bits of f32, subnormals and the largest included", async () => {
    const data = Float32Array.of(0, -0, 1e-45, -1e-40, 1.17549435e-38, 3.4028235e38, -3.4028235e38, 1 / 3, Math.PI);
    const { read } = await upload({ a: f32(data) }, { a: [[data.length], asStored("a", [data.length])] });
    expectBits(read.get("a"), bitsOf(data), "f32");
  });

  it.each([1, 3, 5, 63, 65, 127])("takes %i halves, an odd number of bytes in fours", async (count) => {
    const words = Array.from({ length: count }, (_, i) => 0x3c00 + i);
    const { read } = await upload(
      { a: halves("F16", words), b: halves("BF16", words) },
      { a: [[count], asStored("a", [count])], b: [[count], asStored("b", [count])] },
    );
    expectBits(read.get("a"), words.map(f16ToF32Bits), "f16");
    expectBits(
      read.get("b"),
      words.map((bits) => bits << 16),
      "bf16",
    );
  });

  it("packs every layout as the CPU does", async () => {
    const shapes: Record<string, Shape> = {
      linear: [20, 12],
      other: [8, 12],
      bias: [20],
      head: [4, 12],
      conv: [8, 12, 3, 3],
      up4: [4, 12, 4, 4],
    };
    const stored = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, f32(values(name, elements(shape)))]));
    const of = (name: string) => ({ name, shape: shapes[name] as Shape });
    const weights: Record<string, readonly [Shape, WeightSource]> = {
      transposed: [[12, 20], transposedLinear([of("linear")])],
      sideBySide: [[12, 28], transposedLinear([of("linear"), of("other")])],
      stacked: [[24, 20], stackedLinear([[of("linear")], [of("head")]], 20)],
      concatenated: [[260], concatenated([of("bias"), of("linear")])],
      strided: [[280], concatenated([of("bias"), of("linear")], 40)],
      conv: [[108, 8], convWeight("conv", 8, 12)],
      up4: [[64, 12], convTransposeWeight("up4", 4, 12)],
    };
    const { read, reads } = await upload(stored, weights);
    for (const [label, [shape, source]] of Object.entries(weights)) {
      const want = packOnCpu(source, shape, (name) => new Float32Array((stored[name] as Stored).bytes.buffer));
      expectBits(read.get(label), bitsOf(want), label);
    }
    // A tensor that several weights are made of is read once.
    expect(reads.length).toBe(Object.keys(shapes).length);
  });

  it("rounds to f16 as PyTorch does, to the nearest and ties to even, and keeps f16 as it is", async () => {
    const halfway = [1 + 2 ** -11, 1 + 3 * 2 ** -11, -(2 + 2 ** -10), 65519.99, 2 ** -14, 3.3e-5, 2 ** -25, 1.5 * 2 ** -24, 0.1];
    const data = Float32Array.from([...halfway, ...values("halves", 991)]);
    const words = Array.from({ length: 1000 }, (_, i) => (i * 61) % 0x7c00);
    const shape = [10, 100];
    const { read } = await upload(
      { a: f32(data), b: halves("F16", words) },
      { a: [shape, asStored("a", shape), "f16"], b: [shape, asStored("b", shape), "f16"] },
    );
    const packed = (bits: ArrayLike<number>) => new Uint32Array(Uint16Array.from(bits).buffer);
    expectBits(read.get("a"), packed(new Uint16Array(toHalves(data, "F16").buffer)), "f32 as f16");
    expectBits(read.get("b"), packed(words), "f16 as f16");
  });

  it("quantises each column of a tensor in pieces by its largest value, transposed", async () => {
    const [rows, columns] = [8, 2 * 1024 * 128 + 4];
    const data = values("a", rows * columns);
    // A column of zeros, one of a single value, and one that is much larger than the others.
    data.fill(0, 0, columns);
    data.fill(0, columns, 2 * columns).set([-3e-30], columns + 5);
    for (let i = 0; i < columns; i++) data[2 * columns + i] = 1e30 * (data[2 * columns + i] as number);
    const { read, reads, weightOf } = await upload(
      { a: f32(data) },
      { a: [[columns, rows], transposedLinear([{ name: "a", shape: [rows, columns] }]), "int8"] },
    );
    expect(reads.length).toBe(2);
    const words = read.get("a") as Uint32Array;
    const { source, shape } = weightOf("a");
    const want = packOnCpu(source as WeightSource, shape, () => data, "int8");
    const quantised = new Int8Array(words.buffer, 0, rows * columns);
    const largest = new Float32Array(words.buffer, rows * columns, rows);
    const got = Float32Array.from(quantised, (q, i) => (q * (largest[i % rows] as number)) / 127);
    for (let row = 0; row < rows; row++) {
      const most = want.reduce((sum, value, i) => (i % rows === row ? Math.max(sum, Math.abs(value)) : sum), 0);
      const worst = got.reduce((sum, value, i) => (i % rows === row ? Math.max(sum, Math.abs(value - (want[i] as number))) : sum), 0);
      // One step where the quotient lies on a tie, to the device's rounding; none in the columns without ties.
      expect(worst).toBeLessThanOrEqual(most / 126);
    }
    expect([...quantised.filter((_, i) => i % rows === 0)].every((q) => q === 0)).toBe(true);
    expect(quantised[5 * rows + 1]).toBe(-127);
  });

  it("names the tensor with values beyond f16", async () => {
    const weights = { a: [[4], asStored("a", [4]), "f16"], b: [[4], asStored("b", [4]), "f16"] } as const;
    await expect(upload({ a: f32([65519, -65519, 0, 1]), b: f32([0, 0, -65520, 0]) }, weights)).rejects.toMatchObject({
      code: "checkpoint",
      expected: "below 65520, to be stored as f16",
      got: "larger values in b",
      remedy: 'Load them with precision "f32".',
    });
  });

  it("reads tensors beyond 8 MiB in pieces, each to its place", async () => {
    const count = 2 * 2 * 1024 * 1024 + 3 * 1024 + 6;
    const rows = 2;
    const columns = count / rows;
    const words = Uint32Array.from({ length: count }, (_, i) => (0x3f000000 + i) >>> 0);
    const half = Uint16Array.from({ length: 2 * 1024 * 1024 + 5 }, (_, i) => i % 0x7c00);
    const { read, reads, progress } = await upload(
      { a: { dtype: "F32", bytes: new Uint8Array(words.buffer) }, b: halves("F16", half) },
      { a: [[columns, rows], transposedLinear([{ name: "a", shape: [rows, columns] }])], b: [[half.length], asStored("b", [half.length])] },
    );
    expect(reads).toEqual(["a 0-2097152", "a 2097152-4194304", `a 4194304-${count}`, "b 0-2097152", "b 2097152-2097157"]);
    const transposed = new Uint32Array(count);
    for (let i = 0; i < count; i++) transposed[(i % columns) * rows + Math.floor(i / columns)] = words[i] as number;
    expectBits(read.get("a"), transposed, "f32 in three pieces, transposed");
    expectBits(read.get("b"), [...half].map(f16ToF32Bits), "f16 in two pieces");
    const total = 4 * count + 2 * half.length;
    expect(progress.every(([loaded, of], i) => of === total && loaded > (progress[i - 1]?.[0] ?? 0))).toBe(true);
    expect(progress.at(-1)).toEqual([total, total]);
  });

  it.each<[string, Stored]>([
    ["NaN in f32", f32([1, 2, Number.NaN, 4])],
    ["infinity in f32", f32([1, -Infinity, 3, 4])],
    ["NaN in f16", halves("F16", [0x3c00, 0x7e01, 0, 0])],
    ["infinity in f16", halves("F16", [0x3c00, 0, 0, 0xfc00])],
    ["NaN in bf16", halves("BF16", [0x3f80, 0x7fc0, 0, 0])],
    ["infinity in bf16", halves("BF16", [0x7f80, 0, 0, 0])],
  ])("names the tensor with %s, and only that", async (_, bad) => {
    const uploaded = upload(
      { fine: f32([1, 2, 3, 4]), bad, alsoFine: f32([3e38, -3e38, 0, 1e-45]) },
      { fine: [[4], asStored("fine", [4])], bad: [[4], asStored("bad", [4])], alsoFine: [[4], asStored("alsoFine", [4])] },
    );
    await expect(uploaded).rejects.toMatchObject({
      code: "checkpoint",
      op: "test.safetensors",
      argument: "weights",
      expected: "finite everywhere",
      got: "NaN or infinity in bad",
    });
  });

  it("finds a NaN in the last piece of a large tensor, and in a table computed on the CPU", async () => {
    const data = new Float32Array(2 * 1024 * 1024 + 1);
    data[data.length - 1] = Number.NaN;
    await expect(upload({ large: f32(data) }, { large: [[data.length], asStored("large", [data.length])] })).rejects.toMatchObject({
      code: "checkpoint",
      got: "NaN or infinity in large",
    });
    const compute: WeightSource = {
      kind: "computed",
      parts: [{ name: "table", shape: [2] }],
      compute: ([table]) => (table as Float32Array).map((value) => value * 2),
    };
    await expect(upload({ table: f32([1, Infinity]) }, { table: [[2], compute] })).rejects.toMatchObject({
      code: "checkpoint",
      got: "NaN or infinity in table",
    });
  });
});
