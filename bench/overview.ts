// A report's figures: the device, end to end, stages.
import { clockWords, parityWords } from "../src/bench/formats.ts";
import { amount, digits, percent, time } from "../src/bench/numbers.ts";
import type { BenchReport, GraphReport } from "../src/bench/report.ts";
import { make, table } from "./dom.ts";

type Figure = readonly [term: string, value: string, className?: string];

function figures(list: readonly Figure[]): HTMLElement {
  return make(
    "dl",
    { className: "figures" },
    ...list.map(([term, value, className = ""]) => make("div", { className }, make("dt", {}, term), make("dd", {}, value))),
  );
}

function graphCard(title: string, { wall, gpu, coldMs, floorMs, modelledMs, dispatches, submits, flop, bytes }: GraphReport): HTMLElement {
  return make(
    "div",
    { className: "graph" },
    make("h3", {}, title),
    figures([
      ["median wait", time(wall.median), "lead"],
      ["GPU time", gpu ? time(gpu.median) : "no timestamps"],
      ["floor on these peaks", time(floorMs)],
      ...(modelledMs === undefined ? [] : [["modelled", time(modelledMs)] as const]),
      ["p95", time(wall.p95)],
      ["spread", percent(wall.spread)],
      ["first run", time(coldMs)],
      ["dispatches", String(dispatches)],
      ["submits", String(submits)],
      ["work", amount(flop, "FLOP")],
      ["traffic", amount(bytes, "B")],
    ]),
  );
}

export function showOverview(place: HTMLElement, report: BenchReport): void {
  const { adapter, environment, peaks, memory, stages, runs, timing, parity, encode, decode } = report;
  const limits = Object.entries(adapter.limits).map(([name, value]) => `${name} ${value}`);
  const stageRows = stages.map(({ name, coldMs, warm }) => [
    name,
    coldMs === null ? "–" : time(coldMs),
    warm ? time(warm.median) : "–",
    warm && warm.count > 1 ? time(warm.p95) : "–",
    warm && warm.count > 1 ? percent(warm.spread) : "–",
  ]);
  place.replaceChildren(
    make(
      "div",
      { className: "overview" },
      make("p", { className: "checks" }, make("span", { className: "faster" }, "✓"), make("span", {}, parityWords(parity))),
      make("div", { className: "pair" }, graphCard("Encode one image", encode), graphCard("Decode one box", decode)),
      figures([
        ["adapter", adapter.description],
        ["measured peak, f32", `${digits(peaks.gflops)} GFLOP/s`],
        ["measured bandwidth", `${digits(peaks.gbs)} GB/s`],
        ["weights on the GPU", amount(memory.weightBytes, "B")],
        ["activations", amount(memory.activationBytes, "B")],
        ["precision", report.precision],
        ["runs", String(runs)],
      ]),
      make(
        "p",
        { className: "soft" },
        `${clockWords(timing)} ${report.date.slice(0, 16).replace("T", " ")} UTC, ${environment.agent}, ${environment.platform}.`,
      ),
      make("div", { className: "wide" }, table(["stage", "first", "then", "p95", "spread"], stageRows)),
      make(
        "details",
        {},
        make("summary", {}, `${adapter.features.length} features, limits`),
        make("ul", {}, ...[...adapter.features, ...limits].map((text) => make("li", {}, text))),
      ),
    ),
  );
}
