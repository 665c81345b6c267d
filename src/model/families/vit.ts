// The plain ViT as image encoder: patches, transformer blocks with windowed or global attention and adapters, neck.
import type { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { linear } from "../../ops/linear.ts";
import { patchify } from "../../ops/patchify.ts";
import { relativeAttention } from "../../ops/relative_attention.ts";
import { type LayerNormed, layerNorm } from "../../ops/layer_norm.ts";
import { adapter } from "../adapter.ts";
import type { VitConfig } from "../config.ts";
import { linearWeights, norm } from "../layers.ts";
import { neck } from "../neck.ts";
import { resizePositions, resizeRelative } from "../tables.ts";
import type { VitFamily } from "../families.ts";
import { groupedBias, groupedLinear, padded } from "./grouped_linear.ts";
import { detectVit } from "./vit_config.ts";

const EPS = 1e-6;

/** pixels u32 [S, S], colours f32 [2, 4] (see `patchify`) → embedding [T, D], channels last. */
function encoder(graph: Graph, config: VitConfig, pixels: Tensor, colours: Tensor): Tensor {
  let { x, normed } = normOfSum(
    graph,
    patchEmbed(graph, config, pixels, colours),
    "image_encoder.patch_embed.proj",
    norm(graph, `${blockName(0)}.norm1`, config.width, EPS),
  );
  for (let i = 0; i < config.depth; i++) {
    const { y, next } = block(graph, config, { x, normed }, i);
    x = y;
    normed = next ?? y;
  }
  return neck(graph, x, config);
}

const blockName = (index: number) => `image_encoder.blocks.${index}`;

/** A product, whose parts, where it is split, the norm that reads them adds up → the product under its own name, and the norm of it. */
function normOfSum(graph: Graph, product: Tensor, name: string, to: ReturnType<typeof norm>, sums = false) {
  const split = product.shape.length > 2;
  const { y, kept, sums: summed } = layerNorm(graph, product, to, { label: to.label, sums, ...(split ? { keep: name } : {}) });
  return { x: kept ?? product, normed: y, sums: summed };
}

/** → [T, C] or its parts, positions added. */
function patchEmbed(graph: Graph, { patch, grid, storedGrid, width }: VitConfig, pixels: Tensor, colours: Tensor): Tensor {
  const name = "image_encoder.patch_embed";
  const patches = patchify(graph, pixels, colours, { label: `${name}.patches`, grid, patch });
  const { weight, bias } = linearWeights(graph, `${name}.proj`, [{ name: `${name}.proj`, outputs: width, inputs: [3, patch, patch] }]);
  const positions = graph.weight("image_encoder.pos_embed", [grid * grid, width], {
    kind: "computed",
    parts: [{ name: "image_encoder.pos_embed", shape: [1, storedGrid, storedGrid, width] }],
    compute: ([table]) => resizePositions(table as Float32Array, storedGrid, grid),
  });
  return linear(graph, patches, weight, { label: `${name}.proj`, ...(bias ? { bias } : {}), residual: positions, partial: true });
}

/** x [T, C] and its norm1 → [T, C] and the next block's norm1 of that, where there is a next one. */
function block(graph: Graph, config: VitConfig, { x, normed }: { x: Tensor; normed: Tensor }, index: number): LayerNormed {
  const { width, mlpWidth, mlpWidths, heads, grid, adapters, depth } = config;
  const name = blockName(index);
  const window = config.globalBlocks.includes(index) ? grid : config.window;
  const all = { groups: 1, each: width };
  const inner = { groups: 1, each: mlpWidths?.[index] ?? mlpWidth };
  const head = { groups: heads, each: width / heads };
  const three = { groups: 3 * heads, each: head.each };
  const qkv = groupedLinear(graph, normed, `${name}.attn.qkv`, all, three);
  const qkvBias = groupedBias(graph, `${name}.attn.qkv`, three);
  const [relH, relW] = ["rel_pos_h", "rel_pos_w"].map((table) => relativeTable(graph, config, `${name}.attn.${table}`, index, window)) as [Tensor, Tensor];
  const attended = relativeAttention(graph, qkv, qkvBias, relH, relW, { label: `${name}.attn`, heads, grid, window, headWidth: head.each });
  const projected = groupedLinear(graph, attended, `${name}.attn.proj`, head, all, { residual: x, partial: true });
  const { x: y, normed: n, sums } = normOfSum(graph, projected, `${name}.attn.proj`, norm(graph, `${name}.norm2`, width, EPS), adapters);
  const hidden = groupedLinear(graph, n, `${name}.mlp.lin1`, all, inner, { activation: "gelu" });
  const next = index + 1 < depth ? norm(graph, `${blockName(index + 1)}.norm1`, width, EPS) : undefined;
  const mlp = groupedLinear(graph, hidden, `${name}.mlp.lin2`, inner, all, { residual: y, partial: sums !== undefined || next !== undefined });
  // The adapter ends in a norm of its own, which takes the next one along.
  if (sums) return adapter(graph, n, sums, `${name}.Adapter`, { grid, residual: mlp, next });
  if (!next) return { y: mlp };
  const sum = normOfSum(graph, mlp, `${name}.mlp.lin2`, next);
  return { y: sum.x, next: sum.normed };
}

/** [2·window - 1, d], resized where the stored table is of another length; d rounded up to fours, with zeros. */
function relativeTable(graph: Graph, { tableLengths, width, heads }: VitConfig, name: string, index: number, window: number): Tensor {
  const [from, to] = [tableLengths[index] as number, 2 * window - 1];
  const each = width / heads;
  return graph.weight(name, [to, padded(each)], {
    kind: "computed",
    parts: [{ name, shape: [from, each] }],
    compute: ([table]) => {
      const resized = resizeRelative(table as Float32Array, from, to);
      const rows = new Float32Array(to * padded(each));
      for (let row = 0; row < to; row++) rows.set(resized.subarray(row * each, (row + 1) * each), row * padded(each));
      return rows;
    },
  });
}

export const VIT: VitFamily = { encoder, detect: detectVit };
