// Datasets, prompt files and results of an evaluation, broken: taken or refused in words.
import { describe, expect, it } from "vitest";
import { byImage, parseDataset } from "../../src/eval/dataset.ts";
import { EvaluationError } from "../../src/eval/error.ts";
import { toHtml } from "../../src/eval/html.ts";
import { namesOf } from "../../src/eval/names.ts";
import { expectModelPixels, formatPromptFile, parsePromptFile, promptsOf } from "../../src/eval/prompt_file.ts";
import { parseEvaluation } from "../../src/eval/result_file.ts";
import { type CaseResult, evaluation, merge, type Run, toCsv } from "../../src/eval/results.ts";
import { readNpy, writeNpy } from "../../src/image/npy.ts";
import { savedNames } from "../../src/cli/evaluation_files.ts";
import { SamError } from "../../src/errors.ts";
import { mutateBytes } from "../checkpoint/fuzz.ts";
import type { Bytes } from "../checkpoint/support.ts";
import { mutateJson, TIMES, tryAll } from "./mutations.ts";

const DATASET = {
  "masks/ct--a--b--liver_000.png": "images/ct--a--b.png",
  "masks/ct--a--b--spleen_000.png": "images/ct--a--b.png",
  "kidney/001.png": "images/c.png",
};
const ENTRIES = parseDataset(JSON.stringify(DATASET), "d.json");
const PROMPTS = JSON.parse(formatPromptFile(ENTRIES.map(({ mask }, i) => [mask, { box: [i, 2, 30, 40], point: { x: 9, y: i, label: 1 } }])));
const scores = { box: { dice: 0.5, iou: 0.4, predicted: 0.6, boundary: 0.5, parts: 1 }, "1": { dice: 0.1, iou: 0.1, predicted: 0.2, boundary: 0.1, parts: 2 } };
const cases = ENTRIES.map(({ index, mask, image }): CaseResult => ({ index, mask, image, ...namesOf(mask, image), scores }));
const RUN: Run = {
  settings: {
    dataset: "d",
    fingerprint: "0",
    masks: 4,
    model: "m",
    weights: "w",
    precision: "f32",
    software: "0",
    prompts: ["box", "1"],
    input: "sam-med2d",
    channelOrder: "bgr",
    firstPrompts: "drawn",
    seed: 0,
  },
  cases,
  problems: [{ file: "gone.png", message: "no such file", indices: [3] }],
  notices: [{ file: "a.png", message: "it has 16 bits" }],
  images: 2,
  seconds: 1.5,
};
const RESULT = JSON.parse(JSON.stringify(evaluation(RUN)));

const text = (bytes: Bytes) => new TextDecoder().decode(bytes);
const evaluationError = (error: unknown) => error instanceof EvaluationError;

function useDataset(bytes: Bytes): void {
  const entries = parseDataset(text(bytes), "d.json");
  expect(byImage(entries).flatMap(({ masks }) => masks).length).toBe(entries.length);
  const names = [...savedNames(entries).values()];
  expect(new Set(names).size).toBe(entries.length);
  expect(names.every((name) => !/(^|\/)\.\.(\/|$)|^\//.test(name))).toBe(true);
  for (const { mask, image } of entries) namesOf(mask, image);
}

function usePrompts(bytes: Bytes): void {
  const prompts = promptsOf("p.json", parsePromptFile(text(bytes), "p.json"), ENTRIES);
  expectModelPixels("p.json", prompts, 256);
}

function useResult(bytes: Bytes): void {
  const { run } = merge([{ file: "r.json", run: parseEvaluation(text(bytes), "r.json") }]);
  const whole = evaluation(run);
  expect(JSON.stringify(whole)).not.toContain("null");
  toCsv(whole);
  toHtml(whole, []);
}

describe("fuzzed files of an evaluation", () => {
  it.each([
    ["datasets", 3, 3000, DATASET, useDataset],
    ["prompt files", 4, 2500, PROMPTS, usePrompts],
    ["results", 5, 2000, RESULT, useResult],
  ] as const)(
    "%s, seed %d: %d files and their multiple",
    async (_what, seed, count, value, use) => {
      const { whole } = await tryAll(seed, count * TIMES, (random) => mutateJson(random, value), use, evaluationError);
      expect(whole).toBeGreaterThan((count * TIMES) / 50);
      expect(whole).toBeLessThan(count * TIMES * 0.95);
    },
    300_000 * TIMES,
  );

  it(
    "mask inputs, seed 6: 1100 files and their multiple",
    async () => {
      const file = writeNpy([1, 8, 8], new Float32Array(64).fill(0.5));
      const typed = (error: unknown) => error instanceof SamError && error.code === "prompt";
      const { whole } = await tryAll(
        6,
        1100 * TIMES,
        (random) => mutateBytes(random, file),
        (bytes) => readNpy(bytes, "m.npy"),
        typed,
      );
      expect(whole).toBeGreaterThan(100 * TIMES);
    },
    60_000 * TIMES,
  );
});
