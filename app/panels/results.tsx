// Results: files of one case or all, a table of measurements, masks from files.
import { useState } from "preact/hooks";
import type { LabelFormat } from "../../src/formats/index.ts";
import type { Measures } from "../../src/volume/index.ts";
import { hasWork } from "../annotate/case.ts";
import { currentCase } from "../state.ts";
import { diceByLabel, exportAll, exportCase, FORMATS, importMasks, measureCase, saveMeasures, sendCase, serverOfCase } from "../results/results.ts";
import type { Numbering } from "../results/case_file.ts";
import { t } from "../words/words.ts";
import { Diameters, MeasuresTable } from "./measures.tsx";
import { Act, useShared } from "./parts.tsx";

export function Results() {
  const { desk, state } = useShared();
  const [format, setFormat] = useState<LabelFormat>("nifti");
  const [numbering, setNumbering] = useState<Numbering>("structures");
  const [measured, setMeasured] = useState<{ readonly of: string; readonly edits: number; readonly measures: Measures } | null>(null);
  const of = currentCase(state);
  const worked = of !== null && hasWork(of);
  const server = serverOfCase(of);
  const shown = measured && measured.of === of?.id && measured.edits === of.edits ? measured.measures : null;
  const importing = (as: "objects" | "truth", id: string) => (
    <label class="button">
      <input
        type="file"
        id={id}
        class="unseen"
        multiple
        disabled={!of?.shown}
        onChange={(event) => {
          void importMasks(desk, [...(event.currentTarget.files ?? [])], as);
          event.currentTarget.value = "";
        }}
      />
      <span>{t(`import.${as}`)}</span>
    </label>
  );
  return (
    <section aria-labelledby="h-results">
      <h2 id="h-results">{t("results.title")}</h2>
      <div class="field select">
        <label for="format">{t("results.format")}</label>
        <select id="format" value={format} onChange={(event) => setFormat(event.currentTarget.value as LabelFormat)}>
          {FORMATS.map((one) => (
            <option key={one} value={one}>
              {t(`format.${one}`)}
            </option>
          ))}
        </select>
      </div>
      <div class="field select">
        <label for="numbering">{t("results.numbering")}</label>
        <select id="numbering" value={numbering} onChange={(event) => setNumbering(event.currentTarget.value as Numbering)}>
          {(["structures", "objects"] as const).map((one) => (
            <option key={one} value={one}>
              {t(`numbering.${one}`)}
            </option>
          ))}
        </select>
      </div>
      <div class="row">
        <Act id="export-case" icon="save" label={t("results.case")} disabled={!worked} onAct={() => void exportCase(desk, format, numbering)} />
        <Act
          id="export-all"
          icon="save"
          label={t("results.all", { n: state.cases.filter(hasWork).length })}
          disabled={!state.cases.some(hasWork)}
          onAct={() => void exportAll(desk, format, numbering)}
        />
      </div>
      {server && (
        <div class="row">
          <Act id="send-server" icon="open" label={t("send.to", { host: server.host })} disabled={!worked} onAct={() => void sendCase(desk, numbering)} />
        </div>
      )}
      <div class="row">
        {importing("objects", "import-masks")}
        {importing("truth", "import-truth")}
      </div>
      <div class="row">
        <Act
          id="measure"
          icon="ruler"
          label={t("results.measure")}
          disabled={!worked}
          onAct={async () => {
            const measures = of?.shown && (await measureCase(desk, of, of.shown));
            if (of && measures) setMeasured({ of: of.id, edits: of.edits, measures });
          }}
        />
        <Act
          id="report"
          icon="report"
          label={t("results.report")}
          disabled={!worked}
          onAct={() => void import("./report.tsx").then(({ showReport }) => showReport(desk))}
        />
        {shown && <Act id="measures-csv" icon="save" label={t("results.csv")} onAct={() => saveMeasures(desk, shown)} />}
      </div>
      {of?.shown && <Diameters of={of} shown={of.shown} labels={state.labels} id="diameters" />}
      {shown && of && <MeasuresTable measures={shown} dice={diceByLabel(desk, of)} id="measures" />}
    </section>
  );
}
