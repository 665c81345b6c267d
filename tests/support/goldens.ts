// The goldens of tests/reference as tests read them: the network, the image, the prompts and what PyTorch gave.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { synthetic } from "../../src/checkpoint/synthetic.ts";
import { elements, type Shape } from "../../src/graph/tensor.ts";
import type { ChannelOrder, Fit, RawImage } from "../../src/image/image.ts";
import type { InputName } from "../../src/image/input.ts";
import { type Config, VIT_B } from "../../src/model/config.ts";
import { fetchFamily, TINY_VIT_TENSOR } from "../../src/model/families.ts";
import { tokenSide } from "../../src/model/families/tiny_vit_config.ts";
import { expectedTensors } from "../../src/model/network.ts";
import type { Prompt } from "../../src/model/prompts.ts";
import { proceduralImage } from "../image/procedural.ts";
import { ROOT } from "./setup_file.ts";

const FOLDER = join(ROOT, "tests", "goldens");

/** Names of all files. */
export const GOLDENS: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".safetensors"))
  .map((file) => file.replace(".safetensors", ""))
  .sort();

export interface GoldenTensor {
  /** Of `data`, after sampling. */
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array | Uint8Array;
}

export interface Golden {
  readonly name: string;
  /** As the network runs: `imageSize` is the golden's. */
  readonly config: Config;
  readonly seed: number;
  readonly size: number;
  readonly fit: Fit;
  readonly order: ChannelOrder;
  /** Where the image is brought in, and the mask out, as that model's own code does. */
  readonly input: InputName | undefined;
  readonly cases: readonly string[];
  /** The prompt of the decoder's stages. */
  readonly tracedCase: string | undefined;
  readonly image: RawImage;
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
  checkpoint(): Checkpoint;
  tensor(name: string): GoldenTensor;
  /** f32 values of a tensor. */
  values(name: string): Float32Array;
  /** The elements of a whole tensor that the golden keeps of `name`. */
  sample(name: string, whole: ArrayLike<number>, shape: Shape): Float32Array;
  /** One prompt for each entry of the batch, in original pixels. */
  prompts(name: string): Prompt[];
}

interface Description {
  readonly config: VitDescription | TinyVitDescription;
  readonly weights_seed: number;
  readonly image: { readonly width: number; readonly height: number; readonly seed: number };
  readonly size: number;
  readonly fit: "resize" | "pad" | "longest";
  readonly order: ChannelOrder;
  readonly input?: InputName;
  readonly cases: Readonly<Record<string, { readonly multimask: boolean }>>;
  readonly steps: Readonly<Record<string, readonly number[]>>;
  readonly traced_case?: string;
}

interface TinyVitDescription {
  readonly widths: readonly number[];
  readonly depths: readonly number[];
  readonly heads: readonly number[];
  readonly windows: readonly number[];
  readonly patch_kernel: 1 | 3;
  readonly image_size: number;
}

interface VitDescription {
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly image_size: number;
  readonly patch: number;
  readonly window: number;
  readonly global_blocks: readonly number[];
  readonly adapter: boolean;
  /** 0: four times the width. */
  readonly mlp?: number;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

type Header = Readonly<Record<string, Entry | { readonly description: string }>>;

// Goldens of every family are read without waiting.
await fetchFamily(new Set([TINY_VIT_TENSOR]));

const read = new Map<string, Golden>();

export function readGolden(name: string): Golden {
  const golden = read.get(name) ?? parse(name, readFileSync(join(FOLDER, `${name}.safetensors`)));
  read.set(name, golden);
  return golden;
}

function parse(name: string, file: Buffer): Golden {
  const begin = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__: metadata, ...header } = JSON.parse(file.toString("utf8", 8, begin)) as Header;
  const about = JSON.parse((metadata as { description: string }).description) as Description;
  const tensors = new Map<string, GoldenTensor>();
  for (const [tensor, entry] of Object.entries(header) as [string, Entry][]) {
    const [from, to] = entry.data_offsets;
    // A copy: the offsets need not be aligned.
    const bytes = new Uint8Array(file.subarray(begin + from, begin + to)).buffer;
    const data = entry.dtype === "F32" ? new Float32Array(bytes) : entry.dtype === "I32" ? new Int32Array(bytes) : new Uint8Array(bytes);
    if (!["F32", "I32", "U8"].includes(entry.dtype)) throw new Error(`${name}: ${tensor} is ${entry.dtype}`);
    tensors.set(tensor, { shape: entry.shape, data });
  }
  const tensor = (wanted: string): GoldenTensor => {
    const found = tensors.get(wanted);
    if (!found) throw new Error(`${name} has no ${wanted}`);
    return found;
  };
  const config = configOf(about);
  const { width, height, seed } = about.image;
  const kept = tensors.get("image")?.data;
  const drawn = proceduralImage(width, height, seed);
  if (kept && !Buffer.from(drawn.data.buffer).equals(Buffer.from(kept.buffer))) throw new Error(`${name}: the drawn image is not the golden's`);
  return {
    name,
    config,
    seed: about.weights_seed,
    size: about.size,
    fit: about.fit === "longest" ? "long-side" : about.fit,
    order: about.order,
    input: about.input,
    cases: Object.keys(about.cases),
    tracedCase: about.traced_case,
    image: drawn,
    tensors,
    checkpoint: () => synthetic(about.weights_seed, expectedTensors(config)),
    tensor,
    values: (wanted) => tensor(wanted).data as Float32Array,
    sample: (wanted, whole, shape) => sample(whole, shape, about.steps[wanted] ?? about.steps[wanted.replace(/^cases\.[^.]+\./, "cases.*.")] ?? []),
    prompts: (wanted) => promptsOf(tensors, wanted, tensor(`cases.${wanted}.scores`).shape[0] as number, about.cases[wanted]?.multimask ?? true),
  };
}

