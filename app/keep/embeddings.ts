// Encoded images in the browser's own file system: a file each, the oldest thrown away beyond a bound.
import type { SavedEmbedding } from "../../src/index.ts";
import type { EmbeddingStore } from "../model/embeddings.ts";

const FOLDER = "embeddings";
/** Of 256 KiB: 105 MB. */
const MOST = 400;

export interface KeptEmbeddings {
  readonly count: number;
  readonly bytes: number;
}

export class EmbeddingFiles implements EmbeddingStore {
  readonly #onChange: (kept: KeptEmbeddings) => void;
  /** Bytes by name, the oldest first; null where the browser gives no file system. */
  #files: Promise<Map<string, number> | null> | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(onChange: (kept: KeptEmbeddings) => void) {
    this.#onChange = onChange;
  }

  async has(name: string): Promise<boolean> {
    return (await this.#list())?.has(name) ?? false;
  }

  async get(name: string): Promise<SavedEmbedding | null> {
    if (!(await this.has(name))) return null;
    try {
      const file = await (await (await folder()).getFileHandle(name)).getFile();
      return read(await file.arrayBuffer());
    } catch {
      // Another tab threw it away, or the disk did.
      (await this.#list())?.delete(name);
      return null;
    }
  }

  put(name: string, saved: SavedEmbedding): Promise<void> {
    const written = this.#writing.then(() => this.#put(name, saved)).catch(() => {});
    this.#writing = written;
    return written;
  }

  async clear(): Promise<void> {
    await this.#writing;
    await navigator.storage
      ?.getDirectory()
      .then((root) => root.removeEntry(FOLDER, { recursive: true }))
      .catch(() => {});
    this.#files = undefined;
    await this.tell();
  }

  /** Looks how much there is, and says so. */
  async tell(): Promise<void> {
    const sizes = [...((await this.#list())?.values() ?? [])];
    this.#onChange({ count: sizes.length, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) });
  }

  async #put(name: string, saved: SavedEmbedding): Promise<void> {
    const files = await this.#list();
    if (!files || files.has(name)) return;
    const own = await folder();
    const writer = await (await own.getFileHandle(name, { create: true })).createWritable();
    const content = written(saved);
    await writer.write(content);
    await writer.close();
    files.set(name, content.size);
    for (const oldest of files.keys()) {
      if (files.size <= MOST) break;
      files.delete(oldest);
      await own.removeEntry(oldest).catch(() => {});
    }
    await this.tell();
  }

  #list(): Promise<Map<string, number> | null> {
    this.#files ??= listed();
    return this.#files;
  }
}

async function folder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

async function listed(): Promise<Map<string, number> | null> {
  try {
    const files: { name: string; size: number; at: number }[] = [];
    for await (const entry of (await folder()).values()) {
      if (entry.kind !== "file") continue;
      const { size, lastModified } = await (entry as FileSystemFileHandle).getFile();
      // Begun by a tab that was killed.
      if (size > 0) files.push({ name: entry.name, size, at: lastModified });
    }
    return new Map(files.sort((a, b) => a.at - b.at).map(({ name, size }) => [name, size]));
  } catch {
    return null;
  }
}

/** What is no array as JSON, behind its length, then the values. */
function written({ data, ...facts }: SavedEmbedding): Blob {
  const text = new TextEncoder().encode(JSON.stringify(facts));
  const aligned = new Uint8Array(4 * Math.ceil(text.length / 4)).fill(" ".charCodeAt(0));
  aligned.set(text);
  return new Blob([Uint32Array.of(aligned.length), aligned, data as Float32Array<ArrayBuffer>]);
}

function read(content: ArrayBuffer): SavedEmbedding {
  const [length = 0] = new Uint32Array(content, 0, 1);
  const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 4, length))) as Omit<SavedEmbedding, "data">;
  return { ...facts, data: new Float32Array(content, 4 + length) };
}
