// The mask decoder: two-way transformer, upscaling, one hypernetwork a mask, predicted IoU.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { concatenated, joined, type PackedSource, stackedLinear } from "../graph/weight_source.ts";
import { headMlps, headWeights } from "../ops/head_mlps.ts";
import { maskUpscale, maskUpscaleWeights } from "../ops/mask_upscale.ts";
import type { Config, DecoderConfig } from "./config.ts";
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
  const { maskTokens } = config.decoder;
  const image = densePrompts(graph, config, inputs.embedding, inputs.mask, inputs.maskGiven);
  const tokens = sparsePrompts(graph, config, inputs.prompts, batch, count);
  const decoded = twoWayTransformer(graph, config.decoder, batch, tokens, image, (once) => imagePositions(once, config));
  const heads = hypernetworks(graph, config.decoder, decoded.tokens, batch);
  const logits = maskUpscale(graph, decoded.image, heads, upscaling(graph, config.decoder), { label: `${NAME}.masks`, batch, masks: maskTokens });
  return { logits, heads };
}

/** A 2×2 transposed convolution [I, O, 2, 2] as [I, 4·O], a block of columns for each cell of the kernel. */
function cells(name: string, inputs: number, outputs: number): PackedSource {
  const part = { name, shape: [inputs, outputs, 2, 2], dims: [1, 1, 1, inputs, outputs, 4], strides: [0, 0, 0, 4 * outputs, 1, outputs], offset: 0 } as const;
  return { kind: "packed", parts: [part] };
}

function upscaling(graph: Graph, { width }: DecoderConfig): Tensor {
  const name = `${NAME}.output_upscaling`;
  const vector = (tensor: string, channels: number) => [concatenated([{ name: `${name}.${tensor}`, shape: [channels] }]), channels] as const;
  const [quarter, eighth] = [width / 4, width / 8];
  const source = joined([
    [cells(`${name}.0.weight`, width, quarter), width * width],
    ...["0.bias", "0.bias", "0.bias", "0.bias", "1.weight", "1.bias"].map((tensor) => vector(tensor, quarter)),
    [cells(`${name}.3.weight`, quarter, eighth), (width * width) / 8],
    vector("3.bias", eighth),
  ]);
  return graph.weight(`${name}.weights`, [maskUpscaleWeights(width)], source);
}

/** The hypernetworks of the mask tokens, then the IoU head. → [B·(masks + 1), D/8] */
function hypernetworks(graph: Graph, { width, maskTokens }: DecoderConfig, tokens: Tensor, batch: number): Tensor {
  const names = Array.from({ length: maskTokens }, (_, mask) => `${NAME}.output_hypernetworks_mlps.${mask}`).concat(`${NAME}.iou_prediction_head`);
  const label = `${NAME}.heads`;
  const outputs = width / 8;
  const source = joined(
    names.flatMap((name, head) =>
      [0, 1, 2].flatMap((layer) => {
        const columns = layer < 2 ? width : outputs;
        // The IoU head has a column for each mask; the others stay 0.
        const shape = [layer === 2 && head === maskTokens ? maskTokens : columns];
        return [
          [stackedLinear([[{ name: `${name}.layers.${layer}.weight`, shape: [...shape, width] }]], columns), width * columns],
          [concatenated([{ name: `${name}.layers.${layer}.bias`, shape }]), columns],
        ] as const;
      }),
    ),
  );
  const weights = graph.weight(`${label}.weights`, [names.length * headWeights(width, outputs)], source);
  return headMlps(graph, tokens, weights, { label, batch, heads: names.length, outputs });
}
