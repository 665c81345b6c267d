// What is kept of addresses, for who wants to see or free it: the module behind it is fetched then.
import type { Known } from "../known.ts";
import type { CachedFile } from "./cache.ts";

/** The files kept in Cache Storage, complete or not; none where the page may keep nothing. */
export async function listCached(storage?: Known<"CacheStorage">): Promise<CachedFile[]> {
  return (await import("./address.ts")).listCached(storage);
}

/** Frees what is kept of an address, of all of them where none is given. */
export async function clearCached(url?: string | URL, storage?: Known<"CacheStorage">): Promise<void> {
  await (await import("./address.ts")).clearCached(url, storage);
}
