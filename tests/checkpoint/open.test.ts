import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { blobSource, bufferSource, rateMeter, type ReadProgress } from "../../src/bytes/byte_source.ts";
import { readF32 } from "../../src/checkpoint/checkpoint.ts";
import { fileSource } from "../../src/bytes/file_source.ts";
import { openCheckpoint, type Weights } from "../../src/checkpoint/open.ts";
import { synthetic } from "../../src/checkpoint/synthetic.ts";
import { answer, concat, counting, f32, rawSafetensors, samError, serve } from "./support.ts";

const FILE = rawSafetensors({ "module.a": { dtype: "F32", shape: [3], data_offsets: [0, 12] } }, f32(1, 2, 3));
const folder = mkdtempSync(join(tmpdir(), "sam-med2d-"));
afterAll(() => rmSync(folder, { recursive: true }));

function onDisk(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function expectOpens(weights: Weights, options = {}): Promise<void> {
  const checkpoint = await openCheckpoint(weights, options);
  expect([...(await readF32(checkpoint, "a"))]).toEqual([1, 2, 3]);
  await checkpoint.close();
}

describe("openCheckpoint", () => {
  it("takes bytes, a view of bytes, a blob, a file, a source and a checkpoint", async () => {
    await expectOpens(FILE.buffer);
    await expectOpens(FILE);
    await expectOpens(concat(new Uint8Array(3), FILE).subarray(3));
    await expectOpens(new Blob([FILE]));
    await expectOpens(new File([FILE], "w.safetensors"));
    await expectOpens(bufferSource(FILE));
    await expectOpens({ ...(await openCheckpoint(FILE)) });
    expect((await openCheckpoint(synthetic(1, []))).label).toBe("synthetic:1");
  });

  it("takes an address, and a path where it is told how", async () => {
    const server = await serve((request, response) => answer(request, response, FILE));
    await expectOpens(server.url);
    await expectOpens(new URL(server.url));
    await server.close();
    const path = onDisk("w.safetensors", FILE);
    await expectOpens(path, { openSource: fileSource });
    await expectOpens(pathToFileURL(path), { openSource: fileSource });
  });

  it("reads a data: address, and repeats none in what it says", async () => {
    await expectOpens(`data:application/octet-stream;base64,${Buffer.from(FILE).toString("base64")}`);
    await expectOpens(new URL(`data:;base64,${Buffer.from(FILE).toString("base64")}`), { cache: false });
    for (const wrong of [`data:text/plain,${"x".repeat(5000)}`, `data:${"x".repeat(5000)}`])
      expect((await samError(openCheckpoint(wrong))).message.length).toBeLessThan(500);
  });

  it("says of a path that it is no address, and how a file on disk is named", async () => {
    expect((await samError(openCheckpoint("/models/sam.pth"))).message).toMatch(/"\/models\/sam\.pth"\. .*pathToFileURL/);
    expect((await samError(openCheckpoint(""))).message).toContain('got ""');
  });

  it("reads a file: address from the disk, where fetch would refuse it", async () => {
    const address = pathToFileURL(onDisk("at an address.safetensors", FILE));
    await expectOpens(address);
    await expectOpens(address.href);
    expect((await samError(openCheckpoint(new URL("none.safetensors", address)))).message).toMatch(/none\.safetensors: .*no such file/);
    expect((await samError(openCheckpoint("file:///models/a%2Fb.safetensors"))).message).toMatch(/a%2Fb\.safetensors: expected a readable file/);
    const promised = openCheckpoint(address, { sha256: "0".repeat(64) });
    expect((await samError(promised.then((checkpoint) => checkpoint.verify?.()))).message).toMatch(/SHA-256/);
  });

  it("reports progress in bytes, up to all of them", async () => {
    const seen: ReadProgress[] = [];
    await expectOpens(FILE, { onProgress: (progress: ReadProgress) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toMatchObject({ loaded: FILE.length, total: FILE.length });
    for (let i = 1; i < seen.length; i++) expect(seen[i]?.loaded).toBeGreaterThanOrEqual(seen[i - 1]?.loaded ?? 0);
  });

  it("measures the rate over the last seconds", () => {
    let now = 0;
    const meter = rateMeter(() => now);
    for (now = 500; now <= 10_000; now += 500) meter(500_000);
    expect(meter(0)).toBeGreaterThan(0.8e6);
    now += 60_000;
    expect(meter(0)).toBeLessThan(10_000);
  });

  const text = (value: string) => new TextEncoder().encode(value);
  const at = (offset: number, value: string) => concat(new Uint8Array(offset), text(value), new Uint8Array(300));
  const wrong: [what: string, bytes: Uint8Array<ArrayBuffer>, message: RegExp][] = [
    ["an empty file", new Uint8Array(0), /an empty file/],
    ["HTML", text("\n<!DOCTYPE html><html>"), /HTML/],
    ["gzip", new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0]), /a gzip-packed file.*Unpack it first/],
    ["another pickle", new Uint8Array([0x80, 4, 0x95, 1, 0, 0, 0, 0, 0, 0, 0, 0x7d]), /a Python pickle that PyTorch did not write.*pickle\.load/],
    [
      "a legacy PyTorch file",
      new Uint8Array([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
      /legacy format.*torch\.save\(torch\.load/,
    ],
    ["a PNG image", new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), /a PNG image/],
    ["an ONNX model", new Uint8Array([8, 7, 0x12, 7, 0x70, 0x79, 0x74, 0x6f, 0x72, 0x63, 0x68]), /ONNX/],
    ["a Git LFS pointer", text("version https://git-lfs.github.com/spec/v1\noid sha256:00"), /Git LFS/],
    ["a tar archive", at(257, "ustar"), /legacy format/],
    ["a DICOM image", at(128, "DICM"), /a DICOM/],
    ["JSON", text('{"weights": 1}'), /JSON/],
    ["a server's answer", text('{"error": "Repository not found"}'), /got other JSON, which says "Repository not found"/],
    ["a server's words", text("Entry not found\n"), /got a text file: "Entry not found"/],
    ["noise", new Uint8Array([1, 2, 3, 4, 5, 6, 7, 9, 9]), /unknown kind of file \(first bytes 010203/],
    ["one byte", new Uint8Array([65]), /a text file/],
  ];
  for (const [what, bytes, message] of wrong) {
    it(`calls ${what} by its name and lets go of it`, async () => {
      const source = counting(bufferSource(bytes, "file.pth"));
      const error = await samError(openCheckpoint(source));
      expect(error.message).toMatch(message);
      expect(error.op).toBe("file.pth");
      expect(source.closed).toBe(true);
    });
  }

  it("refuses what is not weights at all", async () => {
    for (const value of [undefined, null, 7, {}, []] as unknown[]) await samError(openCheckpoint(value as Weights));
    await samError(openCheckpoint(new Uint8Array(new SharedArrayBuffer(8))));
  });

  it("stops when cancelled", async () => {
    await expect(openCheckpoint(FILE, { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
  });
});

describe("fileSource", () => {
  it("reads parts of a file and notices when it shrinks", async () => {
    const path = onDisk("shrinks", FILE);
    const source = await fileSource(path);
    expect(source.size).toBe(FILE.length);
    expect(await source.read(5, 20)).toEqual(FILE.slice(5, 25));
    await samError(source.read(5, FILE.length));
    truncateSync(path, 10);
    expect((await samError(source.read(5, 20))).message).toMatch(/an end at byte 10/);
    await source.close();
    await source.close();
  });

  it("says what is wrong with a path", async () => {
    expect((await samError(fileSource(join(folder, "none.pth")))).message).toMatch(/no such file/);
    expect((await samError(fileSource(folder))).message).toMatch(/a folder/);
    expect((await samError(fileSource(join(onDisk("plain", FILE), "x")))).message).toMatch(/not a folder/);
    await samError(fileSource("a\0b"));
  });
});

describe("blobSource", () => {
  it("reads slices, and tells a failed read", async () => {
    const source = blobSource(new File([FILE], "w.safetensors"));
    expect(source.label).toBe("w.safetensors");
    expect(await source.read(3, 9)).toEqual(FILE.slice(3, 12));
    await samError(source.read(3, FILE.length));
    const moved = new Blob([FILE]);
    moved.slice = () => {
      throw new DOMException("gone", "NotReadableError");
    };
    expect((await samError(blobSource(moved).read(0, 1))).message).toMatch(/Choose the file again/);
  });
});
