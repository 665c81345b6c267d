// Paths of a command line as files of a heap: folders walked, companions found on the disk, everything opened when it is read.
import { statSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ByteSource } from "../bytes/byte_source.ts";
import { fileSource } from "../bytes/file_source.ts";
import { pixelDecoders } from "../formats/codecs/index.ts";
import { type FileEntry, type Opened, openFiles } from "../formats/index.ts";
import { isAddress, openAddress } from "./dicomweb.ts";
import { decodePicture } from "./picture_decoder.ts";
import type { Terminal } from "./terminal.ts";
import { CommandError, reasonOf } from "./usage.ts";

/** Opens files and folders, subfolders too, and what DICOMweb addresses name. Throws a CommandError where a path is not there. */
export async function openPaths(paths: readonly string[], terminal: Pick<Terminal, "progress" | "clear">, signal: AbortSignal): Promise<Opened> {
  const files: FileEntry[] = [];
  const decoders = { ...pixelDecoders(), picture: decodePicture };
  for (const path of paths) if (!isAddress(path)) await collect(path, files, signal);
  const opened = [];
  for (const path of paths) if (isAddress(path)) opened.push(await openAddress(path, decoders, terminal, signal));
  opened.push(
    await openFiles(files, {
      decoders,
      signal,
      beside: entryBeside,
      onProgress: ({ done, total }) => terminal.progress(`Opening files  ${done} of ${total}`),
    }),
  );
  terminal.clear();
  return {
    volumes: opened.flatMap(({ volumes }) => volumes),
    segmentations: opened.flatMap(({ segmentations }) => segmentations),
    refused: opened.flatMap(({ refused }) => refused),
  };
}

async function collect(path: string, files: FileEntry[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    const found = await stat(path);
    if (found.isDirectory()) {
      for (const name of (await readdir(path)).sort()) await collect(join(path, name), files, signal);
    } else if (found.isFile()) files.push(entryOf(path, found.size));
    else throw new CommandError(`cannot read ${path}: it is neither a file nor a folder`);
  } catch (cause) {
    if (cause instanceof CommandError || signal.aborted) throw cause;
    throw new CommandError(`cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}

function entryBeside(path: string): FileEntry | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? entryOf(path, found.size) : undefined;
}

function entryOf(path: string, size: number): FileEntry {
  return { path: path.replaceAll("\\", "/"), source: lazySource(path, size) };
}

/** Of thousands of slices only those being read are open. */
function lazySource(label: string, size: number): ByteSource {
  return {
    label,
    size,
    fresh: true,
    async read(offset, length, signal) {
      const source = await fileSource(label);
      try {
        return await source.read(offset, length, signal);
      } finally {
        await source.close();
      }
    },
    async close() {},
  };
}
