// Weights from an address are kept in the browser's Cache Storage, each file in a cache of its own, in parts of 8 MB: a
// broken download goes on where it stopped, any part can be read alone, and no more than one part is in memory.
import { SamError } from "../errors.ts";
import { describe } from "../options.ts";
import { type ByteSource, expectInside, letGo, type ReadProgress, rateMeter } from "./byte_source.ts";
import { bad, quoted } from "./fail.ts";
import { type HttpOptions, type HttpSource, httpSource } from "./http_source.ts";

/** Begins the name of each cache; version and address follow. The number changes when the layout does. */
const PREFIX = "sam-med2d-weights-1 ";
const PART = 8 << 20;
/** Bytes between two words about how far a download is. */
const PIECE = 256 << 10;

export interface CacheOptions {
  /** Promised hash of the file. Names its version too, so that a complete copy is used without asking the server. */
  readonly sha256?: string;
  /** Name of the version; the default is the server's ETag or Last-Modified. */
  readonly version?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReadProgress) => void;
  /** What the user should know though it is no error: that there is no room to keep the file, say. */
  readonly onNotice?: (words: string) => void;
  readonly http?: HttpOptions;
  /** Default the browser's own; without one nothing is kept. */
  readonly storage?: CacheStorage;
}

export interface CachedFile {
  readonly url: string;
  readonly bytes: number;
  /** Bytes of it that are here: less than `bytes` after a broken download. */
  readonly kept: number;
  readonly version: string;
  readonly sha256?: string;
}

/** What is written beside the parts. */
interface Note extends Omit<CachedFile, "kept"> {
  readonly complete?: true;
}

/** Cache Storage, unless the page may not have it (private windows, pages that are not secure). */
async function usable(storage: CacheStorage | undefined): Promise<CacheStorage | undefined> {
  try {
    const found = storage ?? globalThis.caches;
    await found?.keys();
    return found;
  } catch {
    return undefined;
  }
}

const nameOf = ({ url, version }: Pick<Note, "url" | "version">) => `${PREFIX}${version} ${url}`;

/** Cache Storage keeps answers to requests: the addresses of the parts are made up. */
const keyOf = (url: string, part: number | "note") => new URL(`/sam-med2d/${part}`, url).href;

class Copy {
  /** The part read last. */
  #held: { readonly part: number; readonly bytes: Promise<Uint8Array<ArrayBuffer>> } | undefined;

  constructor(
    readonly cache: Cache,
    readonly note: Note,
  ) {}

  async put(part: number | "note", content: BodyInit): Promise<void> {
    await this.cache.put(keyOf(this.note.url, part), new Response(content));
  }

  /** How many parts are there, from the first on without a gap. */
  async parts(): Promise<number> {
    let parts = 0;
    while (parts * PART < this.note.bytes && (await this.cache.match(keyOf(this.note.url, parts)))) parts++;
    return parts;
  }

  async part(part: number): Promise<Uint8Array<ArrayBuffer>> {
    const { url, bytes } = this.note;
    const content = new Uint8Array((await (await this.cache.match(keyOf(url, part)))?.arrayBuffer()) ?? []);
    if (content.length === Math.min(PART, bytes - part * PART)) return content;
    throw bad(url, `part ${part} of the kept file`, "nothing: the browser threw it away", "Load the weights again.");
  }

  /** The parts as one file, if they are all there. */
  async source(): Promise<ByteSource | undefined> {
    const { url, bytes } = this.note;
    if ((await this.parts()) * PART < bytes) return undefined;
    const source: ByteSource = {
      label: url,
      size: bytes,
      fresh: true,
      read: async (offset, length, signal) => {
        signal?.throwIfAborted();
        expectInside(source, offset, length);
        const out = new Uint8Array(length);
        for (let at = offset; at < offset + length; ) {
          const part = Math.floor(at / PART);
          if (this.#held?.part !== part) {
            void this.#held?.bytes.then(letGo, () => {});
            this.#held = { part, bytes: this.part(part) };
          }
          const content = await this.#held.bytes;
          signal?.throwIfAborted();
          const used = content.subarray(at - part * PART, offset + length - part * PART);
          out.set(used, at - offset);
          at += used.length;
        }
        return out;
      },
      close: async () => {
        this.#held = undefined;
      },
    };
    return source;
  }
}

async function copies(storage: CacheStorage, url?: string): Promise<Copy[]> {
  const found: Copy[] = [];
  for (const name of await storage.keys()) {
    if (!name.startsWith(PREFIX) || (url !== undefined && !name.endsWith(` ${url}`))) continue;
    const cache = await storage.open(name);
    // The address of the note is known once its file is: the name ends with it.
    const note: Note | undefined = await (await cache.match(keyOf(name.slice(name.lastIndexOf(" ") + 1), "note")))?.json();
    if (note) found.push(new Copy(cache, note));
  }
  return found;
}

/** What is kept, with sizes. Empty where nothing can be kept. */
export async function listCached(storage?: CacheStorage): Promise<CachedFile[]> {
  if (storage && !("keys" in Object(storage)))
    throw bad("listCached", "a CacheStorage or nothing", describe(storage), "It lists all files that are kept.", "storage");
  const found = await usable(storage);
  const kept = async (copy: Copy) => {
    const { complete: _, ...file } = copy.note;
    return { ...file, kept: Math.min(file.bytes, (await copy.parts()) * PART) };
  };
  return found ? Promise.all((await copies(found)).map(kept)) : [];
}

/** Forgets one address, or everything. */
export async function clearCached(url?: string | URL, storage?: CacheStorage): Promise<void> {
  const found = await usable(storage);
  const end = url === undefined ? "" : ` ${addressOf(url)}`;
  for (const name of (await found?.keys()) ?? []) if (name.startsWith(PREFIX) && name.endsWith(end)) await found?.delete(name);
}

