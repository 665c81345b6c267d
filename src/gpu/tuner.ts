// Which variants of the kernels are the fastest on the device at hand: timed on the model's own shapes and weights.
import type { Choice, Dispatch, Graph } from "../graph/graph.ts";
import type { Choices } from "../graph/target.ts";
import { type Gpu, issue } from "./device.ts";
import type { Executor } from "./executor.ts";
import { pipelineOf } from "./kernel.ts";
import type { ActivationPool } from "./pool.ts";
import { type Clock, precisionOf, race, warm } from "./race.ts";

export interface TuneOptions {
  /** The graph as it is recorded with these choices. */
  readonly record: (choices: Choices) => Graph;
  /** Choices made before: their keys are not timed again. */
  readonly known: Choices;
  /** The graph, compiled. */
  readonly compile: (graph: Graph) => Promise<Executor>;
  /** What the executors keep their activations in. */
  readonly pool: ActivationPool;
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
  /** Of one dispatch. */
  readonly candidates: readonly { readonly name: string; readonly ms: number }[];
  /** Whether every candidate was compiled in time: otherwise the choice is made again at the next load, which gets further. */
  readonly whole: boolean;
}

const BUDGET_MS = 1600;
const FILL_BYTES = 1 << 20;

/** `known`, and the fastest candidate for every other choice the graph offers, those with the most work first. */
export async function tune(gpu: Gpu, options: TuneOptions): Promise<Choices> {
  const { record, compile, known, pool, signal, onProgress, onTimed, budgetMs = BUDGET_MS } = options;
  const open = openChoices(record(known), known);
  if (open.length === 0 || budgetMs <= 0) return known;
  const begun = performance.now();
  const compiled = await compileAll(gpu, record, known, open, begun + budgetMs / 2, signal);
  const ready = open.map((choice) => ({ ...choice, ready: choice.candidates.filter((name) => compiled.has(`${choice.key} ${name}`)) }));
  // A choice without its default is met again when the model is made.
  const timeable = ready.filter(({ ready, candidates }) => ready.length > 1 && ready[0] === candidates[0]);
  const executors: Executor[] = [];
  const clock = (choice: { readonly key: string }): Clock => ({
    now: () => performance.now(),
    run: (rank, repeats) => run(gpu, executors[rank], choice.key, repeats, signal),
  });
  try {
    // One recording for each rank: every shape takes its candidate of that rank.
    const most = Math.max(0, ...timeable.map(({ ready }) => ready.length));
    for (let rank = 0; rank < most; rank++) {
      const names = timeable.map(({ key, ready }) => [key, ready[rank] ?? (ready[0] as string)]);
      executors.push(await compile(record({ ...known, ...Object.fromEntries(names) })));
    }
    // The pool grows with the first round and holds still in the second.
    for (const executor of [...executors, ...executors]) executor.prepare();
    const chosen: Record<string, string> = { ...known };
    const [first] = timeable;
    if (!first) return known;
    fill(gpu, pool);
    await warm(clock(first));
    const precision = await precisionOf(clock(first));
    for (const [done, choice] of timeable.entries()) {
      onProgress?.(done, open.length);
      fill(gpu, pool);
      // The first has more time, so that on the coarsest clock every load gets further.
      const won = await race(clock(choice), choice.ready.length, precision, begun + (done === 0 ? 2 : 1) * budgetMs);
      if (!won) break;
      const name = choice.ready[won.fastest] as string;
      chosen[choice.key] = name;
      const times = choice.ready.flatMap((candidate, rank) => (won.ms[rank] === undefined ? [] : [{ name: candidate, ms: won.ms[rank] as number }]));
      onTimed?.({ key: choice.key, chosen: name, candidates: times, whole: choice.ready.length === choice.candidates.length });
    }
    onProgress?.(open.length, open.length);
    return chosen;
  } finally {
    for (const executor of executors) executor.dispose();
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

/** Dispatches of a choice's kernel: a variant may take a second one, which shares the first one's choice. */
function spansOf({ dispatches }: Graph, key: string): { readonly begin: number; readonly end: number }[] {
  const begins = dispatches.flatMap(({ choice }, i) => (choice?.key === key && dispatches[i - 1]?.choice !== choice ? [i] : []));
  return begins.map((begin) => ({ begin, end: dispatches[begin + 1]?.choice === dispatches[begin]?.choice ? begin + 2 : begin + 1 }));
}

/** Compiles every variant at once, once a shader text, and gives `key name` of those that are ready in time. One that the device refuses never is. */
async function compileAll(
  gpu: Gpu,
  record: TuneOptions["record"],
  known: Choices,
  open: readonly Choice[],
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> {
  const ready = new Set<string>();
  const most = Math.max(...open.map(({ candidates }) => candidates.length));
  const pending: Promise<unknown>[] = [];
  for (let rank = 0; rank < most; rank++) {
    const graph = record({ ...known, ...Object.fromEntries(open.map(({ key, candidates }) => [key, candidates[rank] ?? (candidates[0] as string)])) });
    for (const { key, candidates } of open) {
      const name = candidates[rank];
      const [span] = spansOf(graph, key);
      if (name === undefined || !span) continue;
      const all = graph.dispatches.slice(span.begin, span.end).map((dispatch: Dispatch) => pipelineOf(gpu, dispatch));
      pending.push(
        Promise.all(all).then(
          () => ready.add(`${key} ${name}`),
          () => undefined,
        ),
      );
    }
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, deadline - performance.now()));
  });
  await Promise.race([Promise.all(pending), over]);
  clearTimeout(timer);
  signal?.throwIfAborted();
  return new Set(ready);
}

/** One submit of the kernel, block after block: repeats of a single one would find its weights in a cache that encode streams past. */
async function run(gpu: Gpu, executor: Executor | undefined, key: string, repeats: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  issue(gpu, () => {
    const encoder = gpu.device.createCommandEncoder({ label: "tune" });
    const pass = encoder.beginComputePass({ label: key });
    const spans = executor ? spansOf(executor.graph, key) : [];
    for (let i = 0; i < repeats; i++) {
      const span = spans[i % spans.length];
      if (span) executor?.encodeRange(pass, span.begin, span.end);
    }
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
  });
  await gpu.device.queue.onSubmittedWorkDone();
}

/** Activations that are no zeros, with which a GPU draws less power and runs faster. */
function fill(gpu: Gpu, pool: ActivationPool): void {
  const values = new Float32Array(FILL_BYTES / 4);
  for (let i = 0, state = 1; i < values.length; i++) {
    state = Math.imul(state, 1664525) + 1013904223;
    values[i] = state / 2 ** 31;
  }
  issue(gpu, () => {
    for (const buffer of pool.buffers) {
      for (let begin = 0; begin < buffer.size; begin += FILL_BYTES) {
        gpu.device.queue.writeBuffer(buffer, begin, values, 0, Math.min(FILL_BYTES, buffer.size - begin) / 4);
      }
    }
  });
}
