// The published evaluation of one image: every mask from a box, and from one point corrected over five rounds.
import { type Fit, type Framing, frame, type RawImage } from "../image/image.ts";
import type { Mask } from "../image/mask.ts";
import { maskInputOf } from "../image/mask_out.ts";
import { thresholdTwin, upsampleTwin } from "../image/postprocess.ts";
import type { Decoded, Embedding, Point, Prompt, Segmenter } from "../index.ts";
import { boundaryF } from "./boundary.ts";
import { MODES, type Mode } from "./modes.ts";
import { type Overlap, overlap } from "./metrics.ts";
import { correction, type FirstPrompts, firstPrompts, toSquare } from "./prompts.ts";
import { Random } from "./random.ts";
import { countRegions } from "./regions.ts";

export interface Target {
  /** Names the random numbers: the mask's file name, without folders. */
  readonly name: string;
  /** Original size, as the image. */
  readonly truth: Mask;
  /** Prompts to use in place of drawn ones, model pixels. */
  readonly first?: FirstPrompts;
}

export interface Score extends Overlap {
  /** The model's own estimate of the IoU. */
  readonly predicted: number;
  /** Boundary F-score, 0 to 1. */
  readonly boundary: number;
  /** Connected regions of the mask. */
  readonly parts: number;
}

export interface Answer extends Score {
  /** Original size. */
  readonly mask: Mask;
  /** As given, model pixels. */
  readonly prompt: Prompt;
}

export interface Evaluated {
  readonly first: FirstPrompts;
  readonly answers: ReadonlyMap<Mode, Answer>;
}

export interface ProtocolOptions {
  readonly modes: readonly Mode[];
  readonly seed: number;
  readonly channelOrder?: "bgr" | "rgb";
  /** How images are brought to the square; default `pad`, the published protocol's. */
  readonly fit?: Fit;
  readonly signal?: AbortSignal;
}

/** Prompts decoded in one call: enough to fill a device, few enough to keep their masks in memory. */
const BATCH = 16;

/** One encode, whatever the number of targets. null for a target of which the network's square shows nothing. */
export async function evaluateImage(model: Segmenter, image: RawImage, targets: readonly Target[], options: ProtocolOptions): Promise<(Evaluated | null)[]> {
  const { signal, channelOrder, fit = "pad" } = options;
  const encoded = await model.encode(image, { fit, ...(channelOrder ? { channelOrder } : {}), ...(signal ? { signal } : {}) });
  const { framing } = encoded;
  // The protocol draws points on the whole square, padding included, which is outside the image. So the square itself
  // becomes the image: prompts and masks of this embedding are in model pixels.
  const saved = await encoded.save();
  encoded.dispose();
  const embedding = model.restore({ ...saved, framing: frame(framing.size, framing.size, framing.size, "resize") });
  try {
    const results: (Evaluated | null)[] = [];
    for (let begin = 0; begin < targets.length; begin += BATCH) {
      results.push(...(await evaluateTargets(model, embedding, framing, targets.slice(begin, begin + BATCH), options)));
    }
    return results;
  } finally {
    embedding.dispose();
  }
}

interface Running {
  readonly square: Mask;
  readonly truth: Mask;
  readonly first: FirstPrompts;
  readonly random: Random;
  readonly answers: Map<Mode, Answer>;
}

async function evaluateTargets(
  model: Segmenter,
  embedding: Embedding,
  framing: Framing,
  targets: readonly Target[],
  { modes, seed, signal }: ProtocolOptions,
): Promise<(Evaluated | null)[]> {
  const started = targets.map(({ name, truth, first }): Running | null => {
    const square = toSquare(truth, framing);
    const random = new Random(seed, name);
    const drawn = firstPrompts(square, random);
    return drawn && { square, truth, first: first ?? drawn, random, answers: new Map<Mode, Answer>() };
  });
  const running = started.filter((target) => target !== null);
  const decode = async (prompts: readonly Prompt[]) => {
    signal?.throwIfAborted();
    return prompts.length === 0 ? [] : model.decode(embedding, prompts);
  };
  const keep = (mode: Mode, prompts: readonly Prompt[], decoded: readonly Decoded[]) => {
    for (const [i, { truth, answers }] of running.entries()) answers.set(mode, answer(decoded[i] as Decoded, prompts[i] as Prompt, truth, framing));
  };

  if (modes.includes("box")) {
    const prompts = running.map(({ first }): Prompt => ({ box: first.box }));
    keep("box", prompts, await decode(prompts));
  }
  const rounds = Math.max(0, ...modes.filter((mode) => mode !== "box").map(Number));
  let prompts = running.map(({ first }): Prompt => ({ points: [first.point] }));
  for (let round = 1; round <= rounds; round++) {
    const decoded = await decode(prompts);
    const mode = MODES.find((mode) => mode === String(round));
    if (mode && modes.includes(mode)) keep(mode, prompts, decoded);
    prompts = running.map(({ square, random }, i): Prompt => {
      const current = decoded[i] as Decoded;
      const points: readonly Point[] = [...((prompts[i] as Prompt).points ?? []), correction(bestMask(current).data, square, random)];
      return { points, maskInput: maskInputOf(current) };
    });
  }
  return started.map((target) => target && { first: target.first, answers: target.answers });
}

function bestMask({ masks, best }: Decoded): Mask {
  return masks[best] as Mask;
}

function bestLogits({ logits, masks, best }: Decoded): Float32Array {
  const length = logits.length / masks.length;
  return logits.subarray(best * length, (best + 1) * length);
}

function answer(decoded: Decoded, prompt: Prompt, truth: Mask, framing: Framing): Answer {
  const logits = bestLogits(decoded);
  const mask = { data: thresholdTwin(upsampleTwin(logits, Math.sqrt(logits.length), framing)), width: truth.width, height: truth.height };
  const predicted = decoded.scores[decoded.best] as number;
  return { ...overlap(mask.data, truth.data), predicted, boundary: boundaryF(mask, truth), parts: countRegions(mask), mask, prompt };
}
