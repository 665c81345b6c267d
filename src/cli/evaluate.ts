// evaluate: the published protocol over a dataset, with results as JSON, CSV and HTML.
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { byImage, formatPromptFile, parsePromptFile, shard } from "../eval/dataset.ts";
import { type Picture, toHtml } from "../eval/html.ts";
import { baseName, namesOf } from "../eval/names.ts";
import type { FirstPrompts } from "../eval/prompts.ts";
import { MODES, type Mode } from "../eval/modes.ts";
import { type Answer, evaluateImage } from "../eval/protocol.ts";
import { type CaseResult, type Evaluation, evaluation, merge, parseEvaluation, type Problem, type Run, type Settings, toCsv } from "../eval/results.ts";
import type { ChannelOrder, Precision } from "../index.ts";
import { type Environment, type Model, modelOptions } from "./environment.ts";
import { type Dataset, Journal, type JournalEntry, loadImage, openDataset, readText } from "./evaluation_files.ts";
import { drawCase } from "./evaluation_pictures.ts";
import { maskPng } from "./image_file.ts";
import { checkDestinations, writeAll } from "./outputs.ts";
import { MEANINGLESS } from "./segment.ts";
import { Terminal, workProgress } from "./terminal.ts";
import { CommandError, EXIT, Interrupted } from "./usage.ts";
import { defaultWeights, fileHash, isFile } from "./weights.ts";

export interface ReportOptions {
  readonly json?: string;
  readonly csv?: string;
  readonly html?: string;
}

export interface EvaluateOptions extends ReportOptions {
  readonly weights?: string;
  readonly prompts: readonly Mode[];
  readonly seed: number;
  readonly adapter?: "on" | "off";
  readonly precision?: Precision;
  readonly channelOrder?: ChannelOrder;
  readonly promptFile?: string;
  readonly savePrompts?: string;
  readonly saveMasks?: string;
  readonly shard: Shard;
}

export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

