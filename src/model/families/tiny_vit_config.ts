// The configuration of a TinyViT image encoder, read off the shapes of its tensors.
import type { NetworkConfig, ShapeReader } from "../config.ts";
import { TINY_VIT_TENSOR } from "../families.ts";

export interface TinyVitStage {
  readonly width: number;
  readonly depth: number;
  /** Of its window attention; 0 in the first stage, which has convolutions instead. */
  readonly heads: number;
  /** Side of an attention window; 0 in the first stage. */
  readonly window: number;
  /** Hidden channels: of the MLPs, in the first stage of the convolutions. */
  readonly hidden: number;
}

export interface TinyVitConfig extends NetworkConfig {
  readonly family: "tiny_vit";
  /** The two convolutions on pixels, each 3×3 of stride 2, or 1×1 of stride 1. */
  readonly patchKernel: 1 | 3;
  /** Channels between the two. */
  readonly patchWidth: number;
  readonly stages: readonly TinyVitStage[];
}

/** Side of the square of tokens in the published checkpoints: nothing in a file says it. */
const USUAL_GRID = 64;

/** Model pixels a side of one token. Between two stages sides are halved, but for the last: there they stay. */
export function tokenSide({ patchKernel, stages }: Pick<TinyVitConfig, "patchKernel" | "stages">): number {
  return (patchKernel === 3 ? 4 : 1) * 2 ** Math.max(0, stages.length - 2);
}

/** Stride of the merging behind a stage. */
export function mergingStride({ stages }: Pick<TinyVitConfig, "stages">, index: number): 1 | 2 {
  return index + 2 < stages.length ? 2 : 1;
}

export function detectTinyVit({ shapeOf, count, fail }: ShapeReader, imageSize?: number): Omit<TinyVitConfig, "decoder"> {
  const [patchWidth = 0, colours, kernel = 0] = shapeOf(TINY_VIT_TENSOR, 4);
  if (colours !== 3 || (kernel !== 1 && kernel !== 3))
    throw fail("a 1×1 or 3×3 convolution of 3 channels", `${kernel}×${kernel} of ${colours}`, TINY_VIT_TENSOR);
  const count0 = count("image_encoder.layers");
  if (count0 < 2) throw fail("at least 2 stages, image_encoder.layers", `${count0}`);
  const stages = Array.from({ length: count0 }, (_, i): TinyVitStage => {
    const stage = `image_encoder.layers.${i}`;
    const depth = count(`${stage}.blocks`);
    if (i === 0) {
      const [hidden = 0, width = 0] = shapeOf(`${stage}.blocks.0.conv1.c.weight`, 4);
      return { width, depth, heads: 0, window: 0, hidden };
    }
    const table = `${stage}.blocks.0.attn.attention_biases`;
    const [hidden = 0, width = 0] = shapeOf(`${stage}.blocks.0.mlp.fc1.weight`, 2);
    const [heads = 0, offsets = 0] = shapeOf(table, 2);
    const window = Math.sqrt(offsets);
    if (!Number.isInteger(window)) throw fail("the square of a window's side as second dimension", `${offsets}`, table);
    if (width % heads !== 0 || (width / heads) % 4 !== 0) throw fail("heads of a multiple of 4 channels", `${width} channels for ${heads} heads`, table);
    return { width, depth, heads, window, hidden };
  });
  const widths = [patchWidth, ...stages.flatMap(({ width, hidden }) => [width, hidden])];
  if (widths.some((width) => width % 4 !== 0 || width === 0)) throw fail("widths that are multiples of 4", widths.join(", "));
  const token = tokenSide({ patchKernel: kernel, stages });
  const size = imageSize ?? USUAL_GRID * token;
  if (!(size % token === 0 && size >= token)) throw fail(`a multiple of a token's side, ${token}`, `${size}`, "imageSize");
  return { family: "tiny_vit", patchKernel: kernel, patchWidth, stages, imageSize: size, grid: size / token, adapters: false };
}

const TINY_VIT_5M = "64,128,160,320/2,2,6,2";

/** `tiny_vit`, or `tiny_vit of widths 16, 32, 40, 80`. */
export function tinyVitName({ stages }: TinyVitConfig): string {
  const widths = stages.map(({ width }) => width);
  return `${widths}/${stages.map(({ depth }) => depth)}` === TINY_VIT_5M ? "tiny_vit" : `tiny_vit of widths ${widths.join(", ")}`;
}
