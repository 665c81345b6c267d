// The stages of the network by the reference's names: what a recorded graph computes, set against a golden, so that a wrong
// result is traced to the first module that gives it.
import { readF32 } from "../../src/checkpoint/checkpoint.ts";
import type { Gpu } from "../../src/gpu/device.ts";
import { Executor } from "../../src/gpu/executor.ts";
import { ActivationPool } from "../../src/gpu/pool.ts";
import { uploadWeights } from "../../src/gpu/weights.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Shape, Tensor } from "../../src/graph/tensor.ts";
import type { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import type { Config, VitConfig } from "../../src/model/config.ts";
import { networkWeights } from "../../src/model/network.ts";
import { difference, noteComparison } from "../support/compare.ts";
import type { Golden } from "../support/goldens.ts";
import { keepAll, readTensors } from "../support/twins.ts";

/** A run's tensors, by label. */
export type Values = (label: string) => Float32Array;

/** Runs a graph with these inputs (by tensor) and gives every activation of it. */
export async function runGraph(
  gpu: Gpu,
  graph: Graph,
  config: Config,
  checkpoint: Checkpoint,
  inputs: ReadonlyMap<Tensor, Float32Array | Uint32Array>,
): Promise<Values> {
  keepAll(graph);
  const weights = await uploadWeights(gpu, networkWeights(config, graph.target), checkpoint, { readF32: (name) => readF32(checkpoint, name) });
  const pool = new ActivationPool(gpu);
  const executor = await Executor.create(gpu, graph, pool, weights);
  try {
    executor.prepare();
    for (const [tensor, data] of inputs) gpu.device.queue.writeBuffer(executor.buffer(tensor), 0, data as Float32Array<ArrayBuffer>);
    await executor.run();
    const ran = await readTensors(executor, graph.outputs);
    const byLabel = new Map([...ran].map(([tensor, data]) => [tensor.label, data]));
    /** Of a split product whose parts its reader adds up: their sum, with the activation that the reader gives a transposed convolution. */
    const summed = (label: string) => {
      const tensor = [...ran.keys()].find((one) => one.label === `${label}.partial`);
      if (!tensor) return undefined;
      const [parts = 1] = tensor.shape;
      const data = ran.get(tensor) as Float32Array;
      const sum = Float32Array.from({ length: data.length / parts }, (_, i) => {
        let value = 0;
        for (let part = 0; part < parts; part++) value += data[(part * data.length) / parts + i] as number;
        return value;
      });
      return label.endsWith("spatial.2") ? sum.map((value) => Math.max(0, value)) : sum;
    };
    return (label) => {
      const data = byLabel.get(label) ?? summed(label);
      if (!data) throw new Error(`${graph.label} computes no ${label}: ${[...byLabel.keys()].slice(0, 20).join(", ")}, …`);
      return data as Float32Array;
    };
  } finally {
    executor.dispose();
    pool.dispose();
    for (const buffer of weights.values()) buffer.destroy();
  }
}

export interface Stage {
  /** The reference's name. */
  readonly name: string;
  /** Where several tensors of the golden make one of the graph (a residual is added in the same kernel), their sum. */
  readonly of: readonly string[];
  /** Whole tensor in the golden's layout. */
  readonly got: Float32Array;
  readonly shape: Shape;
  /** Its first elements, where the graph computes no more of them. */
  readonly computed?: number;
}

/** [rows, columns] → [columns, rows]: tokens to channels first. */
export function transposed(data: Float32Array, columns: number): Float32Array {
  const rows = data.length / columns;
  return Float32Array.from({ length: data.length }, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] as number);
}

/** Every stage of the image encoder that the golden keeps, in the order they are computed. */
export function encoderStages({ width, depth, grid, decoder, adapters, patch }: VitConfig, values: Values): Stage[] {
  const tokens = [1, grid, grid, width];
  const stages: Stage[] = [];
  const stage = (name: string, label: string, of: readonly string[] = [name]) => stages.push({ name, of, got: values(label), shape: tokens });
  const channelsFirst = (name: string, label: string, channels: number, side: number) =>
    stages.push({ name, of: [name], got: transposed(values(label), channels), shape: [1, channels, side, side] });
  const pixels = unpatchified(values("image_encoder.patch_embed.patches"), grid, patch);
  stages.push({ name: "pixels", of: ["pixels"], got: pixels, shape: [3, grid * patch, grid * patch] });
  stage("image_encoder.tokens", "image_encoder.patch_embed.proj");
  for (let i = 0; i < depth; i++) {
    const block = `image_encoder.blocks.${i}`;
    stage(`${block}.norm1`, `${block}.norm1`);
    // Projection and residual are one kernel; the golden has both the sum and the module's own output.
    stage(`${block}.y`, `${block}.attn.proj`);
    stage(`${block}.attn`, `${block}.attn.proj`, [`${block}.attn`, i === 0 ? "image_encoder.tokens" : `image_encoder.blocks.${i - 1}`]);
    stage(`${block}.norm2`, `${block}.norm2`);
    stage(`${block}.mlp`, `${block}.mlp.lin2`, [`${block}.mlp`, `${block}.y`]);
    if (adapters) {
      stages.push({ name: `${block}.Adapter.channel`, of: [`${block}.Adapter.channel`], got: values(`${block}.Adapter.channel`), shape: [1, width] });
      channelsFirst(`${block}.Adapter.spatial.1`, `${block}.Adapter.spatial.0`, width, grid / 2);
      channelsFirst(`${block}.Adapter.spatial.3`, `${block}.Adapter.spatial.2`, width, grid);
      stage(`${block}.Adapter`, `${block}.Adapter.norm`, [`${block}.Adapter`, `${block}.mlp`, `${block}.y`]);
      stage(block, `${block}.Adapter.norm`);
    }
  }
  channelsFirst("image_encoder.neck.0", "image_encoder.neck.0", decoder.width, grid);
  channelsFirst("image_encoder.neck.1", "image_encoder.neck.1", decoder.width, grid);
  channelsFirst("embedding", "image_encoder.neck.3", decoder.width, grid);
  return stages;
}

