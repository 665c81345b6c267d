// A report in other programs' terms: Markdown for issues, CSV for tables, Chrome's trace for a timeline.
import { type BenchReport, type GraphReport, type KernelReport, runsOf } from "./report.ts";
import { amount, digits, percent, time } from "./numbers.ts";
import { sideBySide, tuningTable } from "./side_by_side.ts";
import { difference, type Difference } from "./statistics.ts";

/** What the clock is, in one sentence. */
export function clockWords({ method, quantumUs, quantised, submitMs }: BenchReport["timing"]): string {
  if (method === "wall") {
    return `Wall clock from submit to done, less ${time(submitMs)} of an empty submit; clock step ${digits(quantumUs)} µs. This is not GPU time.`;
  }
  const step = `${digits(quantumUs)} µs`;
  return quantised
    ? `GPU timestamps rounded to ${step}; shorter dispatches are repeated past it. WebGPU developer features in the browser's settings give finer ones.`
    : `GPU timestamps, not rounded (smallest step seen ${step}); short dispatches are repeated.`;
}

export function parityWords({ golden, checked, kernels, worst, maskIou, tolerance }: BenchReport["parity"]): string {
  const network = golden.map(({ name, maxAbsError }) => `${name} ${maxAbsError.toExponential(1)}`).join(", ");
  const against = network ? `Largest difference from PyTorch: ${network}. ` : "The weights have no known answer to compare with. ";
  const twins = `${checked} of ${kernels} distinct kernels checked against their CPU twins${worst ? `, largest relative error ${worst.error.toExponential(1)} (${worst.label})` : ""}.`;
  const overlap = maskIou === undefined ? "" : ` Masks overlap with those of f32 by ${maskIou.toFixed(4)} at least.`;
  const beyond = worst && worst.error > tolerance ? ` That is more than the ${tolerance.toExponential(0)} of rounding expected.` : "";
  return `${against}${twins}${beyond}${overlap}`;
}

/** A run and those beside it: the table of all first, then each. */
export function markdown(report: BenchReport): string {
  const runs = runsOf(report);
  const single = runs.map(markdownOf);
  return runs.length > 1 ? [sideBySideMarkdown(runs), ...single].join("\n") : single.join("\n");
}

function sideBySideMarkdown(runs: readonly BenchReport[]): string {
  const [head, ...rows] = sideBySide(runs).map(
    ({ title, cells }) => `| ${[title, ...cells.map(({ text, change }) => (change ? `${text} (${change})` : text))].join(" | ")} |`,
  );
  return [
    head,
    `| ${Array(runs.length + 1)
      .fill("---")
      .join(" | ")} |`,
    ...rows,
    "",
  ].join("\n");
}

function tuningLines(tuning: NonNullable<BenchReport["tuning"]>): string[] {
  const { head, rows } = tuningTable(tuning);
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).concat("");
}

function markdownOf(report: BenchReport): string {
  const { adapter, environment, model, encode, decode, memory, peaks } = report;
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  const graphRow = (name: string, graph: GraphReport) =>
    row([
      name,
      graph.dispatches,
      graph.submits,
      amount(graph.flop, "FLOP"),
      time(graph.medianMs),
      time(graph.wall.p95),
      graph.gpu ? time(graph.gpu.median) : "–",
      time(graph.floorMs),
    ]);
  const kernelRow = ({ label, op, shape, time: t, share, gflops, gbs, ofGflops, ofGbs }: KernelReport) =>
    row([`\`${label}\``, op, shape, time(t.median), time(t.p95), percent(share), digits(gflops), digits(gbs), percent(ofGflops), percent(ofGbs)]);
  const slowest = [...encode.kernels, ...decode.kernels].sort((a, b) => b.time.median - a.time.median).slice(0, 12);
  return [
    `### ${model.name}, ${report.precision}, on ${adapter.description}`,
    "",
    `${report.date.slice(0, 10)}, sam-med2d-webgpu ${report.package}, ${environment.agent}, ${environment.platform}. ${report.runs} runs. ${clockWords(report.timing)}`,
    `Measured peaks: ${digits(peaks.gflops)} GFLOP/s, ${digits(peaks.gbs)} GB/s. Weights ${amount(memory.weightBytes, "B")}, activations ${amount(memory.activationBytes, "B")}. ${parityWords(report.parity)}`,
    "",
    row(["", "dispatches", "submits", "work", "median", "p95", "GPU time", "floor"]),
    row(Array(8).fill("---")),
    graphRow("encode", encode),
    graphRow("decode, one box", decode),
    "",
    row(["slowest dispatches", "op", "shape", "median", "p95", "share of its graph", "GFLOP/s", "GB/s", "of peak FLOP", "of peak bytes"]),
    row(Array(10).fill("---")),
    ...slowest.map(kernelRow),
    "",
    ...(report.tuning ? tuningLines(report.tuning) : []),
  ].join("\n");
}

