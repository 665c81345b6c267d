import { writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { safetensorsHeader } from "../../src/checkpoint/safetensors_writer.ts";
import { SMALL, smallWeights, writeSmallWeights } from "./small_weights.ts";
import { cli, useFolder } from "./support.ts";

const folder = useFolder();
const at = (name: string) => folder.file(name);

beforeAll(async () => {
  await writeSmallWeights(at("small.safetensors"));
  await writeSmallWeights(at("lacking.safetensors"), { keep: (name) => name !== "image_encoder.neck.1.bias" });
  await writeSmallWeights(at("other.safetensors"), { keep: (name) => name.startsWith("prompt_encoder") });
});

describe("inspect --graph", () => {
  it("prints encode and the decode of a point, without a GPU", async () => {
    const { code, stdout, stderr } = await cli(["inspect", at("small.safetensors"), "--graph"]);
    expect([code, stderr]).toEqual([0, ""]);
    const [summary, encode, decode, ...more] = stdout.split("\n\n");
    expect(summary).toMatch(/^file +.*small\.safetensors/);
    expect(more).toEqual([]);
    for (const graph of [encode, decode]) expect(graph).toMatch(/^stage +op +workgroups +MFLOP +MB +buffer +shapes\n/);
    // Row tables are wide: the columns are separated by two spaces or more.
    const lin1 = encode?.split("\n").find((line) => line.startsWith("image_encoder.blocks.0.mlp.lin1 "));
    expect(lin1?.split(/ {2,}/)[5]).toMatch(/^#\d+$/);
    expect(lin1).toMatch(/-> .*\[256, 256\]$/);
    expect(encode).toMatch(/\nencode: \d+ dispatches, \d+\.\d\d GFLOP, \d+ buffers, \d+\.\d\d MB of activations$/);
    // One point, its padding, four masks and the score: seven tokens.
    expect(decode).toMatch(/\[1, 7, 256\]|\[7, 256\]/);
    expect(decode).toMatch(/\ndecode: \d+ dispatches, .* of activations\n$/);
  });

  it("gives the same rows as JSON, with sums that agree", async () => {
    const { stdout } = await cli(["inspect", at("small.safetensors"), "--graph", "--json"]);
    const { graphs, config } = JSON.parse(stdout);
    expect(Object.keys(graphs)).toEqual(["encode", "decode"]);
    expect(graphs.encode.filter(({ label }: { label: string }) => /blocks\.\d+\.attn\.qkv$/.test(label)).length).toBe(config.depth);
    // A linear layer: two FLOP a weight and token, and a little for bias and activation.
    const { flop } = graphs.encode.find(({ label }: { label: string }) => label === "image_encoder.blocks.0.mlp.lin1");
    const product = 2 * SMALL.grid ** 2 * SMALL.width * SMALL.mlpWidth;
    expect(flop).toBeGreaterThanOrEqual(product);
    expect(flop).toBeLessThan(1.3 * product);
    expect(JSON.parse((await cli(["inspect", at("small.safetensors"), "--json"])).stdout)).not.toHaveProperty("graphs");
  });

  it("prints the graph of a network that lacks a tensor, and none of another network", async () => {
    const lacking = await cli(["inspect", at("lacking.safetensors"), "--graph"]);
    expect(lacking.code).toBe(1);
    expect(lacking.stdout).toContain("\nencode: ");
    const other = await cli(["inspect", at("other.safetensors"), "--graph"]);
    expect(other.code).toBe(1);
    expect(other.stdout).not.toContain("GFLOP");
  });
});

describe("inspect of what is no whole checkpoint of this family", () => {
  const zeros = (names: readonly string[]) => {
    const tensors = names.map((name) => ({ name, shape: [4], dtype: "F32" as const }));
    return Buffer.concat([safetensorsHeader(tensors), new Uint8Array(16 * names.length)]);
  };
  const HQ = [{ name: "mask_decoder.hf_token.weight", shape: [1, 256] }];
  const FILES: Readonly<Record<string, string | Uint8Array>> = {
    "page.pth": "<!doctype html><title>Sign in</title>",
    "lora.safetensors": zeros([
      "base_model.model.vision_encoder.layers.0.attn.qkv.lora_A.weight",
      "base_model.model.vision_encoder.layers.0.attn.qkv.lora_B.weight",
    ]),
    "sam2.safetensors": zeros(["image_encoder.trunk.pos_embed", "image_encoder.trunk.pos_embed_window", "memory_attention.layers.0.norm1.weight"]),
    "hq.safetensors": smallWeights({ add: HQ }),
    "language.safetensors": zeros(["model.embed_tokens.weight"]),
    "escapes.index.json": JSON.stringify({ weight_map: { a: "../x.safetensors" } }),
    "lacks.index.json": JSON.stringify({ weight_map: { a: "gone-00001-of-00002.safetensors" } }),
    "lies.index.json": JSON.stringify({
      metadata: { total_size: 1e9 },
      weight_map: { "model.embed_tokens.weight": "language.safetensors", b: "language.safetensors" },
    }),
    "language.index.json": JSON.stringify({ weight_map: { "model.embed_tokens.weight": "language.safetensors" } }),
    "cut.index.json": '{"metadata": {"total_size": 98',
  };
  beforeAll(() => Promise.all(Object.entries(FILES).map(([name, content]) => writeFile(at(name), content))));

  it.each<[file: string, words: RegExp]>([
    ["page.pth", /got an HTML page\. The address leads to a page, not to the file/],
    ["lora.safetensors", /got LoRA layers without the weights that they change\. Merge them into those/],
    ["sam2.safetensors", /got one of SAM 2, whose network is another: it is not read\. Use a checkpoint of SAM, /],
    ["language.safetensors", /1 tensors? without it \(/],
    ["language.index.json", /1 tensors? without it \(/],
    ["escapes.index.json", /"a" must be plain file names, got "\.\.\/x\.safetensors"/],
    ["lacks.index.json", /lacks\.index\.json: expected gone-00001-of-00002\.safetensors, which the index names, got no such file\. Put all files/],
    ["lies.index.json", /expected "b" in language\.safetensors, as the index says, got nowhere/],
    ["cut.index.json", /expected JSON, got text that is none, or breaks off\. Choose/],
  ])("%s is refused in words", async (file, words) => {
    const { code, stderr } = await cli(["inspect", at(file)]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(words)]);
  });

  it("says that whole numbers without scales are no weights", async () => {
    const name = "image_encoder.blocks.0.mlp.lin1.weight";
    await writeFile(at("whole.safetensors"), smallWeights({ whole: name }));
    const { code, stdout } = await cli(["inspect", at("whole.safetensors")]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/note +1 of its weights are whole numbers without scales \("image_encoder\.blocks\.0\.mlp/)]);
  });

  it("says that HQ-SAM's layers are not run", async () => {
    const { code, stdout } = await cli(["inspect", at("hq.safetensors")]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/the layers of HQ-SAM: "mask_decoder\.hf_token\.weight"/)]);
  });
});
