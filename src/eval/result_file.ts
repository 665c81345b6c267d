// A result file's content, checked as far as merging and summing build on it; what is computed of it is computed again.
import { RADII } from "./baselines.ts";
import { EvaluationError } from "./error.ts";
import { isRecord, parseRecord, quoted } from "./json.ts";
import { MODES } from "./modes.ts";
import { type CaseResult, FORMAT, type Notice, type Problem, type Run, SETTINGS, type Settings } from "./results.ts";

export function parseEvaluation(text: string, file: string): Run {
  const value = parseRecord(text, file, "JSON written by evaluate --json", "Run the shard again.");
  const bad = (expected: string, got: unknown) => new EvaluationError(file, expected, quoted(got), "Run the shard again.");
  if (value.format !== FORMAT)
    throw new EvaluationError(file, `the format "${FORMAT}"`, quoted(value.format), "Use files written by evaluate --json of this version.");
  const settings = value.settings;
  if (!isSettings(settings)) throw bad(`settings with ${SETTINGS.join(", ")}`, settings);
  const { cases, problems, notices = [], images, seconds } = value;
  if (!isCount(images) || !(Number.isFinite(seconds) && (seconds as number) >= 0)) throw bad("images and seconds as numbers", { images, seconds });
  const index = (at: unknown) => isCount(at) && at < settings.masks;
  const isCase = (item: unknown): item is CaseResult =>
    isRecord(item) &&
    index(item.index) &&
    ["mask", "image", "modality", "dataset", "structure"].every((key) => typeof item[key] === "string") &&
    areScores(item.scores) &&
    (item.baselines === undefined || areBaselines(item.baselines));
  const isProblem = (item: unknown): item is Problem => isNotice(item) && Array.isArray((item as Problem).indices) && (item as Problem).indices.every(index);
  return {
    settings,
    cases: listOf("cases", cases, isCase, bad),
    problems: listOf("problems", problems, isProblem, bad),
    notices: listOf("notices", notices, isNotice, bad),
    images,
    seconds: seconds as number,
  };
}

function listOf<T>(name: string, value: unknown, is: (item: unknown) => item is T, bad: (expected: string, got: unknown) => Error): readonly T[] {
  if (!Array.isArray(value)) throw bad(`${name} as a list`, value);
  const wrong = value.findIndex((item) => !is(item));
  if (wrong >= 0) throw bad(`entry ${wrong} of ${name} as evaluate writes it`, value[wrong]);
  return value;
}

function isSettings(value: unknown): value is Settings {
  if (!isRecord(value)) return false;
  const { masks, seed, prompts } = value;
  const texts = SETTINGS.filter((key) => !["masks", "seed", "prompts"].includes(key));
  const modes: readonly unknown[] = MODES;
  return (
    isCount(masks) &&
    isCount(seed) &&
    Array.isArray(prompts) &&
    prompts.every((mode) => modes.includes(mode)) &&
    texts.every((key) => typeof value[key] === "string")
  );
}

function isNotice(item: unknown): item is Notice {
  return isRecord(item) && typeof item.file === "string" && typeof item.message === "string";
}

function areScores(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const modes: readonly string[] = MODES;
  return Object.entries(value).every(
    ([mode, score]) =>
      modes.includes(mode) &&
      isRecord(score) &&
      ["dice", "iou", "boundary"].every((key) => isShare(score[key])) &&
      // What a network says of itself may lie a little outside.
      Math.abs(Number.isFinite(score.predicted) ? (score.predicted as number) : Number.POSITIVE_INFINITY) < 1e6 &&
      isCount(score.parts),
  );
}

function areBaselines(value: unknown): boolean {
  return isRecord(value) && isShare(value.ellipse) && Array.isArray(value.discs) && value.discs.length === RADII.length && value.discs.every(isShare);
}

/** Sums of others would run over. */
function isShare(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
