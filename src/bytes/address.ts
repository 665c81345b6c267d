// Weights from an address, kept or not: one module, fetched when the first address is opened.
export { cachedSource, clearCached, listCached } from "./cache.ts";
export { httpSource } from "./http_source.ts";
