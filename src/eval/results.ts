// Results of an evaluation as data: what is kept of each mask, what they say together, and shards joined.
import { EvaluationError } from "./error.ts";
import { type Baselines, RADII } from "./baselines.ts";
import { mean, type Summary, summarise } from "./metrics.ts";
import type { Names } from "./names.ts";
import { MODES, type Mode } from "./modes.ts";
import type { Score } from "./protocol.ts";

export interface CaseResult extends Names {
  /** Place in the dataset file, from 0. */
  readonly index: number;
  /** As the dataset file has them. */
  readonly mask: string;
  readonly image: string;
  readonly scores: Readonly<Partial<Record<Mode, Score>>>;
  /** Of the prompts alone, where they were asked for. */
  readonly baselines?: Baselines;
}

/** A file that could not be used, and the masks that are missing because of it. */
export interface Problem {
  readonly file: string;
  readonly message: string;
  readonly indices: readonly number[];
}

/** What should be known of a file before its figures are trusted. */
export interface Notice {
  readonly file: string;
  readonly message: string;
}

/** What must agree for results to be one evaluation. */
export interface Settings {
  readonly dataset: string;
  /** Tells dataset files of one name apart. */
  readonly fingerprint: string;
  /** Masks in the dataset file. */
  readonly masks: number;
  readonly model: string;
  /** Name and SHA-256. */
  readonly weights: string;
  /** How the encoder's matrices are kept and multiplied: `f32`, `f16 products f32`. */
  readonly precision: string;
  /** This package's version. */
  readonly software: string;
  readonly prompts: readonly Mode[];
  /** Whose way of bringing images in: `sam-med2d`, `medsam`. */
  readonly input: string;
  readonly channelOrder: "bgr" | "rgb";
  /** Where the first prompts come from: `drawn`, or a file's name and SHA-256. */
  readonly firstPrompts: string;
  readonly seed: number;
}

export const SETTINGS: readonly (keyof Settings)[] = [
  "dataset",
  "fingerprint",
  "masks",
  "model",
  "weights",
  "precision",
  "software",
  "prompts",
  "input",
  "channelOrder",
  "firstPrompts",
  "seed",
];

const MOST_QUOTED = 240;

/** The first setting in which two runs differ, as `seed 3, not 0`; undefined where they agree. */
export function difference(expected: Settings, got: Settings): { readonly key: keyof Settings; readonly expected: string; readonly got: string } | undefined {
  for (const key of SETTINGS) {
    const [one, other] = [JSON.stringify(expected[key]), JSON.stringify(got[key])];
    if (one !== other) return { key, expected: (one ?? "nothing").slice(0, MOST_QUOTED), got: (other ?? "nothing").slice(0, MOST_QUOTED) };
  }
  return undefined;
}

export interface Run {
  readonly settings: Settings;
  readonly cases: readonly CaseResult[];
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
  /** Images encoded, and the seconds spent on encoding, decoding and scoring. */
  readonly images: number;
  readonly seconds: number;
}

export interface ModeSummary {
  readonly dice: Summary;
  readonly iou: Summary;
  /** Of the boundary F-scores. */
  readonly boundary: Summary;
  /** Mean number of connected regions of a mask. */
  readonly parts: number;
  readonly n: number;
}

/** Dice that needs no network, over all masks. */
export interface BaselineSummary {
  readonly ellipse: Summary;
  /** Of the one radius, in model pixels, that is best for these very masks. */
  readonly disc: Summary & { readonly radius: number };
}

export type Summaries = Partial<Record<Mode, ModeSummary>>;

export const GROUPINGS = ["modality", "dataset", "structure"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** `prompts` and `by` have no entry for a mode in which nothing could be scored. */
export interface Evaluation extends Run {
  readonly format: typeof FORMAT;
  readonly prompts: Summaries;
  readonly by: Readonly<Record<Grouping, Readonly<Record<string, Summaries>>>>;
  readonly imagesPerSecond: number;
  /** Where every case has them. */
  readonly baselines?: BaselineSummary;
}

export const FORMAT = "sam-med2d evaluation 2";

/** Cases in the dataset's order, whatever order they were computed in, so that equal runs give equal files. */
export function evaluation(run: Run): Evaluation {
  const cases = [...run.cases].sort((a, b) => a.index - b.index);
  const { prompts, seed } = run.settings;
  const grouped = (grouping: Grouping) => {
    const names = [...new Set(cases.map((result) => result[grouping]))].sort();
    return Object.fromEntries(
      names.map((name) => [
        name,
        summaries(
          cases.filter((result) => result[grouping] === name),
          prompts,
          seed,
        ),
      ]),
    );
  };
  return {
    format: FORMAT,
    settings: run.settings,
    prompts: summaries(cases, prompts, seed),
    by: { modality: grouped("modality"), dataset: grouped("dataset"), structure: grouped("structure") },
    images: run.images,
    seconds: run.seconds,
    imagesPerSecond: run.seconds > 0 ? run.images / run.seconds : 0,
    problems: [...run.problems].sort((a, b) => (a.indices[0] ?? 0) - (b.indices[0] ?? 0)),
    notices: [...run.notices].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0)),
    cases,
    ...baselineSummary(cases, seed),
  };
}

