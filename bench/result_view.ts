// Everything a report shows, and the earlier run it is compared with.
import { compare } from "../src/bench/formats.ts";
import type { BenchReport } from "../src/bench/report.ts";
import { button, byId } from "./dom.ts";
import { showExports } from "./exports.ts";
import { differenceWords, KernelTable } from "./kernels.ts";
import { showOverview } from "./overview.ts";
import { opColours, showLegend, showRoofline } from "./roofline.ts";

const GRAPHS = ["encode", "decode"] as const;
type GraphName = (typeof GRAPHS)[number];

export class ResultView {
  #report: BenchReport | undefined;
  #before: BenchReport | undefined;
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

  /** A run just measured, or a saved one where there is none; a saved one beside a run is what it is compared with. */
  show(report: BenchReport): void {
    this.#report = report;
    this.#draw();
  }

  open(saved: BenchReport): void {
    if (this.#report && this.#report !== this.#before) this.#before = saved;
    else this.#report = saved;
    this.#draw();
    this.#place.scrollIntoView();
    this.#place.focus({ preventScroll: true });
  }

  #draw(): void {
    const report = this.#report;
    if (!report) return;
    this.#place.hidden = false;
    byId("result-title", HTMLElement).textContent = `${report.model.name}, ${report.precision}, ${report.model.weights}`;
    byId("saved-hint", HTMLElement).textContent = "Open an earlier run to compare it with the one above.";
    showExports(byId("exports", HTMLElement), report);
    showOverview(byId("overview", HTMLElement), report);
    const compared = byId("compared", HTMLElement);
    compared.hidden = this.#before === undefined;
    if (this.#before) {
      const { encode, decode, caveats } = compare(this.#before, report);
      const caution = caveats.length > 0 ? ` Not the same thing: ${caveats.join(", ")}.` : "";
      const when = this.#before.date.slice(0, 16).replace("T", " ");
      compared.textContent = `Against the run of ${when} UTC: encode ${differenceWords(encode)}; decode ${differenceWords(decode)}.${caution}`;
    }
    this.#drawGraph();
  }

  #drawGraph(): void {
    const report = this.#report;
    if (!report) return;
    for (const [graph, choose] of this.#buttons) choose.setAttribute("aria-pressed", String(graph === this.#graph));
    const comparison = this.#before && compare(this.#before, report);
    this.#table.show(report[this.#graph].kernels, this.#graph, comparison);
    this.#drawPlot();
  }

  #drawPlot(): void {
    const report = this.#report;
    if (!report) return;
    const { kernels } = report[this.#graph];
    const colours = opColours(kernels);
    showLegend(byId("legend", HTMLElement), colours);
    showRoofline(this.#plot, kernels, report.peaks, colours);
  }
}
