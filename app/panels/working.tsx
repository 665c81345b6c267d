// The spinner: shown when work takes long enough to notice, with the seconds it has taken; and what is being opened, with a button to stop it.
import { useEffect, useState } from "preact/hooks";
import { currentCase } from "../state.ts";
import { t } from "../words/words.ts";
import { useShared } from "./parts.tsx";

/** Shorter work is over before a spinner could be read. */
const SHOW_AFTER_MS = 180;

export function Working() {
  const { desk, state } = useShared();
  const { activity, opening, task } = state;
  const of = currentCase(state);
  const [elapsed, setElapsed] = useState(0);
  const { kind } = activity;
  const since = activity.kind === "idle" ? 0 : activity.since;
  useEffect(() => {
    setElapsed(0);
    if (kind === "idle") return;
    const timer = setInterval(() => setElapsed(performance.now() - since), 100);
    return () => clearInterval(timer);
  }, [kind, since]);
  const share = activity.kind !== "idle" && activity.share ? ` · ${Math.round(100 * activity.share)} %` : "";
  const seconds = elapsed > 1500 ? ` · ${Math.floor(elapsed / 1000)} s` : "";
  return (
    <>
      <div class="working" id="working" hidden={task !== null || activity.kind === "idle" || elapsed < SHOW_AFTER_MS}>
        <span class="spinner" />
        <span id="working-text">{activity.kind === "idle" ? "" : `${t(`working.${activity.kind}`)}${share}${seconds}`}</span>
      </div>
      {task && (
        <div class="working opening" id="task">
          <span class="spinner" />
          <span>{`${task.words} · ${t("working.at", { done: task.done, total: task.total })}`}</span>
          <button type="button" onClick={task.stop}>
            {t("working.stop")}
          </button>
        </div>
      )}
      {of && !of.shown && of.origin === "file" && !desk.opening.reads.has(of.id) && (
        <div class="absent">
          <p>{t("status.gone", { name: of.name })}</p>
          <button type="button" class="primary" onClick={() => document.getElementById("open-image")?.click()}>
            {t("continue.open")}
          </button>
        </div>
      )}
      {opening && (
        <div class="working opening">
          <span class="spinner" />
          <span>{openingInWords(opening)}</span>
          <button type="button" onClick={opening.stop}>
            {t("working.stop")}
          </button>
        </div>
      )}
    </>
  );
}

interface At {
  readonly done: number;
  readonly total: number;
  /** 0..1 of the packed file that is being unpacked. */
  readonly unpacked: number | null;
}

function openingInWords({ done, total, unpacked }: At): string {
  if (total <= 0) return t("working.opening");
  const share = unpacked === null ? "" : `, ${t("working.unpacked", { share: Math.round(100 * unpacked) })}`;
  return `${t("working.opening")} · ${t("working.at", { done, total })}${share}`;
}
