// Which weights, on which device, how fast; choosing others; those that are kept in the browser.
import { useEffect, useRef, useState } from "preact/hooks";
import { clearCached, listCached } from "../../src/index.ts";
import { defaultWeights } from "../model/default_weights.ts";
import { nameOf } from "../model/engine.ts";
import { formatBytes, formatDuration } from "../model/transfer_rate.ts";
import type { Settings } from "../model/inference.ts";
import { t, type WordKey } from "../words/words.ts";
import { Ahead } from "./ahead.tsx";
import { ModelMenu } from "./model_menu.tsx";
import { useShared } from "./parts.tsx";

/** Any would do: the masks mean nothing, but the same seed is what the tests use. */
export const SYNTHETIC = { kind: "synthetic", seed: 7 } as const;

export function ModelPanel() {
  const { desk, actions } = useShared();
  const own = defaultWeights();
  return (
    <section aria-labelledby="h-model">
      <h2 id="h-model">{t("model.title")}</h2>
      <Facts />
      <ModelMenu />
      <div class="row">
        <label class="button">
          <input
            type="file"
            id="open-weights"
            class="unseen"
            accept=".safetensors,.pth,.pt,.json"
            multiple
            onChange={({ currentTarget }) => {
              const files = [...(currentTarget.files ?? [])];
              if (files.length > 0) void desk.load({ kind: "file", files });
              currentTarget.value = "";
            }}
          />
          <span>{t("model.file")}</span>
        </label>
        <button
          type="button"
          id="weights-url-toggle"
          aria-expanded={actions.addressOpen}
          aria-controls="weights-url"
          onClick={() => actions.showAddress(!actions.addressOpen)}
        >
          {t("model.address")}
        </button>
      </div>
      <Address />
      <div class="row">
        {own && (
          <button type="button" id="weights-default" onClick={() => void desk.load({ kind: "default", ...own })}>
            {t("model.default")}
          </button>
        )}
        <button type="button" id="weights-synthetic" onClick={() => void desk.load(SYNTHETIC)}>
          {t("model.synthetic")}
        </button>
      </div>
      <KeptWeights />
      <Ahead />
      <Advanced />
    </section>
  );
}

function Facts() {
  const { model, encodeMs } = useShared().state;
  const rows: [string, string][] = [];
  if (model.kind === "ready") {
    const { name, device } = model.model;
    rows.push(
      [t("model.weights"), nameOf(model.source)],
      [t("model.network"), name.replace(/^SAM-Med2D /, "")],
      [t("model.device"), device.kind === "cpu" ? t("model.software", { device: device.description }) : device.description],
      [t("model.loaded"), formatDuration(model.loadMs)],
    );
    if (encodeMs !== null) rows.push([t("model.encode"), t("model.encode.value", { time: formatDuration(encodeMs) })]);
  } else rows.push([t("model.weights"), t(`model.weights.${model.kind}`)]);
  return (
    <dl class="facts" id="model-facts">
      {rows.flatMap(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value}</dd>])}
    </dl>
  );
}

function Address() {
  const { desk, actions } = useShared();
  const field = useRef<HTMLInputElement>(null);
  const open = actions.addressOpen;
  useEffect(() => {
    if (!open) return;
    field.current?.scrollIntoView({ block: "center" });
    field.current?.focus();
  }, [open]);
  return (
    <form
      id="weights-url"
      class="address"
      hidden={!open}
      onSubmit={(event) => {
        event.preventDefault();
        void desk.load({ kind: "url", url: field.current?.value.trim() ?? "" });
      }}
    >
      <label for="weights-address">{t("model.address.label")}</label>
      <div class="row">
        <input ref={field} type="url" id="weights-address" required spellcheck={false} autocomplete="off" placeholder="https://… / hf:owner/name" />
        <button type="submit" class="primary">
          {t("model.address.load")}
        </button>
      </div>
      <small>{t("model.address.hint")}</small>
    </form>
  );
}

/** Downloaded weights stay in the browser for the next visit: which and how much that is, and a way to be rid of them. */
function KeptWeights() {
  const { desk, state } = useShared();
  const [files, setFiles] = useState<Awaited<ReturnType<typeof listCached>>>([]);
  const look = () => void listCached().then(setFiles, (error) => desk.problems.show(error));
  useEffect(look, [state.model.kind]);
  const forget = (url?: string) => void clearCached(url).then(look, (error) => desk.problems.show(error));
  if (files.length === 0) return null;
  return (
    <details class="kept" id="kept">
      <summary>{t("model.kept", { size: formatBytes(files.reduce((sum, { kept }) => sum + kept, 0)) })}</summary>
      <ul>
        {files.map(({ url, kept, bytes }) => {
          const name = new URL(url).pathname.split("/").at(-1) || url;
          return (
            <li key={url} title={url}>
              {`${name}, ${kept < bytes ? t("model.kept.part", { kept: formatBytes(kept), all: formatBytes(bytes) }) : formatBytes(bytes)} `}
              <button type="button" class="text" aria-label={t("model.forget.name", { name })} onClick={() => forget(url)}>
                {t("model.forget")}
              </button>
            </li>
          );
        })}
      </ul>
      <button type="button" class="text" aria-label={t("model.forget.all.name")} onClick={() => forget()}>
        {t("model.forget.all")}
      </button>
    </details>
  );
}

function Advanced() {
  const { desk, state } = useShared();
  const { store } = desk;
  const { fit, channelOrder, multimask } = state.settings;
  const change = (patch: Partial<Settings>) => store.set({ settings: { ...store.state.settings, ...patch } });
  return (
    <details>
      <summary>{t("model.advanced")}</summary>
      <Choice
        id="fit"
        label="model.fit"
        value={fit}
        options={[
          ["auto", t("model.fit.auto")],
          ["resize", t("model.fit.resize")],
          ["pad", t("model.fit.pad")],
        ]}
        onChoose={(value) => change({ fit: value as Settings["fit"] })}
      />
      <Choice
        id="channel-order"
        label="model.channels"
        value={channelOrder}
        options={[
          ["auto", t("model.channels.auto")],
          ["bgr", "BGR"],
          ["rgb", "RGB"],
        ]}
        onChoose={(value) => change({ channelOrder: value as Settings["channelOrder"] })}
      />
      <Choice
        id="candidates-count"
        label="model.candidates"
        value={multimask === "auto" ? "auto" : multimask ? "3" : "1"}
        options={[
          ["auto", t("model.candidates.auto")],
          ["3", t("model.candidates.3")],
          ["1", t("model.candidates.1")],
        ]}
        onChoose={(value) => change({ multimask: value === "auto" ? "auto" : value === "3" })}
      />
      <Choice
        id="adapter"
        label="model.adapters"
        value={state.adapter}
        options={[
          ["on", t("model.adapters.on")],
          ["off", t("model.adapters.off")],
        ]}
        onChoose={(value) => {
          store.set({ adapter: value === "off" ? "off" : "on" });
          const { model } = store.state;
          if (model.kind === "ready" || model.kind === "failed") void desk.load(model.source);
        }}
      />
    </details>
  );
}

interface ChoiceProps {
  readonly id: string;
  readonly label: WordKey;
  readonly value: string;
  readonly options: readonly (readonly [value: string, words: string])[];
  onChoose(value: string): void;
}

function Choice({ id, label, value, options, onChoose }: ChoiceProps) {
  return (
    <div class="field select">
      <label for={id}>{t(label)}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}
