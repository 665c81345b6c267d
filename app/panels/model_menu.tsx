// The models that can be had by name: what each is for, its size, whether it fits, whose it is, whether it is here already.
import { useEffect, useState } from "preact/hooks";
import { listCached } from "../../src/index.ts";
import { CATALOGUE, isKeptAs, type Listed, roomFor } from "../model/catalogue.ts";
import { defaultWeights } from "../model/default_weights.ts";
import type { Source } from "../model/engine.ts";
import { formatBytes } from "../model/transfer_rate.ts";
import { t } from "../words/words.ts";
import { useShared } from "./parts.tsx";

export function ModelMenu() {
  const { desk, state } = useShared();
  const [kept, setKept] = useState<readonly string[]>([]);
  const [open, setOpen] = useState(false);
  const { model } = state;
  useEffect(() => {
    if (!open) return;
    listCached().then(
      (files) => setKept(files.filter(({ bytes, kept }) => bytes === kept).map(({ url }) => url)),
      () => setKept([]),
    );
  }, [open, model.kind]);
  const own = defaultWeights();
  const source = model.kind === "none" ? null : model.source;
  const load = (next: Source) => {
    setOpen(false);
    void desk.load(next);
  };
  return (
    <details class="models" id="models" open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{t("menu.title")}</summary>
      <ul>
        {own && (
          <li data-model="default" data-current={source?.kind === "default"}>
            <strong>{own.name}</strong>
            <p>{t("menu.default")}</p>
            <p class="about">{[formatBytes(12.2e6), t("menu.here"), "Apache-2.0"].join(" · ")}</p>
            <button type="button" class="weights-default" onClick={() => load({ kind: "default", ...own })}>
              {t("menu.load")}
            </button>
          </li>
        )}
        {CATALOGUE.map((one) => (
          <Entry
            key={one.id}
            one={one}
            here={kept.some((url) => isKeptAs(one, url))}
            current={source?.kind === "url" && source.url === one.weights}
            onLoad={load}
          />
        ))}
      </ul>
    </details>
  );
}

interface EntryProps {
  readonly one: Listed;
  readonly here: boolean;
  readonly current: boolean;
  onLoad(source: Source): void;
}

function Entry({ one, here, current, onLoad }: EntryProps) {
  const { id, name, purpose, bytes, deviceBytes, licence, page, weights } = one;
  const room = roomFor(navigator as { deviceMemory?: number; maxTouchPoints: number });
  const fits = room === undefined ? "unknown" : deviceBytes <= room ? "fits" : "tight";
  const about = [
    formatBytes(bytes),
    t(here ? "menu.kept" : weights ? "menu.hub" : "menu.byhand"),
    t(`menu.memory.${fits}`, { size: formatBytes(deviceBytes) }),
    licence,
  ];
  return (
    <li data-model={id} data-current={current} data-fits={fits} data-kept={here}>
      <strong>{name}</strong>
      <p>{t(purpose)}</p>
      <p class="about">
        {about.join(" · ")}
        {" · "}
        <a href={page} target="_blank" rel="noreferrer noopener">
          {t("menu.project", { name })}
        </a>
      </p>
      {weights ? (
        <button type="button" aria-label={t("menu.load.name", { name })} onClick={() => onLoad({ kind: "url", url: weights, name })}>
          {t("menu.load")}
        </button>
      ) : (
        <button type="button" aria-label={t("menu.file.name", { name })} onClick={() => document.getElementById("open-weights")?.click()}>
          {t("menu.file")}
        </button>
      )}
    </li>
  );
}
