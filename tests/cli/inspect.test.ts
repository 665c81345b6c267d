import { beforeAll, describe, expect, it } from "vitest";
import { SMALL, writeSmallWeights } from "./small_weights.ts";
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
