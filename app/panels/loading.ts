// While weights load: what is being loaded, bytes, rate, time left, and a way out.
import type { Desk } from "../desk.ts";
import { byId } from "../dom.ts";
import { type ModelStatus, nameOf } from "../model/engine.ts";
import { formatBytes, formatSeconds } from "../model/transfer_rate.ts";

type Loading = Extract<ModelStatus, { kind: "loading" }>;

export function startLoading(desk: Desk): void {
  const root = byId("loading", HTMLElement);
  const title = byId("loading-title", HTMLElement);
  const figures = byId("loading-figures", HTMLElement);
  const bar = byId("loading-bar", HTMLProgressElement);
  byId("loading-cancel", HTMLButtonElement).addEventListener("click", () => desk.cancelLoad());

  desk.store.subscribe(({ model }, before) => {
    if (model === before.model) return;
    root.hidden = model.kind !== "loading";
    if (model.kind !== "loading") return;
    title.textContent = titleOf(model);
    figures.textContent = figuresOf(model);
    const { loaded, total } = model.progress ?? { loaded: 0, total: 0 };
    if (total > 0) {
      bar.max = total;
      bar.value = loaded;
    } else bar.removeAttribute("value");
  });
}

function titleOf({ source, progress }: Loading): string {
  if (progress?.stage === "tune") return "Choosing the fastest kernels for this GPU, once";
  if (progress?.stage === "compile") return "Compiling kernels";
  const doing = progress?.stage === "download" ? "Downloading" : progress?.stage === "weights" ? "Loading" : "Opening";
  return `${doing} ${nameOf(source)}`;
}

export function figuresOf({ progress, rate }: Pick<Loading, "progress" | "rate">): string {
  if (!progress || progress.total <= 0) return "";
  const { loaded, total, unit } = progress;
  if (unit === "kernels") return `${loaded} of ${total}`;
  const left = rate && loaded < total ? `, ${formatSeconds((total - loaded) / rate)} left` : "";
  return `${formatBytes(loaded)} of ${formatBytes(total)}${rate ? `, ${formatBytes(rate)}/s` : ""}${left}`;
}
