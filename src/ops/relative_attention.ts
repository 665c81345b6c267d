// Windowed or global self-attention with decomposed relative positions, of the image encoder.
import tiledShader from "../../shaders/relative_attention.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Constants } from "../graph/shader.ts";
import type { Tensor } from "../graph/tensor.ts";
import { tileOf, workOf } from "./relative_attention_time.ts";
import type { Twin } from "./twin.ts";

export interface RelativeAttentionOptions {
  readonly label: string;
  readonly heads: number;
  /** Side of the square of tokens. */
  readonly grid: number;
  /** Side of a window; the grid's own for global attention. */
  readonly window: number;
  /** Channels of a head before zeros rounded them up to fours: scores are scaled by their root. */
  readonly headWidth?: number;
}

const OP = "relative_attention";
/** Queries of a workgroup of a software adapter's own kernel. */
const SOFTWARE_QUERIES = 32;
/** FLOP of one dispatch: a fifth of a second on the slowest GPU expected. Global attention over a fine grid is cut by heads. */
const MOST_FLOP = 4e10;
/** qkv [T, 3·C] (q, k, v, heads inside), bias [3·C] (key and value of padded tokens), relH and relW [2·window - 1, d] → [T, C]. */
export function relativeAttention(graph: Graph, qkv: Tensor, bias: Tensor, relH: Tensor, relW: Tensor, options: RelativeAttentionOptions): Tensor {
  const shape = [2 * options.window - 1, (qkv.shape[1] as number) / 3 / options.heads];
  expectShape(OP, "rel_h", relH, shape);
  expectShape(OP, "rel_w", relW, shape);
  return attend(graph, { qkv, bias, rel_h: relH, rel_w: relW }, {}, options);
}

/** The same with a number for each head and pair of distances, offsets [heads, tableStride(window)]: row · window + column. */
export function offsetAttention(graph: Graph, qkv: Tensor, bias: Tensor, offsets: Tensor, options: RelativeAttentionOptions): Tensor {
  const TABLE = tableStride(options.window);
  expectShape(OP, "offsets", offsets, [options.heads, TABLE]);
  return attend(graph, { qkv, bias, rel_h: offsets, rel_w: graph.none }, { OFFSETS: true, TABLE }, options);
}

/** Numbers of a head's table: one for each pair of distances, rounded up to fours. */
export function tableStride(window: number): number {
  return 4 * Math.ceil(window ** 2 / 4);
}

type Reads = Readonly<Record<"qkv" | "bias" | "rel_h" | "rel_w", Tensor>>;
function attend(graph: Graph, reads: Reads, positions: Constants, { label, heads, grid, window, headWidth }: RelativeAttentionOptions): Tensor {
  const [tokens, channels] = [grid * grid, (reads.qkv.shape[1] as number) / 3];
  const width = channels / heads;
  expectShape(OP, "qkv", reads.qkv, [tokens, 3 * channels]);
  expectShape(OP, "bias", reads.bias, [3 * channels]);
  const y = graph.activation(label, [tokens, channels]);
  const { software, subgroupSize } = graph.target;
  const tile = tileOf(width, window);
  const flopOfHead = tokens * (4 * window * window * width + ("OFFSETS" in positions ? 0 : 4 * window * width));
  const together = Math.max(1, Math.floor(MOST_FLOP / flopOfHead));
  const constants = { WINDOW: window, ...positions };
  for (let first = 0; first < heads; first += together) {
    const own = Math.min(together, heads - first);
    const params = { grid, heads, first_head: first, scale: (headWidth ?? width) ** -0.5 };
    graph.dispatch({
      op: OP,
      label,
      ...(software
        ? { shader: software.relativeAttention, params: { ...params, head4: width / 4 }, constants: { ...constants, LANES: subgroupSize >= 8 ? 8 : 4 } }
        : { shader: tiledShader, params, constants: { ...constants, HEAD4: width / 4, ...tile } }),
      reads,
      writes: { y },
      workgroups: [Math.ceil(Math.min(window, grid) ** 2 / (software ? SOFTWARE_QUERIES : tile.QUERIES)), Math.ceil(grid / window) ** 2, own],
      ...(software ? {} : { work: workOf({ grid, window, width, heads: own }, tile) }),
      flop: own * flopOfHead,
    });
  }
  return y;
}

export const twin: Twin = ({ params, constants }, reads) => {
  const { qkv, bias, rel_h: relH, rel_w: relW } = reads as Record<"qkv" | "bias" | "rel_h" | "rel_w", Float32Array>;
  const { grid = 0, heads = 0, scale = 0 } = params;
  const d = qkv.length / (grid * grid) / 3 / heads;
  const side = constants["WINDOW"] as number;
  const c = heads * d;
  const y = new Float32Array(grid * grid * c);
  // Part 0, 1, 2 = q, k, v of a token, or the bias where the window reaches over the grid.
  const value = (part: number, ty: number, tx: number, channel: number) =>
    (ty < grid && tx < grid ? qkv[(ty * grid + tx) * 3 * c + part * c + channel] : bias[part * c + channel]) as number;
  for (let qy = 0; qy < grid; qy++) {
    for (let qx = 0; qx < grid; qx++) {
      const top = Math.floor(qy / side) * side;
      const left = Math.floor(qx / side) * side;
      for (let head = 0; head < heads; head++) {
        const scores = new Float64Array(side * side);
        for (let key = 0; key < scores.length; key++) {
          const ky = Math.floor(key / side);
          const kx = key % side;
          const apart = Math.abs(qy - top - ky) * side + Math.abs(qx - left - kx);
          let score = constants["OFFSETS"] ? (relH[head * (constants["TABLE"] as number) + apart] as number) : 0;
          for (let i = 0; i < d; i++) {
            const q = value(0, qy, qx, head * d + i);
            const position = constants["OFFSETS"]
              ? 0
              : (relH[(qy - top - ky + side - 1) * d + i] as number) + (relW[(qx - left - kx + side - 1) * d + i] as number);
            score += q * scale * value(1, top + ky, left + kx, head * d + i) + q * position;
          }
          scores[key] = score;
        }
        const highest = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - highest));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let i = 0; i < d; i++) {
          let sum = 0;
          weights.forEach((weight, key) => {
            sum += weight * value(2, top + Math.floor(key / side), left + (key % side), head * d + i);
          });
          y[(qy * grid + qx) * c + head * d + i] = sum / total;
        }
      }
    }
  }
  return { y };
};