function baselineSummary(cases: readonly CaseResult[], seed: number): { readonly baselines?: BaselineSummary } {
  const all = cases.map(({ baselines }) => baselines).filter((baselines) => baselines !== undefined);
  if (all.length === 0 || all.length < cases.length) return {};
  const means = RADII.map((_, i) => mean(all.map(({ discs }) => discs[i] as number)));
  const best = means.indexOf(Math.max(...means));
  const disc = {
    ...summarise(
      all.map(({ discs }) => discs[best] as number),
      seed,
    ),
    radius: RADII[best] as number,
  };
  return {
    baselines: {
      ellipse: summarise(
        all.map(({ ellipse }) => ellipse),
        seed,
      ),
      disc,
    },
  };
}

/** A mode without a score has no summary. */
function summaries(cases: readonly CaseResult[], modes: readonly Mode[], seed: number): Summaries {
  const result: Summaries = {};
  for (const mode of MODES.filter((mode) => modes.includes(mode))) {
    const scores = cases.map(({ scores }) => scores[mode]).filter((score) => score !== undefined);
    if (scores.length === 0) continue;
    const of = (metric: "dice" | "iou" | "boundary") =>
      summarise(
        scores.map((score) => score[metric]),
        seed,
      );
    result[mode] = { dice: of("dice"), iou: of("iou"), boundary: of("boundary"), parts: mean(scores.map(({ parts }) => parts)), n: scores.length };
  }
  return result;
}

/** Shards of one evaluation → the whole, the same numbers as without shards. `missing` counts masks that no shard has. */
export function merge(runs: readonly { readonly file: string; readonly run: Run }[]): { readonly run: Run; readonly missing: number } {
  const [first] = runs;
  if (!first) throw new EvaluationError("merge", "at least one result file", "none", "Name the JSON files of the shards.");
  const seen = new Map<number, string>();
  for (const { file, run } of runs) {
    const differs = difference(first.run.settings, run.settings);
    if (differs) {
      const { key, expected, got } = differs;
      throw new EvaluationError(file, `${key} ${expected}, as ${first.file} has`, got, "Merge shards of one evaluation only.");
    }
    for (const index of [...run.cases.map(({ index }) => index), ...run.problems.flatMap(({ indices }) => indices)]) {
      const other = seen.get(index);
      if (other !== undefined) throw new EvaluationError(file, "masks that no other file has", `mask ${index}, also in ${other}`, "Name each shard once.");
      seen.set(index, file);
    }
  }
  const sum = (of: (run: Run) => number) => runs.reduce((total, { run }) => total + of(run), 0);
  return {
    run: {
      settings: first.run.settings,
      cases: runs.flatMap(({ run }) => run.cases),
      problems: runs.flatMap(({ run }) => run.problems),
      notices: runs.flatMap(({ run }) => run.notices),
      images: sum(({ images }) => images),
      seconds: sum(({ seconds }) => seconds),
    },
    missing: first.run.settings.masks - seen.size,
  };
}

/** One row a mask. */
export function toCsv({ cases, settings }: Run): string {
  const modes = MODES.filter((mode) => settings.prompts.includes(mode));
  const named = (...metrics: string[]) => modes.flatMap((mode) => metrics.map((metric) => `${metric}_${mode}`));
  const head = ["mask", "image", ...GROUPINGS, ...named("dice", "iou", "predicted_iou"), ...named("boundary_f", "parts")];
  const rows = [...cases]
    .sort((a, b) => a.index - b.index)
    .map(({ mask, image, scores, ...names }) => {
      const of = (...metrics: (keyof Score)[]) => modes.flatMap((mode) => metrics.map((metric) => cellOf(metric, scores[mode]?.[metric])));
      return [mask, image, ...GROUPINGS.map((grouping) => names[grouping]), ...of("dice", "iou", "predicted"), ...of("boundary", "parts")];
    });
  return `${[head, ...rows].map((row) => row.map(csvCell).join(",")).join("\n")}\n`;
}

function cellOf(metric: keyof Score, value: number | undefined): string {
  return value === undefined ? "" : metric === "parts" ? `${value}` : value.toFixed(6);
}

function csvCell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
