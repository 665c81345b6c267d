// Taking a run along: files and the clipboard.
import { chromeTrace, csv, markdown } from "../src/bench/formats.ts";
import type { BenchReport } from "../src/bench/report.ts";
import { button, make } from "./dom.ts";

function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: url, download: name }).click();
  // The download has its own hold on the blob by the next turn; a second is plenty.
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** `sam-med2d-bench_2026-01-02_vit_b` */
function stem({ date, model }: BenchReport): string {
  return `sam-med2d-bench_${date.slice(0, 10)}_${model.configuration}`;
}

export function showExports(place: HTMLElement, report: BenchReport): void {
  const name = stem(report);
  const copy = button("Copy as Markdown", async () => {
    const done = await navigator.clipboard.writeText(markdown(report)).then(
      () => "Copied",
      () => "Not allowed to copy",
    );
    copy.textContent = done;
    setTimeout(() => {
      copy.textContent = "Copy as Markdown";
    }, 2000);
  });
  place.replaceChildren(
    button("Save JSON", () => save(`${name}.json`, "application/json", `${JSON.stringify(report, null, 2)}\n`)),
    button("CSV", () => save(`${name}.csv`, "text/csv", csv(report))),
    button("Chrome trace", () => save(`${name}.trace.json`, "application/json", chromeTrace(report))),
    copy,
  );
}
