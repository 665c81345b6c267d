// The configuration of a network, read off the shapes of its tensors.
import { partAlone } from "../checkpoint/part.ts";
import { SamError } from "../errors.ts";
import type { Shape } from "../graph/tensor.ts";
import { MOST_CHANNELS } from "../ops/rows.ts";
import { TINY_VIT_TENSOR, tinyVit, vit } from "./families.ts";
import type { TinyVitConfig } from "./families/tiny_vit_config.ts";

/** A network of the family, by its image encoder; prompts and masks are the same in all. */
export type Config = VitConfig | TinyVitConfig;

/** What all networks of the family have. */
export interface NetworkConfig {
  /** Side of the model's image, in pixels. */
  readonly imageSize: number;
  /** Side of the square of tokens. */
  readonly grid: number;
  readonly adapters: boolean;
  readonly decoder: DecoderConfig;
}

export interface VitConfig extends NetworkConfig {
  readonly family: "vit";
  /** Channels of the image encoder, C. */
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Hidden channels of a block's MLP. */
  readonly mlpWidth: number;
  /** The same of each block, where blocks differ. */
  readonly mlpWidths?: readonly number[];
  /** Side of a patch, in model pixels: imageSize / grid. */
  readonly patch: number;
  /** Side of the square that the stored position embedding covers: differs from `grid` where it is resized. */
  readonly storedGrid: number;
  /** Side of a window of local attention. */
  readonly window: number;
  /** Indices of the blocks with global attention. */
  readonly globalBlocks: readonly number[];
  /** Length of each block's stored relative-position tables. */
  readonly tableLengths: readonly number[];
}

export interface DecoderConfig {
  /** Channels of embedding, prompts and tokens. */
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpWidth: number;
  /** Inner channels of the attentions between tokens and image. */
  readonly crossWidth: number;
  readonly maskTokens: number;
}

const DECODER_HEADS = 8;
const MAX_GRID = 64;

export interface DetectOptions {
  /** Run at another image side than the one stored; a multiple of the patch. */
  readonly imageSize?: number | undefined;
  /** `off` leaves the adapter layers of the checkpoint unused. */
  readonly adapter?: "on" | "off" | undefined;
  /** What the file says of itself: `image_size`, in pixels, where no tensor tells it and `imageSize` is not given. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  /** Tensors that the file has and that cannot be read: name → why. */
  readonly refused?: ReadonlyMap<string, string> | undefined;
}

/** Names and shapes of a checkpoint's tensors, asked for by a detector. */
export interface ShapeReader {
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Throws unless there is one, of so many dimensions. */
  shapeOf(name: string, rank: number): number[];
  /** Layers `prefix.0` to `prefix.n-1`, by every tensor of theirs: one that lacks some is counted, so that those are missed. */
  count(prefix: string): number;
  fail(expected: string, got: string, argument?: string, remedy?: string): SamError;
}

type Shapes = ReadonlyMap<string, { readonly shape: Shape }>;

/** The configuration of a checkpoint's tensors, after `fetchFamily` of them; throws when they are of another network. */
export function detectConfig(label: string, tensors: Shapes, options: DetectOptions = {}): Config {
  const { adapter, metadata, refused } = options;
  const reader = readerOf(label, tensors, refused, options.imageSize !== undefined);
  const said = Number(metadata?.get("image_size") ?? Number.NaN);
  const imageSize = options.imageSize ?? (Number.isInteger(said) ? said : undefined);
  if (adapter !== undefined && adapter !== "on" && adapter !== "off") throw reader.fail('"on" or "off"', JSON.stringify(adapter), "adapter");
  const detected = reader.has(TINY_VIT_TENSOR) ? tinyVit().detect(reader, imageSize) : vit().detect(reader, { adapter, imageSize });
  if (adapter === "on" && !detected.adapters) throw reader.fail('a checkpoint with adapters for adapter: "on"', "one without", "adapter");
  // Attention keeps a number for each key column and query in workgroup memory, 16 KiB by default.
  if (detected.grid > MAX_GRID) throw reader.fail(`at most ${MAX_GRID} patches a side`, `${detected.grid}`, "imageSize");
  const decoder = detectDecoder(reader);
  return { ...detected, decoder };
}

const PARTLY = "The file holds a part of the network: save the whole model's state_dict(), or choose all files that it is split in.";
const PARTS = ["image_encoder", "prompt_encoder", "mask_decoder"];

