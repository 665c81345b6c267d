import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Checkpoint, f16ToF32Bits, readF32 } from "../../src/checkpoint/checkpoint.ts";
import { type Conversion, type ConvertOptions, convertCheckpoint } from "../../src/checkpoint/convert.ts";
import { toBF16Bits, toF16Bits, toHalves } from "../../src/checkpoint/half.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { synthetic } from "../../src/checkpoint/synthetic.ts";
import { type Bytes, collect, concat, expectSame, f32, rawSafetensors, samError } from "./support.ts";

const TENSORS = [
  { name: "image_encoder.blocks.0.Adapter.spatial.2.weight", shape: [32, 24, 4, 4] },
  { name: "image_encoder.blocks.0.attn.qkv.weight", shape: [96, 48] },
  { name: "image_encoder.blocks.0.attn.qkv.bias", shape: [96] },
  { name: "image_encoder.blocks.0.norm1.weight", shape: [33] },
  { name: "image_encoder.pos_embed", shape: [1, 16, 16, 32] },
];
const source = () => synthetic(5, TENSORS);

async function write({ files }: Conversion): Promise<Map<string, Bytes>> {
  const written = new Map<string, Bytes>();
  for (const file of files) {
    const bytes = await collect(file.pieces());
    expect(bytes.length, file.name).toBe(file.bytes);
    written.set(file.name, bytes);
  }
  return written;
}

async function reopened(options: ConvertOptions): Promise<Checkpoint> {
  const written = await write(await convertCheckpoint(source(), options));
  return openCheckpoint([...written].map(([name, bytes]) => new File([bytes], name)));
}

const bits = new Int32Array(1);
const single = new Float32Array(bits.buffer);
const f16 = (value: number) => {
  single[0] = value;
  return toF16Bits(bits[0] as number);
};
const bf16 = (value: number) => {
  single[0] = value;
  return toBF16Bits(bits[0] as number);
};

