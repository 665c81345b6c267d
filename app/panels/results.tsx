// Results: files of one case or all, a table of measurements, masks from files.
import { useState } from "preact/hooks";
import type { LabelFormat } from "../../src/formats/index.ts";
import type { Measures } from "../../src/volume/index.ts";
import { type Case, hasWork } from "../annotate/case.ts";
import { currentCase } from "../state.ts";
import { diceByLabel, exportAll, exportCase, FORMATS, importMasks, measureCase, saveMeasures, sendCase, serverOfCase } from "../results/results.ts";
import type { Numbering } from "../results/case_file.ts";
import { diameters } from "../stage/drawing.ts";
import { unitOf } from "../stage/frame.ts";
import { decimal, languageNow, t } from "../words/words.ts";
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
            const measures = await measureCase(desk);
            if (of && measures) setMeasured({ of: of.id, edits: of.edits, measures });
          }}
        />
        {shown && <Act id="measures-csv" icon="save" label={t("results.csv")} onAct={() => saveMeasures(desk, shown)} />}
      </div>
      {of && <Diameters of={of} />}
      {shown && of && <Table measures={shown} dice={diceByLabel(desk, of)} />}
    </section>
  );
}

/** Of all objects that have them: on one slice each, as they were drawn. */
function Diameters({ of }: { readonly of: Case }) {
  const { desk } = useShared();
  const { shown } = of;
  const rows = of.objects.flatMap(({ id, axes }) => (axes && shown ? [{ id, axes, ...diameters(shown, axes) }] : []));
  if (!shown || rows.length === 0) return null;
  return (
    <table class="measures" id="diameters">
      <thead>
        <tr>
          <th scope="col">{t("measure.axes", { unit: unitOf(shown).unit })}</th>
          <th scope="col">{t("slices.slice")}</th>
          <th scope="col">{t("measure.long")}</th>
          <th scope="col">{t("measure.short")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, axes: { place }, long, short }) => (
          <tr key={id}>
            <th scope="row">{desk.nameOf(id)}</th>
            <td>{place.index + 1}</td>
            <td>{long}</td>
            <td>{short}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Table({ measures: { labels, unit }, dice }: { readonly measures: Measures; readonly dice: ReadonlyMap<number, number> }) {
  const number = (value: number) => (Number.isFinite(value) ? value.toLocaleString(languageNow(), { maximumSignificantDigits: 4 }) : "–");
  const several = labels.some(({ slices }) => slices.length > 1);
  return (
    <table class="measures" id="measures">
      <thead>
        <tr>
          <th scope="col">{t("measure.label")}</th>
          <th scope="col">{several ? (unit === "mm" ? "ml" : t("measure.voxels")) : unit === "mm" ? "mm²" : t("measure.pixels")}</th>
          <th scope="col">{t("measure.longest", { unit: unit === "mm" ? "mm" : "px" })}</th>
          <th scope="col">{t("measure.mean")}</th>
          {dice.size > 0 && <th scope="col">Dice</th>}
        </tr>
      </thead>
      <tbody>
        {labels.map(({ label, volume, voxels, longest, mean, slices }) => (
          <tr key={label.id}>
            <th scope="row">{label.name}</th>
            <td>{number(several ? (unit === "mm" ? volume : voxels) : (slices[0]?.area ?? 0))}</td>
            <td>{number(longest)}</td>
            <td>{number(mean)}</td>
            {dice.size > 0 && <td>{dice.has(label.id) ? decimal(dice.get(label.id) as number, 3) : "–"}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
