// A loaded model against a golden: embedding, logits, scores and masks of every prompt, within the project's f32 bounds.
import type { Embedding } from "../../src/embedding.ts";
import type { RawImage } from "../../src/image/image.ts";
import type { Prompt } from "../../src/model/prompts.ts";
import type { Decoded, EncodeOptions } from "../../src/segmenter.ts";
import { expectClose, noteComparison } from "../support/compare.ts";
import { type Golden, maskIou } from "../support/goldens.ts";

// The embedding's standard deviation is 1, the logits' a few units. Two single-precision implementations differ by 1e-5; half
// a thousandth is far below anything a mask shows and far above rounding.
export const BOUNDS: GoldenErrors = { embedding: 5e-4, logits: 5e-4, scores: 2e-4, iou: 0.999 };

export interface GoldenErrors {
  embedding: number;
  logits: number;
  scores: number;
  /** Smallest of all masks. */
  iou: number;
}

/** A model wherever it runs: here on Dawn, or in a page. */
export interface Answering {
  encode(image: RawImage, options: EncodeOptions): Promise<Pick<Embedding, "save" | "dispose">>;
  decode(embedding: Pick<Embedding, "save" | "dispose">, prompts: readonly Prompt[]): Promise<readonly Decoded[]>;
}

export interface CheckOptions {
  readonly cases?: readonly string[];
  readonly bounds?: GoldenErrors;
}

/** Throws at the first number beyond its bound, naming it. */
export async function checkGolden(model: Answering, golden: Golden, { cases = golden.cases, bounds = BOUNDS }: CheckOptions = {}): Promise<GoldenErrors> {
  const embedding = await model.encode(golden.image, golden.input ? {} : { fit: golden.fit, channelOrder: golden.order });
  const { data, shape } = await embedding.save();
  const errors: GoldenErrors = { embedding: 0, logits: 0, scores: 0, iou: 1 };
  const kept = golden.tensor("embedding");
  errors.embedding = expectClose(golden.sample("embedding", data, shape), kept.data, {
    label: `${golden.name}: embedding`,
    shape: kept.shape,
    bound: bounds.embedding,
  });
  for (const name of cases) {
    const answers = await model.decode(embedding, golden.prompts(name));
    const label = (what: string) => `${golden.name}: ${what} of case ${name}`;
    const candidates = answers[0]?.scores.length ?? 0;
    const side = 4 * golden.config.grid;
    const logits = joined(answers.map((answer) => answer.logits));
    const scores = joined(answers.map((answer) => answer.scores));
    const { data: wantLogits, shape: logitsShape } = golden.tensor(`cases.${name}.logits`);
    const sampled = golden.sample(`cases.${name}.logits`, logits, [answers.length, candidates, side, side]);
    errors.logits = Math.max(errors.logits, expectClose(sampled, wantLogits, { label: label("logits"), shape: logitsShape, bound: bounds.logits }));
    const { data: wantScores, shape: scoresShape } = golden.tensor(`cases.${name}.scores`);
    errors.scores = Math.max(errors.scores, expectClose(scores, wantScores, { label: label("scores"), shape: scoresShape, bound: bounds.scores }));
    const masks = golden.tensors.get(`cases.${name}.mask`);
    if (!masks) continue;
    const pixels = golden.image.width * golden.image.height;
    answers.forEach(({ masks: own, best }, i) => {
      const iou = maskIou(own[best]?.data ?? [], masks.data.subarray(i * pixels, (i + 1) * pixels));
      errors.iou = Math.min(errors.iou, iou);
      noteComparison(`${label("mask")}: 1 − IoU`, 1 - iou, 1 - bounds.iou);
      if (!(iou >= bounds.iou)) throw new Error(`${label("mask")}, prompt ${i}: IoU ${iou.toFixed(5)} < ${bounds.iou}`);
    });
  }
  embedding.dispose();
  return errors;
}

export function describeErrors(name: string, device: string, { embedding, logits, scores, iou }: GoldenErrors): string {
  const [e, l, s] = [embedding, logits, scores].map((error) => error.toExponential(1));
  return `${name}: embedding ${e}, logits ${l}, scores ${s}, mask IoU ${iou.toFixed(5)} (${device})`;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}
