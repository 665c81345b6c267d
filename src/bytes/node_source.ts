// Files on disk and the cache folder, for Node only: the command line imports this, nothing a browser loads does.
import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir, platform } from "node:os";
import { basename, join } from "node:path";
import { SamError } from "../errors.ts";
import { type ByteSource, rateMeter } from "./byte_source.ts";
import type { CachedFile, CacheOptions } from "./cache.ts";
import { fileError, fileSource } from "./file_source.ts";
import { type HttpSource, httpSource } from "./http_source.ts";
import { expectSha256, mismatch, verified } from "./verify.ts";

/** What `openCheckpoint` takes as `openSource`: a path, a `file:` URL, or an address whose file is kept in the cache folder. */
export async function nodeSource(location: string | URL, options: CacheOptions = {}): Promise<ByteSource> {
  if (/^https?:\/\//i.test(String(location))) return downloadedSource(String(location), options);
  const source = await fileSource(location);
  return options.sha256 === undefined ? source : verified(source, options.sha256, createHash("sha256"));
}

/** `$XDG_CACHE_HOME/sam-med2d`, or where the system keeps such things. */
export function cacheFolder(): string {
  const local = platform() === "darwin" ? join(homedir(), "Library", "Caches") : platform() === "win32" ? process.env.LOCALAPPDATA : undefined;
  return join(process.env.XDG_CACHE_HOME || local || join(homedir(), ".cache"), "sam-med2d");
}

type Note = Omit<CachedFile, "kept">;

/** Each file has a note beside it that says what it is; a file that is not whole yet is called `.part`. */
async function notes(): Promise<(Note & { readonly path: string; readonly kept: number })[]> {
  const folder = cacheFolder();
  const found = [];
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith(".json")) continue;
    const path = join(folder, name.slice(0, -".json".length));
    const note = await readFile(`${path}.json`, "utf8")
      .then(JSON.parse)
      .catch(() => undefined);
    const file = await stat(path).catch(() => stat(`${path}.part`).catch(() => undefined));
    if (note && typeof note.url === "string") found.push({ ...(note as Note), path, kept: file?.size ?? 0 });
  }
  return found;
}

/** What the cache folder holds, with sizes. */
export async function listCachedFiles(): Promise<CachedFile[]> {
  return (await notes()).map(({ path: _, ...file }) => file);
}

/** Forgets one address, or everything. */
export async function clearCachedFiles(url?: string): Promise<void> {
  for (const note of await notes()) if (url === undefined || note.url === url) await removeFile(note.path);
}

async function removeFile(path: string): Promise<void> {
  // Tidying up after an error must not hide it with another.
  for (const name of [path, `${path}.part`, `${path}.json`]) await rm(name, { force: true }).catch(() => {});
}

async function isWhole(path: string, bytes: number): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.size === bytes;
}

async function downloadedSource(url: string, options: CacheOptions): Promise<ByteSource> {
  const { signal } = options;
  const sha256 = options.sha256 === undefined ? undefined : expectSha256(options.sha256, url);
  const pathOf = (version: string) => {
    const name = basename(new URL(url).pathname).replace(/[^\w.-]/g, "_") || "weights";
    return join(cacheFolder(), `${createHash("sha256").update(`${url}\n${version}`).digest("hex").slice(0, 16)}-${name}`);
  };
  const promised = options.version ?? sha256;
  const known = (await notes()).filter((note) => note.url === url);
  if (promised !== undefined) {
    const note = known.find(({ path }) => path === pathOf(promised));
    if (note && note.sha256 === sha256 && (await isWhole(note.path, note.bytes))) return fileSource(note.path);
  }
  let http: HttpSource;
  try {
    http = await httpSource(url, options.http, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (promised === undefined) for (const { path, bytes } of known) if (await isWhole(path, bytes)) return fileSource(path);
    throw error;
  }
  try {
    const version = promised ?? (http.version || `${http.size} bytes`);
    const path = pathOf(version);
    const note: Note = { url, bytes: http.size, version, ...(sha256 === undefined ? {} : { sha256 }) };
    if (promised !== undefined || !(await isWhole(path, http.size))) await download(http, path, note, options);
    for (const old of known) if (old.path !== path) await removeFile(old.path);
    return await fileSource(path);
  } finally {
    await http.close();
  }
}

const PIECE = 4 << 20;

async function download(http: HttpSource, path: string, note: Note, { signal, onProgress }: CacheOptions): Promise<void> {
  const part = `${path}.part`;
  const hash = createHash("sha256");
  const meter = rateMeter();
  let handle: FileHandle | undefined;
  try {
    await mkdir(cacheFolder(), { recursive: true });
    await writeFile(`${path}.json`, JSON.stringify(note));
    // "a+" would ignore positions; what is there already is kept and gone on from.
    handle = await open(part, "r+").catch(() => open(part, "w+"));
    let at = Math.min((await handle.stat()).size, http.size);
    for (let read = 0; read < at; ) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(Math.min(PIECE, at - read)), 0, null, read);
      if (bytesRead === 0) at = read;
      hash.update(buffer.subarray(0, bytesRead));
      read += bytesRead;
    }
    while (at < http.size) {
      signal?.throwIfAborted();
      const piece = await http.read(at, Math.min(PIECE, http.size - at), signal);
      await handle.write(piece, 0, piece.length, at);
      hash.update(piece);
      at += piece.length;
      onProgress?.({ stage: "download", loaded: at, total: http.size, bytesPerSecond: meter(piece.length) });
    }
    await handle.truncate(http.size);
    await handle.close();
    handle = undefined;
    const got = hash.digest("hex");
    if (note.sha256 !== undefined && got !== note.sha256) {
      await removeFile(path);
      throw mismatch(note.url, note.sha256, got);
    }
    await rename(part, path);
  } catch (error) {
    await handle?.close();
    // A connection that failed leaves what came for the next attempt; a cancel or a full disk leaves nothing.
    if (signal?.aborted || !(error instanceof SamError)) await removeFile(path);
    if (signal?.aborted) throw error;
    throw fileError(cacheFolder(), "a folder to keep the weights in", error);
  }
}
