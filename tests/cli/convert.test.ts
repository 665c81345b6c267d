import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { decodeF32 } from "../../src/checkpoint/checkpoint.ts";
import { nodeSource } from "../../src/bytes/node_source.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { Interrupted } from "../../src/cli/usage.ts";
import { elements } from "../../src/graph/tensor.ts";
import { writeSmallWeights } from "./small_weights.ts";
import { cli, useFolder } from "./support.ts";

const folder = useFolder();
const at = (name: string) => folder.file(name);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

beforeAll(() => writeSmallWeights(at("in.safetensors")));

afterEach(async () => {
  for (const name of await folder.names()) if (/^\.?out/.test(name)) await rm(at(name));
});

async function values(path: string, name: string): Promise<Float32Array> {
  const checkpoint = await openCheckpoint(path, { openSource: nodeSource });
  const tensor = checkpoint.tensors.get(name);
  if (!tensor) throw new Error(`no ${name} in ${path}`);
  const read = decodeF32(await checkpoint.read(name, 0, elements(tensor.shape)), tensor.dtype);
  await checkpoint.close();
  return read;
}

const WEIGHT = "image_encoder.blocks.0.mlp.lin1.weight";

describe("convert", () => {
  it("writes the same bytes for the same input, and a manifest with their hash", async () => {
    for (const name of ["out1", "out2"]) {
      const { code, stdout, stderr } = await cli(["convert", at("in.safetensors"), at(`${name}.safetensors`), "--dtype", "f16"]);
      expect([code, stdout, stderr]).toEqual([0, "", expect.stringMatching(/out\d\.safetensors: 10\.\d MB of f16 in .*manifest .*out\d\.json/)]);
    }
    const [first, second] = await Promise.all([readFile(at("out1.safetensors")), readFile(at("out2.safetensors"))]);
    expect(first.equals(second)).toBe(true);
    const manifest = JSON.parse(await readFile(at("out1.json"), "utf8"));
    expect(manifest).toMatchObject({
      dtype: "f16",
      config: { width: 64, depth: 3 },
      source: { file: "in.safetensors", sha256: sha256(await readFile(at("in.safetensors"))) },
      files: [{ name: "out1.safetensors", bytes: first.length, sha256: sha256(first) }],
    });
    const [before, after] = [await values(at("in.safetensors"), WEIGHT), await values(at("out1.safetensors"), WEIGHT)];
    // Half precision keeps eleven bits.
    expect(after.every((value, i) => Math.abs(value - (before[i] as number)) <= Math.abs(before[i] as number) * 2 ** -11 + 2 ** -25)).toBe(true);
  });

  it("splits into shards that open by their index, without the adapters where they are dropped", async () => {
    expect((await cli(["convert", at("in.safetensors"), at("out.safetensors"), "--shard", "4MB", "--adapter", "drop"])).code).toBe(0);
    const files = (await folder.names()).filter((name) => name.startsWith("out"));
    expect(files).toContain("out.safetensors.index.json");
    expect(files.filter((name) => /-of-\d+\.safetensors$/.test(name)).length).toBeGreaterThan(2);
    const index = await cli(["inspect", at("out.safetensors.index.json"), "--json"]);
    expect(index.code).toBe(0);
    expect(JSON.parse(index.stdout)).toMatchObject({ usable: true, model: expect.stringContaining("no adapters"), unknown: [] });
    expect(JSON.parse(index.stdout)).not.toHaveProperty("fileBytes");
    expect(await values(at("out.safetensors.index.json"), WEIGHT)).toEqual(await values(at("in.safetensors"), WEIGHT));
    const again = await cli(["convert", at("out.safetensors.index.json"), at("out.safetensors"), "--dtype", "f16", "--shard", "4MB"]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("also an input of this command")]);
    expect(await values(at("out.safetensors.index.json"), WEIGHT)).toEqual(await values(at("in.safetensors"), WEIGHT));
  });

  it("replaces under names that nobody gave only what it wrote: the manifest, and parts", async () => {
    const again = (args: readonly string[]) => cli(["convert", at("in.safetensors"), at("out.safetensors"), ...args]);
    const parts = ["--shard", "4MB", "--dtype", "f16"];
    for (const args of [[], [], parts, parts]) expect((await again(args)).code).toBe(0);
    const [part] = (await folder.names()).filter((name) => name.startsWith("out-00001-of-"));
    const over = await cli(["convert", at("out.safetensors.index.json"), at(part as string)]);
    expect([over.code, over.stderr]).toEqual([2, expect.stringContaining("is also an input of this command")]);
    for (const name of ["out.json", part as string]) {
      const ours = await readFile(at(name));
      await writeFile(at(name), '{ "mine": true }');
      const refused = await again(parts);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(`${name} is there already and was not made.*--force`)]);
      expect(await readFile(at(name), "utf8")).toContain("mine");
      await writeFile(at(name), ours);
    }
    await writeFile(at("out.json"), '{ "mine": true }');
    expect((await again([...parts, "--force"])).code).toBe(0);
    expect(JSON.parse(await readFile(at("out.json"), "utf8"))).toMatchObject({ format: "safetensors" });
  });

  it("has quantize for int8", async () => {
    expect((await cli(["quantize", at("in.safetensors"), at("out.safetensors")])).code).toBe(0);
    const bytes = (await readFile(at("out.safetensors"))).length;
    expect(bytes).toBeLessThan((await readFile(at("in.safetensors"))).length * 0.3);
    const report = JSON.parse((await cli(["inspect", at("out.safetensors"), "--json"])).stdout);
    expect(report).toMatchObject({ usable: true, model: expect.stringContaining("adapters, f32 and int8, "), fileBytes: bytes });
    expect(report.dtypes.I8).toBeGreaterThan(30);
    // All but scales and header.
    expect(report.bytes).toBeLessThan(bytes);
    expect(report.bytes).toBeGreaterThan(bytes * 0.9);
  });

  it("refuses what lacks tensors, all of them named, instead of making a file that nothing loads", async () => {
    await writeSmallWeights(at("lacking.safetensors"), { keep: (name) => !name.startsWith("image_encoder.neck.1.") });
    const { code, stderr } = await cli(["convert", at("lacking.safetensors"), at("out.safetensors"), "--dtype", "f16"]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/2 missing: image_encoder\.neck\.1\.weight, image_encoder\.neck\.1\.bias/)]);
    expect((await folder.names()).filter((name) => /^\.?out/.test(name))).toEqual([]);
  });

  it("leaves nothing behind when it is interrupted or the weights are not finite", async () => {
    const before = await folder.names();
    const signal = AbortSignal.abort(new Interrupted(130));
    expect((await cli(["convert", at("in.safetensors"), at("out.safetensors")], { signal })).code).toBe(130);
    await writeSmallWeights(at("out_nan.safetensors"), { values: (name, values) => name.endsWith("neck.3.weight") && values.fill(Number.NaN) });
    const { code, stderr } = await cli(["convert", at("out_nan.safetensors"), at("out.safetensors")]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/out_nan\.safetensors: .*image_encoder\.neck\.3\.weight.*finite/)]);
    await rm(at("out_nan.safetensors"));
    expect(await folder.names()).toEqual(before);
  });

  it.each<[what: string, args: string[], code: number, words: RegExp]>([
    ["another ending", ["@in.safetensors", "@out.pth"], 2, /the output must end in \.safetensors/],
    ["the input as output", ["@in.safetensors", "@in.safetensors"], 2, /is also an input/],
    ["a size in words", ["@in.safetensors", "@out.safetensors", "--shard", "big"], 2, /--shard must be a size from 4096 bytes, for instance 200MB; got big/],
    ["a size too small", ["@in.safetensors", "@out.safetensors", "--shard", "1kB"], 2, /got 1kB/],
    ["an unknown dtype", ["@in.safetensors", "@out.safetensors", "--dtype", "f8"], 2, /Allowed choices are f32, f16, bf16, int8/],
    ["a file that is no checkpoint", ["@notes.txt", "@out.safetensors"], 1, /notes\.txt: /],
    ["a missing file", ["@gone.pth", "@out.safetensors"], 1, /gone\.pth.*no such file/],
    ["a missing folder", ["@in.safetensors", "@gone/out.safetensors"], 1, /the folder .*gone does not exist/],
  ])("refuses %s", async (_what, args, code, words) => {
    await writeFile(at("notes.txt"), "not weights");
    const result = await cli(["convert", ...args.map((arg) => arg.replace("@", `${folder.path}/`))]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(words)]);
    expect((await folder.names()).filter((name) => /^\.?out/.test(name))).toEqual([]);
  });
});
