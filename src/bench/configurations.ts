// What is measured: a made-up checkpoint of a known network, or one the user names; and what PyTorch answers for the former.
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { synthetic } from "../checkpoint/synthetic.ts";
import type { RawDecoded } from "../decoded.ts";
import { type Config, detectConfig, VIT_B } from "../model/config.ts";
import { fetchFamily, fetchVit, TINY_VIT_TENSOR } from "../model/families.ts";
import { decodeGraph, type DecodeShape, encodeGraph, expectedTensors } from "../model/network.ts";
import type { Box } from "../model/prompts.ts";
import type { Graph } from "../graph/graph.ts";
import type { Target } from "../graph/target.ts";
import digests from "./golden.json";

// The bench's own networks are recorded without waiting.
await Promise.all([fetchVit(), fetchFamily(new Set([TINY_VIT_TENSOR]))]);

/** The same layers a hundred times cheaper: for software adapters and tests. */
export const SMALL: Config = { ...VIT_B, width: 64, depth: 3, heads: 2, mlpWidth: 256, globalBlocks: [1], tableLengths: [27, 31, 27] };

export const CONFIGURATIONS = { vit_b: VIT_B, small: SMALL } as const;
export type ConfigurationName = keyof typeof CONFIGURATIONS;

export function isConfiguration(name: string): name is ConfigurationName {
  return Object.hasOwn(CONFIGURATIONS, name);
}

const AT_1024 = { ...VIT_B, imageSize: 1024, grid: 64, storedGrid: 64, adapters: false };
const tables = (depth: number, globals: readonly number[]) => Array.from({ length: depth }, (_, i) => (globals.includes(i) ? 127 : 27));
const [WIDTHS, DEPTHS, HEADS, WINDOWS] = [
  [64, 128, 160, 320],
  [2, 2, 6, 2],
  [0, 4, 5, 10],
  [0, 7, 14, 7],
] as const;
const STAGES = WIDTHS.map((width, i) => ({ width, depth: DEPTHS[i] as number, heads: HEADS[i] as number, window: WINDOWS[i] as number, hidden: 4 * width }));
const TINY_VIT = { family: "tiny_vit", patchWidth: 32, stages: STAGES, grid: 64, adapters: false, decoder: VIT_B.decoder } as const;

/** Other members of the family at full size: measured, their answers are not known here. */
export const MEMBERS: Readonly<Record<string, Config>> = {
  tiny_vit: { ...TINY_VIT, patchKernel: 3, imageSize: 1024 },
  lite_medsam: { ...TINY_VIT, patchKernel: 1, imageSize: 256 },
  // Of SlimSAM-uniform-77; heads as SAM's.
  slimsam: { ...AT_1024, width: 168, heads: 12, mlpWidth: 696, tableLengths: tables(12, VIT_B.globalBlocks) },
  slimsam_50: { ...AT_1024, width: 384, heads: 12, mlpWidth: 1536, tableLengths: tables(12, VIT_B.globalBlocks) },
  sam_b: { ...AT_1024, tableLengths: tables(12, VIT_B.globalBlocks) },
  sam_l: { ...AT_1024, width: 1024, depth: 24, heads: 16, mlpWidth: 4096, globalBlocks: [5, 11, 17, 23], tableLengths: tables(24, [5, 11, 17, 23]) },
  sam_h: { ...AT_1024, width: 1280, depth: 32, heads: 16, mlpWidth: 5120, globalBlocks: [7, 15, 23, 31], tableLengths: tables(32, [7, 15, 23, 31]) },
};

/** By weights of a formula. Undefined: there is no such member. */
export function memberSubject(name: string): Subject | undefined {
  const config = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined;
  const golden: Golden = digests.vit_b;
  return config && { configuration: name, config, checkpoint: synthetic(golden.seed, expectedTensors(config)), synthetic: false, golden };
}

/** PyTorch's answer at every `stride`-th element. */
interface Sample {
  readonly stride: number;
  readonly values: readonly number[];
}

export interface Golden {
  readonly seed: number;
  readonly image: { readonly width: number; readonly height: number; readonly seed: number };
  readonly box: readonly number[];
  readonly embedding: Sample;
  readonly logits: Sample;
  readonly scores: Sample;
}

export interface Subject {
  readonly configuration: string;
  readonly config: Config;
  readonly checkpoint: Checkpoint;
  readonly synthetic: boolean;
  /** The picture and prompt, and for synthetic weights what must come out. */
  readonly golden: Golden;
}

export function syntheticSubject(name: ConfigurationName): Subject {
  const golden: Golden = digests[name];
  const config = CONFIGURATIONS[name];
  return { configuration: name, config, checkpoint: synthetic(golden.seed, expectedTensors(config)), synthetic: true, golden };
}

/** The picture of vit_b; the answer is not known. */
export async function checkpointSubject(checkpoint: Checkpoint): Promise<Subject> {
  await fetchFamily(checkpoint.tensors);
  const config = detectConfig(checkpoint.label, checkpoint.tensors, { metadata: checkpoint.metadata, refused: checkpoint.refused });
  return { configuration: "file", config, checkpoint, synthetic: false, golden: digests.vit_b };
}

export function boxOf({ box }: Golden): Box {
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = box;
  return [x0, y0, x1, y1];
}

/** How the bench resizes masks: to the picture's size, as `resize` does. */
export function benchUpsample({ golden, config }: Pick<Subject, "golden" | "config">): DecodeShape["upsample"] {
  const { width, height } = golden.image;
  return { width, height, left: 0, top: 0, resize: true, spanX: config.imageSize, spanY: config.imageSize };
}

/** Encode, and decode of one box, as they are timed: recorded without a device, for counting. */
export function benchGraphs(subject: Pick<Subject, "golden" | "config">, target: Target): { encode: Graph; decode: Graph } {
  const shape = { batch: 1, tokens: 2, multimask: true, upsample: benchUpsample(subject) };
  return { encode: encodeGraph(subject.config, target).graph, decode: decodeGraph(subject.config, shape, target).graph };
}

/** Overlap of two answers' masks, the worst of the last three; two empty masks overlap wholly. */
export function maskIou(logits: Float32Array, wanted: Float32Array): number {
  const area = logits.length / 4;
  const overlaps = [1, 2, 3].map((mask) => {
    let both = 0;
    let either = 0;
    for (let i = mask * area; i < (mask + 1) * area; i++) {
      const [a, b] = [(logits[i] as number) > 0, (wanted[i] as number) > 0];
      if (a && b) both++;
      if (a || b) either++;
    }
    return either > 0 ? both / either : 1;
  });
  return Math.min(...overlaps);
}

/** Largest absolute differences from PyTorch. `tokens` is [T, D], channels last. */
export function goldenErrors(golden: Golden, config: Config, tokens: Float32Array, { logits, scores }: RawDecoded) {
  const places = config.grid * config.grid;
  const side2 = logits.length / scores.length;
  const width = config.decoder.width;
  const compare = ({ stride, values }: Sample, at: (i: number) => number | undefined): number =>
    values.reduce((most, value, i) => {
      const off = Math.abs((at(i * stride) ?? Number.NaN) - value);
      return Number.isFinite(off) ? Math.max(most, off) : Number.POSITIVE_INFINITY;
    }, 0);
  // The golden has channels first, and of the masks the last three.
  return {
    embedding: compare(golden.embedding, (i) => tokens[(i % places) * width + Math.floor(i / places)]),
    logits: compare(golden.logits, (i) => logits[side2 + i]),
    scores: compare(golden.scores, (i) => scores[1 + i]),
  };
}
