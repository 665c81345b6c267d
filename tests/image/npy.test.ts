import { describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/image/npy.ts";

/** A file as numpy.save writes it. */
function file(header: string, data: ArrayBufferView, version = 1): Uint8Array {
  const start = version === 1 ? 10 : 12;
  const padded = `${header}${" ".repeat((64 - ((start + header.length + 1) % 64)) % 64)}\n`;
  const bytes = new Uint8Array(start + padded.length + data.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), version, 0]);
  new DataView(bytes.buffer).setUint32(8, padded.length, true);
  bytes.set(new TextEncoder().encode(padded), start);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + padded.length);
  return bytes;
}

const header = (descr: string, shape: string, order = "False") => `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

describe("writeNpy", () => {
  it("is numpy.save to the byte", () => {
    const bytes = writeNpy([1, 2, 3], Float32Array.of(0, 1, 2, 3, 4, 5));
    expect(bytes).toEqual(file(header("<f4", "(1, 2, 3)"), Float32Array.of(0, 1, 2, 3, 4, 5)));
    expect(bytes.length % 64).toBe(24);
  });

  it.each([[[]], [[3]], [[1, 256, 2, 2]]])("is read back, shape %j", (shape) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.fround(Math.sin(i)));
    expect(readNpy(writeNpy(shape, data), "a.npy")).toEqual({ shape, data });
  });
});

describe("readNpy", () => {
  it.each([1, 2, 3])("reads format %i", (version) => {
    expect(readNpy(file(header("<f4", "(2, 1)"), Float32Array.of(1.5, -2), version), "a.npy")).toEqual({ shape: [2, 1], data: Float32Array.of(1.5, -2) });
  });

  it("reads doubles and halves", () => {
    expect([...readNpy(file(header("<f8", "(2,)"), Float64Array.of(0.5, 3)), "a.npy").data]).toEqual([0.5, 3]);
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555);
    expect([...readNpy(file(header("<f2", "(5,)"), halves), "a.npy").data]).toEqual([1, -2, 2 ** -24, Number.POSITIVE_INFINITY, 0.333251953125]);
  });

  it("reads from the middle of a buffer", () => {
    const whole = file(header("<f4", "(1,)"), Float32Array.of(7));
    const shifted = new Uint8Array(whole.length + 3);
    shifted.set(whole, 3);
    expect([...readNpy(shifted.subarray(3), "a.npy").data]).toEqual([7]);
  });

  it.each<[what: string, bytes: Uint8Array, words: RegExp]>([
    ["another format", new TextEncoder().encode("not an array at all"), /m\.npy: expected a NumPy \.npy file, got other content/],
    ["an empty file", new Uint8Array(0), /NumPy \.npy file/],
    ["a future version", file(header("<f4", "(1,)"), Float32Array.of(1), 9), /npy format 1, 2 or 3, got 9/],
    ["a cut header", file(header("<f4", "(1,)"), Float32Array.of(1)).subarray(0, 40), /a whole header, got 40 bytes in all/],
    ["a cut length", file(header("<f4", "(1,)"), Float32Array.of(1), 2).subarray(0, 11), /a whole header, got 11/],
    ["integers", file(header("<i4", "(1,)"), Int32Array.of(1)), /little-endian floats \(<f2, <f4, <f8\), got <i4/],
    ["big endian", file(header(">f4", "(1,)"), Float32Array.of(1)), /got >f4/],
    ["Fortran order", file(header("<f4", "(1, 1)", "True"), Float32Array.of(1)), /C order/],
    ["objects", file(header("|O", "(1,)"), Float32Array.of(1)), /got \|O/],
    ["a prototype's name as type", file(header("toString", "(1,)"), Float32Array.of(1)), /got toString/],
    ["a header without a shape", file("{'descr': '<f4', 'fortran_order': False}", Float32Array.of(1)), /shape in the header/],
    ["too little data", file(header("<f4", "(4, 4)"), Float32Array.of(1)), /64 bytes of data for shape \[4, 4\], got 4/],
    ["a boastful shape", file(header("<f4", "(99999999, 99999999)"), Float32Array.of(1)), /got 4/],
  ])("refuses %s", (_what, bytes, words) => {
    expect(() => readNpy(bytes, "m.npy")).toThrow(words);
  });
});
