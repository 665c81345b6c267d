// Files a command writes: all of them or none, and never half of one under its final name.
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CommandError, reasonOf, UsageError } from "./usage.ts";

/** Before any work: folders exist, no two options name one file, and no input is overwritten. */
export async function checkDestinations(outputs: Readonly<Record<string, string | undefined>>, inputs: readonly string[]): Promise<void> {
  const taken = new Map(inputs.map((path) => [resolve(path), "an input of this command"]));
  for (const [option, path] of Object.entries(outputs)) {
    if (path === undefined) continue;
    const other = taken.get(resolve(path));
    if (other) throw new UsageError(`${option} ${path} is also ${other}: give it a name of its own`);
    taken.set(resolve(path), option);
    const folder = dirname(resolve(path));
    const found = await stat(folder).catch(() => undefined);
    if (!found?.isDirectory()) throw new CommandError(`${option} ${path}: the folder ${folder} does not exist`);
    if ((await stat(path).catch(() => undefined))?.isDirectory()) throw new UsageError(`${option} ${path} is a folder: name a file in it`);
  }
}

/** Writes every file beside its destination first, then moves all into place. */
export async function writeAll(files: ReadonlyMap<string, Uint8Array | string>, signal?: AbortSignal): Promise<void> {
  const temporary = new Map<string, string>();
  let current = "";
  try {
    for (const [path, content] of files) {
      signal?.throwIfAborted();
      current = path;
      const beside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
      temporary.set(path, beside);
      await writeFile(beside, content);
    }
    signal?.throwIfAborted();
    for (const [path, beside] of temporary) {
      current = path;
      await rename(beside, path);
    }
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new CommandError(`cannot write ${current}: ${reasonOf(cause)}`, { cause });
  } finally {
    await Promise.all([...temporary.values()].map((path) => rm(path, { force: true })));
  }
}
