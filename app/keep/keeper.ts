// Nothing done is lost: each step is in the browser's database within half a second, and is there again at the next start.
import type { Case } from "../annotate/case.ts";
import type { LabelOf } from "../annotate/labels.ts";
import type { Problems } from "../panels/problems.tsx";
import type { Saving, State, Store, Touched } from "../state.ts";
import { t } from "../words/words.ts";
import { Database, type Write } from "./database.ts";
import { caseOf, type CaseRecord, type Kept, recordOf, type WorkRecord, workRecord } from "./record.ts";

/** Steps that follow each other quickly are written together. */
const AFTER_MS = 150;
/** Left on the disk, below which it is said. */
const LOW_BYTES = 100e6;
const LOOK_MS = 60_000;

const SETTINGS = [
  "labels",
  "overlap",
  "brush",
  "refine",
  "settings",
  "adapter",
  "opacity",
  "fill",
  "tool",
  "ahead",
  "layout",
  "preview",
] as const satisfies readonly (keyof State)[];

interface Dirty {
  readonly keys: Set<string>;
  /** `object slice` */
  readonly drawn: Set<string>;
}

export class Keeper {
  readonly #store: Store;
  readonly #problems: Problems;
  #database: Database | null = null;
  #dirty = new Map<string, Dirty>();
  #records = new Set<string>();
  #settings = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failing = false;

  constructor(store: Store, problems: Problems) {
    this.#store = store;
    this.#problems = problems;
  }

