// Downloaded weights stay in the browser for the next visit: which and how much that is, and a way to be rid of them.
import { clearCached, listCached } from "../../src/index.ts";
import { button, byId, make } from "../dom.ts";
import type { Store } from "../state.ts";
import { formatBytes } from "./transfer_rate.ts";

export function startKeptWeights(store: Store, onError: (error: unknown) => void): void {
  const root = byId("kept", HTMLElement);

  const show = async () => {
    const files = await listCached();
    root.hidden = files.length === 0;
    if (files.length === 0) return;
    const forget = (url?: string) => void clearCached(url).then(show).catch(onError);
    const link = (label: string, name: string, url?: string) => {
      const made = button(label, () => forget(url), "text");
      made.setAttribute("aria-label", name);
      return made;
    };
    const rows = files.map(({ url, kept, bytes }) => {
      const name = new URL(url).pathname.split("/").at(-1) || url;
      const size = kept < bytes ? `${formatBytes(kept)} of ${formatBytes(bytes)}` : formatBytes(bytes);
      return make("li", { title: url }, `${name}, ${size} `, link("Forget", `Forget ${name}`, url));
    });
    const total = files.reduce((sum, { kept }) => sum + kept, 0);
    root.replaceChildren(
      make("summary", {}, `${formatBytes(total)} of weights kept in this browser`),
      make("ul", {}, ...rows),
      link("Forget all", "Forget all weights kept in this browser"),
    );
  };

  store.subscribe(({ model }, before) => {
    if (model.kind !== before.model.kind) show().catch(onError);
  });
}
