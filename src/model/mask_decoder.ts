// The mask decoder: two-way transformer, upscaling, one hypernetwork a mask, predicted IoU.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { concatenated, stackedLinear } from "../graph/weight_source.ts";
import { convTranspose2d, convTransposeWeight, perPhase } from "../ops/conv_transpose2d.ts";
import { hypernetworkProduct } from "../ops/hypernetwork_product.ts";
import { linearHeads } from "../ops/linear.ts";
import type { Config } from "./config.ts";
import { normLayer } from "./layers.ts";
import { densePrompts, imagePositions, sparsePrompts } from "./prompt_encoder.ts";
import { twoWayTransformer } from "./transformer.ts";

const NAME = "mask_decoder";

export interface DecoderInputs {
  /** [T, D] */
  readonly embedding: Tensor;
  /** [B, max(N, 1), 4]: x, y in model pixels, label, 0. */
  readonly prompts: Tensor;
  /** [B, 4g, 4g] probabilities. */
  readonly mask: Tensor;
  /** u32 [B] */
  readonly maskGiven: Tensor;
}

export interface DecoderOutputs {
  /** [B, masks, 4g, 4g], the single mask first, then the three of multimask. */
  readonly logits: Tensor;
  /** [B·(masks + 1), 32]: the last row of each prompt starts with the predicted IoU of every mask. */
  readonly heads: Tensor;
}

/** `count` sparse tokens for each of the `batch` prompts. */
export function maskDecoder(graph: Graph, config: Config, inputs: DecoderInputs, batch: number, count: number): DecoderOutputs {
  const { width, maskTokens } = config.decoder;
  const tokens = sparsePrompts(graph, config, inputs.prompts, batch, count);
  const image = densePrompts(graph, config, inputs.embedding, inputs.mask, inputs.maskGiven);
  const decoded = twoWayTransformer(graph, config.decoder, batch, tokens, image, imagePositions(graph, config));
  const features = upscale(graph, config, decoded.image, batch);
  const rows = (tokens.shape[0] as number) / batch;
  const heads = headMlps(graph, decoded.tokens, { batch, tokens: rows, maskTokens, width, outputs: width / 8 });
  const logits = hypernetworkProduct(graph, heads, features, { label: `${NAME}.masks`, batch, masks: maskTokens });
  return { logits, heads };
}

/** image [B·T, D] → [B·16T, D/8]. */
function upscale(graph: Graph, { grid, decoder: { width } }: Config, image: Tensor, batch: number): Tensor {
  const name = `${NAME}.output_upscaling`;
  const double = (x: Tensor, layer: number, side: number, outputs: number, activation: "none" | "gelu") => {
    const inputs = x.shape[1] as number;
    const weight = graph.weight(`${name}.${layer}.weight`, [4 * inputs, outputs], convTransposeWeight(`${name}.${layer}.weight`, inputs, outputs, 2));
    const bias = graph.weight(`${name}.${layer}.bias`, [4 * outputs], perPhase(`${name}.${layer}.bias`, outputs));
    return convTranspose2d(graph, x, weight, { label: `${name}.${layer}`, side, kernel: 2, batch, bias, activation });
  };
  const twice = normLayer(graph, double(image, 0, grid, width / 4, "none"), `${name}.1`, { eps: 1e-6, activation: "gelu" });
  return double(twice, 3, 2 * grid, width / 8, "gelu");
}

/** The hypernetworks of the mask tokens and the IoU head, all three-layer ReLU MLPs: one product a layer. → [B·(masks + 1), outputs] */
function headMlps(graph: Graph, tokens: Tensor, sizes: { batch: number; tokens: number; maskTokens: number; width: number; outputs: number }): Tensor {
  const { batch, maskTokens, width, outputs } = sizes;
  const names = Array.from({ length: maskTokens }, (_, mask) => `${NAME}.output_hypernetworks_mlps.${mask}`).concat(`${NAME}.iou_prediction_head`);
  // Token 0 is the IoU token.
  const firstRows = names.map((_, head) => (head < maskTokens ? head + 1 : 0));
  let x = tokens;
  for (const layer of [0, 1, 2]) {
    const columns = layer < 2 ? width : outputs;
    const own = (head: number) => (layer === 2 && head === maskTokens ? maskTokens : columns);
    const label = `${NAME}.heads.${layer}`;
    const weight = graph.weight(
      `${label}.weight`,
      [names.length * width, columns],
      stackedLinear(
        names.map((name, head) => [{ name: `${name}.layers.${layer}.weight`, shape: [own(head), width] }]),
        columns,
      ),
    );
    const bias = graph.weight(
      `${label}.bias`,
      [names.length * columns],
      concatenated(
        names.map((name, head) => ({ name: `${name}.layers.${layer}.bias`, shape: [own(head)] })),
        columns,
      ),
    );
    const rows = layer === 0 ? { tokens: sizes.tokens, firstRows } : { tokens: names.length, firstRows: names.map((_, head) => head) };
    x = linearHeads(graph, x, weight, { label, batch, ...rows, bias, activation: layer < 2 ? "relu" : "none" });
  }
  return x;
}
