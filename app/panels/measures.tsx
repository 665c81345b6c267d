// What is drawn in numbers: sizes and values by label, and the diameters that were drawn by hand.
import type { Measures } from "../../src/volume/index.ts";
import { nameOfLabel } from "../annotate/annotator.ts";
import type { Case, Shown } from "../annotate/case.ts";
import type { LabelOf } from "../annotate/labels.ts";
import { diameters } from "../stage/drawing.ts";
import { unitOf } from "../stage/frame.ts";
import { decimal, languageNow, t } from "../words/words.ts";

interface DiametersProps {
  readonly of: Case;
  readonly shown: Shown;
  readonly labels: readonly LabelOf[];
  readonly id?: string;
}

/** Of all objects that have them: on one slice each, as they were drawn. */
export function Diameters({ of, shown, labels, id }: DiametersProps) {
  const rows = of.objects.flatMap(({ id, label, axes }) => (axes ? [{ id, label, axes, ...diameters(shown, axes) }] : []));
  if (rows.length === 0) return null;
  return (
    <table class="measures" id={id}>
      <thead>
        <tr>
          <th scope="col">{t("measure.axes", { unit: unitOf(shown).unit })}</th>
          <th scope="col">{t("slices.slice")}</th>
          <th scope="col">{t("measure.long")}</th>
          <th scope="col">{t("measure.short")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id: object, label, axes: { place }, long, short }) => (
          <tr key={object}>
            <th scope="row">{nameOfLabel(labels, label)}</th>
            <td>{place.index + 1}</td>
            <td>{long}</td>
            <td>{short}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface MeasuresProps {
  readonly measures: Measures;
  /** By label, where there is a true mask. */
  readonly dice: ReadonlyMap<number, number>;
  readonly id?: string;
}

export function MeasuresTable({ measures: { labels, unit }, dice, id }: MeasuresProps) {
  const number = (value: number) => (Number.isFinite(value) ? value.toLocaleString(languageNow(), { maximumSignificantDigits: 4 }) : "–");
  const several = labels.some(({ slices }) => slices.length > 1);
  return (
    <table class="measures" id={id}>
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
