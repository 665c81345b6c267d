// TinyViT as image encoder: convolutions first, then blocks of window attention, with merging between the stages.
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { asStored, derived, type PackedSource } from "../../graph/weight_source.ts";
import { depthwise } from "../../ops/depthwise.ts";
import { linear } from "../../ops/linear.ts";
import type { Epilogue } from "../../ops/matmul.ts";
import { patchConvs } from "../../ops/patch_convs.ts";
import { offsetAttention, tableStride } from "../../ops/relative_attention.ts";
import { linearLayer, norm, normLayer } from "../layers.ts";
import { neck } from "../neck.ts";
import type { TinyVitFamily } from "../families.ts";
import { foldedConv, foldedLinear } from "./batch_norm.ts";
import { patchProducts } from "./patch_products.ts";
import { detectTinyVit, mergingStride, tinyVitName, type TinyVitConfig, type TinyVitStage } from "./tiny_vit_config.ts";

const EPS = 1e-5;

/** pixels u32 [S, S], colours f32 [2, 4] (see `patchify`) → embedding [T, D], channels last. */
function encoder(graph: Graph, config: TinyVitConfig, pixels: Tensor, colours: Tensor): Tensor {
  const { patchKernel, patchWidth, stages } = config;
  const name = "image_encoder.patch_embed";
  const { width } = stages[0] as TinyVitStage;
  const asProducts = graph.target.software && patchKernel === 3;
  let x = asProducts ? patchProducts(graph, pixels, colours, name, patchWidth, width) : patches(graph, pixels, colours, name, config);
  let side = config.imageSize / (patchKernel === 3 ? 4 : 1);
  stages.forEach((stage, i) => {
    const layer = `image_encoder.layers.${i}`;
    for (let b = 0; b < stage.depth; b++) {
      const block = `${layer}.blocks.${b}`;
      x = stage.window === 0 ? convBlock(graph, x, block, side, stage) : attentionBlock(graph, x, block, side, stage);
    }
    const next = stages[i + 1];
    if (!next) return;
    const stride = mergingStride(config, i);
    x = merging(graph, x, `${layer}.downsample`, { side, stride, width: next.width });
    side = Math.ceil(side / stride);
  });
  return neck(graph, x, config);
}

/** Both convolutions of the patch embedding as one kernel. */
function patches(graph: Graph, pixels: Tensor, colours: Tensor, name: string, { patchKernel: kernel, patchWidth, stages }: TinyVitConfig): Tensor {
  const first = foldedConv(graph, `${name}.seq.0`, { inputs: 3, outputs: patchWidth, kernel });
  const second = foldedConv(graph, `${name}.seq.2`, { inputs: patchWidth, outputs: (stages[0] as TinyVitStage).width, kernel });
  return patchConvs(graph, pixels, colours, first, second, { label: name, kernel });
}

/** A 1×1 convolution with its BatchNorm: x [T, I] → [T, outputs]. */
function pointwise(graph: Graph, x: Tensor, name: string, outputs: number, epilogue: Omit<Epilogue, "bias"> = {}): Tensor {
  const { weight, bias } = foldedLinear(graph, name, x.shape[1] as number, outputs);
  return linear(graph, x, weight, { label: name, bias, ...epilogue });
}

/** MBConv. x [side², C] → [side², C]. */
function convBlock(graph: Graph, x: Tensor, name: string, side: number, { width, hidden }: TinyVitStage): Tensor {
  const wide = pointwise(graph, x, `${name}.conv1`, hidden, { activation: "gelu" });
  const cells = foldedConv(graph, `${name}.conv2`, { outputs: hidden, kernel: 3 });
  const { y } = depthwise(graph, wide, cells, { label: `${name}.conv2`, side, stride: 1, activation: "gelu" });
  return pointwise(graph, y, `${name}.conv3`, width, { activation: "gelu", residual: x, activatedLast: true });
}

