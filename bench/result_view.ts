// Everything a report shows, the other runs beside it, and the one it is compared with.
import { compare } from "../src/bench/formats.ts";
import { type BenchReport, runsOf, together } from "../src/bench/report.ts";
import { tuningTable } from "../src/bench/side_by_side.ts";
import { button, byId, table } from "./dom.ts";
import { showExports } from "./exports.ts";
import { differenceWords, KernelTable } from "./kernels.ts";
import { showOverview } from "./overview.ts";
import { opColours, showLegend, showRoofline } from "./roofline.ts";
import { Runs, showRuns } from "./runs.ts";

const GRAPHS = ["encode", "decode"] as const;
type GraphName = (typeof GRAPHS)[number];

export class ResultView {
  readonly #runs = new Runs();
  #graph: GraphName = "encode";
  readonly #place = byId("results", HTMLElement);
  readonly #plot = byId("roofline", HTMLElement);
  readonly #table = new KernelTable(byId("kernels", HTMLElement));
  readonly #buttons = new Map<GraphName, HTMLButtonElement>();

  constructor() {
    for (const graph of GRAPHS) {
      const choose = button(graph === "encode" ? "Encode" : "Decode", () => {
        this.#graph = graph;
        this.#drawGraph();
      });
      this.#buttons.set(graph, choose);
    }
    byId("graph", HTMLElement).replaceChildren(...this.#buttons.values());
    const filter = byId("filter", HTMLInputElement);
    filter.addEventListener("input", () => this.#table.filter(filter.value));
    let width = 0;
    new ResizeObserver(([entry]) => {
      const now = Math.round(entry?.contentRect.width ?? 0);
      // The plot's own height follows its width: only another width is news.
      if (now === width) return;
      width = now;
      this.#drawPlot();
    }).observe(this.#plot);
  }

  /** A run just measured, with others of its session beside it. */
  show(report: BenchReport): void {
    const { shown } = this.#runs;
    const [first] = this.#runs.add(runsOf(report), false);
    // A saved run that was opened first is what the new one is compared with.
    if (shown?.saved) this.#runs.before = shown;
    this.#runs.shown = first;
    this.#draw();
  }

  /** A saved run: shown where there is none, else what the shown one is compared with. */
  open(saved: BenchReport): void {
    const [first] = this.#runs.add(runsOf(saved), true);
    if (this.#runs.shown) this.#runs.before = first;
    else this.#runs.shown = first;
    this.#draw();
    this.#place.scrollIntoView();
    this.#place.focus({ preventScroll: true });
  }

  #draw(): void {
    const report = this.#runs.shown?.report;
    const before = this.#runs.before?.report;
    if (!report) return;
    this.#place.hidden = false;
    byId("result-title", HTMLElement).textContent = `${report.model.name}, ${report.precision}, ${report.model.weights}`;
    byId("saved-hint", HTMLElement).textContent = "Open an earlier run to compare it with the one above.";
    showExports(byId("exports", HTMLElement), together(this.#runs.session ?? [report]));
    const several = this.#runs.list.length > 1;
    byId("runs-section", HTMLElement).hidden = !several;
    if (several) showRuns(byId("side-by-side", HTMLElement), this.#runs, () => this.#draw());
    this.#drawTuning(report);
    showOverview(byId("overview", HTMLElement), report);
    const compared = byId("compared", HTMLElement);
    compared.hidden = before === undefined;
    if (before) {
      const { encode, decode, caveats } = compare(before, report);
      const caution = caveats.length > 0 ? ` Not the same thing: ${caveats.join(", ")}.` : "";
      const when = before.date.slice(0, 16).replace("T", " ");
      compared.textContent = `Against the run of ${when} UTC: encode ${differenceWords(encode)}; decode ${differenceWords(decode)}.${caution}`;
    }
    this.#drawGraph();
  }

  #drawTuning({ tuning }: BenchReport): void {
    byId("tuning-section", HTMLElement).hidden = !tuning;
    if (!tuning) return;
    const { head, rows } = tuningTable(tuning);
    byId("tuning", HTMLElement).replaceChildren(table(head, rows));
  }

  #drawGraph(): void {
    const report = this.#runs.shown?.report;
    const before = this.#runs.before?.report;
    if (!report) return;
    for (const [graph, choose] of this.#buttons) choose.setAttribute("aria-pressed", String(graph === this.#graph));
    const comparison = before && compare(before, report);
    this.#table.show(report[this.#graph].kernels, this.#graph, comparison);
    this.#drawPlot();
  }

  #drawPlot(): void {
    const report = this.#runs.shown?.report;
    if (!report) return;
    const { kernels } = report[this.#graph];
    const colours = opColours(kernels);
    showLegend(byId("legend", HTMLElement), colours);
    showRoofline(this.#plot, kernels, report.peaks, colours);
  }
}
