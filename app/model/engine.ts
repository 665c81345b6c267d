// The model's life: chosen, loading, ready, failed, lost and rebuilt. It lives in a worker of its own, so that nothing
// of it remains when another one is loaded.
import type { Progress } from "../../src/index.ts";
import type { DefaultWeights } from "./default_weights.ts";
import { SamMed2DWorker } from "../../src/worker/client.ts";
import { t } from "../words/words.ts";
import { TransferRate } from "./transfer_rate.ts";

export type Source =
  | ({ readonly kind: "default" } & DefaultWeights)
  | { readonly kind: "file"; readonly files: readonly File[] }
  /** An address, or `hf:owner/name`; with the name it has in the menu. */
  | { readonly kind: "url"; readonly url: string; readonly name?: string }
  | { readonly kind: "synthetic"; readonly seed: number };

export type ModelStatus =
  | { readonly kind: "none" }
  | { readonly kind: "loading"; readonly source: Source; readonly progress: Progress | null; readonly rate: number | null }
  | { readonly kind: "ready"; readonly source: Source; readonly model: SamMed2DWorker; readonly number: number; readonly loadMs: number }
  | { readonly kind: "failed"; readonly source: Source };

export interface EngineEvents {
  onStatus(status: ModelStatus): void;
  /** What the user should know though it is no error. */
  onNotice(words: string): void;
  /** Weights of that source could not be had. `kept`: the model that was there still is. */
  onRefused(source: Source, error: unknown, kept: boolean): void;
}

/** A device that is lost again this soon after a rebuild is not rebuilt by itself. */
const REBUILD_PAUSE_MS = 30_000;

export class Engine {
  readonly #events: EngineEvents;
  readonly #makeWorker: () => Worker;
  /** Where `hf:` addresses are looked up, where not at the public hub. */
  readonly #hub: string | undefined;
  /** The model that works while another one's file is looked at, with its worker. */
  #held: { readonly status: Extract<ModelStatus, { kind: "ready" }>; readonly worker: Worker | null } | null = null;
  #worker: Worker | null = null;
  #status: ModelStatus = { kind: "none" };
  #loading: AbortController | null = null;
  #adapter: "on" | "off" = "on";
  #number = 0;
  #rebuiltAt = Number.NEGATIVE_INFINITY;

  constructor(makeWorker: () => Worker, events: EngineEvents, hub?: string) {
    this.#makeWorker = makeWorker;
    this.#hub = hub;
    this.#events = events;
  }

  get status(): ModelStatus {
    return this.#status;
  }

  /** Two models would not fit on many a device: the one there is goes before another is read into memory, but not before its file is known to hold one. */
  async load(source: Source, adapter = this.#adapter): Promise<void> {
    if (this.#status.kind === "ready") this.#hold(this.#status);
    else this.#stop();
    this.#adapter = adapter;
    const controller = new AbortController();
    this.#loading = controller;
    const number = ++this.#number;
    let rate = new TransferRate();
    let stage: Progress["stage"] | null = null;
    const started = performance.now();
    this.#set({ kind: "loading", source, progress: null, rate: null });
    try {
      const worker = this.#makeWorker();
      this.#worker = worker;
      const onProgress = (progress: Progress) => {
        if (progress.notice) return this.#events.onNotice(progress.notice);
        if (this.#number !== number) return;
        // The file was opened and is of such a network.
        if (progress.stage !== "open" && progress.stage !== "download") this.#letGo();
        if (progress.stage !== stage) rate = new TransferRate();
        stage = progress.stage;
        const bytesPerSecond = progress.unit === "bytes" ? rate.add(progress.loaded, performance.now()) : null;
        if (this.#loading) this.#set({ kind: "loading", source, progress, rate: bytesPerSecond });
      };
      // Adapters are on where the checkpoint has them; naming "on" for one that has none would be an error.
      const options = {
        ...(adapter === "off" && { adapter }),
        ...(source.kind === "default" && source.sha256 && { sha256: source.sha256 }),
        ...(this.#hub !== undefined && { hub: this.#hub }),
      };
      const model = await SamMed2DWorker.load(worker, { weights: weightsOf(source), ...options, signal: controller.signal, onProgress });
      this.#loading = null;
      this.#letGo();
      this.#set({ kind: "ready", source, model, number, loadMs: performance.now() - started });
    } catch (error) {
      // Replaced by another load, or cancelled by the user: both know.
      if (this.#number !== number || controller.signal.aborted) return;
      const kept = this.#giveUp(source);
      this.#events.onRefused(source, error, kept);
    }
  }

  cancel(): void {
    if (this.#status.kind === "loading") this.#giveUp(this.#status.source);
  }

  /** What was being loaded is not: back to the model that was there, where it still is. */
  #giveUp(source: Source): boolean {
    const held = this.#held;
    this.#held = null;
    this.#stop();
    this.#worker = held?.worker ?? null;
    this.#set(held?.status ?? { kind: "failed", source });
    return held !== null;
  }

  #hold(status: Extract<ModelStatus, { kind: "ready" }>): void {
    this.#held = { status, worker: this.#worker };
    this.#worker = null;
  }

  #letGo(): void {
    this.#held?.status.model.dispose();
    this.#held?.worker?.terminate();
    this.#held = null;
  }

  /** After a lost device: the same weights on a new one. False when that was tried a moment ago. */
  rebuild(): boolean {
    if (this.#status.kind !== "ready" || performance.now() - this.#rebuiltAt < REBUILD_PAUSE_MS) return false;
    this.#rebuiltAt = performance.now();
    const { model, source } = this.#status;
    model.dispose();
    this.#stop();
    this.#set({ kind: "failed", source });
    void this.load(source);
    return true;
  }

  /** Whatever is being loaded, or the model that lives in the worker. */
  #stop(): void {
    this.#loading?.abort();
    this.#loading = null;
    this.#worker?.terminate();
    this.#worker = null;
  }

  #set(status: ModelStatus): void {
    this.#status = status;
    this.#events.onStatus(status);
  }
}

export function nameOf(source: Source): string {
  switch (source.kind) {
    case "default":
      return source.name;
    case "file":
      return source.files.length === 1 ? (source.files[0] as File).name : t("model.files", { n: source.files.length });
    case "url":
      if (source.name !== undefined) return source.name;
      if (/^hf:/i.test(source.url)) return source.url;
      return source.url.split(/[?#]/)[0]?.split("/").at(-1) || source.url;
    case "synthetic":
      return t("model.seeded", { seed: source.seed });
  }
}

function weightsOf(source: Source): string | readonly Blob[] {
  if (source.kind === "file") return source.files;
  return source.kind === "synthetic" ? `synthetic:${source.seed}` : source.url;
}
