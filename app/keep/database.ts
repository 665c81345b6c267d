// The page's database: what was done, by case; works and masks one by one, so that a step writes what it changed and nothing else.

const NAME = "desk";
const STORES = ["desk", "cases", "works", "masks"] as const;
type StoreName = (typeof STORES)[number];

/** A value to put under its key, or none to take away what is there. */
export interface Write {
  readonly store: StoreName;
  readonly key: IDBValidKey;
  readonly value?: unknown;
}

export class Database {
  readonly #db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  /** Rejects where storage is forbidden. */
  static async open(): Promise<Database> {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const store of STORES) request.result.createObjectStore(store);
    };
    return new Database(await answerOf(request));
  }

  /** All of them or none: a tab that is killed leaves no half step. */
  write(writes: readonly Write[]): Promise<void> {
    const transaction = this.#db.transaction([...STORES], "readwrite");
    for (const { store, key, value } of writes) {
      const of = transaction.objectStore(store);
      if (value === undefined) of.delete(key);
      else of.put(value, key);
    }
    return doneOf(transaction);
  }

  async all(store: StoreName): Promise<(readonly [IDBValidKey, unknown])[]> {
    const of = this.#db.transaction(store).objectStore(store);
    const [keys, values] = await Promise.all([answerOf(of.getAllKeys()), answerOf(of.getAll())]);
    return keys.map((key, i) => [key, values[i]] as const);
  }

  /** Takes away what begins with a case's id. */
  dropCase(id: string): Promise<void> {
    const transaction = this.#db.transaction([...STORES], "readwrite");
    transaction.objectStore("cases").delete(id);
    for (const store of ["works", "masks"] as const) transaction.objectStore(store).delete(IDBKeyRange.bound([id], [id, []]));
    return doneOf(transaction);
  }

  clear(): Promise<void> {
    const transaction = this.#db.transaction([...STORES], "readwrite");
    for (const store of STORES) transaction.objectStore(store).clear();
    return doneOf(transaction);
  }
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function doneOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the browser stopped writing"));
  });
}
