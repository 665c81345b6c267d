// Networks that tests record, by what they are called: the published ones of the plain ViT in every size, and TinyViT.
import { type Config, VIT_B, type VitConfig } from "../../src/model/config.ts";
import { type TinyVitConfig, tokenSide } from "../../src/model/families/tiny_vit_config.ts";

/** A plain ViT of the proportions of SAM's. */
export function plainViT(width: number, depth: number, heads: number, imageSize: number, adapters = true): VitConfig {
  const globalBlocks = [0, 1, 2, 3].map((i) => ((i + 1) * depth) / 4 - 1);
  const grid = imageSize / 16;
  const tableLengths = Array.from({ length: depth }, (_, i) => (globalBlocks.includes(i) ? 2 * grid - 1 : 27));
  return { ...VIT_B, width, depth, heads, mlpWidth: 4 * width, imageSize, grid, storedGrid: grid, globalBlocks, tableLengths, adapters };
}

/** Of windows of 8 and 16 tokens, as the default model has them; `patchWidth` channels between the two convolutions on pixels. */
export function tinyViT(widths: readonly number[], patchWidth: number, imageSize: number): TinyVitConfig {
  const stages = widths.map((width, i) => ({ width, depth: 3, heads: i && width / 32, window: i && 4 << i, hidden: 4 * width }));
  const grid = imageSize / tokenSide({ patchKernel: 3, stages });
  return { family: "tiny_vit", patchKernel: 3, patchWidth, stages, imageSize, grid, adapters: false, decoder: VIT_B.decoder };
}

export const NETWORKS: Readonly<Record<string, Config>> = {
  vit_b: VIT_B,
  "vit_b without adapters": { ...VIT_B, adapters: false },
  "vit_b at 512": plainViT(768, 12, 12, 512),
  "vit_b at 1024": plainViT(768, 12, 12, 1024),
  "vit_b at 1024 without adapters": plainViT(768, 12, 12, 1024, false),
  vit_l: plainViT(1024, 24, 16, 256),
  "vit_l at 1024": plainViT(1024, 24, 16, 1024, false),
  vit_h: plainViT(1280, 32, 16, 256),
  "vit_h at 1024": plainViT(1280, 32, 16, 1024, false),
  "the default model": tinyViT([48, 96, 160], 24, 256),
  "tiny_vit at 1024": tinyViT([64, 128, 160, 320], 32, 1024),
};