/** x [side², C] → [(side / stride)², width]. */
function merging(graph: Graph, x: Tensor, name: string, { side, stride, width }: { side: number; stride: 1 | 2; width: number }): Tensor {
  const wide = pointwise(graph, x, `${name}.conv1`, width, { activation: "gelu" });
  const cells = foldedConv(graph, `${name}.conv2`, { outputs: width, kernel: 3 });
  const { y } = depthwise(graph, wide, cells, { label: `${name}.conv2`, side, stride, activation: "gelu" });
  return pointwise(graph, y, `${name}.conv3`, width);
}

/** x [side², C] → [side², C]. */
function attentionBlock(graph: Graph, x: Tensor, name: string, side: number, { width, heads, window, hidden }: TinyVitStage): Tensor {
  const normed = normLayer(graph, x, `${name}.attn.norm`, { eps: EPS });
  const qkv = linear(graph, normed, ...qkvLayer(graph, name, width, heads));
  const offsets = graph.weight(`${name}.attn.attention_biases`, [heads, tableStride(window)], offsetTable(`${name}.attn.attention_biases`, heads, window));
  const attended = offsetAttention(graph, qkv, paddedToken(graph, name, width, heads), offsets, { label: `${name}.attn`, heads, grid: side, window });
  const y = linearLayer(graph, attended, `${name}.attn.proj`, width, { residual: x });
  const cells = foldedConv(graph, `${name}.local_conv`, { outputs: width, kernel: 3 });
  const next = norm(graph, `${name}.mlp.norm`, width, EPS);
  const local = depthwise(graph, y, cells, { label: `${name}.local_conv`, side, stride: 1, next });
  const wide = linearLayer(graph, local.next as Tensor, `${name}.mlp.fc1`, hidden, { activation: "gelu" });
  return linearLayer(graph, wide, `${name}.mlp.fc2`, width, { residual: local.y });
}

/** The checkpoint has q, k and v of a head behind each other; the attention wants all q first. */
function qkvLayer(graph: Graph, name: string, width: number, heads: number): [weight: Tensor, options: { label: string; bias: Tensor }] {
  const label = `${name}.attn.qkv`;
  const headWidth = width / heads;
  const weight = graph.matrix(`${label}.weight`, [width, 3 * width], {
    kind: "packed",
    parts: [
      {
        name: `${label}.weight`,
        shape: [3 * width, width],
        dims: [1, 1, heads, 3, headWidth, width],
        strides: [0, 0, headWidth, width, 1, 3 * width],
        offset: 0,
      },
    ],
  });
  const bias = graph.weight(`${label}.bias`, [3 * width], {
    kind: "packed",
    parts: [{ name: `${label}.bias`, shape: [3 * width], dims: [1, 1, 1, heads, 3, headWidth], strides: [0, 0, 0, headWidth, width, 1], offset: 0 }],
  });
  return [weight, { label, bias }];
}

/** q, k and v of a token that pads a window: zero before the norm, so the norm's bias after it. [3·C] */
function paddedToken(graph: Graph, name: string, width: number, heads: number): Tensor {
  const label = `${name}.attn.padded`;
  const once = new Graph(label, graph.target);
  const bias = once.weight(`${name}.attn.norm.bias`, [1, width], asStored(`${name}.attn.norm.bias`, [width]));
  const qkv = linear(once, bias, ...qkvLayer(once, name, width, heads));
  return graph.weight(label, [3 * width], derived(once, qkv));
}

function offsetTable(name: string, heads: number, window: number): PackedSource {
  const part = { name, shape: [heads, window ** 2], dims: [1, 1, 1, 1, heads, window ** 2], strides: [0, 0, 0, 0, tableStride(window), 1], offset: 0 } as const;
  return { kind: "packed", parts: [part] };
}

export const TINY_VIT: TinyVitFamily = { encoder, detect: detectTinyVit, name: tinyVitName };
