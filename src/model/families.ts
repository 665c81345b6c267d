// Image encoders of the family. The plain ViT is always there; what the others need is fetched when a checkpoint has one.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Config, ShapeReader } from "./config.ts";
import type { TinyVitConfig } from "./families/tiny_vit_config.ts";
import { vit } from "./families/vit.ts";

/** pixels u32 [S, S], colours f32 [2, 4] (see `patchify`) → embedding [T, D], channels last. */
export type ImageEncoder<Of extends Config = Config> = (graph: Graph, config: Of, pixels: Tensor, colours: Tensor) => Tensor;

export interface TinyVitFamily {
  readonly encoder: ImageEncoder<TinyVitConfig>;
  detect(reader: ShapeReader, imageSize?: number): Omit<TinyVitConfig, "decoder">;
  /** `tiny_vit`, or `tiny_vit of widths 16, 32, 40, 80` */
  name(config: TinyVitConfig): string;
}

/** A tensor that no other encoder has. */
export const TINY_VIT_TENSOR = "image_encoder.patch_embed.seq.0.c.weight";

let fetched: TinyVitFamily | undefined;

/** To be awaited before the configuration of these tensors is detected and its network recorded. */
export async function fetchFamily(tensors: { has(name: string): boolean }): Promise<void> {
  if (tensors.has(TINY_VIT_TENSOR)) fetched ??= (await import("./families/tiny_vit.ts")).TINY_VIT;
}

export function tinyVit(): TinyVitFamily {
  if (!fetched) throw new Error("fetchFamily comes before a TinyViT is detected or recorded");
  return fetched;
}

export function imageEncoderOf({ family }: Config): ImageEncoder {
  return (family === "vit" ? vit : tinyVit().encoder) as ImageEncoder;
}
