// One test file in this process; each test's outcome goes to whoever asked, as soon as it is known.
import { type File, startTests, type Task, type VitestRunner } from "@vitest/runner";
import { type Comparison, observeComparisons } from "../support/compare.ts";

/** What came of a test, and how near to its bound the nearest of its comparisons came. */
export interface Outcome {
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  readonly ms: number;
  /** Largest error over its bound, of all comparisons that were to hold. */
  readonly worst?: Comparison;
  readonly message?: string;
}

const CONFIG: VitestRunner["config"] = {
  root: "",
  setupFiles: [],
  name: undefined,
  passWithNoTests: false,
  testNamePattern: undefined,
  allowOnly: false,
  sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
  chaiConfig: undefined,
  maxConcurrency: 1,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  retry: 0,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
};

export async function runFile(file: string, load: () => Promise<unknown>, say: (outcome: Outcome) => void): Promise<void> {
  let compared: Comparison[] = [];
  observeComparisons((comparison) => compared.push(comparison));
  const runner: VitestRunner = {
    config: CONFIG,
    importFile: load,
    onBeforeRunTask: () => {
      compared = [];
    },
    onAfterRunTask: (test) => say(outcomeOf(file, test, compared)),
  };
  const [ran] = (await startTests([file], runner)) as [File];
  for (const task of allOf(ran)) {
    // Those that never began, and what went wrong around them.
    if (task.mode !== "run" && task.type === "test") say(outcomeOf(file, task, []));
    else if (task.type !== "test" && task.result?.errors) say(outcomeOf(file, task, []));
  }
}

function allOf(task: Task): Task[] {
  return [task, ...("tasks" in task ? task.tasks.flatMap(allOf) : [])];
}

function outcomeOf(file: string, task: Task, compared: readonly Comparison[]): Outcome {
  const { result } = task;
  const notHere = result?.errors?.every(({ name }) => name === "NotHere") === true && result.errors.length > 0;
  const state = result?.state === "pass" ? "passed" : result?.state === "fail" && !notHere ? "failed" : "skipped";
  // A test that passed may have shown that a bound can be missed.
  const held = compared.filter(({ error, bound }) => state === "failed" || error <= bound);
  const worst = held.reduce<Comparison | undefined>((most, one) => (most && ratio(most) >= ratio(one) ? most : one), undefined);
  const message = result?.errors?.map(({ message }) => message).join("; ");
  return { file, name: task.name, state, ms: result?.duration ?? 0, ...(worst ? { worst } : {}), ...(message ? { message: message.slice(0, 600) } : {}) };
}

const ratio = ({ error, bound }: Comparison) => (bound > 0 ? error / bound : error > 0 ? Number.POSITIVE_INFINITY : 0);