function readerOf(label: string, tensors: Shapes, refused: DetectOptions["refused"], asked: boolean): ShapeReader {
  const fail = (expected: string, got: string, argument?: string, remedy?: string) =>
    new SamError({
      code: "checkpoint",
      op: label,
      expected,
      got,
      remedy:
        remedy ??
        (argument === "imageSize" || argument === "adapter"
          ? argument === "imageSize" && !asked
            ? "The file itself asks for it: give another side, 256 or 1024 as a rule."
            : "Leave it out for what the checkpoint has."
          : (partly() ?? "Use a checkpoint of SAM-Med2D, SAM, MedSAM, MobileSAM or LiteMedSAM, or one of the same layers in other widths.")),
      ...(argument ? { argument } : {}),
      ...(argument === undefined ? partAlone(label) : {}),
    });
  const there = PARTS.filter((part) => [...tensors.keys()].some((tensor) => tensor.startsWith(part)));
  const partly = () => (there.length > 0 && there.length < PARTS.length ? PARTLY : undefined);
  return {
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    shapeOf(name, rank) {
      const shape = tensors.get(name)?.shape;
      if (!shape) {
        const why = refused?.get(name);
        if (why !== undefined) throw fail(`a tensor ${name} that can be read`, `one ${why}`, undefined, "Save it as plain numbers of 16 or 32 bits.");
        const seen = [...tensors.keys()].slice(0, 3).join(", ");
        const alone = there.length > 0 && there.length < PARTS.length ? `${there.join(" and ")} alone, ` : "";
        const got = seen ? `${alone}${tensors.size} ${tensors.size === 1 ? "tensor" : "tensors"} without it (${seen}, …)` : "no tensors";
        throw fail(`a tensor ${name}`, got, undefined, there.length > 0 ? PARTLY : undefined);
      }
      if (shape.length !== rank || shape.includes(0)) throw fail(`of ${rank} dimensions of at least 1`, `[${shape.join(", ")}]`, name);
      return [...shape];
    },
    count(prefix) {
      const indices = [...tensors.keys()].flatMap((name) => (name.startsWith(`${prefix}.`) ? [name.slice(prefix.length + 1).split(".")[0]] : []));
      return new Set(indices).size;
    },
    fail,
  };
}

function detectDecoder({ shapeOf, count, fail }: ShapeReader): DecoderConfig {
  const [mlpWidth = 0, width = 0] = shapeOf("mask_decoder.transformer.layers.0.mlp.lin1.weight", 2);
  const [crossWidth = 0] = shapeOf("mask_decoder.transformer.layers.0.cross_attn_token_to_image.q_proj.weight", 2);
  const [maskTokens = 0] = shapeOf("mask_decoder.mask_tokens.weight", 2);
  if ([crossWidth, width].some((channels) => channels % 64 !== 0 || channels > MOST_CHANNELS))
    throw fail(`decoder widths that are multiples of 64, up to ${MOST_CHANNELS}`, `width ${width}, cross-attention width ${crossWidth}`);
  if (mlpWidth === 0 || mlpWidth % 4 !== 0)
    throw fail("a decoder's MLP of a multiple of 4 channels", `${mlpWidth}`, "mask_decoder.transformer.layers.0.mlp.lin1");
  // Mask 0 answers alone, the others together.
  if (maskTokens < 2) throw fail("a mask token for the single mask and some for several", `${maskTokens}`, "mask_decoder.mask_tokens");
  return { width, depth: count("mask_decoder.transformer.layers"), heads: DECODER_HEADS, mlpWidth, crossWidth, maskTokens };
}

const VARIANTS: Readonly<Record<string, string>> = { "768/12": "vit_b", "1024/24": "vit_l", "1280/32": "vit_h" };

/** `vit_b`, `vit_l`, `vit_h`, `tiny_vit`, or `width 192, depth 6`. */
export function variantName(config: Config): string {
  if (config.family === "tiny_vit") return tinyVit().name(config);
  const { width, depth } = config;
  return VARIANTS[`${width}/${depth}`] ?? `width ${width}, depth ${depth}`;
}

const DECODER: DecoderConfig = { width: 256, depth: 2, heads: DECODER_HEADS, mlpWidth: 2048, crossWidth: 128, maskTokens: 4 };

/** SAM-Med2D's own: ViT-B at 256×256 with adapters. */
export const VIT_B: VitConfig = {
  family: "vit",
  width: 768,
  depth: 12,
  heads: 12,
  mlpWidth: 3072,
  patch: 16,
  imageSize: 256,
  grid: 16,
  storedGrid: 16,
  window: 14,
  globalBlocks: [2, 5, 8, 11],
  tableLengths: [27, 27, 31, 27, 27, 31, 27, 27, 31, 27, 27, 31],
  adapters: true,
  decoder: DECODER,
};
