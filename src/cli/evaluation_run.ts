// One evaluation: image after image, with a journal to go on from.
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { baselinesOf } from "../eval/baselines.ts";
import { byImage, shard } from "../eval/dataset.ts";
import type { Picture } from "../eval/html.ts";
import type { Mode } from "../eval/modes.ts";
import { baseName, namesOf } from "../eval/names.ts";
import { formatPromptFile, liesOnMask } from "../eval/prompt_file.ts";
import type { FirstPrompts } from "../eval/prompts.ts";
import { type Answer, evaluateImage } from "../eval/protocol.ts";
import type { CaseResult, Evaluation, Notice, Problem, Run, Settings } from "../eval/results.ts";
import { frame } from "../image/image.ts";
import type { Segmenter } from "../index.ts";
import type { EvaluateOptions } from "./evaluate.ts";
import { type Dataset, loadImage, savedNames, savedPath } from "./evaluation_files.ts";
import { Journal, type JournalEntry, journalOf } from "./evaluation_journal.ts";
import { drawCase } from "./evaluation_pictures.ts";
import { maskPng } from "./image_file.ts";
import { writeAll } from "./outputs.ts";
import { signed } from "./own_mask.ts";
import { oneLine } from "./printable.ts";
import { type Terminal, workProgress } from "./terminal.ts";
import { Interrupted } from "./usage.ts";

/** A run: images of the shard, one after another, those of an earlier run's journal skipped. */
export class Work {
  #first: readonly (readonly [string, FirstPrompts])[] = [];
  #journal: Journal | undefined;
  private readonly saved: ReadonlyMap<string, string>;

  constructor(
    private readonly model: Segmenter,
    private readonly dataset: Dataset,
    private readonly settings: Settings,
    private readonly options: EvaluateOptions,
    private readonly fixed: ReadonlyMap<string, FirstPrompts> | undefined,
    private readonly terminal: Terminal,
    private readonly signal: AbortSignal,
  ) {
    this.saved = savedNames(dataset.entries);
  }

  async all(): Promise<Run> {
    const { dataset, options, settings, terminal } = this;
    const { index, count } = options.shard;
    const images = shard(byImage(dataset.entries), index, count);
    const file = await journalOf(options.json);
    const journal = await Journal.open(file, settings, `${index + 1}/${count}`);
    this.#journal = journal;
    const done = new Map<string, JournalEntry>();
    for (const entry of journal.before) if (await this.#isComplete(entry)) done.set(entry.image, entry);
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
        for (const { file, message } of [...entry.notices, ...entry.problems]) terminal.say(`sam-med2d: ${oneLine(`${file}: ${message}`)}`);
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
      notices: entries.flatMap(({ notices }) => notices),
      images: entries.filter(({ encoded }) => encoded).length,
      seconds: entries.reduce((sum, { seconds }) => sum + seconds, 0),
    };
  }

  /** Whether an earlier run left all that this one is asked for. */
  async #isComplete({ cases }: JournalEntry): Promise<boolean> {
    const { baselines, saveMasks } = this.options;
    if (baselines && cases.some((one) => !one.baselines)) return false;
    if (saveMasks === undefined) return true;
    const paths = cases.flatMap(({ mask, scores }) => Object.keys(scores).map((mode) => savedPath(saveMasks, mode as Mode, this.saved.get(mask) as string)));
    const found = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
    return found.every((file) => file !== undefined);
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
      const first = this.fixed?.get(entry.mask);
      return { name, truth, ...(first ? { first } : {}) };
    });
    const { input } = this.model;
    // The published protocol's padding is how SAM-Med2D was trained; others were evaluated as they are used.
    const fit = input.name === "sam-med2d" ? "pad" : input.fit;
    return evaluateImage(this.model, image, named, { modes, seed, channelOrder, fit, signal: this.signal });
  }

  async #image({ entry, image, targets, problems, notices }: Awaited<ReturnType<typeof loadImage>>): Promise<JournalEntry> {
    if (!image || targets.length === 0) return { image: entry.image, cases: [], problems, notices, first: [], encoded: false, seconds: 0 };
    const start = performance.now();
    const results = await this.#evaluate(image, targets);
    const seconds = (performance.now() - start) / 1000;
    const cases: CaseResult[] = [];
    const vanished: Problem[] = [];
    const first: [string, FirstPrompts][] = [];
    const beside: Notice[] = [];
    const { imageSize: size } = this.model.config;
    const framing = frame(image.width, image.height, size, "pad");
    for (const [i, { entry: target, truth }] of targets.entries()) {
      const result = results[i];
      if (!result) {
        vanished.push({ file: target.mask, message: `the mask vanishes at ${size}×${size}`, indices: [target.index] });
        continue;
      }
      first.push([target.mask, result.first]);
      if (this.fixed && truth && !liesOnMask(result.first, truth, framing)) beside.push({ file: target.mask, message: besideWords(size) });
      const scores = Object.fromEntries([...result.answers].map(([mode, { mask: _, prompt: __, ...score }]) => [mode, score]));
      const baselines = this.options.baselines && truth ? { baselines: baselinesOf(result.first, truth, framing) } : {};
      cases.push({ index: target.index, mask: target.mask, image: entry.image, ...namesOf(target.mask, entry.image), scores, ...baselines });
      await this.#saveMasks(target.mask, result.answers);
    }
    return { image: entry.image, cases, problems: [...problems, ...vanished], notices: [...notices, ...beside], first, encoded: true, seconds };
  }

  async #saveMasks(mask: string, answers: ReadonlyMap<Mode, Answer>): Promise<void> {
    const { saveMasks } = this.options;
    if (!saveMasks) return;
    for (const [mode, answer] of answers) {
      const path = savedPath(saveMasks, mode, this.saved.get(mask) as string);
      await mkdir(dirname(path), { recursive: true });
      await writeAll(new Map([[path, signed(await maskPng(answer.mask))]]));
    }
  }

  #progress(done: number, all: number, elapsed: number): void {
    this.terminal.progress(workProgress("Evaluating", done, all, "images", elapsed));
  }
}

function besideWords(size: number): string {
  return `its first prompt in the prompt file does not lie on the mask: are its pixels those of the network's square of ${size}×${size}, in which a smaller image is centred and others are stretched?`;
}