function configOf({ config, size }: Description): Config {
  if ("widths" in config) {
    const { widths, depths, heads, windows, patch_kernel: patchKernel } = config;
    const stages = widths.map((width, i) => ({
      width,
      depth: depths[i] as number,
      heads: heads[i] as number,
      window: windows[i] as number,
      hidden: 4 * width,
    }));
    const patchWidth = (widths[0] as number) / 2;
    const common = { imageSize: size, grid: size / tokenSide({ patchKernel, stages }), adapters: false, decoder: VIT_B.decoder };
    return { family: "tiny_vit", patchKernel, patchWidth, stages, ...common };
  }
  const storedGrid = config.image_size / config.patch;
  return {
    family: "vit",
    width: config.width,
    depth: config.depth,
    heads: config.heads,
    mlpWidth: config.mlp || 4 * config.width,
    patch: config.patch,
    imageSize: size,
    grid: size / config.patch,
    storedGrid,
    window: config.window,
    globalBlocks: config.global_blocks,
    tableLengths: Array.from({ length: config.depth }, (_, i) => 2 * (config.global_blocks.includes(i) ? storedGrid : config.window) - 1),
    adapters: config.adapter,
    decoder: VIT_B.decoder,
  };
}

/** Every `steps[d]`-th element of each axis, from the first. */
export function sample(whole: ArrayLike<number>, shape: Shape, steps: readonly number[]): Float32Array {
  if (whole.length !== elements(shape)) throw new Error(`${whole.length} values for [${shape.join(", ")}]`);
  const kept = shape.map((side, d) => Math.ceil(side / (steps[d] ?? 1)));
  return Float32Array.from({ length: elements(kept) }, (_, i) => {
    let rest = i;
    let [at, stride] = [0, 1];
    for (let d = shape.length - 1; d >= 0; d--) {
      at += (rest % (kept[d] as number)) * (steps[d] ?? 1) * stride;
      rest = Math.floor(rest / (kept[d] as number));
      stride *= shape[d] as number;
    }
    return whole[at] as number;
  });
}

function promptsOf(tensors: ReadonlyMap<string, GoldenTensor>, name: string, count: number, multimask: boolean): Prompt[] {
  const part = (key: string, entry: number) => {
    const tensor = tensors.get(`cases.${name}.${key}`);
    const size = tensor ? tensor.data.length / (tensor.shape[0] as number) : 0;
    return tensor?.data.slice(entry * size, (entry + 1) * size);
  };
  return Array.from({ length: count }, (_, entry) => {
    const [points, labels, box, mask] = ["points", "labels", "boxes", "mask_input"].map((key) => part(key, entry));
    return {
      multimask,
      ...(points && labels
        ? { points: [...labels].map((label, i) => ({ x: points[2 * i] as number, y: points[2 * i + 1] as number, label: label as 0 | 1 | -1 })) }
        : {}),
      ...(box ? { box: [...box] as [number, number, number, number] } : {}),
      ...(mask ? { maskInput: mask as Float32Array } : {}),
    };
  });
}

/** Intersection over union of two masks of 0 and 1; 1 where both are empty. */
export function maskIou(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`masks of ${a.length} and ${b.length} pixels`);
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    both += (a[i] as number) & (b[i] as number);
    either += (a[i] as number) | (b[i] as number);
  }
  return either === 0 ? 1 : both / either;
}