describe("half precision", () => {
  it("gives every f16 back", () => {
    for (let half = 0; half < 0x10000; half++) {
      const nan = (half & 0x7fff) > 0x7c00;
      const back = toF16Bits(f16ToF32Bits(half));
      if (nan ? (back & 0x7fff) <= 0x7c00 : back !== half) throw new Error(`${half} became ${back}`);
    }
  });

  it("rounds to the nearest f16, ties to even", () => {
    for (let half = 0; half < 0x7bff; half++) {
      bits[0] = f16ToF32Bits(half);
      const low = single[0] as number;
      bits[0] = f16ToF32Bits(half + 1);
      const middle = (low + (single[0] as number)) / 2;
      const even = half & 1 ? half + 1 : half;
      if (f16(middle) !== even || f16(-middle) !== (even | 0x8000)) throw new Error(`${middle}`);
      single[0] = middle;
      bits[0] = (bits[0] as number) + 1;
      if (toF16Bits(bits[0] as number) !== half + 1) throw new Error(`above ${middle}`);
      bits[0] = (bits[0] as number) - 2;
      if (toF16Bits(bits[0] as number) !== half) throw new Error(`below ${middle}`);
    }
    expect([65504, 65519.99, 65520, 1e30, Number.POSITIVE_INFINITY].map(f16)).toEqual([0x7bff, 0x7bff, 0x7c00, 0x7c00, 0x7c00]);
    expect([0, -0, 2 ** -25, 2 ** -25 * 1.01, 1e-40].map(f16)).toEqual([0, 0x8000, 0, 1, 0]);
  });

  it("rounds to the nearest bf16, ties to even", () => {
    expect([1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -1 - 2 ** -8].map(bf16)).toEqual([0x3f80, 0x3f80, 0x3f82, 0x3f81, 0xbf80]);
    expect([3.4e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(bf16)).toEqual([0x7f80, 0x7f80, 0xff80]);
    expect(bf16(Number.NaN) & 0x7fff).toBeGreaterThan(0x7f80);
    expect(toHalves(Float32Array.of(1, -2), "BF16")).toEqual(Uint8Array.of(0x80, 0x3f, 0, 0xc0));
  });
});

describe("convertCheckpoint", () => {
  it("keeps f32 bit for bit", async () => {
    const checkpoint = await reopened({ dtype: "f32" });
    expect(checkpoint.tensors.size).toBe(TENSORS.length);
    for (const { name } of TENSORS) expectSame(await readF32(checkpoint, name), await readF32(source(), name));
  });

  for (const [dtype, error] of [
    ["f16", 2 ** -11],
    ["bf16", 2 ** -8],
  ] as const) {
    it(`${dtype}: within half a step of every weight`, async () => {
      const checkpoint = await reopened({ dtype });
      for (const { name, shape } of TENSORS) {
        expect(checkpoint.tensors.get(name)).toMatchObject({ dtype: dtype.toUpperCase(), shape });
        const exact = await readF32(source(), name);
        const got = await readF32(checkpoint, name);
        // Relative for normal halves; below 2^-14 the step no longer shrinks.
        got.forEach((value, i) => {
          const bound = error * Math.max(Math.abs(exact[i] as number), 2 ** -14);
          if (Math.abs(value - (exact[i] as number)) > bound) throw new Error(`${name} ${i}: ${value} for ${exact[i]}`);
        });
      }
    });
  }

  it("int8: one scale for each output channel, half a step of error, the rest as it was", async () => {
    const conversion = await convertCheckpoint(source(), { dtype: "int8" });
    const [file] = await write(conversion);
    if (!file) throw new Error("no file");
    const raw = new TextDecoder().decode(file[1].subarray(8, 2000));
    expect(raw).toContain('"image_encoder.blocks.0.Adapter.spatial.2.weight.scale":{"dtype":"F32","shape":[1,24,1,1]');
    expect(raw).toContain('"image_encoder.blocks.0.attn.qkv.weight.scale":{"dtype":"F32","shape":[96,1]');
    const checkpoint = await openCheckpoint(file[1]);
    expect([...checkpoint.tensors.keys()].sort()).toEqual(TENSORS.map(({ name }) => name).sort());
    for (const { name, shape } of TENSORS) {
      const exact = await readF32(source(), name);
      const got = await readF32(checkpoint, name);
      expect(checkpoint.tensors.get(name)?.shape).toEqual(shape);
      if (!name.endsWith("qkv.weight") && !name.includes("Adapter")) {
        expectSame(got, exact);
        continue;
      }
      const channel = (i: number) => (name.includes("Adapter") ? Math.floor(i / 16) % 24 : Math.floor(i / 48));
      const largest = new Map<number, number>();
      exact.forEach((value, i) => largest.set(channel(i), Math.max(largest.get(channel(i)) ?? 0, Math.abs(value))));
      got.forEach((value, i) => {
        const step = (largest.get(channel(i)) as number) / 127;
        if (Math.abs(value - (exact[i] as number)) > step * 0.5001) throw new Error(`${name} ${i}: ${value} for ${exact[i]}, step ${step}`);
      });
      // Any piece, begun in the middle of a channel, is the same.
      for (const [begin, end] of [
        [5, 9],
        [15, 17],
        [40, 200],
      ] as const) {
        expect(new Float32Array((await checkpoint.read(name, begin, end)).buffer)).toEqual(got.slice(begin, end));
      }
    }
  });

  it("rounds int8 ties to even and keeps channels of zeros", async () => {
    const values = new Float32Array(4096);
    values.set([127, 0.5, 1.5, 2.5, -0.5, -1.5, -127]);
    const file = rawSafetensors({ "a.weight": { dtype: "F32", shape: [2, 2048], data_offsets: [0, 16384] } }, new Uint8Array(values.buffer));
    const [written] = await write(await convertCheckpoint(await openCheckpoint(file), { dtype: "int8" }));
    const checkpoint = await openCheckpoint(written?.[1] ?? file);
    const got = await readF32(checkpoint, "a.weight");
    expect([...got.subarray(0, 8)]).toEqual([127, 0, 2, 2, 0, -2, -127, 0]);
    expect(got.subarray(2048).every((value) => value === 0)).toBe(true);
  });

  it("drops adapters on request", async () => {
    const checkpoint = await reopened({ dtype: "f16", adapter: "drop" });
    expect(checkpoint.tensors.size).toBe(TENSORS.length - 1);
    expect([...checkpoint.tensors.keys()].join()).not.toContain("Adapter");
  });

  it("gives the same bytes twice, and a manifest with their SHA-256", async () => {
    const options: ConvertOptions = { dtype: "int8", name: "small", config: { width: 48 }, createHash: () => createHash("sha256"), sourceSha256: "ab" };
    const conversion = await convertCheckpoint(source(), options);
    expect(() => conversion.manifest()).toThrow(/read to its end/);
    const first = await write(conversion);
    const own = await convertCheckpoint(source(), { dtype: "int8", name: "small", config: { width: 48 } });
    const second = await write(own);
    expect([...first.keys()]).toEqual(["small.safetensors"]);
    const [bytes, again] = [first.get("small.safetensors") as Bytes, second.get("small.safetensors") as Bytes];
    expect(Buffer.compare(bytes, again)).toBe(0);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(conversion.manifest()).toEqual({
      format: "safetensors",
      dtype: "int8",
      adapter: "keep",
      tensors: TENSORS.length,
      parameters: 32 * 24 * 16 + 96 * 48 + 96 + 33 + 256 * 32,
      config: { width: 48 },
      source: { file: "synthetic:5", format: "synthetic", sha256: "ab" },
      files: [{ name: "small.safetensors", bytes: bytes.length, sha256 }],
    });
    expect(own.manifest().files).toEqual(conversion.manifest().files);
    expect((await openCheckpoint(bytes)).metadata?.get("config")).toBe('{"width":48}');
  });

  it("names the source without its folders", async () => {
    const conversion = await convertCheckpoint({ ...source(), label: "/some/where/w.pth" }, { dtype: "f32" });
    await write(conversion);
    expect(conversion.manifest().source.file).toBe("w.pth");
  });

  for (const dtype of ["f32", "int8"] as const) {
    it(`${dtype}: cuts into files with an index, none too large`, async () => {
      const conversion = await convertCheckpoint(source(), { dtype, shardBytes: 40_000 });
      const written = await write(conversion);
      const names = [...written.keys()];
      expect(names.at(-1)).toBe("model.safetensors.index.json");
      expect(names.length).toBeGreaterThan(2);
      expect(names[0]).toMatch(/^model-00001-of-0000\d\.safetensors$/);
      const index = JSON.parse(new TextDecoder().decode(written.get("model.safetensors.index.json"))) as { weight_map: Record<string, string> };
      expect(Object.keys(index.weight_map).length).toBeGreaterThanOrEqual(TENSORS.length);
      for (const file of names.slice(0, -1)) {
        const checkpoint = await openCheckpoint(written.get(file) as Bytes);
        if (checkpoint.tensors.size > 1) expect(written.get(file)?.length).toBeLessThanOrEqual(40_000);
      }
      const whole = await reopened({ dtype });
      const parts = await reopened({ dtype, shardBytes: 40_000 });
      for (const { name } of TENSORS) expectSame(await readF32(parts, name), await readF32(whole, name));
    });
  }

  it("reports progress and stops when cancelled", async () => {
    const seen: number[] = [];
    await write(await convertCheckpoint(source(), { dtype: "int8", onProgress: ({ loaded, total }) => seen.push(loaded / total) }));
    expect(seen.at(-1)).toBe(1);
    const conversion = await convertCheckpoint(source(), { dtype: "f16", signal: AbortSignal.abort(new Error("stop")) });
    await expect(write(conversion)).rejects.toThrow("stop");
  });

  it("refuses weights that are not finite, or too large for f16, and options that mean nothing", async () => {
    const make = (...values: number[]) =>
      openCheckpoint(rawSafetensors({ x: { dtype: "F32", shape: [values.length], data_offsets: [0, 4 * values.length] } }, concat(f32(...values))));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const checkpoint = await make(1, value);
      const conversion = await convertCheckpoint(checkpoint, { dtype: "f32" });
      expect((await samError(write(conversion))).message).toMatch(/x must be finite/);
    }
    const large = await make(70_000);
    expect((await samError(write(await convertCheckpoint(large, { dtype: "f16" })))).message).toMatch(/Choose bf16/);
    expect([...(await write(await convertCheckpoint(large, { dtype: "bf16" }))).keys()]).toHaveLength(1);
    await samError(convertCheckpoint(large, { dtype: "f64" as "f32" }));
    await samError(convertCheckpoint(large, { dtype: "f32", shardBytes: 10 }));
  });
});