const COLUMNS: readonly [title: string, of: (kernel: KernelReport) => string | number | null][] = [
  ["index", ({ index }) => index],
  ["label", ({ label }) => label],
  ["op", ({ op }) => op],
  ["kernel", ({ kernel }) => kernel],
  ["constants", ({ constants }) => constants],
  ["shape", ({ shape }) => shape],
  ["workgroups", ({ workgroups }) => workgroups],
  ["flop", ({ flop }) => flop],
  ["bytes", ({ bytes }) => bytes],
  ["median_ms", ({ time }) => time.median],
  ["p95_ms", ({ time }) => time.p95],
  ["spread", ({ time }) => time.spread],
  ["repeats", ({ repeats }) => repeats],
  ["share", ({ share }) => share],
  ["gflops", ({ gflops }) => gflops],
  ["gbs", ({ gbs }) => gbs],
  ["of_peak_gflops", ({ ofGflops }) => ofGflops],
  ["of_peak_gbs", ({ ofGbs }) => ofGbs],
  ["parity_error", ({ parity }) => parity],
];

/** One row a dispatch, of the run and of those beside it. */
export function csv(report: BenchReport): string {
  const cell = (value: string | number | null) => {
    const text = value === null ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = runsOf(report).flatMap(({ precision, encode, decode }) =>
    Object.entries({ encode, decode }).flatMap(([graph, { kernels }]) =>
      kernels.map((kernel) => [graph, ...COLUMNS.map(([, of]) => cell(of(kernel))), precision].join(",")),
    ),
  );
  return `${[["graph", ...COLUMNS.map(([title]) => title), "precision"].join(","), ...lines].join("\n")}\n`;
}

/** For chrome://tracing and Perfetto: medians laid behind each other, a row for each graph, a process for each run. */
export function chromeTrace(report: BenchReport): string {
  const events = runsOf(report).flatMap(({ encode, decode, adapter, model, precision }, run) => {
    const pid = run + 1;
    const rows = Object.entries({ encode, decode }).flatMap(([name, { kernels }], thread) => {
      let at = 0;
      const spans = kernels.map(({ label, op, kernel, shape, workgroups, time, gflops, gbs }) => {
        const duration = time.median * 1000;
        const event = { name: label, cat: op, ph: "X", pid, tid: thread + 1, ts: at, dur: duration, args: { kernel, shape, workgroups, gflops, gbs } };
        at += duration;
        return event;
      });
      return [{ name: "thread_name", ph: "M", pid, tid: thread + 1, args: { name } }, ...spans];
    });
    return [{ name: "process_name", ph: "M", pid, args: { name: `${model.name}, ${precision}, on ${adapter.description}` } }, ...rows];
  });
  return JSON.stringify({ displayTimeUnit: "ns", traceEvents: events });
}

export interface Comparison {
  readonly encode: Difference;
  readonly decode: Difference;
  /** Why the two are not of the same thing, if they are not. */
  readonly caveats: readonly string[];
  /** By graph and index; only where both have the same dispatch there. */
  readonly kernels: ReadonlyMap<string, Difference>;
}

export function compare(before: BenchReport, now: BenchReport): Comparison {
  const facts: readonly [string, (report: BenchReport) => string][] = [
    ["adapter", ({ adapter }) => adapter.description],
    ["model", ({ model }) => model.name],
    ["precision", ({ precision }) => precision],
    ["browser", ({ environment }) => environment.agent],
    ["clock", ({ timing }) => timing.method],
  ];
  const kernels = new Map<string, Difference>();
  for (const graph of ["encode", "decode"] as const) {
    const earlier = new Map(before[graph].kernels.map((kernel) => [`${kernel.label} ${kernel.op}`, kernel]));
    for (const kernel of now[graph].kernels) {
      const match = earlier.get(`${kernel.label} ${kernel.op}`);
      if (match && match.shape === kernel.shape) kernels.set(`${graph} ${kernel.index}`, difference(match.time, kernel.time));
    }
  }
  return {
    encode: difference(before.encode.wall, now.encode.wall),
    decode: difference(before.decode.wall, now.decode.wall),
    caveats: facts.filter(([, of]) => of(before) !== of(now)).map(([name, of]) => `other ${name} (${of(before)})`),
    kernels,
  };
}
