// The two-way transformer of the mask decoder: tokens attend to the image and the image to the tokens.
import { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { concatenated, derived, joined, type PackedSource, transposedLinear } from "../graph/weight_source.ts";
import { attention } from "../ops/attention.ts";
import { attentionBlock, attentionBlockWeights } from "../ops/attention_block.ts";
import { linear } from "../ops/linear.ts";
import { tokenProjection, tokenProjectionWeights } from "../ops/token_projection.ts";
import type { DecoderConfig } from "./config.ts";
import { linearLayer, linearWeights } from "./layers.ts";

const EPS = 1e-5;
const NAME = "mask_decoder.transformer";
const FINAL = `${NAME}.final_attn_token_to_image`;

const layerName = (layer: number) => `${NAME}.layers.${layer}`;
const qkv = (attention: string) => ["q_proj", "k_proj", "v_proj"].map((part) => `${attention}.${part}`);

/** What layer 0's self-attention needs of the tokens as they come in: q, k and v, without positions. */
export function firstProjection({ width }: DecoderConfig): readonly Projection[] {
  return qkv(`${layerName(0)}.self_attn`).map((name) => ({ name, columns: width }));
}

/** A linear layer of the checkpoint, one of several side by side. */
export interface Projection {
  readonly name: string;
  readonly columns: number;
}

/** Weights [D, columns] side by side, then their biases: what fused kernels end in. */
export function projections(parts: readonly Projection[], width: number): readonly (readonly [PackedSource, number])[] {
  const columns = parts.reduce((sum, part) => sum + part.columns, 0);
  return [
    [transposedLinear(parts.map((part) => ({ name: `${part.name}.weight`, shape: [part.columns, width] }))), width * columns],
    [concatenated(parts.map((part) => ({ name: `${part.name}.bias`, shape: [part.columns] }))), columns],
  ];
}

function norm(name: string, width: number): readonly [PackedSource, number] {
  return [concatenated(["weight", "bias"].map((part) => ({ name: `${name}.${part}`, shape: [width] }))), 2 * width];
}

/**
 * tokens [B·N, 4·D]: the token input, which is the prompts' positions too, then `firstProjection`; image [B·T, D], recorder of its positions [T, D]
 * → both after the last layer, [B·N, D] and [B·T, D]; of a single prompt the output tokens alone, [masks + 1, D].
 */
export function twoWayTransformer(
  graph: Graph,
  config: DecoderConfig,
  batch: number,
  tokens: Tensor,
  image: Tensor,
  imagePositions: (graph: Graph) => Tensor,
): { tokens: Tensor; image: Tensor } {
  const { width, heads, crossWidth, depth, mlpWidth, maskTokens } = config;
  const count = (tokens.shape[0] as number) / batch;
  const pixels = (image.shape[0] as number) / batch;
  const common = { batch, heads, width, eps: EPS };

  /** From queries [B·N, …] at column `first`: y, the residual with what the tokens saw of the image, normalised. */
  const tokenToImage = (name: string, normName: string, q: Tensor, first: number, residual: Tensor, kv: Tensor, v: number, queries = count) => {
    const sizes = { batch, heads, queries, keys: pixels, columns: crossWidth };
    const attended = attention(graph, { tensor: q, first }, { tensor: kv, first: 0 }, { tensor: kv, first: v }, { label: name, ...sizes });
    const source = joined([...projections([{ name: `${name}.out_proj`, columns: width }], crossWidth), norm(normName, width)]);
    const weights = graph.weight(`${name}.weights`, [attentionBlockWeights(crossWidth, width, 0)], source);
    return attentionBlock(graph, { tensor: attended, first: 0 }, weights, { label: normName, ...common, queries, inner: crossWidth, residual });
  };
  /** Keys for the tokens' attention, queries of the image's own, then values, which see no positions. */
  const imageSide = (label: string, x: Tensor, parts: readonly string[]) => {
    const layers = parts.map((name) => ({ name, outputs: crossWidth, inputs: [width] }));
    const { weight, bias } = linearWeights(graph, label, layers);
    // (x + positions) W = x W + positions W, which is the same for every image and prompt.
    const once = new Graph("load", graph.target);
    const product = linear(once, imagePositions(once), linearWeights(once, label, layers, false).weight, { label });
    const residual = graph.weight(`${label}.positions`, product.shape, derived(once, product));
    return linear(graph, x, weight, { label, ...(bias ? { bias } : {}), residual, residualColumns: (parts.length - 1) * crossWidth });
  };

  let x = tokens;
  let first = width;
  for (let layer = 0; layer < depth; layer++) {
    const at = layerName(layer);
    const [self, toImage, toTokens] = ["self_attn", "cross_attn_token_to_image", "cross_attn_image_to_token"].map((name) => `${at}.${name}`) as [
      string,
      string,
      string,
    ];
    const selfWeights = graph.weight(
      `${self}.weights`,
      [attentionBlockWeights(width, width, crossWidth)],
      joined([
        ...projections([{ name: `${self}.out_proj`, columns: width }], width),
        norm(`${at}.norm1`, width),
        ...projections([{ name: `${toImage}.q_proj`, columns: crossWidth }], width),
      ]),
    );
    const attended = attentionBlock(graph, { tensor: x, first }, selfWeights, {
      label: `${at}.norm1`,
      ...common,
      queries: count,
      inner: width,
      to: { tensor: x, k: first + width, v: (x.shape[1] as number) - width, keys: count },
      // The first layer has no residual: its input is the positions.
      ...(layer === 0 ? {} : { residual: x }),
      project: { columns: crossWidth, positions: tokens },
    });
    const kqv = imageSide(`${at}.image_proj`, image, [`${toImage}.k_proj`, `${toTokens}.q_proj`, `${toImage}.v_proj`]);
    const seen = tokenToImage(toImage, `${at}.norm2`, attended, width, attended, kqv, 2 * crossWidth);
    const hidden = linearLayer(graph, seen, `${at}.mlp.lin1`, mlpWidth, { activation: "relu" });
    const { weight } = linearWeights(graph, `${at}.mlp.lin2`, [{ name: `${at}.mlp.lin2`, outputs: width, inputs: [mlpWidth] }], false);
    const partial = linear(graph, hidden, weight, { label: `${at}.mlp.lin2`, partial: true });
    // What the next attentions ask of the tokens, those with positions first.
    const next = layer + 1 < depth ? qkv(`${layerName(layer + 1)}.self_attn`).map((name) => ({ name, columns: width })) : [];
    const asked = next.length > 0 ? next.slice(0, 2) : [{ name: `${FINAL}.q_proj`, columns: crossWidth }];
    const own = ["k_proj", "v_proj"].map((part) => ({ name: `${toTokens}.${part}`, columns: crossWidth })) as [Projection, Projection];
    const placed = [own[0], ...asked];
    const parts = [...placed, own[1], ...next.slice(2)];
    const columns = parts.reduce((sum, part) => sum + part.columns, 0);
    const positional = placed.reduce((sum, part) => sum + part.columns, 0);
    x = tokenProjection(
      graph,
      partial,
      graph.weight(
        `${at}.mlp.weights`,
        [tokenProjectionWeights(width, columns)],
        joined([[concatenated([{ name: `${at}.mlp.lin2.bias`, shape: [width] }]), width], norm(`${at}.norm3`, width), ...projections(parts, width)]),
      ),
      { label: `${at}.norm3`, residual: seen, positions: tokens, columns, positional, eps: EPS },
    );
    first = width + crossWidth;
    image = attentionBlock(
      graph,
      { tensor: kqv, first: crossWidth },
      graph.weight(
        `${toTokens}.weights`,
        [attentionBlockWeights(crossWidth, width, 0)],
        joined([...projections([{ name: `${toTokens}.out_proj`, columns: width }], crossWidth), norm(`${at}.norm4`, width)]),
      ),
      {
        label: `${at}.norm4`,
        ...common,
        queries: pixels,
        inner: crossWidth,
        to: { tensor: x, k: width, v: width + positional, keys: count },
        residual: image,
      },
    );
  }
  const kv = imageSide(`${FINAL}.kv_proj`, image, [`${FINAL}.k_proj`, `${FINAL}.v_proj`]);
  // Prompts were attended to; what is read is the output tokens alone, which come first.
  const read = batch === 1 ? maskTokens + 1 : count;
  return { tokens: tokenToImage(FINAL, `${NAME}.norm_final_attn`, x, first, x, kv, crossWidth, read), image };
}