/** The file at an address: from the cache where it is there, else fetched into it first. Without a cache, over the network. */
export async function cachedSource(location: string | URL, options: CacheOptions = {}): Promise<ByteSource> {
  const { signal, onNotice, http: connection } = options;
  const url = addressOf(location);
  // Fetched where a hash was promised.
  const verify = options.sha256 ? await import("./verify.ts") : undefined;
  const sha256 = options.sha256 && verify?.expectSha256(options.sha256, url);
  const uncached = (http: HttpSource) => (sha256 && verify ? verify.verified(http, sha256) : http);
  // Only what came over the network is worth keeping: `blob:` and `data:` are in the browser already.
  const remote = /^https?:/.test(url);
  const storage = remote ? await usable(options.storage) : undefined;
  if (!storage) {
    if (remote) onNotice?.("This browser keeps no files for this page (a private window, or a page that is not secure): the weights are fetched each time.");
    return uncached(await httpSource(url, connection, signal));
  }
  const known = (await copies(storage, url)).filter(({ note }) => note.complete && (!sha256 || note.sha256 === sha256));
  const kept = (version: string) => known.find(({ note }) => note.version === version)?.source();
  const promised = options.version ?? sha256;
  const ready = promised && (await kept(promised));
  if (ready) return ready;
  let http: HttpSource;
  try {
    http = await httpSource(url, connection, signal);
  } catch (error) {
    signal?.throwIfAborted();
    // Offline: any whole copy is better than none, if no version was asked for.
    const source = promised ? undefined : await known.at(-1)?.source();
    if (!source) throw error;
    onNotice?.("The server does not answer: the copy kept in this browser is used.");
    return source;
  }
  const version = promised ?? (http.version || `${http.size}`);
  const source =
    (promised ? undefined : await kept(version)) ?? (await download(storage, http, { url, bytes: http.size, version, ...(sha256 && { sha256 }) }, options));
  if (source) await http.close();
  return source ?? uncached(http);
}

/** A part in pieces, each told of: on a slow line a part takes its time. */
async function readTold(
  http: HttpSource,
  begin: number,
  length: number,
  told: (loaded: number, fetched: number) => void,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const content = new Uint8Array(length);
  for (let at = 0; at < length; at += PIECE) {
    const piece = await http.read(begin + at, Math.min(PIECE, length - at), signal);
    const { length: fetched } = piece;
    content.set(piece, at);
    letGo(piece);
    told(begin + at + fetched, fetched);
  }
  return content;
}

function addressOf(location: string | URL): string {
  try {
    const { href, protocol } = new URL(location, globalThis.location?.href);
    if (protocol.length === 2) throw new TypeError("a path of Windows");
    return href;
  } catch (cause) {
    const remedy = globalThis.location ? "" : " Of a file on disk, in Node, pass pathToFileURL(path) of node:url.";
    throw bad("openCheckpoint", "an address", quoted(String(location)), `Write it whole, with https:// in front.${remedy}`, "weights", cause);
  }
}

/** Fetches what is not there yet. Gives nothing, and leaves `http` open, where the browser cannot keep the file. */
async function download(storage: CacheStorage, http: HttpSource, note: Note, { signal, onProgress, onNotice }: CacheOptions): Promise<ByteSource | undefined> {
  const { url, bytes, sha256 } = note;
  const verify = sha256 ? await import("./verify.ts") : undefined;
  const hash = verify?.newHash();
  const meter = rateMeter();
  let wrong = false;
  try {
    const copy = new Copy(await storage.open(nameOf(note)), note);
    const kept = await copy.parts();
    const room = await globalThis.navigator?.storage?.estimate?.();
    if (room?.quota !== undefined && room.quota - (room.usage ?? 0) < bytes - kept * PART) throw new DOMException("", "QuotaExceededError");
    await copy.put("note", JSON.stringify(note));
    for (let part = 0; part * PART < bytes; part++) {
      signal?.throwIfAborted();
      const begin = part * PART;
      const length = Math.min(PART, bytes - begin);
      const isNew = part >= kept;
      const told = (loaded: number, fetched: number) => onProgress?.({ stage: "download", loaded, total: bytes, bytesPerSecond: meter(fetched) });
      const content = isNew ? await readTold(http, begin, length, told, signal) : hash && (await copy.part(part));
      if (hash && content) hash.update(content);
      if (isNew && content) await copy.put(part, content);
      if (content) letGo(content);
      if (!isNew) told(begin + length, 0);
    }
    const got = hash ? hash.digest() : undefined;
    wrong = got !== sha256;
    if (got && sha256 && wrong && verify) throw verify.mismatch(url, sha256, got);
    await copy.put("note", JSON.stringify({ ...note, complete: true }));
    for (const old of await copies(storage, url)) if (old.note.version !== note.version) await storage.delete(nameOf(old.note));
    return copy.source();
  } catch (error) {
    const broken = error instanceof SamError && !wrong && !signal?.aborted;
    // A connection that failed leaves its parts for the next attempt; a cancel, a wrong file or a full disk leaves nothing.
    if (!broken) await storage.delete(nameOf(note));
    if (error instanceof SamError || signal?.aborted) {
      await http.close();
      throw error;
    }
    const why = error instanceof Error && error.name === "QuotaExceededError" ? "has no room to keep" : `could not keep (${error})`;
    onNotice?.(
      `This browser ${why} the ${Math.ceil(bytes / 1e6)} MB of weights: they are fetched each time. Free some space on the disk, or clear what this page keeps.`,
    );
    return undefined;
  }
}
