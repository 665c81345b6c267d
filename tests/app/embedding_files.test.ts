// Embeddings as files: what is written is read, within a bound, and gone when it is cleared. On a file system in memory.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EmbeddingFiles, type KeptEmbeddings } from "../../app/keep/embeddings.ts";
import type { SavedEmbedding } from "../../src/index.ts";

class FakeFile {
  readonly kind = "file";
  content = new Blob();
  at = 0;
  constructor(readonly name: string) {}
  getFile = async () => Object.assign(this.content.slice(), { lastModified: this.at });
  createWritable = async () => {
    let next = new Blob();
    return {
      write: async (blob: Blob) => {
        next = blob;
      },
      close: async () => {
        this.content = next;
        this.at = ++writes;
      },
    };
  };
}

class FakeFolder {
  readonly kind = "directory";
  readonly files = new Map<string, FakeFile>();
  readonly folders = new Map<string, FakeFolder>();
  getDirectoryHandle = async (name: string) => this.folders.get(name) ?? (this.folders.set(name, new FakeFolder()).get(name) as FakeFolder);
  getFileHandle = async (name: string, { create = false } = {}) => {
    if (create && !this.files.has(name)) this.files.set(name, new FakeFile(name));
    const found = this.files.get(name);
    if (!found) throw new DOMException("not there", "NotFoundError");
    return found;
  };
  removeEntry = async (name: string) => void (this.files.delete(name) || this.folders.delete(name));
  async *values() {
    yield* this.files.values();
  }
}

let writes = 0;
let root: FakeFolder;
beforeEach(() => {
  root = new FakeFolder();
  vi.stubGlobal("navigator", { storage: { getDirectory: async () => root } });
});
afterEach(() => vi.unstubAllGlobals());

const saved = (n: number): SavedEmbedding => ({
  data: Float32Array.from({ length: 64 }, (_, i) => n + i / 7),
  shape: [1, 4, 4, 4],
  framing: { width: 30 + n, height: 20, fit: "resize" } as unknown as SavedEmbedding["framing"],
  model: `größer ${"x".repeat(n % 5)}`,
  fingerprint: "0123456789abcdef",
});

it("gives back what was put, in this session and in the next, and null for what is not there", async () => {
  const files = new EmbeddingFiles(() => {});
  for (const n of [1, 2, 3, 4]) await files.put(`name ${n}`, saved(n));
  for (const now of [files, new EmbeddingFiles(() => {})]) {
    for (const n of [1, 2, 3, 4]) expect(await now.get(`name ${n}`)).toEqual(saved(n));
    expect(await now.get("name 5")).toBeNull();
    expect(await now.has("name 4")).toBe(true);
  }
});

it("keeps 400, throws the oldest away, and says how much there is", async () => {
  let said: KeptEmbeddings | undefined;
  const files = new EmbeddingFiles((kept) => {
    said = kept;
  });
  for (let n = 0; n < 200; n++) await files.put(`name ${n}`, saved(n));
  // Another session knows which are the oldest.
  const later = new EmbeddingFiles((kept) => {
    said = kept;
  });
  for (let n = 200; n < 410; n++) await later.put(`name ${n}`, saved(n));
  const folder = root.folders.get("embeddings") as FakeFolder;
  expect(folder.files.size).toBe(400);
  expect(said?.count).toBe(400);
  expect(said?.bytes).toBe([...folder.files.values()].reduce((sum, { content }) => sum + content.size, 0));
  expect(await later.get("name 9")).toBeNull();
  expect(await later.get("name 10")).toEqual(saved(10));
  await later.clear();
  expect(root.folders.has("embeddings") && (root.folders.get("embeddings") as FakeFolder).files.size > 0).toBe(false);
  expect(said).toEqual({ count: 0, bytes: 0 });
});

it("keeps nothing, without a word, where the browser has no such file system or no room", async () => {
  vi.stubGlobal("navigator", { storage: { getDirectory: () => Promise.reject(new DOMException("no", "SecurityError")) } });
  const files = new EmbeddingFiles(() => {});
  await files.put("name", saved(1));
  expect(await files.get("name")).toBeNull();
  vi.stubGlobal("navigator", {});
  const none = new EmbeddingFiles(() => {});
  await none.put("name", saved(1));
  expect(await none.has("name")).toBe(false);
  await none.clear();
});
