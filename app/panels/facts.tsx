// The fourth view beside three planes: what the crosshair is on, in voxels, in the patient, in value and label.
import { useEffect, useState } from "preact/hooks";
import { indexToPatient, type Vector3, type Volume } from "../../src/volume/index.ts";
import type { Case } from "../annotate/case.ts";
import { colourOfLabel } from "../annotate/labels.ts";
import { crossOf, sidesOf } from "../stage/linked.ts";
import { currentCase } from "../state.ts";
import { languageNow, t } from "../words/words.ts";
import { useShared } from "./parts.tsx";

export function Facts() {
  const { desk, state } = useShared();
  const of = currentCase(state);
  const volume = of?.shown?.slice?.volume;
  const cross = of && state.layout === "four" ? crossOf(of) : null;
  const value = useValue(volume, cross);
  if (!of || !volume || !cross) return null;
  const { geometry, unit, modality } = volume;
  const marked = objectsAt(of, cross);
  const spacing = geometry && [geometry.spacing.betweenColumns, geometry.spacing.betweenRows, geometry.spacing.betweenSlices];
  return (
    <>
      <h2>{t("facts.title")}</h2>
      <dl>
        <dt>{t("facts.value")}</dt>
        <dd id="cross-value">{value === null ? "…" : `${value}${unit ? ` ${unit}` : ""}`}</dd>
        <dt>{t("facts.labels")}</dt>
        <dd id="cross-labels">
          {marked.length === 0 && t("facts.nothing")}
          {marked.map(({ id, label }) => (
            <span key={id}>
              <i style={{ background: colourOfLabel(state.labels, label) }} />
              {desk.nameOf(id)}
            </span>
          ))}
        </dd>
        <dt>{t("facts.voxel")}</dt>
        <dd id="cross-voxel">{cross.map((index) => index + 1).join(", ")}</dd>
        {geometry && !geometry.unoriented && (
          <>
            <dt>{t("facts.patient")}</dt>
            <dd id="cross-patient">{inPatient(indexToPatient(geometry, cross))}</dd>
          </>
        )}
        <dt>{t("facts.volume")}</dt>
        <dd>{[modality, sidesOf(volume).join(" × ")].filter(Boolean).join(" ")}</dd>
        {spacing && (
          <>
            <dt>{t("facts.spacing")}</dt>
            <dd>{`${spacing.map((step) => number(step, 2)).join(" × ")} mm`}</dd>
          </>
        )}
      </dl>
    </>
  );
}

/** Null while its slice is read. */
function useValue(volume: Volume | undefined, cross: Vector3 | null): string | null {
  const [read, setRead] = useState<{ readonly at: string; readonly value: string } | null>(null);
  const at = volume && cross ? `${volume.name} ${cross.join()}` : "";
  useEffect(() => {
    if (!volume || !cross) return;
    let wanted = true;
    const [x, y, z] = cross;
    volume.slice(z).then(
      ({ data, columns, samples }) => {
        const from = (y * columns + x) * samples;
        if (wanted) setRead({ at, value: [...data.subarray(from, from + Math.min(samples, 3))].map((one) => number(one, 2)).join(" ") });
      },
      // What can't be read is said where its slice is shown.
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [at]);
  return read?.at === at ? read.value : null;
}

function objectsAt({ objects, labelmap, sides }: Case, [x, y, z]: Vector3) {
  const at = y * (sides?.columns ?? 0) + x;
  return objects.filter(({ id }) => {
    const runs = labelmap?.labels.some((label) => label.id === id) ? labelmap.runs(id, z) : [];
    for (let i = 0; i < runs.length; i += 2) if ((runs[i] as number) <= at && at < (runs[i + 1] as number)) return true;
    return false;
  });
}

/** By the directions of the patient's body: `L 12.5, P 40.0, H 3.0 mm`. */
function inPatient(point: Vector3): string {
  const [x, y, z] = point.map((mm, i) => `${(mm < 0 ? "RAF" : "LPH")[i]} ${number(Math.abs(mm), 1)}`) as [string, string, string];
  return t("facts.mm", { x, y, z });
}

function number(value: number, digits: number): string {
  return value.toLocaleString(languageNow(), { maximumFractionDigits: digits, useGrouping: false });
}
