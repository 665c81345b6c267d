// The table of dispatches: sorted by any column, filtered by words.
import type { Comparison } from "../src/bench/formats.ts";
import { digits, percent, time } from "../src/bench/numbers.ts";
import type { KernelReport } from "../src/bench/report.ts";
import type { Difference } from "../src/bench/statistics.ts";
import { button, type Content, make } from "./dom.ts";

interface Column {
  readonly title: string;
  readonly text?: boolean;
  readonly sort: (kernel: KernelReport) => number | string;
  readonly show: (kernel: KernelReport) => Content;
  readonly className?: string;
}

function bar(share: number): HTMLElement {
  const element = make("span", { className: "bar" });
  element.style.setProperty("--part", `${(100 * Math.min(1, share)).toFixed(1)}%`);
  return element;
}

const COLUMNS: readonly Column[] = [
  { title: "Stage", text: true, sort: ({ index }) => index, show: ({ label }) => make("span", { dir: "ltr" }, label) },
  { title: "Op", text: true, sort: ({ op }) => op, show: ({ op }) => op },
  { title: "Shape", text: true, className: "text shape", sort: ({ shape }) => shape, show: ({ shape }) => shape },
  { title: "Workgroups", text: true, className: "text shape", sort: ({ workgroups }) => workgroups, show: ({ workgroups }) => workgroups },
  { title: "Median", sort: ({ time }) => time.median, show: ({ time: t }) => time(t.median) },
  {
    title: "Parity",
    sort: ({ parity }) => parity ?? -1,
    show: ({ parity }) => (parity === null ? "not checked" : make("span", {}, make("span", { className: "faster" }, "✓ "), parity.toExponential(0))),
  },
  { title: "p95", sort: ({ time }) => time.p95, show: ({ time: t }) => time(t.p95) },
  { title: "Spread", sort: ({ time }) => time.spread, show: ({ time: t }) => percent(t.spread) },
  {
    title: "Share",
    sort: ({ share }) => share,
    show: ({ share }) => make("span", {}, percent(share), bar(share * 5)),
  },
  { title: "GFLOP/s", sort: ({ gflops }) => gflops, show: ({ gflops }) => digits(gflops) },
  { title: "GB/s", sort: ({ gbs }) => gbs, show: ({ gbs }) => digits(gbs) },
  { title: "of peak FLOP", sort: ({ ofGflops }) => ofGflops, show: ({ ofGflops }) => percent(ofGflops) },
  { title: "of peak bytes", sort: ({ ofGbs }) => ofGbs, show: ({ ofGbs }) => percent(ofGbs) },
  {
    title: "of floor",
    sort: ({ ofFloor }) => ofFloor,
    show: ({ ofFloor }) => make("span", {}, percent(ofFloor), bar(ofFloor)),
  },
  { title: "Kernel", text: true, className: "text shape", sort: ({ kernel }) => kernel, show: ({ kernel, constants }) => `${kernel} ${constants}` },
];

/** Beside the median, where the device has a model: which of the two is wrong is told by their ratio. */
const MODEL: readonly Column[] = [
  {
    title: "Modelled",
    sort: ({ modelled }) => modelled?.us ?? -1,
    show: ({ modelled, time: t }) => modelled && make("span", {}, time(modelled.us / 1e3), bar(modelled.us / 1e3 / t.median)),
  },
  { title: "Fill", sort: ({ modelled }) => modelled?.fill ?? -1, show: ({ modelled }) => modelled && percent(modelled.fill) },
  { title: "Limit", text: true, sort: ({ modelled }) => modelled?.limit ?? "", show: ({ modelled }) => modelled?.limit },
];

export function differenceWords({ relative, noise, verdict }: Difference): string {
  const change = `${relative >= 0 ? "+" : "−"}${percent(Math.abs(relative))}`;
  return verdict === "same" ? `${change}, within the noise of ${percent(noise)}` : `${change}, ${verdict}`;
}

export class KernelTable {
  #sorted = 0;
  #descending = false;
  #kernels: readonly KernelReport[] = [];
  #differences: ((kernel: KernelReport) => Difference | undefined) | undefined;
  #filter = "";

  constructor(private readonly place: HTMLElement) {}

  show(kernels: readonly KernelReport[], graph: "encode" | "decode", comparison: Comparison | undefined): void {
    this.#kernels = kernels;
    this.#differences = comparison && ((kernel) => comparison.kernels.get(`${graph} ${kernel.index}`));
    this.#draw();
  }

  filter(words: string): void {
    this.#filter = words.trim().toLowerCase();
    this.#draw();
  }

  get #columns(): readonly Column[] {
    const differences = this.#differences;
    const model = this.#kernels.some(({ modelled }) => modelled) ? MODEL : [];
    const all = [...COLUMNS.slice(0, 5), ...model, ...COLUMNS.slice(5)];
    if (!differences) return all;
    const change: Column = {
      title: "Change",
      sort: (kernel) => differences(kernel)?.relative ?? 0,
      show: (kernel) => {
        const found = differences(kernel);
        return found ? make("span", { className: found.verdict }, differenceWords(found)) : "not in the saved run";
      },
    };
    return [...all.slice(0, 5), change, ...all.slice(5)];
  }

  #draw(): void {
    const columns = this.#columns;
    const by = columns[this.#sorted] ?? (COLUMNS[0] as Column);
    const wanted = this.#kernels.filter(({ label, op, kernel }) => `${label} ${op} ${kernel}`.toLowerCase().includes(this.#filter));
    const sign = this.#descending ? -1 : 1;
    const rows = [...wanted].sort((a, b) => {
      const [left, right] = [by.sort(a), by.sort(b)];
      return sign * (typeof left === "string" ? left.localeCompare(String(right), "en", { numeric: true }) : left - Number(right));
    });
    const scrolled = [this.place.scrollLeft, this.place.scrollTop] as const;
    const focused = this.place.contains(document.activeElement);
    this.place.replaceChildren(
      make(
        "table",
        {},
        make("thead", {}, make("tr", {}, ...columns.map((column, i) => this.#heading(column, i)))),
        make("tbody", {}, ...rows.map((kernel) => make("tr", {}, ...columns.map((column, i) => cell(column, kernel, i === 0))))),
      ),
    );
    this.place.scrollTo(...scrolled);
    if (focused) this.place.querySelectorAll("thead button")[this.#sorted]?.dispatchEvent(new CustomEvent("refocus"));
  }

  #heading({ title, text }: Column, index: number): HTMLElement {
    const heading = make("th", { scope: "col", className: text ? "text" : "" });
    const sort = button(title, () => {
      // Numbers are looked at from the largest down.
      this.#descending = this.#sorted === index ? !this.#descending : !text;
      this.#sorted = index;
      this.#draw();
    });
    sort.addEventListener("refocus", () => sort.focus());
    if (index === this.#sorted) heading.setAttribute("aria-sort", this.#descending ? "descending" : "ascending");
    heading.append(sort);
    return heading;
  }
}

function cell({ show, text, className }: Column, kernel: KernelReport, first: boolean): HTMLElement {
  if (first) return make("th", { scope: "row", title: kernel.label }, show(kernel));
  return make("td", { className: className ?? (text ? "text" : "") }, show(kernel));
}
