// What is marked on the case: objects with label, colour, eye, lock and size; candidates, prompts, and how it all is drawn.
import { useState } from "preact/hooks";
import { pixelCount } from "../../src/volume/index.ts";
import { type Case, currentWork, isUntouched, type ObjectOf, truthsHere } from "../annotate/case.ts";
import { colourOf } from "../annotate/labels.ts";
import { isEmpty } from "../annotate/prompts.ts";
import { proposalsOf } from "../annotate/through.ts";
import { closest } from "../annotate/truth.ts";
import { thousands } from "../dom.ts";
import { diameters } from "../stage/drawing.ts";
import { areaOf, unitOf } from "../stage/frame.ts";
import { currentCase, type State } from "../state.ts";
import { decimal, t } from "../words/words.ts";
import { Candidates, PromptList } from "./answer.tsx";
import { Labels } from "./labels.tsx";
import { Results } from "./results.tsx";
import { Act, useShared } from "./parts.tsx";

export function Objects() {
  const { desk, actions, state } = useShared();
  const [labelsOpen, setLabelsOpen] = useState(false);
  const of = currentCase(state);
  const work = of && currentWork(of);
  const mask = desk.mask(state);
  const proposals = of ? proposalsOf(of).length : 0;
  const fit = mask && of ? closest(mask.runs, truthsHere(of)) : null;
  return (
    <>
      <section aria-labelledby="h-objects">
        <div class="head">
          <h2 id="h-objects">{t("objects.title")}</h2>
          <Act label={t("labels.edit")} class="quiet" pressed={labelsOpen} onAct={() => setLabelsOpen(!labelsOpen)} id="labels-open" />
          <Act label={t("key.new")} icon="plus" bare onAct={() => desk.annotator.newObject(of?.objects.find(({ id }) => id === of.object)?.label ?? 1)} />
        </div>
        {labelsOpen && <Labels />}
        <ul class="objects" id="objects" aria-label={t("objects.title")}>
          {of?.objects.map((object) => (
            <Item key={object.id} object={object} />
          ))}
        </ul>
        <p class="hint" id="mask-empty" hidden={!work || !isEmpty(work.prompts) || mask !== null}>
          {t("objects.empty")}
          {of?.suggestion && (
            <>
              <br />
              <button type="button" onClick={() => of.suggestion && desk.setBox(of.suggestion.box)}>
                {t("objects.try", { what: of.suggestion.what })}
              </button>
            </>
          )}
        </p>
        <Candidates />
        <PromptList />
        <fieldset class="truth" id="truth" aria-label={t("truth.label")} hidden={!fit}>
          <p id="truth-score">
            {t("truth.mask")} <b>{fit?.truth.name}</b> {fit && t("truth.dice", { dice: decimal(fit.dice, 2) })}
          </p>
          <label class="switch">
            <input
              type="checkbox"
              id="show-truth"
              aria-describedby="truth-score"
              checked={state.truth}
              onChange={(event) => desk.store.set({ truth: event.currentTarget.checked })}
            />
            <span>{t("truth.show")}</span>
            <i aria-hidden="true" />
          </label>
        </fieldset>
        {of?.shown?.slice && of.shown.slice.view.slices > 1 && (
          <div class="row">
            <Act id="propagate" label={t("key.propagate")} command="propagate" disabled={!mask} onAct={() => actions.run("propagate")} />
            <Act id="interpolate" label={t("key.interpolate")} command="interpolate" onAct={() => actions.run("interpolate")} />
            {proposals > 0 && (
              <Act
                id="accept-proposals"
                label={t("through.acceptall", { n: proposals })}
                command="accept-proposals"
                onAct={() => actions.run("accept-proposals")}
              />
            )}
          </div>
        )}
        <Everything />
        <div class="row sticky">
          <Act id="accept" class="primary" icon="check" label={t("key.accept")} command="accept" disabled={!mask} onAct={() => actions.run("accept")} />
          <Act id="save-mask" icon="save" label={t("save.mask")} disabled={!mask} onAct={() => void actions.saveMask()} />
          <Act id="save-prompts" icon="save" label={t("save.prompts")} disabled={!work || isEmpty(work.prompts)} onAct={() => void actions.savePrompts()} />
        </div>
      </section>
      <Results />
      <Drawing state={state} />
    </>
  );
}

function Everything() {
  const { desk, state } = useShared();
  const [side, setSide] = useState(16);
  return (
    <details class="everything" id="everything-options">
      <summary>{t("everything.title")}</summary>
      <p class="hint">{t("everything.words")}</p>
      <div class="row">
        <select aria-label={t("everything.grid")} value={side} onChange={({ currentTarget }) => setSide(Number(currentTarget.value))}>
          {[8, 16, 32].map((one) => (
            <option key={one} value={one}>
              {t("everything.points", { n: one * one })}
            </option>
          ))}
        </select>
        <Act
          id="everything"
          label={t("everything.run")}
          disabled={state.task !== null || !currentCase(state)?.shown}
          onAct={() => void import("../annotate/everything.ts").then(({ findEverything }) => findEverything(desk, side))}
        />
      </div>
    </details>
  );
}

