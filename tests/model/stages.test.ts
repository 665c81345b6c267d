import { expect, it } from "vitest";
import type { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { frame, innerSides, toModel } from "../../src/image/image.ts";
import { statisticalColours } from "../../src/image/input.ts";
import { preprocess } from "../../src/image/preprocess.ts";
import { GPU_TARGET, type Target } from "../../src/graph/target.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { decodeGraph, encodeGraph } from "../../src/model/network.ts";
import type { VitConfig } from "../../src/model/config.ts";
import { encodePrompt } from "../../src/model/prompts.ts";
import { densePositions } from "../../src/model/tables.ts";
import { readF32 } from "../../src/checkpoint/checkpoint.ts";
import { GAUSSIAN } from "../../src/model/prompt_encoder.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { type Golden, readGolden } from "../support/goldens.ts";
import { QUICK } from "../support/quick.ts";
import { testGpu } from "../support/twins.ts";
import { decoderStages, encoderStages, expectStages, judge, runGraph, transposed, type Values } from "./stages.ts";

// Single-precision PyTorch stays within 5e-6 of these goldens; the smallest mistake worth the name (a LayerNorm's eps) moves
// a stage by 3e-5 (tests/reference/README.md).
const BOUND = 2e-5;

const golden = readGolden("small");
const framing = frame(golden.image.width, golden.image.height, golden.size, golden.fit);

/** LLVM takes a minute to compile a network's kernels for a GPU; quickly each of them is tried in tests/ops/ alone. */
const KINDS: readonly ("gpu" | "cpu")[] = QUICK ? ["cpu"] : ["gpu", "cpu"];
const targetOf = async (kind?: "gpu" | "cpu"): Promise<Target> => (kind === "gpu" ? GPU_TARGET : (await testGpu()).target);

async function encoded(target: Target, checkpoint: Checkpoint = golden.checkpoint()): Promise<Values> {
  const { graph, pixels, colours } = encodeGraph(golden.config, target);
  const data = preprocess(golden.image, framing, golden.order);
  return runGraph(
    await testGpu(),
    graph,
    golden.config,
    checkpoint,
    new Map<Tensor, Float32Array | Uint32Array>([
      [pixels, data],
      [colours, statisticalColours()],
    ]),
  );
}

/** The decoder on the golden's own embedding, so that its stages are judged alone. */
async function decoded(target: Target, name: string): Promise<Values> {
  const { config, image } = golden;
  const inner = innerSides(framing);
  const space = { width: image.width, height: image.height, toModel: (x: number, y: number) => toModel(framing, x, y) };
  const prompts = golden.prompts(name).map((prompt) => encodePrompt(prompt, space));
  const tokens = (prompts[0]?.tokens.length as number) / 4;
  const upsample = { width: image.width, height: image.height, left: 0, top: 0, resize: true, spanX: inner.width, spanY: inner.height };
  const { graph, inputs } = decodeGraph(config, { batch: prompts.length, tokens, multimask: true, upsample }, target);
  const given = new Map<Tensor, Float32Array | Uint32Array>([
    [inputs.embedding, transposed(golden.values("embedding"), config.grid ** 2)],
    [inputs.prompts, Float32Array.from(prompts.flatMap((prompt) => prompt.tokens))],
    [inputs.maskGiven, Uint32Array.from(prompts, ({ mask }) => (mask ? 1 : 0))],
    ...prompts.flatMap(({ mask }) => (mask ? [[inputs.mask, mask] as const] : [])),
  ]);
  return runGraph(await testGpu(), graph, config, golden.checkpoint(), given);
}

/** A checkpoint with one tensor's values replaced. */
function damaged(from: Golden, name: string, change: (values: Float32Array) => void): Checkpoint {
  const checkpoint = from.checkpoint();
  return {
    ...checkpoint,
    async read(tensor, begin, end, signal) {
      const bytes = await checkpoint.read(tensor, begin, end, signal);
      if (tensor === name) change(new Float32Array(bytes.buffer));
      return bytes;
    },
  };
}

describeGpu("the stages of the small network", () => {
  it.each(KINDS)("are PyTorch's, all of the image encoder's, with the kernels of a %s", async (kind) => {
    const target = await targetOf(kind);
    const stages = encoderStages(golden.config as VitConfig, await encoded(target));
    expect(stages.length).toBeGreaterThan(30);
    const error = expectStages(golden, stages, BOUND);
    console.log(`small, encoder stages, ${kind} kernels: ${error.toExponential(1)}`);
  });

  it.each(KINDS)("are PyTorch's, all of the mask decoder's, with the kernels of a %s", async (kind) => {
    const target = await targetOf(kind);
    const traced = golden.tracedCase as string;
    const tokens = golden.tensor(`cases.${traced}.sparse`).shape[1] as number;
    const stages = decoderStages(golden.config, await decoded(target, traced), tokens, traced);
    expect(stages.length).toBe(15);
    const error = expectStages(golden, stages, BOUND);
    console.log(`small, decoder stages, ${kind} kernels: ${error.toExponential(1)}`);
  });

  it("include every stage of the golden but those that follow from others", () => {
    const { config } = golden;
    const anything: Values = () => new Float32Array();
    const traced = golden.tracedCase as string;
    const known = new Set([
      // Only shapes and names are asked for here.
      ...encoderStages(config as VitConfig, anything).flatMap(({ of }) => of),
      ...decoderStages(config, anything, 3, traced).flatMap(({ of }) => of),
    ]);
    const left = [...golden.tensors.keys()].filter((name) => !known.has(name) && !name.startsWith("cases.") && !name.startsWith("nearest_indices"));
    // The patches before positions are added are never stored, nor are attentions of tokens before they are normalised, nor features before
    // they are masks; the image is the input; dense_pe has a test of its own.
    const unstored = [0, 1].flatMap((i) => ["cross_attn_token_to_image", "self_attn"].map((name) => `mask_decoder.transformer.layers.${i}.${name}`));
    const upscaled = [2, 4].map((i) => `mask_decoder.output_upscaling.${i}`);
    expect(left.sort()).toEqual(["image", "image_encoder.patch_embed", ...upscaled, ...unstored, "prompt_encoder.dense_pe"]);
  });

  it.each(QUICK ? ["no_point", "all", "batch_boxes"] : ["point", "points", "no_point", "box", "all", "batch_points", "batch_boxes"])(
    "has the prompt tokens of case %s",
    async (name) => {
      const { shape, data } = golden.tensor(`cases.${name}.sparse`);
      const [batch, tokens, width] = shape as [number, number, number];
      const all = (await decoded(await targetOf(KINDS[0]), name))("mask_decoder.tokens");
      // Each token has its projections behind it.
      const row = 4 * width;
      const rows = all.length / batch / row;
      const sparse = Float32Array.from({ length: data.length }, (_, i) => {
        const [entry, token] = [Math.floor(i / (tokens * width)), Math.floor(i / width) % tokens];
        return all[(entry * rows + rows - tokens + token) * row + (i % width)] as number;
      });
      expectClose(sparse, data, { label: `cases.${name}.sparse`, bound: BOUND, shape });
    },
  );

  it.each(["mask", "mask_point", "all"])("has the mask prompt of case %s", async (name) => {
    const { config } = golden;
    const image = (await decoded(await targetOf(KINDS[0]), name))("mask_decoder.image");
    const embedding = transposed(golden.values("embedding"), config.grid ** 2);
    const dense = transposed(
      image.map((value, i) => value - (embedding[i] as number)),
      config.decoder.width,
    );
    const shape = [1, config.decoder.width, config.grid, config.grid];
    const { data } = golden.tensor(`cases.${name}.dense`);
    expectClose(golden.sample(`cases.${name}.dense`, dense, shape), data, { label: `cases.${name}.dense`, bound: BOUND });
  });

  it("has the positions of the image's cells", async () => {
    const { grid, decoder } = golden.config;
    const positions = densePositions(await readF32(golden.checkpoint(), GAUSSIAN), grid);
    expectClose(transposed(positions, decoder.width), golden.values("prompt_encoder.dense_pe"), { label: "prompt_encoder.dense_pe", bound: 2e-6 });
  });

  const spoiled = [
    ["image_encoder.blocks.1.attn.qkv.weight", "image_encoder.blocks.1.y"],
    ["image_encoder.blocks.0.attn.rel_pos_w", "image_encoder.blocks.0.y"],
    ["image_encoder.blocks.2.Adapter.spatial.2.weight", "image_encoder.blocks.2.Adapter.spatial.3"],
    ["image_encoder.neck.1.bias", "image_encoder.neck.1"],
  ] as const;
  it.each(QUICK ? [] : spoiled)("names the first wrong stage when %s is off by a thousandth", async (tensor, stage) => {
    const wrong = damaged(golden, tensor, (values) => {
      for (let i = 0; i < values.length; i++) values[i] = 1.001 * (values[i] as number) + 1e-4;
    });
    const stages = encoderStages(golden.config as VitConfig, await encoded(await targetOf(KINDS[0]), wrong));
    expect(judge(golden, stages, BOUND).find(({ error }) => error > BOUND)?.name).toBe(stage);
    expect(() => expectStages(golden, stages, BOUND)).toThrow(`small: the first wrong stage is ${stage}, off by`);
  });
});
