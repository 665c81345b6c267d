// The configuration of a plain ViT image encoder, read off the shapes of its tensors.
import type { DetectOptions, ShapeReader, VitConfig } from "../config.ts";
import { tellBlocks } from "../global_blocks.ts";
import { ADAPTER } from "../tensor_names.ts";

const MAX_ADAPTER_WIDTH = 2432;
/** Attention keeps a few keys and values in workgroup memory. */
const MAX_HEAD_WIDTH = 240;

const ANOTHER = "Use a checkpoint of SAM, SAM-Med2D, MedSAM, MobileSAM or LiteMedSAM.";
/** Files that people take for weights of SAM, by tensors that only those have. */
const OTHERS: readonly (readonly [name: RegExp, what: string, remedy: string])[] = [
  [/^(detector|tracker)(_model)?\.|(^|\.)(geometry_encoder|detr_encoder)\./, "one of SAM 3, whose network is another: it is not read", ANOTHER],
  [
    /pos_embed_window|(^|\.)neck\.convs\.|memory_attention|maskmem_|obj_ptr_|image_encoder\.trunk\./,
    "one of SAM 2, whose network is another: it is not read",
    ANOTHER,
  ],
  [
    /\.lora_[ab]\w*(\.|$)|linear_[ab]_[qkv]\.weight$|^w_[ab]_\d+$/i,
    "LoRA layers without the weights that they change",
    "Merge them into those (merge_and_unload in peft, or weight + scale · B · A), and save the whole.",
  ],
];

export function detectVit({ names, has, shapeOf, count, fail }: ShapeReader, { imageSize, adapter }: DetectOptions): Omit<VitConfig, "decoder"> {
  const [, other, remedy] = OTHERS.find(([of]) => names.some((name) => of.test(name))) ?? [];
  if (other && !has("image_encoder.blocks.0.attn.rel_pos_h")) throw fail("a checkpoint of SAM's network", other, undefined, remedy);
  const foreign = names.filter((name) => /^image_encoder\.(?!(blocks|layers|patch_embed|pos_embed|neck)\b)/.test(name));
  if (foreign.length > 0 && !names.some((name) => /^image_encoder\.(blocks|layers)\./.test(name)))
    throw fail("a plain ViT or a TinyViT as image encoder", `another one (${foreign.slice(0, 3).join(", ")}, …)`, undefined, ANOTHER);
  const [width = 0, , patch = 0] = shapeOf("image_encoder.patch_embed.proj.weight", 4);
  const [, storedGrid = 0] = shapeOf("image_encoder.pos_embed", 4);
  const depth = count("image_encoder.blocks");
  if (depth === 0) throw fail("image_encoder.blocks", "none");
  const tables = Array.from({ length: depth }, (_, i) => shapeOf(`image_encoder.blocks.${i}.attn.rel_pos_h`, 2) as [number, number]);
  const headWidth = tables[0]?.[1] ?? 0;
  const mlpWidths = tables.map((_, i) => shapeOf(`image_encoder.blocks.${i}.mlp.lin1.weight`, 2)[0] as number);
  const [mlpWidth = 0] = mlpWidths;
  const tableLengths = tables.map(([length]) => length);
  const blocks = tellBlocks(tableLengths, storedGrid);
  if (typeof blocks === "string") throw fail("relative-position tables of one length for windows and one for the whole image", blocks, "rel_pos_h");
  const size = imageSize ?? storedGrid * patch;
  if (size % patch !== 0 || size < patch) throw fail(`a multiple of the patch, ${patch}`, `${size}`, "imageSize");
  const grid = size / patch;
  // By any block's: one that lacks its adapter is missed, not passed over.
  const adapters = names.some((name) => ADAPTER.test(name)) && adapter !== "off";
  if (adapters && grid % 2 !== 0) throw fail("an even number of patches a side, which adapters need", `${grid}`, "imageSize");
  if (headWidth === 0 || width % headWidth !== 0) throw fail(`a divisor of the width ${width}`, `${headWidth}`, "head width");
  // The adapter's gate keeps all channels and its squeezed ones in workgroup memory.
  if (adapters && width > MAX_ADAPTER_WIDTH) throw fail(`at most ${MAX_ADAPTER_WIDTH} channels with adapters`, `${width}`, "width");
  // Kernels move four channels at a time; the squeeze of the adapter has a quarter of the channels.
  const multiple = adapters ? 16 : 4;
  if (width % multiple !== 0 || patch % 4 !== 0) throw fail(`width a multiple of ${multiple}, patch of 4`, `width ${width}, patch ${patch}`);
  if (headWidth > MAX_HEAD_WIDTH) throw fail(`heads of at most ${MAX_HEAD_WIDTH} channels`, `${headWidth}`, "rel_pos_h");
  return {
    family: "vit",
    width,
    depth,
    heads: width / headWidth,
    mlpWidth,
    ...(mlpWidths.some((each) => each !== mlpWidth) ? { mlpWidths } : {}),
    patch,
    imageSize: size,
    grid,
    storedGrid,
    ...(blocks.globalBlocks.length === depth ? { window: grid, globalBlocks: blocks.globalBlocks } : blocks),
    tableLengths,
    adapters,
  };
}
