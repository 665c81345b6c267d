// The prompt encoder: points, boxes and masks as tokens and as a dense addition to the embedding.
import { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { concatenated, derived, joined } from "../graph/weight_source.ts";
import { densePrompt } from "../ops/dense_prompt.ts";
import { promptTokens, promptTokensWeights } from "../ops/prompt_tokens.ts";
import type { Config } from "./config.ts";
import { densePositions } from "./tables.ts";
import { firstProjection, projections } from "./transformer.ts";

const NAME = "prompt_encoder";
/** A buffer of the reference, not a parameter. */
export const GAUSSIAN = `${NAME}.pe_layer.positional_encoding_gaussian_matrix`;

/** prompts [B, max(N, 1), 4] → [B·(outputs + N), 4·D]: IoU token, mask tokens and prompts, then what the decoder's first attention needs of them. */
export function sparsePrompts(graph: Graph, { decoder, imageSize }: Config, prompts: Tensor, batch: number, count: number): Tensor {
  const { width, maskTokens } = decoder;
  const row = (name: string, rows = 1) => ({ name, shape: [rows, width] });
  const embeddings = [0, 1, 2, 3].map((label) => `${NAME}.point_embeddings.${label}.weight`).concat(`${NAME}.not_a_point_embed.weight`);
  const outputs = [row("mask_decoder.iou_token.weight"), row("mask_decoder.mask_tokens.weight", maskTokens)];
  const tables = concatenated([{ name: GAUSSIAN, shape: [2, width / 2] }, ...embeddings.map((name) => row(name)), ...outputs]);
  const outputTokens = 1 + maskTokens;
  const columns = 3 * width;
  const source = joined([[tables, (6 + outputTokens) * width], ...projections(firstProjection(decoder), width)]);
  const label = "mask_decoder.tokens";
  const weights = (of: Graph) => of.weight(`${label}.weights`, [promptTokensWeights(outputTokens, width, columns)], source);
  const sizes = { label, outputTokens, size: imageSize, width, columns };
  // The output tokens are the same for every prompt.
  const once = new Graph("load", graph.target);
  const table = promptTokens(once, once.zeros([1, 1, 4]), weights(once), { ...sizes, batch: 1, prompts: 0 });
  const copied = graph.weight(`${label}.outputs`, table.shape, derived(once, table));
  return promptTokens(graph, prompts, weights(graph), { ...sizes, batch, prompts: count, outputs: copied });
}

/** embedding [T, D], mask [B, 4g, 4g] probabilities, maskGiven u32 [B] → [B·T, D]. */
export function densePrompts(graph: Graph, { decoder: { width } }: Config, embedding: Tensor, mask: Tensor, maskGiven: Tensor): Tensor {
  const name = `${NAME}.mask_downscaling`;
  const norm = (layer: number, channels: number) => [
    { name: `${name}.${layer}.weight`, shape: [channels] },
    { name: `${name}.${layer}.bias`, shape: [channels] },
  ];
  const stage = (convolution: number, outputs: number, inputs: number) =>
    concatenated([
      { name: `${name}.${convolution}.weight`, shape: [outputs, inputs, 2, 2] },
      { name: `${name}.${convolution}.bias`, shape: [outputs] },
      ...norm(convolution + 1, outputs),
    ]);
  const stage3 = concatenated(
    [
      { name: `${name}.6.weight`, shape: [width, 16, 1, 1] },
      { name: `${name}.6.bias`, shape: [width] },
      { name: `${NAME}.no_mask_embed.weight`, shape: [1, width] },
    ],
    width,
  );
  const [convolution, bias, noMask] = stage3.parts as [(typeof stage3.parts)[0], (typeof stage3.parts)[0], (typeof stage3.parts)[0]];
  const transposed = { ...convolution, dims: [1, 1, 1, 1, width, 16], strides: [0, 0, 0, 0, 1, width] } as const;
  const weights = {
    stage1: graph.weight(`${name}.stage1`, [28], stage(0, 4, 1)),
    stage2: graph.weight(`${name}.stage2`, [304], stage(3, 16, 4)),
    stage3: graph.weight(`${name}.stage3`, [18, width], {
      kind: "packed",
      parts: [transposed, { ...bias, offset: 16 * width }, { ...noMask, offset: 17 * width }],
    }),
  };
  return densePrompt(graph, embedding, mask, maskGiven, weights, "mask_decoder.image");
}

/** Positional encoding of the image tokens: [T, D]. */
export function imagePositions(graph: Graph, { grid, decoder: { width } }: Config): Tensor {
  return graph.weight(`${NAME}.dense_pe`, [grid * grid, width], {
    kind: "computed",
    parts: [{ name: GAUSSIAN, shape: [2, width / 2] }],
    compute: ([gaussian]) => densePositions(gaussian as Float32Array, grid),
  });
}
