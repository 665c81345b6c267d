// The report: a sheet to read, print or save as one file, of this case or of all that have masks.
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Measures } from "../../src/volume/index.ts";
import { type Case, hasWork, type Shown } from "../annotate/case.ts";
import type { Desk } from "../desk.ts";
import { baseName, saveBlob } from "../open/download.ts";
import { type CaseReport, reportOn } from "../results/report.ts";
import { languageNow, t } from "../words/words.ts";
import { Diameters, MeasuresTable } from "./measures.tsx";
import css from "./report.css?inline";

type Which = "case" | "all";

/** The same rules on the page and in a saved file. The page's policy forbids a style element, not a sheet of a script. */
function styled(): () => void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  };
}

export function showReport(desk: Desk): void {
  const bare = styled();
  const root = document.createElement("div");
  root.className = "report-root";
  document.body.append(root);
  const onClose = () => {
    render(null, root);
    root.remove();
    bare();
  };
  render(<ReportDialog desk={desk} onClose={onClose} />, root);
}

interface Made {
  readonly reports: readonly CaseReport[];
  /** Cases that could not be read. */
  readonly absent: readonly string[];
}

function ReportDialog({ desk, onClose }: { readonly desk: Desk; onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const paper = useRef<HTMLElement>(null);
  const [which, setWhich] = useState<Which>("case");
  const [made, setMade] = useState<Made | null>(null);
  const [said, setSaid] = useState("");
  const worked = desk.store.state.cases.filter(hasWork);
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    const stop = new AbortController();
    const { case: now } = desk;
    const cases = which === "all" ? worked : now ? [now] : [];
    setMade(null);
    gather(desk, cases, stop.signal, (n) => setSaid(t("report.at", { n, of: cases.length }))).then(
      (done) => {
        if (stop.signal.aborted) return;
        setMade(done);
        setSaid(t("report.ready", { n: done.reports.length }));
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        dialog.current?.close();
        desk.problems.show(error);
      },
    );
    return () => stop.abort();
  }, [which]);
  return (
    <dialog class="report" aria-labelledby="report-title" ref={dialog} onClose={onClose}>
      <form method="dialog" class="report-acts">
        <select aria-label={t("report.of")} value={which} onChange={(event) => setWhich(event.currentTarget.value as Which)}>
          <option value="case">{t("report.case")}</option>
          <option value="all">{t("report.all", { n: worked.length })}</option>
        </select>
        <button type="button" id="report-print" class="primary" disabled={!made} onClick={() => window.print()}>
          {t("report.print")}
        </button>
        <button type="button" id="report-save" disabled={!made} onClick={() => paper.current && save(paper.current, which, desk.case)}>
          {t("report.save")}
        </button>
        <button type="submit">{t("help.close")}</button>
        <output aria-live="polite">{said}</output>
      </form>
      <article class="paper" ref={paper}>
        <h1 id="report-title">{t("report.title")}</h1>
        <p>{factsOf(desk)}</p>
        <p class="soft">{t("page.caution")}</p>
        {made?.absent.length ? <p class="soft">{t("report.absent", { names: made.absent.join(", ") })}</p> : null}
        {made?.reports.map((report) => (
          <Section key={report.of.id} report={report} desk={desk} />
        ))}
      </article>
    </dialog>
  );
}

function Section({ report: { of, shown, pictures, measures, dice, proposed }, desk }: { readonly report: CaseReport; readonly desk: Desk }) {
  const all = of.sides?.slices ?? 1;
  return (
    <section>
      <h2>
        {of.name} <small>{t(`status.${of.status}`)}</small>
      </h2>
      {of.note && <p>{of.note}</p>}
      <div class="pictures">
        {pictures.map(({ src, slice, labels }) => (
          <figure key={slice}>
            <img src={src} alt={labels.join(", ")} />
            <figcaption>
              {labels.join(", ")}
              {all > 1 && <small>{`, ${t("slices.slice")} ${slice + 1} / ${all}`}</small>}
            </figcaption>
          </figure>
        ))}
      </div>
      <MeasuresTable measures={measures} dice={dice} />
      <Diameters of={of} shown={shown} labels={desk.store.state.labels} />
      {proposed.length > 0 && <p class="soft">{t("report.proposed", { names: proposed.join(", ") })}</p>}
      <p class="soft">{notesOf(shown, measures)}</p>
    </section>
  );
}

/** What the numbers rest on. */
function notesOf({ slice }: Shown, { unit }: Measures): string {
  const uneven = slice?.volume.geometry?.sliceOrigins ? 1 : 0;
  return t("report.notes", { pixels: unit === "pixels" ? 1 : 0, uneven, colour: (slice?.volume.samples ?? 3) > 1 ? 1 : 0 }).trim();
}

async function gather(desk: Desk, cases: readonly Case[], signal: AbortSignal, onCase: (n: number) => void): Promise<Made> {
  const reports: CaseReport[] = [];
  const absent: string[] = [];
  for (const [i, of] of cases.entries()) {
    signal.throwIfAborted();
    onCase(i + 1);
    const report = await reportOn(desk, of, signal);
    if (report) reports.push(report);
    else absent.push(of.name);
  }
  return { reports, absent };
}

function factsOf(desk: Desk): string {
  const { model } = desk.store.state;
  const date = new Intl.DateTimeFormat(languageNow(), { dateStyle: "long", timeStyle: "short" }).format(new Date());
  return t("report.facts", { date, ...(model.kind === "ready" && { model: model.model.name }) });
}

/** One file, which needs nothing else. */
function save(paper: HTMLElement, which: Which, of: Case | null): void {
  const title = document.createElement("title");
  title.textContent = which === "case" && of ? `${t("report.title")}: ${of.name}` : t("report.title");
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${title.outerHTML}<style>${css}</style>`;
  const html = `<!doctype html>\n<html lang="${languageNow()}"><head>${head}</head><body>${paper.outerHTML}</body></html>\n`;
  const name = which === "case" && of ? `${baseName(of.name)}-report.html` : "report.html";
  saveBlob(new Blob([html], { type: "text/html" }), name);
}
