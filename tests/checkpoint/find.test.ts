import { describe, expect, it } from "vitest";
import { readF32, type Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { convertCheckpoint } from "../../src/checkpoint/convert.ts";
import { findNetwork } from "../../src/checkpoint/find.ts";
import { checkTensors } from "../../src/checkpoint/misfit.ts";
import { canonical, compareTensors } from "../../src/checkpoint/names.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { synthetic } from "../../src/checkpoint/synthetic.ts";
import { transformersName } from "../../src/checkpoint/transformers.ts";
import { unreadTensors, unreadWords } from "../../src/checkpoint/unread.ts";
import { detectConfig, VIT_B } from "../../src/model/config.ts";
import { expectedTensors } from "../../src/model/network.ts";
import { collect, expectSame, samError } from "./support.ts";

const SMALL = { ...VIT_B, width: 32, heads: 2, mlpWidth: 64, depth: 3, globalBlocks: [2], tableLengths: [27, 27, 31] };
const EXPECTED = expectedTensors(SMALL);
const PLAIN = expectedTensors({ ...SMALL, adapters: false });
const named = (rename: (name: string) => string, extra: { name: string; shape: number[] }[] = [], tensors = EXPECTED) =>
  synthetic(3, [...extra, ...tensors.map(({ name, shape }) => ({ name: rename(name), shape }))]);

async function expectNetwork(stored: Checkpoint): Promise<Checkpoint> {
  const checkpoint = await canonical(stored);
  expect(compareTensors(checkpoint, EXPECTED)).toEqual({ missing: [], misshaped: [], unknown: [] });
  expect(detectConfig("x", checkpoint.tensors)).toMatchObject({ globalBlocks: [2], window: 14, adapters: true });
  return checkpoint;
}

const SPLIT: Readonly<Record<string, string>> = { image_encoder: "encoder", prompt_encoder: "prompts", mask_decoder: "decoder" };
const inside = (part: string) => (name: string) => name.replace(/^(\w+)\./, `$1.${part}.`);

describe("the network in a file", () => {
  const wrappers: [what: string, rename: (name: string) => string][] = [
    ["under any prefix", (name) => `some.where.sam_model.${name}`],
    ["in a tuple", (name) => `0.${name}`],
    ["of DataParallel, outside and inside", (name) => `module.${inside("module")(name)}`],
    ["of torch.compile inside", inside("_orig_mod")],
    ["of FSDP on every block", (name) => `_fsdp_wrapped_module.${name.replace(/blocks\.(\d+)\./, "blocks.$1._fsdp_wrapped_module.")}`],
    ["of activation checkpoints", (name) => name.replace(/blocks\.(\d+)\./, "blocks.$1._checkpoint_wrapped_module.")],
    ["of peft, without its layers", (name) => `base_model.model.${name.replace(/\.(qkv|lin1)\./, ".$1.base_layer.")}`],
    ["with another word between", inside("backbone")],
    ["in parts of other names", (name) => name.replace(/^\w+/, (root) => `net.${SPLIT[root]}`)],
    ["in parts that repeat their names", (name) => name.replace(/^(\w+)/, "$1.$1")],
    ["of a module saved whole", (name) => name.replace(/^(\w+)\.(.*)\.(\w+)$/, "_modules.$1._modules.$2._parameters.$3")],
  ];
  for (const [what, rename] of wrappers) {
    it(`is found ${what}`, async () => {
      const stored = named(rename);
      const checkpoint = await expectNetwork(stored);
      const name = "image_encoder.blocks.1.norm1.weight";
      expectSame(await readF32(checkpoint, name), await readF32(stored, rename(name)));
    });
  }

  it("is not hidden by what stands beside it", async () => {
    const beside = ["loss", "val_dice", "optimizer.state.0.exp_avg", "scheduler.lr", "epoch"].map((name) => ({ name, shape: [3] }));
    await expectNetwork(named((name) => `model.${name}`, beside));
    await expectNetwork(named((name) => name, beside));
  });

  it("says which of two networks it takes: the one that was not an average", async () => {
    const notices: string[] = [];
    const twice = synthetic(3, [
      ...EXPECTED.map(({ name, shape }) => ({ name: `model_ema.${name}`, shape })),
      ...EXPECTED.map(({ name, shape }) => ({ name: `student.${name}`, shape })),
    ]);
    const checkpoint = await canonical(twice, (words) => notices.push(words));
    expect(checkpoint.place).toBe("student");
    expect(notices).toEqual([expect.stringMatching(/2 networks: "student" is used, not "model_ema"/)]);
    const names = EXPECTED.map(({ name }) => name);
    const both = findNetwork("x", [...names, ...names.map((name) => `sam.${name}`)]);
    expect([...(both?.names.values() ?? [])]).toEqual(names);
    expect(both?.others).toEqual(["sam"]);
    expect(findNetwork("x", ["conv1.weight", "fc.bias"])).toBeUndefined();
  });

  const adapters: [name: string, kind: RegExp][] = [
    ["image_encoder.blocks.0.attn.qkv.linear_a_q.weight", /LoRA/],
    ["image_encoder.blocks.1.attn.qkv.lora_A.default.weight", /LoRA/],
    ["mask_decoder.hf_token.weight", /HQ-SAM/],
    ["image_encoder.blocks.0.Space_Adapter.D_fc1.weight", /adapters of another project/],
    ["prompt_generator.shared.weight", /adapters of another project/],
    ["image_encoder.blocks.0.mlp.lin1.weight_scale", /another tool made whole numbers/],
    ["image_encoder.blocks.0.mlp.lin1.weight.absmax", /another tool made whole numbers/],
    ["mask_decoder.something_new.bias", /does not have/],
  ];
  for (const [name, kind] of adapters) {
    it(`tells that ${name} is not read`, async () => {
      const checkpoint = await canonical(named((own) => `model.${own}`, [{ name: `model.${name}`, shape: [4] }]));
      const unread = unreadTensors(checkpoint, checkTensors(checkpoint, EXPECTED).unknown);
      expect(unread).toEqual([name]);
      expect(unreadWords(unread).what).toMatch(kind);
    });
  }

  it.each(["w_a_000", "lora_state.blocks.0.attn.qkv.lora_B.weight"])("tells that %s, beside the network's wrapper, is not read", async (name) => {
    const beside = [name, `optimizer.${name}`].map((own) => ({ name: own, shape: [4] }));
    const checkpoint = await canonical(named((own) => `model.${own}`, beside));
    expect(unreadTensors(checkpoint, checkTensors(checkpoint, EXPECTED).unknown)).toEqual([name]);
  });

  it("leaves all names of a file without a whole network, which tell what it is", () => {
    const names = ["detector.text_encoder.ln.weight", "tracker.sam_mask_decoder.iou_token.weight", "tracker.sam_mask_decoder.module.iou_token.bias"];
    expect([...(findNetwork("x", names)?.names.values() ?? [])]).toEqual(["mask_decoder.iou_token.weight", "mask_decoder.iou_token.bias", names[0]]);
  });

  it("counts one tensor as one", () => {
    expect(unreadWords(["mask_decoder.hf_token.weight"]).what).toMatch(/^1 tensor that changes the answer and is not read/);
    expect(unreadWords(["a.lora_A", "a.lora_B"]).what).toMatch(/^2 tensors that change the answer and are not read/);
  });

  it("is missed in words that say which part is there, and why a tensor is not", async () => {
    const part = (keep: RegExp) =>
      named(
        (name) => name,
        [],
        EXPECTED.filter(({ name }) => keep.test(name)),
      );
    const alone = await samError(async () => detectConfig("x", (await canonical(part(/^image_encoder/))).tensors));
    expect(alone.got).toMatch(/^image_encoder alone, \d+ tensors without it/);
    expect(alone.remedy).toMatch(/a part of the network/);
    const early = await samError(async () => detectConfig("x", new Map([["image_encoder.patch_embed.seq.0.c.weight", { shape: [32, 3, 3, 3] }]])));
    expect(early.remedy).toMatch(/a part of the network/);
    // One of several files, by its name: the first fails where the network is told, the last where tensors are missed.
    const shard = { expected: "a whole network", got: "part 2 of 8 alone", remedy: /^Open sam\.safetensors\.index\.json beside it, .*all 8 files at once/ };
    const label = "models/sam-00002-of-00008.safetensors";
    expect(await samError(async () => detectConfig(label, part(/^mask_decoder/).tensors))).toMatchObject({
      ...shard,
      remedy: expect.stringMatching(shard.remedy),
    });
    const most = { ...part(/^(?!image_encoder\.neck)/), label };
    expect(await samError(async () => checkTensors(most, EXPECTED))).toMatchObject({ ...shard, remedy: expect.stringMatching(shard.remedy) });
    const name = "image_encoder.blocks.0.mlp.lin1.weight";
    const { tensors } = part(new RegExp(`^(?!${name})`));
    const refused = new Map([[name, "as C64 [64, 32], a dtype that is not loaded"]]);
    const complex = await samError(async () => detectConfig("x", tensors, { refused }));
    expect(complex).toMatchObject({ expected: `a tensor ${name} that can be read`, got: "one as C64 [64, 32], a dtype that is not loaded" });
  });

  it("tells nothing of counters", async () => {
    const checkpoint = await canonical(named((name) => name, [{ name: "image_encoder.neck.bn.num_batches_tracked", shape: [] }]));
    expect(unreadTensors(checkpoint, compareTensors(checkpoint, EXPECTED).unknown)).toEqual([]);
  });
});

describe("transformers' names", () => {
  const theirs = (name: string) => transformersName(name) as string;

  it("are read, equal copies of the positional matrix as one", async () => {
    const stored = named(theirs, [], PLAIN);
    const copy = "prompt_encoder.shared_embedding.positional_embedding";
    const shared = "shared_image_embedding.positional_embedding";
    const withCopy: Checkpoint = {
      ...stored,
      tensors: new Map([...stored.tensors, [copy, { name: copy, dtype: "F32", shape: [2, 128] }]]),
      read: (name, begin, end) => stored.read(name === copy ? shared : name, begin, end),
    };
    const checkpoint = await canonical(withCopy);
    expect(compareTensors(checkpoint, PLAIN)).toEqual({ missing: [], misshaped: [], unknown: [] });
    expect(checkpoint.naming).toBe("transformers");
    const differing = named(theirs, [{ name: copy, shape: [2, 128] }], PLAIN);
    expect((await samError(canonical(differing))).message).toMatch(/equal copies/);
  });

  it("mixed with the reference's are refused, all that is missing in one error", async () => {
    const mixed = named((name) => (name.startsWith("image_encoder") ? theirs(name) : name), [], PLAIN);
    const checkpoint = await canonical(mixed);
    const error = await samError(async () => checkTensors(checkpoint, PLAIN));
    expect(error.message).toMatch(/59 missing: prompt_encoder\.mask_downscaling\.0\.weight \(there by the reference's name\)/);
    const lacking = await canonical(named(theirs, [], PLAIN.slice(0, -1)));
    expect((await samError(async () => checkTensors(lacking, PLAIN))).message).toMatch(/1 missing: mask_decoder\.\S+ \(mask_decoder\.\S+ in transformers\)/);
  });

  it("are written, and read back bit for bit", async () => {
    const original = named((name) => name, [], PLAIN);
    const { files } = await convertCheckpoint(original, { dtype: "f32", names: "transformers" });
    const again = await openCheckpoint(await collect((files[0] as (typeof files)[0]).pieces()));
    for (const { name } of PLAIN) expectSame(await readF32(again, name), await readF32(original, name));
    expect(
      (
        await samError(
          convertCheckpoint(
            named((name) => name),
            { dtype: "f32", names: "transformers" },
          ),
        )
      ).message,
    ).toMatch(/--adapter drop/);
  });
});
