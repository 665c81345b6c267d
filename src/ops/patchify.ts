// Pixels → normalised patches, the left operand of the patch embedding.
import shader from "../../shaders/patchify.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Twin } from "./twin.ts";

/** Per network channel, whatever colour the checkpoint's channel order puts there. */
export const PIXEL_MEAN = [123.675, 116.28, 103.53] as const;
export const PIXEL_STD = [58.395, 57.12, 57.375] as const;

/** pixels u32 [S, S] (channel 0 | 1 << 8 | 2 << 16 | 255 << 24 inside the image) → [T, 3·P·P], columns in the order of `patch_embed.proj.weight`. */
export function patchify(graph: Graph, pixels: Tensor, { label, grid, patch }: { label: string; grid: number; patch: number }): Tensor {
  expectShape("patchify", "pixels", pixels, [grid * patch, grid * patch]);
  const columns = 3 * patch * patch;
  const y = graph.activation(label, [grid * grid, columns]);
  const count4 = (grid * grid * columns) / 4;
  graph.dispatch({
    op: "patchify",
    label,
    shader,
    reads: { pixels },
    writes: { y },
    params: {
      grid,
      patch_side: patch,
      count4,
      mean0: PIXEL_MEAN[0],
      mean1: PIXEL_MEAN[1],
      mean2: PIXEL_MEAN[2],
      std0: PIXEL_STD[0],
      std1: PIXEL_STD[1],
      std2: PIXEL_STD[2],
    },
    workgroups: [Math.ceil(count4 / 64), 1, 1],
    flop: 8 * count4,
  });
  return y;
}

export const twin: Twin = ({ params }, { pixels }) => {
  const { grid = 0, patch_side: patch = 0 } = params;
  const side = grid * patch;
  const columns = 3 * patch * patch;
  const y = new Float32Array(grid * grid * columns);
  for (let i = 0; i < y.length; i++) {
    const token = Math.floor(i / columns);
    const channel = Math.floor((i % columns) / (patch * patch));
    const row = Math.floor(token / grid) * patch + Math.floor((i % (patch * patch)) / patch);
    const column = (token % grid) * patch + (i % patch);
    const pixel = pixels?.[row * side + column] ?? 0;
    const value = (pixel >>> (8 * channel)) & 255;
    y[i] = pixel >>> 24 === 0 ? 0 : (value - (PIXEL_MEAN[channel] as number)) / (PIXEL_STD[channel] as number);
  }
  return { y };
};
