// Several runs as one table: a column a run, each figure with its difference from the first beyond the noise.
import { amount, percent, time } from "./numbers.ts";
import { type BenchReport, type GraphReport, type KernelReport, runsOf } from "./report.ts";
import { difference, type Difference, type Summary } from "./statistics.ts";

export interface Cell {
  readonly text: string;
  /** From the first run: `−42 %`; absent in the first column and where nothing is compared. */
  readonly change?: string;
  readonly verdict?: Difference["verdict"];
}

export interface Row {
  readonly title: string;
  readonly cells: readonly Cell[];
}

/** Of dispatches behind each other: the sum of the medians, and of what each may be off by. */
export function sumOf(kernels: readonly Pick<KernelReport, "time">[]): Summary {
  const sum = (of: (time: Summary) => number) => kernels.reduce((total, { time }) => total + of(time), 0);
  const median = sum((t) => t.median);
  return {
    median,
    p95: sum((t) => t.p95),
    min: sum((t) => t.min),
    max: sum((t) => t.max),
    spread: median > 0 ? sum((t) => t.median * t.spread) / median : 0,
    count: Math.min(...kernels.map(({ time }) => time.count)),
  };
}

function changeWords({ relative, verdict }: Difference): string {
  return verdict === "same" ? "same" : `${relative >= 0 ? "+" : "−"}${percent(Math.abs(relative))}`;
}

/** The first row is the heads: how each run is called. */
export function sideBySide(given: readonly BenchReport[]): Row[] {
  const runs = given.flatMap(runsOf);
  const timeRow = (title: string, of: (run: BenchReport) => Summary | null): Row => {
    const summaries = runs.map(of);
    const [first] = summaries;
    const cells = summaries.map((summary, i): Cell => {
      if (!summary) return { text: "–" };
      if (i === 0 || !first) return { text: time(summary.median) };
      const found = difference(first, summary);
      return { text: time(summary.median), change: changeWords(found), verdict: found.verdict };
    });
    return { title, cells };
  };
  const plain = (title: string, of: (run: BenchReport) => string): Row => ({ title, cells: runs.map((run) => ({ text: of(run) })) });
  const graphs = (["encode", "decode"] as const).flatMap((graph): Row[] => {
    const counts = ({ dispatches, submits }: GraphReport) => `${dispatches} in ${submits}`;
    const ops = [...new Set(runs.flatMap((run) => run[graph].kernels.map(({ op }) => op)))];
    const ofOp = (op: string) => (run: BenchReport) => {
      const kernels = run[graph].kernels.filter((kernel) => kernel.op === op);
      return kernels.length > 0 ? sumOf(kernels) : null;
    };
    return [
      timeRow(`${graph}, median wait`, (run) => run[graph].wall),
      timeRow(`${graph}, GPU time`, (run) => run[graph].gpu),
      plain(`${graph}, dispatches in submits`, (run) => counts(run[graph])),
      ...ops.map((op) => timeRow(`${graph}, all ${op}`, ofOp(op))),
    ];
  });
  return [
    { title: "", cells: runNames(runs).map((text) => ({ text })) },
    ...graphs,
    plain("weights on the GPU", ({ memory }) => amount(memory.weightBytes, "B")),
    plain("activations", ({ memory }) => amount(memory.activationBytes, "B")),
    plain("embedding from PyTorch’s", ({ parity }) => parity.golden.find(({ name }) => name === "embedding")?.maxAbsError.toExponential(1) ?? "–"),
    plain("masks’ overlap with f32", ({ parity }) => parity.maskIou?.toFixed(4) ?? "–"),
  ];
}

/** What tells the runs apart: the precision, and the adapter, network or time where those differ. */
export function runNames(runs: readonly BenchReport[]): string[] {
  const differs = (of: (run: BenchReport) => string) => new Set(runs.map(of)).size > 1;
  const parts: ((run: BenchReport) => string)[] = [({ precision }) => precision];
  for (const of of [({ adapter }: BenchReport) => adapter.description, ({ model }: BenchReport) => model.name]) if (differs(of)) parts.push(of);
  const name = (run: BenchReport) => parts.map((of) => of(run)).join(", ");
  if (new Set(runs.map(name)).size < runs.length) parts.push(({ date }) => date.slice(0, 19).replace("T", " "));
  return runs.map(name);
}

/** The tuner's candidates: a row a shape, a column a candidate, the one in use marked. */
export function tuningTable(tuning: NonNullable<BenchReport["tuning"]>): { head: string[]; rows: string[][] } {
  const names = [...new Set(tuning.flatMap(({ candidates }) => candidates.map(({ name }) => name)))];
  const rows = tuning.map(({ shape, chosen, candidates }) => {
    const cell = (name: string) => {
      const found = candidates.find((candidate) => candidate.name === name);
      return found ? `${name === chosen ? "✓ " : ""}${time(found.ms)}` : "–";
    };
    return [shape, ...names.map(cell)];
  });
  return { head: ["product", ...names], rows };
}
