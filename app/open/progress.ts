// What is being opened and how far it is, with a way to stop it: told when it takes long enough to notice.
import type { OpenOptions } from "../../src/formats/index.ts";

const SHOW_AFTER_MS = 300;

/** Thrown out of what was stopped. */
export class Stopped extends Error {}

export interface OpeningNow {
  readonly done: number;
  readonly total: number;
  /** 0..1 of the packed file that is being unpacked. */
  readonly unpacked: number | null;
  stop(): void;
}

/** Who shows it. */
export const progress: { show: (now: OpeningNow | null) => void } = { show: () => {} };

/** Runs `work` with a signal and a place to tell progress; gives undefined where its user stopped it. */
export async function opening<T>(work: (options: Required<Pick<OpenOptions, "signal" | "onProgress">>) => Promise<T>): Promise<T | undefined> {
  const controller = new AbortController();
  let now: OpeningNow = { done: 0, total: 0, unpacked: null, stop: () => controller.abort(new Stopped("stopped")) };
  let shown = false;
  const timer = setTimeout(() => {
    shown = true;
    progress.show(now);
  }, SHOW_AFTER_MS);
  const onProgress: OpenOptions["onProgress"] = ({ done, total, unpacking }) => {
    now = { ...now, done, total, unpacked: unpacking && unpacking.total > 0 ? unpacking.loaded / unpacking.total : null };
    if (shown) progress.show(now);
  };
  try {
    return await work({ signal: controller.signal, onProgress });
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
    if (shown) progress.show(null);
  }
}
