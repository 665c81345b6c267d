// What a checkpoint is, in one line.
import { elements } from "../graph/tensor.ts";
import type { InputName } from "../image/input.ts";
import { type Config, variantName } from "./config.ts";
import { expectedTensors } from "./network.ts";
import { GAUSSIAN } from "./prompt_encoder.ts";

/** `SAM-Med2D vit_b 256, adapters, f32, 271.2 M parameters`, or `SAM-Med2D width 192, depth 6, 256 px, …`; dtypes are those stored. */
export function modelName(config: Config, tensors: ReadonlyMap<string, { readonly dtype: string; readonly stored?: string }>, input?: InputName): string {
  const expected = expectedTensors(config);
  const parameters = expected.reduce((sum, { name, shape }) => (name === GAUSSIAN ? sum : sum + elements(shape)), 0);
  const dtypeOf = (name: string) => (tensors.get(name)?.stored ?? tensors.get(name)?.dtype ?? "f32").toLowerCase();
  const dtypes = [...new Set(expected.map(({ name }) => dtypeOf(name)))].sort();
  const variant = variantName(config);
  const size = variant.includes(",") ? `, ${config.imageSize} px` : ` ${config.imageSize}`;
  return `${familyName(config, variant, input)} ${variant}${size}, ${config.adapters ? "adapters" : "no adapters"}, ${dtypes.join(" and ")}, ${(parameters / 1e6).toFixed(1)} M parameters`;
}

/** TinyViT from single pixels is LiteMedSAM's, from patches of 4 and at its published widths MobileSAM's, unless it takes images as SAM-Med2D does. */
function familyName(config: Config, variant: string, input?: InputName): string {
  if (config.family === "tiny_vit") {
    if (input === "sam-med2d") return "SAM-Med2D";
    if (config.patchKernel === 1) return "LiteMedSAM";
    return variant === "tiny_vit" ? "MobileSAM" : "SAM";
  }
  if (config.adapters) return "SAM-Med2D";
  return config.storedGrid * config.patch >= 1024 ? "SAM" : "FT-SAM";
}
