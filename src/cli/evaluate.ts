// evaluate: the published protocol over a dataset, with results as JSON, CSV and HTML.
import { createHash } from "node:crypto";
import { version } from "../../package.json";
import { join } from "node:path";
import { DATASET_FILE } from "../eval/dataset.ts";
import { MODES, type Mode } from "../eval/modes.ts";
import { baseName } from "../eval/names.ts";
import { expectModelPixels, parsePromptFile, promptsOf } from "../eval/prompt_file.ts";
import { parseEvaluation } from "../eval/result_file.ts";
import { evaluation, merge, type Run, type Settings } from "../eval/results.ts";
import type { ChannelOrder, InputName, Precision } from "../index.ts";
import { type DatasetRules, datasetOf } from "./dataset.ts";
import { type Environment, MEANINGLESS, modelOptions } from "./environment.ts";
import { expectSavable, openDataset, readText } from "./evaluation_files.ts";
import { journalOf } from "./evaluation_journal.ts";
import { type ReportOptions, reportFiles, summarise, writeReports } from "./evaluation_reports.ts";
import { Work } from "./evaluation_run.ts";
import { checkDestinations } from "./outputs.ts";
import { Terminal } from "./terminal.ts";
import { CommandError, UsageError } from "./usage.ts";
import { defaultWeights, filesOf, identityOf } from "./weights.ts";

export type { ReportOptions };

export interface EvaluateOptions extends ReportOptions, DatasetRules {
  /** Of the volume that stands for a dataset. */
  readonly labels?: string;
  readonly weights?: string;
  readonly prompts: readonly Mode[];
  readonly seed: number;
  readonly adapter?: "on" | "off";
  readonly precision?: Precision;
  readonly strict?: boolean;
  readonly input?: InputName;
  readonly channelOrder?: ChannelOrder;
  readonly promptFile?: string;
  readonly savePrompts?: string;
  readonly saveMasks?: string;
  readonly baselines?: boolean;
  readonly shard: Shard;
}

const RULES = ["planes", "window", "minArea", "minAspect", "parts", "modality", "datasetName", "case", "resample"] as const;

export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

export async function evaluate(path: string, options: EvaluateOptions, environment: Environment): Promise<void> {
  const { signal } = environment;
  const terminal = new Terminal(environment.stderr);
  const weights = options.weights ?? defaultWeights();
  const rule = options.labels === undefined ? RULES.find((name) => options[name] !== undefined) : undefined;
  if (rule)
    throw new UsageError(
      `--${rule.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is a rule for the slices of a volume: name its labels with --labels`,
    );
  const destinations = { "the journal of --json": await journalOf(options.json), ...reportFiles(options), "--save-prompts": options.savePrompts };
  await checkDestinations(destinations, [
    path,
    join(path, DATASET_FILE),
    ...(options.labels === undefined ? [] : [options.labels]),
    ...(await filesOf(weights)),
    ...(options.promptFile ? [options.promptFile] : []),
  ]);
  const dataset = options.labels === undefined ? await openDataset(path) : await datasetOf(path, options.labels, options, terminal, signal);
  for (const words of dataset.notices) terminal.notice(words);
  if (options.saveMasks !== undefined) await expectSavable(options.saveMasks, dataset.entries, options.prompts);
  const promptText = options.promptFile ? await readText(options.promptFile, "--prompt-file") : undefined;
  const fixed =
    options.promptFile && promptText !== undefined
      ? promptsOf(options.promptFile, parsePromptFile(promptText, options.promptFile), dataset.entries)
      : undefined;

  const model = await environment.loadModel({ weights, terminal, signal, ...modelOptions(options) });
  try {
    if (model.meaningless) terminal.say(`sam-med2d: ${MEANINGLESS}`);
    if (fixed) expectModelPixels(options.promptFile as string, fixed, model.config.imageSize);
    const { precision, products } = model.device;
    const settings: Settings = {
      dataset: dataset.name,
      fingerprint: dataset.fingerprint,
      masks: dataset.entries.length,
      model: model.name,
      weights: await identityOf(weights, environment.signal),
      precision: precision === products ? precision : `${precision}, products ${products}`,
      software: version,
      prompts: MODES.filter((mode) => options.prompts.includes(mode)),
      input: model.input.name,
      channelOrder: options.channelOrder ?? model.input.channelOrder,
      firstPrompts:
        promptText === undefined ? "drawn" : `${baseName(options.promptFile as string)}, sha256 ${createHash("sha256").update(promptText).digest("hex")}`,
      seed: options.seed,
    };
    const work = new Work(model, dataset, settings, options, fixed, terminal, signal);
    const run = await work.all();
    const result = evaluation(run);
    const pictures = options.html ? await work.pictures(result) : [];
    await writeReports(result, options, pictures, environment, signal, work.promptsFile());
    await work.finished();
    summarise(result, options, environment, terminal);
  } finally {
    terminal.clear();
    model.dispose();
  }
}

/** evaluate merge: shards of one evaluation → one result. */
export async function mergeResults(files: readonly string[], options: ReportOptions, environment: Environment): Promise<void> {
  const terminal = new Terminal(environment.stderr);
  await checkDestinations(reportFiles(options), files);
  const runs: { file: string; run: Run }[] = [];
  for (const file of files) runs.push({ file, run: parseEvaluation(await readText(file, "the result"), file) });
  const { run, missing } = merge(runs);
  const result = evaluation(run);
  await writeReports(result, options, [], environment, environment.signal);
  if (missing > 0) throw new CommandError(`${missing} of ${run.settings.masks} masks are in none of the files: shards are missing`);
  summarise(result, options, environment, terminal);
}
