// The set of labels: names, colours, codes; to a file and from one.
import { useState } from "preact/hooks";
import { LABEL_FILES, type LabelFile, readLabels } from "../annotate/label_files.ts";
import { colourOf, type LabelOf } from "../annotate/labels.ts";
import { saveBlob } from "../open/download.ts";
import { t } from "../words/words.ts";
import { Act, useShared } from "./parts.tsx";

export function Labels() {
  const { desk, state } = useShared();
  const { store } = desk;
  const [coded, setCoded] = useState(0);
  const [format, setFormat] = useState<LabelFile>("json");
  const change = (id: number, patch: Partial<LabelOf>) =>
    store.set({ labels: state.labels.map((label) => (label.id === id ? { ...label, ...patch } : label)) });
  const used = new Set(state.cases.flatMap(({ objects }) => objects.map(({ label }) => label)));
  const free = Array.from({ length: state.labels.length + 1 }, (_, i) => i + 1).find((id) => !state.labels.some((label) => label.id === id)) as number;
  return (
    <fieldset class="labels" id="labels" aria-label={t("labels.title")}>
      {state.labels.map((label) => (
        <div class="label" key={label.id}>
          <kbd>{label.id}</kbd>
          <input
            type="color"
            value={label.colour}
            aria-label={t("labels.colour", { name: label.name })}
            onInput={(event) => change(label.id, { colour: event.currentTarget.value })}
          />
          <input
            type="text"
            value={label.name}
            aria-label={t("labels.name", { n: label.id })}
            onInput={(event) => change(label.id, { name: event.currentTarget.value })}
          />
          <Act
            bare
            icon="code"
            label={t("labels.code", { name: label.name })}
            pressed={coded === label.id}
            onAct={() => setCoded(coded === label.id ? 0 : label.id)}
          />
          <Act
            bare
            icon="clear"
            label={t("labels.delete", { name: label.name })}
            disabled={used.has(label.id) || state.labels.length === 1}
            onAct={() => store.set({ labels: state.labels.filter(({ id }) => id !== label.id) })}
          />
          {coded === label.id && <Codes label={label} onChange={(patch) => change(label.id, patch)} />}
        </div>
      ))}
      <div class="row">
        <select id="labels-format" aria-label={t("labels.format")} value={format} onChange={({ currentTarget }) => setFormat(currentTarget.value as LabelFile)}>
          {(Object.keys(LABEL_FILES) as LabelFile[]).map((one) => (
            <option key={one} value={one}>
              {t(`labels.format.${one}`)}
            </option>
          ))}
        </select>
        <Act
          id="labels-export"
          icon="save"
          label={t("labels.export")}
          onAct={() => {
            const { file, type, write } = LABEL_FILES[format];
            saveBlob(new Blob([write(state.labels)], { type }), file);
          }}
        />
      </div>
      <div class="row">
        <Act
          icon="plus"
          label={t("labels.add")}
          onAct={() => store.set({ labels: [...state.labels, { id: free, name: t("label.new", { n: free }), colour: colourOf(free) }] })}
        />
        <label class="button">
          <input
            type="file"
            id="labels-import"
            class="unseen"
            accept=".json,.csv,.ctbl,.txt"
            onChange={async (event) => {
              const [file] = event.currentTarget.files ?? [];
              event.currentTarget.value = "";
              if (!file) return;
              try {
                store.set({ labels: merged(state.labels, readLabels(await file.text(), file.name), used) });
              } catch (error) {
                desk.problems.show(error);
              }
            }}
          />
          <span>{t("labels.import")}</span>
        </label>
      </div>
    </fieldset>
  );
}

/** The imported ones in place of those of their numbers; of the others, those that something is marked as. */
function merged(before: readonly LabelOf[], read: readonly LabelOf[], used: ReadonlySet<number>): LabelOf[] {
  const kept = before.filter(({ id }) => used.has(id) && !read.some((label) => label.id === id));
  return [...kept, ...read].sort((a, b) => a.id - b.id);
}

function Codes({ label, onChange }: { readonly label: LabelOf; readonly onChange: (patch: Partial<LabelOf>) => void }) {
  const field = (of: "category" | "type", part: "value" | "meaning") => (
    <input
      type="text"
      placeholder={t(`labels.${of}.${part}`)}
      aria-label={t(`labels.${of}.${part}`)}
      value={label[of]?.[part] ?? ""}
      onInput={(event) => onChange({ [of]: { value: "", meaning: "", ...label[of], scheme: "SCT", [part]: event.currentTarget.value.trim() } })}
    />
  );
  return (
    <div class="codes">
      {field("category", "value")}
      {field("category", "meaning")}
      {field("type", "value")}
      {field("type", "meaning")}
    </div>
  );
}
