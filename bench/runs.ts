// The runs on the page side by side: a column each, the one that is shown below, the one it is compared with.
import type { BenchReport } from "../src/bench/report.ts";
import { type Cell, runNames, sideBySide } from "../src/bench/side_by_side.ts";
import { button, make } from "./dom.ts";

/** More columns than these nobody reads. */
const MOST = 8;

export interface Run {
  readonly report: BenchReport;
  /** Opened from a file. */
  readonly saved: boolean;
}

export class Runs {
  #list: Run[] = [];
  shown: Run | undefined;
  /** What `shown` is compared with. */
  before: Run | undefined;

  get list(): readonly Run[] {
    return this.#list;
  }

  /** The oldest make room, never those that are looked at. */
  add(reports: readonly BenchReport[], saved: boolean): Run[] {
    const added = reports.map((report) => ({ report, saved }));
    this.#list.push(...added);
    while (this.#list.length > MOST) {
      const oldest = this.#list.find((run) => run !== this.shown && run !== this.before);
      if (!oldest) break;
      this.#list = this.#list.filter((run) => run !== oldest);
    }
    return added;
  }

  names(): string[] {
    const names = runNames(this.#list.map(({ report }) => report));
    return names.map((name, i) => (this.#list[i]?.saved ? `${name}, saved` : name));
  }

  /** The run shown first, and the others measured on this page beside it, as they are saved. */
  get session(): [BenchReport, ...BenchReport[]] | undefined {
    const { shown } = this;
    if (!shown) return undefined;
    const others = this.#list.filter((run) => run !== shown && !run.saved && !shown.saved);
    return [shown.report, ...others.map(({ report }) => report)];
  }
}

function cell({ text, change, verdict }: Cell): HTMLElement {
  return make("td", {}, text, change && make("span", { className: `change ${verdict}` }, change));
}

/** `onChange` after another run was chosen to be shown or compared with. */
export function showRuns(place: HTMLElement, runs: Runs, onChange: () => void): void {
  const names = runs.names();
  const reports = runs.list.map(({ report }) => report);
  const [, ...rows] = sideBySide(reports);
  const heads = runs.list.map((run, i) => {
    const choose = button(names[i] ?? "", () => {
      if (runs.before === run) runs.before = undefined;
      runs.shown = run;
      onChange();
    });
    choose.setAttribute("aria-pressed", String(run === runs.shown));
    return make("th", { scope: "col" }, choose);
  });
  const select = make("select", { id: "before" }, make("option", { value: "" }, "nothing"));
  runs.list.forEach((run, i) => {
    if (run !== runs.shown) select.append(make("option", { value: String(i), selected: run === runs.before }, names[i] ?? ""));
  });
  select.addEventListener("change", () => {
    runs.before = select.value === "" ? undefined : runs.list[Number(select.value)];
    onChange();
  });
  place.replaceChildren(
    make(
      "p",
      { className: "soft" },
      "Each column is a run; differences are from the first, those within the noise are called the same. Choose the one whose dispatches are listed below.",
    ),
    make("label", { className: "before" }, "Dispatches compared with ", select),
    make(
      "div",
      { className: "wide beside", tabIndex: 0, role: "region", ariaLabel: "Runs side by side" },
      make(
        "table",
        { className: "runs" },
        make("thead", {}, make("tr", {}, make("td", {}), ...heads)),
        make("tbody", {}, ...rows.map(({ title, cells }) => make("tr", {}, make("th", { scope: "row" }, title), ...cells.map(cell)))),
      ),
    ),
  );
}