export async function evaluate(path: string, options: EvaluateOptions, environment: Environment): Promise<void> {
  const { signal } = environment;
  const terminal = new Terminal(environment.stderr);
  const weights = options.weights ?? defaultWeights();
  await checkDestinations({ ...reportFiles(options), "--save-prompts": options.savePrompts }, [
    path,
    ...(isFile(weights) ? [weights] : []),
    ...(options.promptFile ? [options.promptFile] : []),
  ]);
  const dataset = await openDataset(path);
  const fixed = options.promptFile ? parsePromptFile(await readText(options.promptFile, "--prompt-file"), options.promptFile) : undefined;
  const unprompted = fixed ? dataset.entries.filter(({ mask }) => !fixed.has(baseName(mask))) : [];
  if (unprompted.length > 0) throw new CommandError(`${options.promptFile} has no prompts for ${unprompted.length} masks, ${unprompted[0]?.mask} first`);

  const model = await environment.loadModel({ weights, terminal, signal, ...modelOptions(options) });
  try {
    if (model.meaningless) terminal.say(`sam-med2d: ${MEANINGLESS}`);
    const settings: Settings = {
      dataset: dataset.name,
      fingerprint: dataset.fingerprint,
      masks: dataset.entries.length,
      model: model.name,
      weights: await identityOf(weights, environment.signal),
      prompts: MODES.filter((mode) => options.prompts.includes(mode)),
      channelOrder: options.channelOrder ?? "bgr",
      firstPrompts: options.promptFile ? baseName(options.promptFile) : "drawn",
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

function reportFiles({ json, csv, html }: ReportOptions): Record<string, string | undefined> {
  return { "--json": json === "-" ? undefined : json, "--csv": csv, "--html": html };
}

/** A file by name and content: neither path nor time is the same on every machine that shares the work, and a better model may have the size of the old. */
async function identityOf(weights: string, signal: AbortSignal): Promise<string> {
  if (!isFile(weights)) return weights;
  return `${baseName(weights)}, sha256 ${await fileHash(weights, signal)}`;
}

/** A run: images of the shard, one after another, those of an earlier run's journal skipped. */
class Work {
  #first: readonly (readonly [string, FirstPrompts])[] = [];
  #journal: Journal | undefined;

  constructor(
    private readonly model: Model,
    private readonly dataset: Dataset,
    private readonly settings: Settings,
    private readonly options: EvaluateOptions,
    private readonly fixed: ReadonlyMap<string, FirstPrompts> | undefined,
    private readonly terminal: Terminal,
    private readonly signal: AbortSignal,
  ) {}

  async all(): Promise<Run> {
    const { dataset, options, settings, terminal } = this;
    const { index, count } = options.shard;
    const images = shard(byImage(dataset.entries), index, count);
    const file = options.json && options.json !== "-" ? `${options.json}.journal` : undefined;
    const journal = await Journal.open(file, settings, `${index + 1}/${count}`);
    this.#journal = journal;
    const done = new Map(journal.before.map((entry) => [entry.image, entry]));
    if (done.size > 0) terminal.say(`sam-med2d: going on after ${done.size} of ${images.length} images (${file})`);
    const left = images.filter(({ image }) => !done.has(image));
    const started = performance.now();
    try {
      // The next image is read from disk while the device works.
      let next = left[0] && loadImage(dataset, left[0]);
      for (const [i] of left.entries()) {
        this.signal.throwIfAborted();
        const current = await (next as NonNullable<typeof next>);
        const following = left[i + 1];
        next = following && loadImage(dataset, following);
        const entry = await this.#image(current);
        await journal.add(entry);
        done.set(entry.image, entry);
        for (const { file, message } of entry.problems) terminal.say(`sam-med2d: ${file}: ${message}`);
        this.#progress(i + 1, left.length, performance.now() - started);
      }
    } catch (error) {
      if (error instanceof Interrupted && file)
        terminal.say(`sam-med2d: stopped after ${done.size} of ${images.length} images; the same command goes on from there`);
      throw error;
    }
    const entries = [...done.values()];
    this.#first = entries.flatMap(({ first }) => first);
    return {
      settings,
      cases: entries.flatMap(({ cases }) => cases),
      problems: entries.flatMap(({ problems }) => problems),
      images: entries.filter(({ encoded }) => encoded).length,
      seconds: entries.reduce((sum, { seconds }) => sum + seconds, 0),
    };
  }

  /** Best, median and worst case of each mode, computed again: whole images, as in the run, so that they are the same. */
  async pictures({ cases }: Evaluation): Promise<Picture[]> {
    const wanted = this.settings.prompts.flatMap((mode) => {
      const ranked = cases.filter(({ scores }) => scores[mode]).sort((a, b) => (a.scores[mode]?.dice ?? 0) - (b.scores[mode]?.dice ?? 0));
      const picks: [string, CaseResult | undefined][] = [
        ["worst", ranked[0]],
        ["median", ranked[Math.floor(ranked.length / 2)]],
        ["best", ranked.at(-1)],
      ];
      return picks.flatMap(([rank, result]) => (result ? [{ mode, rank, result }] : []));
    });
    const pictures = new Map<(typeof wanted)[number], Picture>();
    for (const entry of byImage(this.dataset.entries)) {
      const here = wanted.filter(({ result }) => result.image === entry.image);
      if (here.length === 0) continue;
      this.terminal.progress(`Drawing cases  ${pictures.size} of ${wanted.length}`);
      const { image, targets } = await loadImage(this.dataset, entry);
      if (!image) continue;
      const answers = await this.#evaluate(image, targets);
      for (const pick of here) {
        const at = targets.findIndex(({ entry }) => entry.index === pick.result.index);
        const answer = answers[at]?.answers.get(pick.mode);
        const truth = targets[at]?.truth;
        if (!answer || !truth) continue;
        pictures.set(pick, {
          mode: pick.mode,
          rank: pick.rank,
          mask: pick.result.mask,
          dice: answer.dice,
          png: await drawCase(image, truth, answer, this.model.config.imageSize),
        });
      }
    }
    return wanted.flatMap((pick) => pictures.get(pick) ?? []);
  }

  promptsFile(): Map<string, string> {
    const { savePrompts } = this.options;
    return new Map(savePrompts ? [[savePrompts, formatPromptFile(this.#first)]] : []);
  }

  finished(): Promise<void> {
    return this.#journal?.remove() ?? Promise.resolve();
  }

  #evaluate(image: Parameters<typeof evaluateImage>[1], targets: Awaited<ReturnType<typeof loadImage>>["targets"]) {
    const { prompts: modes, channelOrder, seed } = this.settings;
    const named = targets.map(({ entry, truth }) => {
      const name = baseName(entry.mask);
      const first = this.fixed?.get(name);
      return { name, truth, ...(first ? { first } : {}) };
    });
    return evaluateImage(this.model, image, named, { modes, seed, channelOrder, signal: this.signal });
  }

  async #image({ entry, image, targets, problems }: Awaited<ReturnType<typeof loadImage>>): Promise<JournalEntry> {
    if (!image || targets.length === 0) return { image: entry.image, cases: [], problems, first: [], encoded: false, seconds: 0 };
    const start = performance.now();
    const results = await this.#evaluate(image, targets);
    const seconds = (performance.now() - start) / 1000;
    const cases: CaseResult[] = [];
    const vanished: Problem[] = [];
    const first: [string, FirstPrompts][] = [];
    for (const [i, { entry: target }] of targets.entries()) {
      const result = results[i];
      if (!result) {
        const size = this.model.config.imageSize;
        vanished.push({ file: target.mask, message: `the mask vanishes at ${size}×${size}`, indices: [target.index] });
        continue;
      }
      first.push([target.mask, result.first]);
      const scores = Object.fromEntries([...result.answers].map(([mode, { dice, iou, predicted }]) => [mode, { dice, iou, predicted }]));
      cases.push({ index: target.index, mask: target.mask, image: entry.image, ...namesOf(target.mask, entry.image), scores });
      await this.#saveMasks(target.mask, result.answers);
    }
    return { image: entry.image, cases, problems: [...problems, ...vanished], first, encoded: true, seconds };
  }

  async #saveMasks(mask: string, answers: ReadonlyMap<Mode, Answer>): Promise<void> {
    const { saveMasks } = this.options;
    if (!saveMasks) return;
    for (const [mode, answer] of answers) {
      const path = join(saveMasks, mode === "box" ? "box" : `points_${mode}`, savedName(mask));
      await mkdir(dirname(path), { recursive: true });
      await writeAll(new Map([[path, await maskPng(answer.mask)]]));
    }
  }

  #progress(done: number, all: number, elapsed: number): void {
    this.terminal.progress(workProgress("Evaluating", done, all, "images", elapsed));
  }
}

/** The mask's own path in the dataset, as a PNG; it never leaves the folder of results. */
function savedName(mask: string): string {
  const parts = mask.split(/[\\/]/).filter((part) => part !== "" && part !== "." && part !== "..");
  return `${join(...parts).replace(/\.[^.]*$/, "")}.png`;
}

async function writeReports(
  result: Evaluation,
  { json, csv, html }: ReportOptions,
  pictures: readonly Picture[],
  { stdout }: Environment,
  signal: AbortSignal,
  more: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  const text = `${JSON.stringify(result, null, 1)}\n`;
  const files = new Map<string, string>(more);
  if (json && json !== "-") files.set(json, text);
  if (csv) files.set(csv, toCsv(result));
  if (html) files.set(html, toHtml(result, pictures));
  await writeAll(files, signal);
  if (json === "-") stdout.write(text);
}

/** The table, on stdout unless JSON is there; a problem makes the command fail after everything is written. */
function summarise(result: Evaluation, { json }: ReportOptions, { stdout }: Environment, terminal: Terminal): void {
  const lines = result.settings.prompts.flatMap((mode) => {
    const summary = result.prompts[mode];
    if (!summary) return [];
    const metric = ({ mean, median, ci95 }: typeof summary.dice) => `${percent(mean)} [${percent(ci95[0])}, ${percent(ci95[1])}] median ${percent(median)}`;
    const name = mode === "box" ? "box" : `${mode} pt`;
    return [`${name.padEnd(5)} Dice ${metric(summary.dice)}   IoU ${metric(summary.iou)}   ${summary.n} masks`];
  });
  lines.push(`${result.images} images, ${result.imagesPerSecond.toFixed(2)} images/s`);
  terminal.clear();
  if (json === "-") terminal.say(lines.join("\n"));
  else stdout.write(`${lines.join("\n")}\n`);
  if (result.problems.length === 0) return;
  const masks = result.problems.reduce((sum, { indices }) => sum + indices.length, 0);
  throw new CommandError(
    `${result.problems.length} files could not be used, ${masks} masks were left out (named above and in the result): exit code ${EXIT.failed}`,
  );
}

function percent(share: number): string {
  return (share * 100).toFixed(2);
}
