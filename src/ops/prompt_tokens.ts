// Output tokens and positional encodings of the prompts: the decoder's token sequence.
import shader from "../../shaders/prompt_tokens.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Twin } from "./twin.ts";

export interface PromptTokensOptions {
  readonly label: string;
  readonly batch: number;
  /** Sparse prompt tokens of each entry of the batch; may be 0. */
  readonly prompts: number;
  /** Side of the model's image, in pixels. */
  readonly size: number;
}

/** prompts [B, max(N, 1), 4] (x, y in model pixels, label, 0), gaussian [2, F], labels [5, 2F], outputs [O, 2F] → [B·(O + N), 2F]. */
export function promptTokens(graph: Graph, prompts: Tensor, gaussian: Tensor, labels: Tensor, outputs: Tensor, options: PromptTokensOptions): Tensor {
  const op = "prompt_tokens";
  const frequencies = gaussian.shape[1] as number;
  const outputTokens = outputs.shape[0] as number;
  const tokens = outputTokens + options.prompts;
  expectShape(op, "prompts", prompts, [options.batch, Math.max(options.prompts, 1), 4]);
  expectShape(op, "labels", labels, [5, 2 * frequencies]);
  expectShape(op, "outputs", outputs, [outputTokens, 2 * frequencies]);
  const y = graph.activation(options.label, [options.batch * tokens, 2 * frequencies]);
  graph.dispatch({
    op,
    label: options.label,
    shader,
    reads: { prompts, gaussian, label_table: labels, output_table: outputs },
    writes: { y },
    params: { output_tokens: outputTokens, prompts: options.prompts, frequencies, inverse_size: 1 / options.size },
    workgroups: [tokens, options.batch, 1],
    flop: options.batch * options.prompts * frequencies * 40,
  });
  return y;
}

export const twin: Twin = ({ params, workgroups }, { prompts, gaussian, label_table: labels, output_table: outputs }) => {
  const { output_tokens: outputTokens = 0, prompts: count = 0, frequencies = 0, inverse_size: inverseSize = 0 } = params;
  const [tokens, batch] = workgroups;
  const width = 2 * frequencies;
  const y = new Float32Array(batch * tokens * width);
  for (let row = 0; row < batch * tokens; row++) {
    const token = row % tokens;
    const prompt = Math.floor(row / tokens) * count + token - outputTokens;
    for (let c = 0; c < width; c++) {
      const [px, py, label] = [0, 1, 2].map((i) => prompts?.[4 * prompt + i] as number) as [number, number, number];
      if (token < outputTokens) y[row * width + c] = outputs?.[token * width + c] as number;
      else if (label < 0) y[row * width + c] = labels?.[4 * width + c] as number;
      else {
        const cx = 2 * (px + 0.5) * inverseSize - 1;
        const cy = 2 * (py + 0.5) * inverseSize - 1;
        const angle = 2 * Math.PI * (cx * (gaussian?.[c % frequencies] as number) + cy * (gaussian?.[frequencies + (c % frequencies)] as number));
        y[row * width + c] = (c < frequencies ? Math.sin(angle) : Math.cos(angle)) + (labels?.[label * width + c] as number);
      }
    }
  }
  return { y };
};