/** Of several with the same label, which: not to be taken for a label with a number in its name. */
function titleOf(of: Case, { id, label }: ObjectOf, name: string): string {
  const alike = of.objects.filter((other) => other.label === label);
  return alike.length > 1 ? `${name} · ${alike.findIndex((other) => other.id === id) + 1}` : name;
}

function Item({ object }: { readonly object: ObjectOf }) {
  const { desk, state } = useShared();
  const { id, label, visible, locked } = object;
  const of = currentCase(state);
  if (!of) return null;
  const known = state.labels.find((one) => one.id === label);
  const name = known?.name ?? `${label}`;
  const runs = of.shown ? desk.annotator.runs(of, id) : new Uint32Array(0);
  const area = pixelCount(runs);
  const one = of.shown && areaOf(of.shown);
  const several = (of.sides?.slices ?? 1) > 1 && of.labelmap?.labels.some((known) => known.id === id);
  const slices = several ? (of.labelmap?.drawnSlices(id).length ?? 0) : 0;
  const size = area === 0 ? "" : one ? `${thousands(area * one)} mm²` : `${thousands(area)} px`;
  const across = object.axes && of.shown && t("axes.length", { ...diameters(of.shown, object.axes), unit: unitOf(of.shown).unit });
  const all = slices > 0 ? t("objects.slices", { n: slices }) : "";
  const others = of.objects.filter((other) => other.id !== id && !isUntouched(of, other.id));
  const title = titleOf(of, object, name);
  return (
    <li data-current={id === of.object || undefined}>
      <button type="button" class="object" aria-pressed={id === of.object} onClick={() => desk.annotator.select(id)}>
        <i style={{ background: known?.colour ?? colourOf(label) }} />
        <span>
          {title}
          <small>{[size, all, across].filter(Boolean).join(" · ") || (isUntouched(of, id) ? t("objects.new") : t("objects.elsewhere"))}</small>
        </span>
        {label <= 9 && <kbd>{label}</kbd>}
      </button>
      <Act
        bare
        icon={visible ? "eye" : "eye-off"}
        label={t("objects.visible", { name: title })}
        pressed={visible}
        onAct={() => desk.annotator.show(id, !visible)}
      />
      <Act
        bare
        icon={locked ? "lock" : "lock-open"}
        label={t("objects.lock", { name: title })}
        pressed={locked}
        onAct={() => desk.annotator.change(id, { locked: !locked })}
      />
      {id === of.object && (
        <div class="more">
          <select
            aria-label={t("objects.label", { name: title })}
            value={label}
            onChange={(event) => desk.annotator.change(id, { label: Number(event.currentTarget.value) })}
          >
            {state.labels.map((other) => (
              <option key={other.id} value={other.id}>
                {other.name}
              </option>
            ))}
          </select>
          {others.length > 0 && (
            <select aria-label={t("objects.merge", { name: title })} value="" onChange={(event) => desk.annotator.merge(Number(event.currentTarget.value), id)}>
              <option value="">{t("objects.merge.short")}</option>
              {others.map((other) => (
                <option key={other.id} value={other.id}>
                  {titleOf(of, other, desk.nameOf(other.id))}
                </option>
              ))}
            </select>
          )}
          <Act bare icon="trash" label={t("objects.delete", { name: title })} onAct={() => desk.annotator.remove(id)} />
        </div>
      )}
    </li>
  );
}

function Drawing({ state }: { readonly state: State }) {
  const { desk } = useShared();
  const { store } = desk;
  return (
    <section aria-labelledby="h-drawing">
      <h2 id="h-drawing">{t("drawing.title")}</h2>
      <div class="field">
        <label for="opacity">{t("drawing.opacity")}</label>
        <input
          type="range"
          id="opacity"
          min="0"
          max="1"
          step="0.05"
          value={state.opacity}
          onInput={(event) => store.set({ opacity: event.currentTarget.valueAsNumber })}
        />
        <output id="opacity-value" for="opacity">
          {`${Math.round(100 * state.opacity)} %`}
        </output>
      </div>
      <label class="switch">
        <input type="checkbox" id="outline" checked={!state.fill} onChange={(event) => store.set({ fill: !event.currentTarget.checked })} />
        <span>{t("drawing.outline")}</span>
      </label>
      <label class="switch">
        <input type="checkbox" id="refine" checked={state.refine} onChange={(event) => store.set({ refine: event.currentTarget.checked })} />
        <span>
          {t("drawing.refine")}
          <small>{t("drawing.refine.words")}</small>
        </span>
      </label>
      <label class="switch">
        <input type="checkbox" id="preview" checked={state.preview ?? desk.quick} onChange={(event) => store.set({ preview: event.currentTarget.checked })} />
        <span>
          {t("drawing.preview")}
          <small>{t("drawing.preview.words")}</small>
        </span>
      </label>
      <div class="field select">
        <label for="overlap">{t("drawing.overlap")}</label>
        <select id="overlap" value={state.overlap} onChange={(event) => store.set({ overlap: event.currentTarget.value as State["overlap"] })}>
          {(["replace", "keep", "allow"] as const).map((rule) => (
            <option key={rule} value={rule}>
              {t(`overlap.${rule}`)}
            </option>
          ))}
        </select>
      </div>
    </section>
  );
}