describe("int8 in safetensors", () => {
  const pair = (scale: object, data: Bytes) =>
    openCheckpoint(
      rawSafetensors({ w: { dtype: "I8", shape: [2, 3], data_offsets: [8, 14] }, "w.scale": scale }, concat(data, Uint8Array.of(1, 2, 255, 4, 128, 0))),
    );

  it("takes a plain vector of scales along the first dimension, or one scale", async () => {
    const vector = await pair({ dtype: "F32", shape: [2], data_offsets: [0, 8] }, f32(0.5, 2));
    expect([...(await readF32(vector, "w"))]).toEqual([0.5, 1, -0.5, 8, -256, 0]);
    expect(vector.tensors.size).toBe(1);
    const one = rawSafetensors(
      { w: { dtype: "I8", shape: [2, 2], data_offsets: [4, 8] }, "w.scale": { dtype: "F32", shape: [1, 1], data_offsets: [0, 4] } },
      concat(f32(0.25), Uint8Array.of(1, 2, 3, 4)),
    );
    expect([...(await readF32(await openCheckpoint(one), "w"))]).toEqual([0.25, 0.5, 0.75, 1]);
  });

  it("refuses scales that do not fit", async () => {
    expect((await samError(pair({ dtype: "F32", shape: [1, 2], data_offsets: [0, 8] }, f32(1, 1)))).message).toMatch(/one scale for each output channel/);
    expect((await samError(pair({ dtype: "F16", shape: [4], data_offsets: [0, 8] }, f32(1, 1)))).message).toMatch(/F32/);
    expect((await samError(pair({ dtype: "F32", shape: [2], data_offsets: [0, 8] }, f32(1, Number.NaN)))).message).toMatch(/finite/);
    expect((await samError(pair({ dtype: "F32", shape: [2], data_offsets: [0, 8] }, f32(1, -1)))).message).toMatch(/not negative/);
  });

  it("leaves int8 tensors without scales alone", async () => {
    const checkpoint = await openCheckpoint(rawSafetensors({ w: { dtype: "I8", shape: [2], data_offsets: [0, 2] } }, 2));
    expect(checkpoint.tensors.get("w")).toEqual({ name: "w", dtype: "F32", stored: "I8", shape: [2] });
  });
});
