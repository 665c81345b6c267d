import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ReadProgress } from "../../src/bytes/byte_source.ts";
import { readF32 } from "../../src/checkpoint/checkpoint.ts";
import { convertCheckpoint } from "../../src/checkpoint/convert.ts";
import { nodeSource } from "../../src/bytes/node_source.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { synthetic } from "../../src/checkpoint/synthetic.ts";
import { answer, type Bytes, collect, expectSame, f32, rawSafetensors, samError, serve } from "./support.ts";

const TENSORS = Array.from({ length: 12 }, (_, i) => ({ name: `module.block.${i}.weight`, shape: [30, 1000] }));
const original = synthetic(2, TENSORS);
const files = new Map<string, Bytes>();
for (const file of (await convertCheckpoint(original, { dtype: "f32", shardBytes: 150_000 })).files) files.set(file.name, await collect(file.pieces()));
const asFile = (name: string) => new File([files.get(name) as Bytes], name);
const INDEX = "model.safetensors.index.json";
const folder = mkdtempSync(join(tmpdir(), "sam-med2d-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function expectAll(checkpoint: Awaited<ReturnType<typeof openCheckpoint>>): Promise<void> {
  expect(checkpoint.tensors.size).toBe(TENSORS.length);
  for (const { name } of TENSORS) expectSame(await readF32(checkpoint, name.replace("module.", "")), await readF32(original, name));
  await checkpoint.close();
}

describe("sharded safetensors", () => {
  it("reads files chosen together, with their index or without", async () => {
    expect(files.size).toBe(13);
    await expectAll(await openCheckpoint([...files.keys()].map(asFile).reverse()));
    await expectAll(await openCheckpoint([...files.keys()].filter((name) => name !== INDEX).map(asFile)));
    expect((await openCheckpoint([asFile("model-00001-of-00012.safetensors")])).tensors.size).toBe(1);
    const marked = new File(["\ufeff", files.get(INDEX) as Bytes], INDEX);
    await expectAll(await openCheckpoint([...[...files.keys()].filter((name) => name !== INDEX).map(asFile), marked]));
  });

  it("finds the files beside an index on disk", async () => {
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    await expectAll(await openCheckpoint(join(folder, INDEX), { openSource: nodeSource }));
    const third = join(folder, "model-00003-of-00012.safetensors");
    writeFileSync(third, "<!DOCTYPE html><title>Sign in</title>");
    const page = await samError(openCheckpoint(join(folder, INDEX), { openSource: nodeSource }));
    expect(page.message).toMatch(/00003-of-00012\.safetensors: expected a part of the checkpoint .*, got an HTML page\. The address leads to a page/);
    writeFileSync(join(folder, "self.index.json"), JSON.stringify({ weight_map: { a: "self.index.json" } }));
    expect((await samError(openCheckpoint(join(folder, "self.index.json"), { openSource: nodeSource }))).message).toMatch(/got an index/);
    rmSync(third);
    expect((await samError(openCheckpoint(join(folder, INDEX), { openSource: nodeSource }))).message).toMatch(/00003-of-00012.*no such file/);
  });

  it("finds the files beside an index at an address, never holding more than one connection", async () => {
    let open = 0;
    let most = 0;
    const server = await serve((request, response) => {
      most = Math.max(most, ++open);
      response.on("close", () => open--);
      const data = files.get((request.url ?? "").split("/").at(-1)?.split("?")[0] ?? "");
      if (data) answer(request, response, data);
      else response.writeHead(404).end();
    });
    const seen: ReadProgress[] = [];
    const checkpoint = await openCheckpoint(server.url.replace("weights", `${INDEX}?token=1`), { onProgress: (progress) => seen.push(progress) });
    await expectAll(checkpoint);
    const total = [...files].reduce((sum, [name, { length }]) => sum + (name === INDEX ? 0 : length), 0);
    expect(seen.at(-1)).toMatchObject({ stage: "read", loaded: total, total });
    expect(most).toBeLessThan(6);
    await server.close();
  });

  it("refuses what does not fit together", async () => {
    const one = asFile("model-00001-of-00012.safetensors");
    const index = (content: unknown, name = "i.json") => new File([JSON.stringify(content)], name);
    const cases: [weights: Blob[], message: RegExp][] = [
      [[], /at least one file/],
      [[asFile(INDEX)], /the index alone/],
      [[asFile(INDEX), one], /11 missing: model-00002-of-00012/],
      [[one, one], /it twice/],
      [[one, new File([await one.arrayBuffer()], "copy.safetensors")], /"module.block.0.weight" in model-00001/],
      [[one, new File(["<html>"], "x.html")], /an HTML/],
      [[one, index({ weight_map: { a: "../w.safetensors" } })], /plain file names/],
      [[one, index({ weight_map: { a: "/etc/passwd" } })], /plain file names/],
      [[one, index({ weight_map: { a: 7 } })], /plain file names/],
      [[one, index({ weight_map: {} })], /1 to 1000 files/],
      [[one, index({ weight_map: [] })], /weight_map/],
      [[one, index({})], /weight_map/],
      [[one, new File(["{broken"], "i.json")], /JSON/],
      [[one, index({ a: { b: { c: { d: { e: 1 } } } } })], /nesting.*Choose \*\.safetensors\.index\.json/],
      [[one, index({ weight_map: Object.fromEntries(Array.from({ length: 310_000 }, (_, i) => [i, "a"])) })], /at most 300000 keys/],
      [[one, index({ weight_map: { "not.there": one.name } })], /"not\.there" in model-00001.*nowhere/],
      [[one, 7 as unknown as Blob], /a list of files/],
    ];
    for (const [weights, message] of cases) expect((await samError(openCheckpoint(weights))).message).toMatch(message);
  });

  it("keeps int8 scales with their weights", async () => {
    const raw = rawSafetensors(
      { w: { dtype: "I8", shape: [1], data_offsets: [4, 5] }, "w.scale": { dtype: "F32", shape: [1], data_offsets: [0, 4] } },
      Uint8Array.of(...f32(2), 3),
    );
    const index = new File([JSON.stringify({ weight_map: { w: "a.safetensors", "w.scale": "a.safetensors" } })], "i.json");
    const checkpoint = await openCheckpoint([new File([raw], "a.safetensors"), index]);
    expect([...(await readF32(checkpoint, "w"))]).toEqual([6]);
  });
});
