// What is measured: a made-up checkpoint of a known network, or one the user names; and what PyTorch answers for the former.
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { synthetic } from "../checkpoint/synthetic.ts";
import type { RawDecoded } from "../decoded.ts";
import { type Config, detectConfig, VIT_B } from "../model/config.ts";
import { fetchFamily, fetchVit } from "../model/families.ts";
import { decodeGraph, type DecodeShape, encodeGraph, expectedTensors } from "../model/network.ts";
import type { Box } from "../model/prompts.ts";
import type { Graph } from "../graph/graph.ts";
import type { Target } from "../graph/target.ts";
import digests from "./golden.json";

// The bench's own networks are recorded without waiting.
await fetchVit();

/** The same layers a hundred times cheaper: for software adapters and tests. */
export const SMALL: Config = { ...VIT_B, width: 64, depth: 3, heads: 2, mlpWidth: 256, globalBlocks: [1], tableLengths: [27, 31, 27] };

export const CONFIGURATIONS = { vit_b: VIT_B, small: SMALL } as const;
export type ConfigurationName = keyof typeof CONFIGURATIONS;

export function isConfiguration(name: string): name is ConfigurationName {
  return name in CONFIGURATIONS;
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
