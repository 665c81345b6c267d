// A folder that a command makes: it appears when it is whole, or not at all.
import { randomUUID } from "node:crypto";
import { mkdir, readdir, realpath, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { resolveTarget } from "./output_target.ts";
import { CommandError, reasonOf, UsageError } from "./usage.ts";

/** It must not be there yet, or be empty. */
export async function expectNewFolder(out: string): Promise<void> {
  const inside = await readdir(out).catch((cause) => {
    if (cause.code === "ENOENT") return [];
    throw new CommandError(`${out}: ${reasonOf(cause)}`, { cause });
  });
  if (inside.length > 0) throw new UsageError(`${out} has files in it: name a new folder`);
}

export async function writeFolder(
  out: string,
  files: AsyncIterable<{ readonly path: string; readonly data: Uint8Array }>,
  signal: AbortSignal,
): Promise<string[]> {
  const made = `.sam-med2d-${process.pid}-${randomUUID().slice(0, 8)}.tmp`;
  const written: string[] = [];
  const folders = new Set<string>();
  let partial = "";
  try {
    // One that is there, a disk of its own perhaps, or what a link leads to, stays: it is filled.
    const there = await realpath(out).catch(() => undefined);
    const target = await resolveTarget(out);
    const place = there ?? ("path" in target ? target.path : out);
    partial = there ? join(there, made) : join(dirname(place), made);
    for await (const { path, data } of files) {
      signal.throwIfAborted();
      const folder = dirname(join(partial, path));
      if (!folders.has(folder)) await mkdir(folder, { recursive: true });
      folders.add(folder);
      await writeFile(join(partial, path), data);
      written.push(path);
    }
    if (!there) await rename(partial, place);
    else {
      // Meanwhile somebody may have put something there.
      const [first] = (await readdir(there)).filter((name) => name !== made);
      if (first !== undefined) throw new CommandError(`${out} was empty and now has ${first} in it: name a new folder`);
      for (const name of await readdir(partial)) await rename(join(partial, name), join(there, name));
    }
    return written;
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (cause instanceof Error && "code" in cause && typeof cause.code === "string" && /^E[A-Z]+$/.test(cause.code))
      throw new CommandError(`cannot write ${out}: ${reasonOf(cause)}`, { cause });
    throw cause;
  } finally {
    if (partial !== "") await rm(partial, { recursive: true, force: true });
  }
}
