// The end of every image encoder: two convolutions, each with its norm.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { transposedLinear } from "../graph/weight_source.ts";
import { conv2d, convWeight } from "../ops/conv2d.ts";
import { linear } from "../ops/linear.ts";
import type { Config } from "./config.ts";
import { normLayer } from "./layers.ts";

const EPS = 1e-6;

/** x [T, C] → [T, D]. */
export function neck(graph: Graph, x: Tensor, { grid, decoder }: Config): Tensor {
  const name = "image_encoder.neck";
  const width = x.shape[1] as number;
  const squeeze = graph.matrix(
    `${name}.0.weight`,
    [width, decoder.width],
    transposedLinear([{ name: `${name}.0.weight`, shape: [decoder.width, width, 1, 1] }]),
  );
  const narrow = normLayer(graph, linear(graph, x, squeeze, { label: `${name}.0`, partial: true, wide: true }), `${name}.1`, { eps: EPS });
  const smooth = graph.matrix(`${name}.2.weight`, [9 * decoder.width, decoder.width], convWeight(`${name}.2.weight`, decoder.width, decoder.width));
  return normLayer(graph, conv2d(graph, narrow, smooth, { label: `${name}.2`, side: grid, stride: 1, partial: true }), `${name}.3`, { eps: EPS });
}
