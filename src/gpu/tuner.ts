// Which variants of the kernels are the fastest on the device at hand: timed on the model's own shapes and weights.
import type { Choice, Graph } from "../graph/graph.ts";
import type { Choices } from "../graph/target.ts";
import type { Gpu } from "./device.ts";
import type { Executor } from "./executor.ts";

export interface TuneOptions {
  /** The graph as it is recorded with these choices. */
  readonly record: (choices: Choices) => Graph;
  /** Choices made before: their keys are not timed again. */
  readonly known: Choices;
  /** The graph, compiled. */
  readonly compile: (graph: Graph) => Promise<Executor>;
  /** Told of each shape once it is decided. */
  readonly onTimed?: ((timed: Timed) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Shapes timed, of all that are to be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Milliseconds, half of them for compiling. Shapes it does not reach stay with the default and are timed another time. */
  readonly budgetMs?: number | undefined;
}

export interface Timed {
  readonly key: string;
  readonly chosen: string;
  /** Best time of one dispatch; those that were hopeless were timed once. */
  readonly candidates: readonly { readonly name: string; readonly ms: number }[];
}

const BUDGET_MS = 1600;
/** One timing is as many dispatches as take this long on the default variant: well above what a submit costs. */
const TIMING_MS = 4;
const MAX_REPEATS = 64;
const ROUNDS = 3;
/** A variant this much slower than the best one in the first round is out. */
const HOPELESS = 1.4;
/** A gain below this is noise. */
const WORTH_IT = 0.97;

/** `known`, and the fastest candidate for every other choice the graph offers, those with the most work first. */
export async function tune(gpu: Gpu, options: TuneOptions): Promise<Choices> {
  const { record, compile, known, signal, onProgress, onTimed, budgetMs = BUDGET_MS } = options;
  const open = openChoices(record(known), known);
  if (open.length === 0) return known;
  const most = Math.max(...open.map(({ candidates }) => candidates.length));
  // One recording for each rank: every shape takes its candidate of that rank.
  const begun = performance.now();
  const executors: (Executor | undefined)[] = [];
  try {
    for (let rank = 0; rank < most && performance.now() < begun + budgetMs / 2; rank++) {
      const graph = record({ ...known, ...Object.fromEntries(open.map(({ key, candidates }) => [key, candidates[rank] ?? (candidates[0] as string)])) });
      // A variant that the device refuses is out; what it makes of the default is met again when the model is made.
      executors.push(await compile(graph).catch(() => undefined));
      signal?.throwIfAborted();
    }
    if (!executors[0]) return known;
    // The pool grows with the first round and holds still in the second.
    for (const executor of [...executors, ...executors]) executor?.prepare();
    const chosen: Record<string, string> = { ...known };
    // Drivers keep what they compiled: the next load gets further.
    const ready = open.filter(({ candidates }) => candidates.length <= executors.length);
    for (const [done, choice] of ready.entries()) {
      onProgress?.(done, open.length);
      const times = await timesOf(gpu, executors.slice(0, choice.candidates.length), choice, begun + budgetMs, signal);
      if (!times) break;
      const fastest = times.indexOf(Math.min(...times));
      const name = choice.candidates[(times[fastest] as number) < WORTH_IT * (times[0] as number) ? fastest : 0] as string;
      chosen[choice.key] = name;
      onTimed?.({ key: choice.key, chosen: name, candidates: choice.candidates.map((name, rank) => ({ name, ms: times[rank] as number })) });
    }
    onProgress?.(open.length, open.length);
    return chosen;
  } finally {
    for (const executor of executors) executor?.dispose();
  }
}

/** Each choice that was not made yet, those with the most work first. */
function openChoices({ dispatches }: Graph, known: Choices): Choice[] {
  const flop = new Map<string, { choice: Choice; flop: number }>();
  for (const { choice, flop: own } of dispatches) {
    if (!choice || choice.key in known || choice.candidates.length < 2) continue;
    flop.set(choice.key, { choice, flop: own + (flop.get(choice.key)?.flop ?? 0) });
  }
  return [...flop.values()].sort((a, b) => b.flop - a.flop).map(({ choice }) => choice);
}

/** Milliseconds of each candidate, by rank; the executor of a rank has it recorded. Undefined when time is up. */
async function timesOf(
  gpu: Gpu,
  executors: readonly (Executor | undefined)[],
  { key }: Choice,
  deadline: number,
  signal?: AbortSignal,
): Promise<number[] | undefined> {
  const time = async (executor: Executor, repeats: number): Promise<number> => {
    signal?.throwIfAborted();
    const { dispatches } = executor.graph;
    const begin = dispatches.findIndex(({ choice }) => choice?.key === key);
    // A variant may take a second dispatch, which shares the first one's choice.
    const end = dispatches[begin + 1]?.choice === dispatches[begin]?.choice ? begin + 2 : begin + 1;
    const encoder = gpu.device.createCommandEncoder({ label: "tune" });
    const pass = encoder.beginComputePass({ label: key });
    for (let i = 0; i < repeats; i++) executor.encodeRange(pass, begin, end);
    pass.end();
    const started = performance.now();
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.device.queue.onSubmittedWorkDone();
    return performance.now() - started;
  };
  const [standard] = executors as [Executor, ...Executor[]];
  await time(standard, 1);
  const repeats = Math.max(1, Math.min(MAX_REPEATS, Math.ceil(TIMING_MS / (await time(standard, 1)))));
  const best = executors.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [rank, executor] of executors.entries()) {
      if (!executor) continue;
      if (round > 0 && (best[rank] as number) > HOPELESS * Math.min(...best)) continue;
      if (performance.now() > deadline) return undefined;
      best[rank] = Math.min(best[rank] as number, await time(executor, repeats));
    }
  }
  return best.map((ms) => ms / repeats);
}
