// Image encoders of the family: what one needs is fetched when a checkpoint has it.
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Config, DetectOptions, ShapeReader, VitConfig } from "./config.ts";
import type { TinyVitConfig } from "./families/tiny_vit_config.ts";

/** pixels u32 [S, S], colours f32 [2, 4] (see `patchify`) → embedding [T, D], channels last. */
export type ImageEncoder<Of extends Config = Config> = (graph: Graph, config: Of, pixels: Tensor, colours: Tensor) => Tensor;

export interface VitFamily {
  readonly encoder: ImageEncoder<VitConfig>;
  detect(reader: ShapeReader, options: DetectOptions): Omit<VitConfig, "decoder">;
}

export interface TinyVitFamily {
  readonly encoder: ImageEncoder<TinyVitConfig>;
  detect(reader: ShapeReader, imageSize?: number): Omit<TinyVitConfig, "decoder">;
  /** `tiny_vit`, or `tiny_vit of widths 16, 32, 40, 80` */
  name(config: TinyVitConfig): string;
}

/** A tensor that no other encoder has. */
export const TINY_VIT_TENSOR = "image_encoder.patch_embed.seq.0.c.weight";

let fetchedVit: VitFamily | undefined;
let fetchedTinyVit: TinyVitFamily | undefined;

/** To be awaited before the configuration of these tensors is detected and its network recorded. */
export async function fetchFamily(tensors: { has(name: string): boolean }): Promise<void> {
  if (tensors.has(TINY_VIT_TENSOR)) fetchedTinyVit ??= (await import("./families/tiny_vit.ts")).TINY_VIT;
  else await fetchVit();
}

/** The same for networks that are not read off tensors: `VIT_B` and the like. */
export async function fetchVit(): Promise<void> {
  fetchedVit ??= (await import("./families/vit.ts")).VIT;
}

export function vit(): VitFamily {
  if (!fetchedVit) throw new Error("fetchFamily or fetchVit comes before a ViT is detected or recorded");
  return fetchedVit;
}

export function tinyVit(): TinyVitFamily {
  if (!fetchedTinyVit) throw new Error("fetchFamily comes before a TinyViT is detected or recorded");
  return fetchedTinyVit;
}

export function imageEncoderOf({ family }: Config): ImageEncoder {
  return (family === "vit" ? vit() : tinyVit()).encoder as ImageEncoder;
}
