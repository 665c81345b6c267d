// The whole network as two recorded graphs, and the checkpoint tensors they need.
import { Graph } from "../graph/graph.ts";
import type { Target } from "../graph/target.ts";
import type { Shape, Tensor } from "../graph/tensor.ts";
import { maskUpsample, type MaskUpsampleOptions } from "../ops/mask_upsample.ts";
import type { Config } from "./config.ts";
import { imageEncoderOf } from "./families.ts";
import { type DecoderInputs, maskDecoder } from "./mask_decoder.ts";

export interface EncodeGraph {
  readonly graph: Graph;
  /** u32 [S, S] */
  readonly pixels: Tensor;
  /** f32 [2, 4]: what is taken from each channel, and what it is divided by */
  readonly colours: Tensor;
  /** [T, D] */
  readonly embedding: Tensor;
}

export function encodeGraph(config: Config, target?: Target): EncodeGraph {
  const graph = new Graph("encode", target);
  const pixels = graph.input("pixels", [config.imageSize, config.imageSize], "u32");
  const colours = graph.input("colours", [2, 4]);
  return { graph, pixels, colours, embedding: graph.output(imageEncoderOf(config)(graph, config, pixels, colours)) };
}

export interface DecodeShape {
  /** Prompts decoded together. */
  readonly batch: number;
  /** Sparse tokens of each. */
  readonly tokens: number;
  /** Three masks, or the single one. */
  readonly multimask: boolean;
  /** What is read back: `all` of it, the `best` candidate's mask alone, or `logits` without any mask. */
  readonly output?: "all" | "best" | "logits" | undefined;
  /** Where masks are resized to, and how. */
  readonly upsample: Omit<MaskUpsampleOptions, "label" | "first" | "count" | "size">;
}

export interface DecodeGraph {
  readonly graph: Graph;
  readonly inputs: DecoderInputs;
  /** [B, masks, 4g, 4g] */
  readonly logits: Tensor;
  /** [B·(masks + 1), 32] */
  readonly heads: Tensor;
  /** u32 [B, words], of the best candidate; not there where logits alone are wanted */
  readonly bits: Tensor | undefined;
  /** Those of the three that are read back, in this order. */
  readonly outputs: readonly Tensor[];
}

export function decodeGraph(config: Config, { batch, tokens, multimask, output, upsample }: DecodeShape, target?: Target): DecodeGraph {
  // The decoder's weights are few and its sums feed masks directly: f32 always.
  const graph = new Graph("decode", target && { ...target, weights: "f32" });
  const { grid, imageSize, decoder } = config;
  const inputs: DecoderInputs = {
    embedding: graph.input("embedding", [grid * grid, decoder.width]),
    prompts: graph.input("prompts", [batch, Math.max(tokens, 1), 4]),
    mask: graph.input("mask_input", [batch, 4 * grid, 4 * grid]),
    maskGiven: graph.input("mask_given", [batch], "u32"),
  };
  const { logits, heads } = maskDecoder(graph, config, inputs, batch, tokens);
  const candidates = multimask ? { first: 1, count: decoder.maskTokens - 1 } : { first: 0, count: 1 };
  // Probabilities are resized once: the square they go through is their own.
  const size = upsample.probabilities ? 4 * grid : imageSize;
  const bits = output === "logits" ? undefined : maskUpsample(graph, logits, heads, { label: "masks", size, ...candidates, ...upsample });
  const outputs = [...(output === "best" ? [] : [logits]), heads, ...(bits ? [bits] : [])];
  for (const tensor of outputs) graph.output(tensor);
  return { graph, inputs, logits, heads, bits, outputs };
}

/** Every weight of the network, and what those are derived from, once, as the target stores it. */
export function networkWeights(config: Config, target?: Target): Tensor[] {
  const smallest = { width: 1, height: 1, left: 0, top: 0, resize: true, spanX: config.imageSize, spanY: config.imageSize };
  const decode = decodeGraph(config, { batch: 1, tokens: 1, multimask: true, upsample: smallest }, target);
  const all = [...encodeGraph(config, target).graph.weights, ...decode.graph.weights];
  const sources = all.flatMap(({ source }) => (source?.kind === "derived" ? source.graph.weights : []));
  return [...new Map([...all, ...sources].map((weight) => [weight.label, weight])).values()];
}

/** Names and shapes that a checkpoint of this configuration must have. */
export function expectedTensors(config: Config): { name: string; shape: Shape }[] {
  const expected = new Map<string, Shape>();
  for (const weight of networkWeights(config)) for (const { name, shape } of weight.source?.parts ?? []) expected.set(name, shape);
  return [...expected].map(([name, shape]) => ({ name, shape }));
}
