// While weights load: what is being loaded, bytes, rate, time left, and a way out.
import { type ModelStatus, nameOf } from "../model/engine.ts";
import { formatBytes, formatSeconds } from "../model/transfer_rate.ts";
import { t } from "../words/words.ts";
import { useShared } from "./parts.tsx";

type Loading = Extract<ModelStatus, { kind: "loading" }>;

export function LoadingCard() {
  const { desk, state } = useShared();
  const { model } = state;
  const loading = model.kind === "loading" ? model : null;
  const { loaded, total } = loading?.progress ?? { loaded: 0, total: 0 };
  return (
    <div class="loading" id="loading" hidden={!loading}>
      <strong id="loading-title">{loading && titleOf(loading)}</strong>
      <button type="button" id="loading-cancel" onClick={() => desk.cancelLoad()}>
        {t("loading.cancel")}
      </button>
      <progress id="loading-bar" aria-labelledby="loading-title" {...(total > 0 && { max: total, value: loaded })} />
      <span id="loading-figures">{loading && figuresOf(loading)}</span>
    </div>
  );
}

function titleOf({ source, progress }: Loading): string {
  if (progress?.stage === "tune") return t("loading.tune");
  if (progress?.stage === "compile") return t("loading.compile");
  const name = nameOf(source);
  return t(progress?.stage === "download" ? "loading.download" : progress?.stage === "weights" ? "loading.weights" : "loading.open", { name });
}

export function figuresOf({ progress, rate }: Pick<Loading, "progress" | "rate">): string {
  if (!progress || progress.total <= 0) return "";
  const { loaded, total, unit } = progress;
  if (unit === "kernels") return t("loading.of", { loaded, total });
  const left = rate && loaded < total ? `, ${t("loading.left", { time: formatSeconds((total - loaded) / rate) })}` : "";
  return `${t("loading.of", { loaded: formatBytes(loaded), total: formatBytes(total) })}${rate ? `, ${formatBytes(rate)}/s` : ""}${left}`;
}
