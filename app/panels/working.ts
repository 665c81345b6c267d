// The spinner: shown when work takes long enough to notice, with the seconds it has taken.
import { byId } from "../dom.ts";
import type { Store } from "../state.ts";

/** Shorter work is over before a spinner could be read. */
const SHOW_AFTER_MS = 180;
const WORDS = { encoding: "Reading the image", decoding: "Finding the mask" } as const;

export function startWorking(store: Store): void {
  const root = byId("working", HTMLElement);
  const text = byId("working-text", HTMLElement);
  let timer: ReturnType<typeof setInterval> | undefined;

  const tick = () => {
    const { activity } = store.state;
    if (activity.kind === "idle") return;
    const elapsed = performance.now() - activity.since;
    root.hidden = elapsed < SHOW_AFTER_MS;
    const share = activity.share ? ` · ${Math.round(100 * activity.share)} %` : "";
    const seconds = elapsed > 1500 ? ` · ${Math.floor(elapsed / 1000)} s` : "";
    text.textContent = `${WORDS[activity.kind]}${share}${seconds}`;
  };

  store.subscribe(({ activity }, before) => {
    if (activity.kind === before.activity.kind) return;
    clearInterval(timer);
    if (activity.kind === "idle") root.hidden = true;
    else timer = setInterval(tick, 100);
  });
}
