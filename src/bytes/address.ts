// Weights from an address, kept or not: one module, fetched when the first address is opened.
import { type ByteSource, bufferSource } from "./byte_source.ts";
import { bad } from "./fail.ts";

export { cachedSource, clearCached, listCached } from "./cache.ts";
export { httpSource } from "./http_source.ts";

/** The bytes of a `data:` address, which no message repeats: it is as long as the file. */
export async function dataSource(address: string | URL): Promise<ByteSource> {
  try {
    return bufferSource(await (await fetch(address)).arrayBuffer(), "data: address");
  } catch (cause) {
    throw bad("data: address", "one that can be read", String(cause).slice(0, 120), "Pass the bytes themselves, or a Blob.", undefined, cause);
  }
}