/** [T, (channel, row, column)] → [3, S, S] */
function unpatchified(patches: Float32Array, grid: number, patch: number): Float32Array {
  const size = grid * patch;
  return Float32Array.from({ length: 3 * size * size }, (_, i) => {
    const [channel, y, x] = [Math.floor(i / size / size), Math.floor(i / size) % size, i % size];
    const token = Math.floor(y / patch) * grid + Math.floor(x / patch);
    return patches[token * 3 * patch * patch + (channel * patch + (y % patch)) * patch + (x % patch)] as number;
  });
}

/** Every stage of the mask decoder for one prompt, in the order they are computed. */
export function decoderStages({ grid, decoder }: Config, values: Values, tokens: number, traced: string): Stage[] {
  const { width, depth, maskTokens } = decoder;
  const rows = 1 + maskTokens + tokens;
  const stages: Stage[] = [];
  const stage = (name: string, got: Float32Array, shape: Shape, of: readonly string[] = [name]) => stages.push({ name, of, got, shape });
  // Kernels leave what the next ones ask of the tokens behind each row.
  const first = (label: string, columns: number) => {
    const all = values(label);
    const length = all.length / rows;
    return Float32Array.from({ length: rows * columns }, (_, i) => all[Math.floor(i / columns) * length + (i % columns)] as number);
  };
  stage(`cases.${traced}.sparse`, first("mask_decoder.tokens", width).slice((1 + maskTokens) * width), [1, tokens, width]);
  const transformer = "mask_decoder.transformer";
  const normalised = (name: string) => stage(name, first(name, width), [1, rows, width]);
  for (let i = 0; i < depth; i++) {
    const layer = `${transformer}.layers.${i}`;
    for (const norm of ["norm1", "norm2", "norm3"]) normalised(`${layer}.${norm}`);
    stage(`${layer}.norm4`, values(`${layer}.norm4`), [1, grid * grid, width]);
  }
  // Of the output tokens alone, since no more is read; the golden has it of all.
  const all = new Float32Array(rows * width);
  const read = (1 + maskTokens) * width;
  const final = values(`${transformer}.norm_final_attn`);
  all.set(final.subarray(0, read));
  stages.push({ name: `${transformer}.norm_final_attn`, of: [`${transformer}.norm_final_attn`], got: all, shape: [1, rows, width], computed: read });
  const heads = values("mask_decoder.heads");
  for (let mask = 0; mask < maskTokens; mask++) {
    stage(`mask_decoder.output_hypernetworks_mlps.${mask}`, heads.slice((mask * width) / 8, ((mask + 1) * width) / 8), [1, width / 8]);
  }
  const iou = (maskTokens * width) / 8;
  stage("mask_decoder.iou_prediction_head", heads.slice(iou, iou + maskTokens), [1, maskTokens]);
  return stages;
}

export interface Verdict {
  readonly name: string;
  readonly error: number;
  readonly bound: number;
  readonly index: number;
}

/** Largest error of each stage, in order; the first that is beyond its bound is where a wrong result comes from. */
export function judge(golden: Golden, stages: readonly Stage[], bound: number): Verdict[] {
  return stages.map(({ name, of, got, shape, computed = got.length }) => {
    const summed = of.map((part) => golden.values(part));
    const want = Float32Array.from(summed[0] as Float32Array, (_, i) => summed.reduce((sum, part) => sum + (part[i] as number), 0));
    const sampled = golden.sample(name, got, shape);
    if (sampled.length !== want.length) throw new Error(`${golden.name}: ${sampled.length} values of ${name} for ${want.length}`);
    const places = golden.sample(
      name,
      got.map((_, i) => i),
      shape,
    );
    const kept = (list: Float32Array) => list.filter((_, i) => (places[i] as number) < computed);
    return { name, bound, ...difference(kept(sampled), kept(want)) };
  });
}

/** Throws where a stage is beyond its bound: names the first, and every other with its error. */
export function expectStages(golden: Golden, stages: readonly Stage[], bound: number): number {
  const verdicts = judge(golden, stages, bound);
  for (const { name, error } of verdicts) noteComparison(`${golden.name}: ${name}`, error, bound);
  const wrong = verdicts.filter(({ error }) => !(error <= bound));
  const [first] = wrong;
  if (!first) return Math.max(...verdicts.map(({ error }) => error));
  const lines = verdicts.map(({ name, error }) => `${error <= bound ? "  " : "✗ "}${error.toExponential(1)}  ${name}`);
  throw new Error(
    `${golden.name}: the first wrong stage is ${first.name}, off by ${first.error.toExponential(2)} (at most ${bound}) at ${first.index}\n${lines.join("\n")}`,
  );
}
