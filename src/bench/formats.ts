// A report in other programs' terms: Markdown for issues, CSV for tables, Chrome's trace for a timeline.
import type { BenchReport, GraphReport, KernelReport } from "./report.ts";
import { difference, type Difference } from "./statistics.ts";

/** Three digits: `1234`, `12.3`, `0.0123`. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.max(0, Math.min(6, 2 - size)));
}

/** Milliseconds and up. */
export function time(ms: number): string {
  if (ms > 0 && ms < 1) return `${digits(ms * 1000)} µs`;
  return ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

export function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} %`;
}

const SCALES = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** `69.3 GFLOP`, `1.07 GB` */
export function amount(value: number, unit: string): string {
  const [size, letter] = SCALES.find(([size]) => value >= size) ?? [1, ""];
  return `${digits(value / size)} ${letter}${unit}`;
}

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

export function parityWords({ golden, checked, kernels, worst }: BenchReport["parity"]): string {
  const network = golden.map(({ name, maxAbsError }) => `${name} ${maxAbsError.toExponential(1)}`).join(", ");
  const against = network ? `Largest difference from PyTorch: ${network}. ` : "The weights have no known answer to compare with. ";
  const twins = `${checked} of ${kernels} distinct kernels checked against their CPU twins`;
  return `${against}${twins}${worst ? `, largest relative error ${worst.error.toExponential(1)} (${worst.label})` : ""}.`;
}

export function markdown(report: BenchReport): string {
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

export function csv({ encode, decode }: BenchReport): string {
  const cell = (value: string | number | null) => {
    const text = value === null ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = Object.entries({ encode, decode }).flatMap(([graph, { kernels }]) =>
    kernels.map((kernel) => [graph, ...COLUMNS.map(([, of]) => cell(of(kernel)))].join(",")),
  );
  return `${[["graph", ...COLUMNS.map(([title]) => title)].join(","), ...lines].join("\n")}\n`;
}

/** For chrome://tracing and Perfetto: medians laid behind each other, a row for each graph. */
export function chromeTrace({ encode, decode, adapter, model }: BenchReport): string {
  const events = Object.entries({ encode, decode }).flatMap(([name, { kernels }], thread) => {
    let at = 0;
    const spans = kernels.map(({ label, op, kernel, shape, workgroups, time, gflops, gbs }) => {
      const duration = time.median * 1000;
      const event = { name: label, cat: op, ph: "X", pid: 1, tid: thread + 1, ts: at, dur: duration, args: { kernel, shape, workgroups, gflops, gbs } };
      at += duration;
      return event;
    });
    return [{ name: "thread_name", ph: "M", pid: 1, tid: thread + 1, args: { name } }, ...spans];
  });
  const process = { name: "process_name", ph: "M", pid: 1, args: { name: `${model.name} on ${adapter.description}` } };
  return JSON.stringify({ displayTimeUnit: "ns", traceEvents: [process, ...events] });
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
