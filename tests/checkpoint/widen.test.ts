import { describe, expect, it } from "vitest";
import { readF32 } from "../../src/checkpoint/checkpoint.ts";
import { convertCheckpoint } from "../../src/checkpoint/convert.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { collect, expectSame, rawSafetensors, samError } from "./support.ts";

/** Values of each number type, as bytes, and what they are. */
const KINDS: readonly [dtype: string, bytes: ArrayBufferView, values: number[]][] = [
  ["F64", new Float64Array([1.1, -2, 2 ** -140]), [1.1, -2, 2 ** -140].map(Math.fround)],
  ["I64", new BigInt64Array([-5n, 2n ** 40n, 7n]), [-5, 2 ** 40, 7]],
  ["U64", new BigUint64Array([5n, 2n ** 63n]), [5, 2 ** 63]],
  ["I32", new Int32Array([-5, 6]), [-5, 6]],
  ["U32", new Uint32Array([2 ** 31, 6]), [2 ** 31, 6]],
  ["I16", new Int16Array([-5, 6, 7]), [-5, 6, 7]],
  ["U16", new Uint16Array([65535, 6, 7]), [65535, 6, 7]],
  ["I8", new Int8Array([-128, 6, 7]), [-128, 6, 7]],
  ["U8", new Uint8Array([255, 6, 7]), [255, 6, 7]],
  ["BOOL", new Uint8Array([0, 1, 1]), [0, 1, 1]],
  ["F8_E4M3", new Uint8Array([0x38, 0xb8, 0x7e, 0x01, 0x08]), [1, -1, 448, 2 ** -9, 2 ** -6]],
  ["F8_E5M2", new Uint8Array([0x3c, 0xbc, 0x7b, 0x01, 0x7c]), [1, -1, 57344, 2 ** -16, Number.POSITIVE_INFINITY]],
];

describe("tensors in other number types", () => {
  for (const [dtype, view, values] of KINDS) {
    it(`reads ${dtype}, whole and in parts`, async () => {
      const data = new Uint8Array(view.buffer as ArrayBuffer);
      const checkpoint = await openCheckpoint(rawSafetensors({ a: { dtype, shape: [values.length], data_offsets: [0, data.length] } }, data));
      expect(checkpoint.tensors.get("a")).toMatchObject({ dtype: "F32", stored: dtype });
      expect([...(await readF32(checkpoint, "a"))]).toEqual(values);
      const part = await checkpoint.read("a", 1, 2);
      expect(new Float32Array(part.buffer, part.byteOffset, 1)[0]).toBe(values[1]);
      await samError(async () => checkpoint.read("a", 0, values.length + 1));
    });
  }

  it("are never lost by a conversion: counters bit for bit, f64 in the type asked for", async () => {
    const data = new Uint8Array(24);
    new Float64Array(data.buffer).set([1.5, -2]);
    new BigInt64Array(data.buffer)[2] = 2n ** 60n + 1n;
    const header = { w: { dtype: "F64", shape: [2], data_offsets: [0, 16] }, n: { dtype: "I64", shape: [1], data_offsets: [16, 24] } };
    for (const dtype of ["f32", "f16", "int8"] as const) {
      const { files } = await convertCheckpoint(await openCheckpoint(rawSafetensors(header, data)), { dtype });
      const again = await openCheckpoint(await collect((files[0] as (typeof files)[0]).pieces()));
      expect([...again.tensors.keys()].sort()).toEqual(["n", "w"]);
      expect([...(await readF32(again, "w"))]).toEqual([1.5, -2]);
      expectSame((await again.readStored?.("n", 0, 1)) as Uint8Array, data.subarray(16));
    }
  });

  it("that cannot be read stop a conversion", async () => {
    // Numbers of 4 and 6 bits belong to the format: such a file is whole.
    const narrow = rawSafetensors({ n: { dtype: "F4", shape: [4], data_offsets: [0, 2] }, m: { dtype: "F6_E2M3", shape: [4], data_offsets: [2, 5] } }, 5);
    expect([...((await openCheckpoint(narrow)).refused?.values() ?? [])]).toEqual(["F4", "F6_E2M3"].map((dtype) => expect.stringContaining(`as ${dtype} [4]`)));
    const complex = rawSafetensors({ c: { dtype: "C64", shape: [1], data_offsets: [0, 8] } }, 8);
    expect((await samError(convertCheckpoint(await openCheckpoint(complex), { dtype: "f16" }))).message).toMatch(/c must be .*C64/);
  });
});
