// The two-way transformer of the mask decoder: tokens attend to the image and the image to the tokens.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { attention } from "../ops/attention.ts";
import { linear } from "../ops/linear.ts";
import type { DecoderConfig } from "./config.ts";
import { linearLayer, linearWeights, normLayer } from "./layers.ts";

const EPS = 1e-5;

/** One side of an attention: its values [B·n, D], and the positions [B·n or n, D] added for queries and keys. */
interface Side {
  readonly x: Tensor;
  readonly positions: Tensor;
  /** Rows of one prompt. */
  readonly rows: number;
}

/** tokens [B·N, D], image [B·T, D], image positions [T, D] → both after the last layer. */
export function twoWayTransformer(
  graph: Graph,
  config: DecoderConfig,
  batch: number,
  tokens: Tensor,
  image: Tensor,
  imagePositions: Tensor,
): { tokens: Tensor; image: Tensor } {
  const name = "mask_decoder.transformer";
  // The prompts' encoding is the token input itself, output tokens included.
  const tokenSide = (x: Tensor): Side => ({ x, positions: tokens, rows: (tokens.shape[0] as number) / batch });
  const imageSide = (x: Tensor): Side => ({ x, positions: imagePositions, rows: (image.shape[0] as number) / batch });
  let [t, i] = [tokens, image];
  for (let layer = 0; layer < config.depth; layer++) {
    const at = `${name}.layers.${layer}`;
    const attended = selfAttention(graph, config, batch, tokenSide(t), `${at}.self_attn`, layer === 0);
    t = normLayer(graph, attended, `${at}.norm1`, { eps: EPS });
    t = normLayer(graph, crossAttention(graph, config, batch, tokenSide(t), imageSide(i), `${at}.cross_attn_token_to_image`), `${at}.norm2`, { eps: EPS });
    const hidden = linearLayer(graph, t, `${at}.mlp.lin1`, config.mlpWidth, { activation: "relu" });
    t = normLayer(graph, linearLayer(graph, hidden, `${at}.mlp.lin2`, config.width, { residual: t }), `${at}.norm3`, { eps: EPS });
    i = normLayer(graph, crossAttention(graph, config, batch, imageSide(i), tokenSide(t), `${at}.cross_attn_image_to_token`), `${at}.norm4`, { eps: EPS });
  }
  const last = crossAttention(graph, config, batch, tokenSide(t), imageSide(i), `${name}.final_attn_token_to_image`);
  return { tokens: normLayer(graph, last, `${name}.norm_final_attn`, { eps: EPS }), image: i };
}

/** The first layer has neither positions nor residual: its input is the positions. */
function selfAttention(graph: Graph, { width, heads }: DecoderConfig, batch: number, { x, positions, rows }: Side, name: string, first: boolean): Tensor {
  const parts = ["q_proj", "k_proj", "v_proj"].map((part) => ({ name: `${name}.${part}`, outputs: width, inputs: [width] }));
  const { weight, bias } = linearWeights(graph, `${name}.qkv_proj`, parts);
  const qkv = linear(graph, x, weight, {
    label: `${name}.qkv_proj`,
    ...(bias ? { bias } : {}),
    ...(first ? {} : { addend: positions, addendColumns: 2 * width }),
  });
  const [q, k, v] = [0, width, 2 * width].map((column) => ({ tensor: qkv, first: column })) as [Columns, Columns, Columns];
  const attended = attention(graph, q, k, v, { label: name, batch, heads, queries: rows, keys: rows, columns: width });
  return linearLayer(graph, attended, `${name}.out_proj`, width, first ? {} : { residual: x });
}

type Columns = Parameters<typeof attention>[1];

/** from.x + attention of `from` to `to`. */
function crossAttention(graph: Graph, { width, heads, crossWidth }: DecoderConfig, batch: number, from: Side, to: Side, name: string): Tensor {
  const q = linearLayer(graph, from.x, `${name}.q_proj`, crossWidth, { addend: from.positions });
  const parts = ["k_proj", "v_proj"].map((part) => ({ name: `${name}.${part}`, outputs: crossWidth, inputs: [width] }));
  const { weight, bias } = linearWeights(graph, `${name}.kv_proj`, parts);
  const kv = linear(graph, to.x, weight, { label: `${name}.kv_proj`, ...(bias ? { bias } : {}), addend: to.positions, addendColumns: crossWidth });
  const attended = attention(
    graph,
    { tensor: q, first: 0 },
    { tensor: kv, first: 0 },
    { tensor: kv, first: crossWidth },
    { label: name, batch, heads, queries: from.rows, keys: to.rows, columns: crossWidth },
  );
  return linearLayer(graph, attended, `${name}.out_proj`, width, { residual: from.x });
}
