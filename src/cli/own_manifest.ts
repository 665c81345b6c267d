// The manifest beside converted weights: its name is made of theirs, so it must never replace somebody's own JSON.
import { readFile } from "node:fs/promises";

const KEYS = ["format", "dtype", "adapter", "tensors", "parameters", "config", "source", "files"];

interface Manifest {
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
}

/** Whether the file is a manifest as this command writes it, with nothing added. */
export async function isOwnManifest(path: string): Promise<boolean> {
  return (await read(path)) !== undefined;
}

/** The files that the manifest there lists, with their SHA-256 in hex; none where it is not one of ours. */
export async function filesMade(path: string): Promise<ReadonlyMap<string, string>> {
  return new Map((await read(path).catch(() => undefined))?.files.map(({ name, sha256 }) => [name, sha256]));
}

async function read(path: string): Promise<Manifest | undefined> {
  const text = await readFile(path, "utf8");
  const found = JSON.parse(text) as Partial<Manifest> & { readonly format?: unknown };
  const own = found.format === "safetensors" && Array.isArray(found.files) && Object.keys(found).every((key) => KEYS.includes(key));
  return own && text === `${JSON.stringify(found, null, 2)}\n` ? (found as Manifest) : undefined;
}
