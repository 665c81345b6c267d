// What is being opened and how far it is, with a button to stop it: shown on the stage when it takes long enough to notice.
import type { OpenOptions } from "../../src/formats/index.ts";
import { button, byId, make } from "../dom.ts";

const SHOW_AFTER_MS = 300;

/** Thrown out of what was stopped. */
export class Stopped extends Error {}

/** Runs `work` with a signal and a place to tell progress; gives undefined where its user stopped it. */
export async function opening<T>(work: (options: Required<Pick<OpenOptions, "signal" | "onProgress">>) => Promise<T>): Promise<T | undefined> {
  const controller = new AbortController();
  const text = make("span", {}, "Opening files");
  const card = make("div", { className: "working opening" }, make("span", { className: "spinner" }), text);
  card.append(button("Stop", () => controller.abort(new Stopped("stopped"))));
  const timer = setTimeout(() => byId("stage", HTMLElement).append(card), SHOW_AFTER_MS);
  const onProgress: OpenOptions["onProgress"] = ({ done, total, unpacking }) => {
    const share = unpacking && unpacking.total > 0 ? `, ${Math.round((100 * unpacking.loaded) / unpacking.total)} % unpacked` : "";
    text.textContent = total > 0 ? `Opening files · ${done} of ${total}${share}` : "Opening files";
  };
  try {
    return await work({ signal: controller.signal, onProgress });
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
    card.remove();
  }
}
