// Pixels → normalised patches, the left operand of the patch embedding.
import shader from "../../shaders/patchify.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Twin } from "./twin.ts";

/** pixels u32 [S, S] (channel 0 | 1 << 8 | 2 << 16 | 255 << 24 inside the image), colours f32 [2, 4] (what is taken from each channel, what it is divided by) → [T, 3·P·P], columns in the order of `patch_embed.proj.weight`. */
export function patchify(graph: Graph, pixels: Tensor, colours: Tensor, { label, grid, patch }: { label: string; grid: number; patch: number }): Tensor {
  expectShape("patchify", "pixels", pixels, [grid * patch, grid * patch]);
  expectShape("patchify", "colours", colours, [2, 4]);
  const columns = 3 * patch * patch;
  const y = graph.activation(label, [grid * grid, columns]);
  const count4 = (grid * grid * columns) / 4;
  graph.dispatch({
    op: "patchify",
    label,
    shader,
    reads: { pixels, colours },
    writes: { y },
    params: { grid, patch_side: patch, count4 },
    workgroups: [Math.ceil(count4 / 64), 1, 1],
    work: { threads: 64, steps: 1, instructions: 70 },
    flop: 8 * count4,
  });
  return y;
}

export const twin: Twin = ({ params }, { pixels, colours }) => {
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
    y[i] = pixel >>> 24 === 0 ? 0 : (value - (colours?.[channel] as number)) / (colours?.[4 + channel] as number);
  }
  return { y };
};
