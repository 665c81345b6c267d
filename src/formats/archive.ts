// What is in a zip, or a tar, packed or not, as files of a heap. Entries of a zip are read in place or unpacked one by one, when they are looked at.
import type { ByteSource } from "../bytes/byte_source.ts";
import { openZip, type Zip, type ZipEntry } from "../bytes/zip.ts";
import { badFile, DAMAGED } from "./fail.ts";
import { inflateAll, packingOf } from "./inflate.ts";
import type { FileEntry, ReadContext } from "./reader.ts";

/** Of one archive, once unpacked. */
const LIMIT = 2 ** 32;
const BLOCK = 512;
const MAX_ENTRIES = 200_000;

export async function openArchive({ path, source }: FileEntry, kind: string, context: ReadContext): Promise<FileEntry[]> {
  if (kind === "zip") return zipEntries(path, source, await openZip(source, context.signal), context);
  const packing = kind === "tar" ? undefined : await packingOf(source);
  const tar = packing ? await inflateAll({ source, path, packing }, { limit: LIMIT }, context) : source;
  return tarEntries(path, tar, context.signal);
}

function zipEntries(path: string, source: ByteSource, zip: Zip, context: ReadContext): FileEntry[] {
  const files = [...zip.entries.values()].filter(({ name }) => !name.endsWith("/"));
  const total = files.reduce((sum, { unpacked }) => sum + unpacked, 0);
  if (total > LIMIT) throw badFile(path, `at most ${LIMIT} bytes once unpacked`, `${total}`, "Unpack the archive first and open its folder.");
  return files.map((entry) => {
    const inner = `${path}/${entry.name.replaceAll("\\", "/")}`;
    return { path: inner, source: entry.stored ? storedSource(inner, zip, entry) : packedSource(inner, source, zip, entry, context) };
  });
}

function storedSource(label: string, zip: Zip, entry: ZipEntry): ByteSource {
  return { label, size: entry.size, read: (offset, length, signal) => zip.read(entry, offset, length, signal), async close() {} };
}

function packedSource(label: string, source: ByteSource, zip: Zip, entry: ZipEntry, context: ReadContext): ByteSource {
  // Kept while somebody needs it: of a series of hundreds only what is looked at stays unpacked.
  let kept: WeakRef<ByteSource> | undefined;
  const unpack = async (signal?: AbortSignal): Promise<ByteSource> => {
    const known = kept?.deref();
    if (known) return known;
    if (entry.method !== 8)
      throw badFile(label, "a file stored or deflated in its zip", `method ${entry.method}`, "Unpack the archive first and open its folder.");
    const begin = await zip.begin(entry, signal);
    const span = { source, path: label, begin, length: entry.size, packing: "deflate-raw" } as const;
    const unpacked = await inflateAll(span, { size: entry.unpacked }, signal ? { ...context, signal } : context);
    kept = new WeakRef(unpacked);
    return unpacked;
  };
  return { label, size: entry.unpacked, read: async (offset, length, signal) => (await unpack(signal)).read(offset, length, signal), async close() {} };
}

async function tarEntries(path: string, tar: ByteSource, signal?: AbortSignal): Promise<FileEntry[]> {
  const found: FileEntry[] = [];
  const text = new TextDecoder();
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= tar.size; ) {
    const header = await tar.read(at, BLOCK, signal);
    if (header[0] === 0) break;
    const field = (begin: number, length: number) => text.decode(header.subarray(begin, begin + length)).replace(/\0[\s\S]*$/, "");
    const size = Number.parseInt(field(124, 12).trim(), 8);
    if (!(size >= 0) || at + BLOCK + size > tar.size) throw badFile(path, "a tar archive to its end", "one that is cut off or damaged", DAMAGED);
    const type = field(156, 1);
    const begin = at + BLOCK;
    const prefix = field(257, 5) === "ustar" ? field(345, 155) : "";
    const name = longName ?? (prefix ? `${prefix}/${field(0, 100)}` : field(0, 100));
    longName = undefined;
    if (type === "L") longName = text.decode(await tar.read(begin, Math.min(size, 4096), signal)).replace(/\0[\s\S]*$/, "");
    else if (type === "x") longName = paxPath(text.decode(await tar.read(begin, Math.min(size, 1 << 16), signal)));
    else if (type === "" || type === "0") found.push({ path: `${path}/${name}`, source: partOf(tar, `${path}/${name}`, begin, size) });
    if (found.length > MAX_ENTRIES) throw badFile(path, `at most ${MAX_ENTRIES} files`, "more", "Unpack the archive first and open a part of it.");
    at = begin + Math.ceil(size / BLOCK) * BLOCK;
  }
  return found;
}

/** `27 path=a/long/name\n` */
function paxPath(records: string): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]+)/.exec(records)?.[1];
}

function partOf(source: ByteSource, label: string, begin: number, size: number): ByteSource {
  return { label, size, read: (offset, length, signal) => source.read(begin + offset, length, signal), async close() {} };
}