  /** Gives the cases of earlier days, in the list's order; only one tab writes, the others look. */
  async start(): Promise<Case[]> {
    try {
      this.#database = await Database.open();
    } catch {
      this.#say({ kind: "failed", why: t("saving.forbidden") });
      return [];
    }
    const cases = await this.#read();
    if (!(await this.#onlyWriter())) {
      this.#say({ kind: "reader" });
      return cases;
    }
    this.#store.onTouched((id, touched) => this.#touch(id, touched));
    this.#store.subscribe((state, before) => this.#watch(state, before));
    addEventListener("pagehide", () => void this.flush());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && void this.flush());
    addEventListener("beforeunload", (event) => {
      if (this.#failing || this.#waiting) event.preventDefault();
    });
    setInterval(() => void this.#lookAtDisk(), LOOK_MS);
    void this.#lookAtDisk();
    return cases;
  }

  /** Folders that were opened by handle, the latest last. */
  async folders(): Promise<readonly FileSystemDirectoryHandle[]> {
    const kept = (await this.#database?.all("desk"))?.find(([key]) => key === "folders")?.[1];
    return Array.isArray(kept) ? (kept as FileSystemDirectoryHandle[]) : [];
  }

  /** A folder that is there already is kept once. */
  async keepFolder(folder: FileSystemDirectoryHandle): Promise<void> {
    if (this.#store.state.saving.kind === "reader") return;
    const others: FileSystemDirectoryHandle[] = [];
    for (const other of await this.folders()) if (!(await other.isSameEntry(folder))) others.push(other);
    await this.#database?.write([{ store: "desk", key: "folders", value: [...others, folder] }]).catch((error) => this.#failed(error));
  }

  /** Writes what waits, now. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async drop(id: string): Promise<void> {
    this.#dirty.delete(id);
    this.#records.delete(id);
    await this.#database?.dropCase(id).catch((error) => this.#failed(error));
  }

  async forgetAll(): Promise<void> {
    this.#dirty.clear();
    this.#records.clear();
    await this.#database?.clear();
  }

  get #waiting(): boolean {
    return this.#dirty.size > 0 || this.#records.size > 0;
  }

  async #read(): Promise<Case[]> {
    const database = this.#database as Database;
    const [desk, records, works, masks] = await Promise.all([database.all("desk"), database.all("cases"), database.all("works"), database.all("masks")]);
    const settings = Object.fromEntries(desk.map(([key, value]) => [key as string, value])) as Partial<State>;
    this.#store.set(Object.fromEntries(SETTINGS.flatMap((key) => (settings[key] === undefined ? [] : [[key, settings[key]]]))) as Partial<State>);
    const kept = new Map<string, { record: CaseRecord; works: [string, WorkRecord][]; masks: Kept["masks"][number][] }>();
    for (const [, value] of records) kept.set((value as CaseRecord).id, { record: value as CaseRecord, works: [], masks: [] });
    for (const [key, value] of works) {
      const [id, work] = key as [string, string];
      kept.get(id)?.works.push([work, value as WorkRecord]);
    }
    for (const [key, value] of masks) {
      const [id, object, slice] = key as [string, number, number];
      kept.get(id)?.masks.push({ object, slice, runs: value as Uint32Array });
    }
    const labels = this.#store.state.labels as readonly LabelOf[];
    return [...kept.values()].sort((a, b) => a.record.order - b.record.order).map((one) => caseOf(one, labels));
  }

  /** The lock is held until the tab is gone, however it goes. */
  #onlyWriter(): Promise<boolean> {
    if (!navigator.locks) return Promise.resolve(true);
    return new Promise((resolve) => {
      void navigator.locks.request("desk", { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        if (lock) return new Promise(() => {});
        // When the other tab is gone, this one may write what it reads anew.
        void navigator.locks.request("desk", () => {
          this.#problems.tell(t("saving.free"), t("saving.free.words"), [{ label: t("saving.reload"), run: () => location.reload() }]);
          return new Promise(() => {});
        });
        return undefined;
      });
    });
  }

  #touch(id: string, { keys, drawn }: Touched): void {
    const dirty = this.#dirty.get(id) ?? { keys: new Set(), drawn: new Set() };
    for (const key of keys) dirty.keys.add(key);
    for (const [object, slice] of drawn) dirty.drawn.add(`${object} ${slice}`);
    this.#dirty.set(id, dirty);
    this.#schedule();
  }

  #watch(state: State, before: State): void {
    if (SETTINGS.some((key) => state[key] !== before[key])) {
      this.#settings = true;
      this.#schedule();
    }
    if (state.cases === before.cases) return;
    const known = new Map(before.cases.map((of) => [of.id, of]));
    for (const of of state.cases) {
      const was = known.get(of.id);
      if (was === of || (was && !differs(of, was))) continue;
      // A sample that nobody touched is drawn again anyway.
      if (!was && of.origin === "sample" && of.status === "todo") continue;
      this.#records.add(of.id);
      this.#schedule();
    }
  }

  #schedule(): void {
    if (this.#store.state.saving.kind !== "saving") this.#say({ kind: "saving" });
    this.#timer ??= setTimeout(() => void this.flush(), AFTER_MS);
  }

  async #write(): Promise<void> {
    if (!this.#waiting && !this.#settings) {
      // The case that waited was closed meanwhile.
      if (this.#store.state.saving.kind === "saving") this.#say({ kind: "saved", at: Date.now() });
      return;
    }
    const [dirty, records, settings] = [this.#dirty, this.#records, this.#settings];
    this.#dirty = new Map();
    this.#records = new Set();
    this.#settings = false;
    try {
      await this.#database?.write(this.#writes(dirty, records, settings));
      this.#failing = false;
      if (!this.#waiting) this.#say({ kind: "saved", at: Date.now() });
    } catch (error) {
      // Nothing of it is forgotten: it is tried again with the next step.
      for (const [id, { keys, drawn }] of dirty) {
        const now = this.#dirty.get(id) ?? { keys: new Set(), drawn: new Set() };
        this.#dirty.set(id, { keys: new Set([...keys, ...now.keys]), drawn: new Set([...drawn, ...now.drawn]) });
      }
      for (const id of records) this.#records.add(id);
      this.#settings ||= settings;
      this.#failed(error);
    }
  }

  #writes(dirty: ReadonlyMap<string, Dirty>, records: ReadonlySet<string>, settings: boolean): Write[] {
    const { state } = this.#store;
    const writes: Write[] = settings ? SETTINGS.map((key) => ({ store: "desk", key, value: state[key] })) : [];
    const cases = new Map(state.cases.map((of, order) => [of.id, { of, order }]));
    for (const id of new Set([...records, ...dirty.keys()])) {
      const found = cases.get(id);
      if (!found) continue;
      const { of, order } = found;
      writes.push({ store: "cases", key: id, value: recordOf(of, order) });
      for (const key of dirty.get(id)?.keys ?? []) {
        const work = of.works.get(key);
        writes.push({ store: "works", key: [id, key], ...(work && { value: workRecord(work) }) });
      }
      for (const place of dirty.get(id)?.drawn ?? []) {
        const [object, slice] = place.split(" ").map(Number) as [number, number];
        const runs = of.labelmap?.runs(object, slice);
        writes.push({ store: "masks", key: [id, object, slice], ...(runs && runs.length > 0 && { value: runs }) });
      }
    }
    return writes;
  }

  async #lookAtDisk(): Promise<void> {
    const nothing: StorageEstimate = {};
    const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.().catch(() => nothing)) ?? nothing;
    if (quota > 0 && quota - usage < LOW_BYTES)
      this.#problems.tell(t("disk.low"), t("disk.low.words", { left: Math.max(0, Math.round((quota - usage) / 1e6)) }));
  }

  #failed(error: unknown): void {
    const full = error instanceof DOMException && error.name === "QuotaExceededError";
    const why = full ? t("disk.full") : error instanceof Error ? error.message : String(error);
    if (!this.#failing)
      this.#problems.tell(t("disk.notsaved"), t(full ? "disk.full.words" : "disk.notsaved.words", { why }), [
        { label: t("saving.again"), run: () => void this.flush() },
      ]);
    this.#failing = true;
    this.#say({ kind: "failed", why });
  }

  #say(saving: Saving): void {
    this.#store.set({ saving });
  }
}

/** Whether what its record holds is another one. */
function differs(a: Case, b: Case): boolean {
  return (
    a.objects !== b.objects ||
    a.object !== b.object ||
    a.status !== b.status ||
    a.note !== b.note ||
    a.place !== b.place ||
    a.sides !== b.sides ||
    a.files !== b.files
  );
}
