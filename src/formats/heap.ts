// The heap of files that somebody dropped: archives unpacked, each told apart by its first bytes, companions found beside their headers.
import { kindOf } from "../bytes/sniff.ts";
import { badFile, CUT_OFF } from "./fail.ts";
import { looksLikeDicom } from "./dicom/file.ts";
import { inflateHead } from "./inflate.ts";
import type { Kind } from "./kinds.ts";
import type { Companions, FileEntry, ReadContext } from "./reader.ts";

const HEAD = 512;
/** Of files that were dropped together: each read of one waits for the browser's other process. */
const HEADS_AT_ONCE = 32;
/** Archives in archives, and no deeper. */
const MAX_DEPTH = 3;

/** Made by systems, not by people. */
const LITTER = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*|__MACOSX\/.*)$/i;

export class Heap {
  readonly entries: FileEntry[] = [];
  readonly #given: readonly FileEntry[];
  readonly #kinds = new Map<FileEntry, Kind | undefined>();
  readonly #taken = new Set<FileEntry>();
  readonly #used = new Set<FileEntry>();
  readonly #byPath = new Map<string, FileEntry>();
  readonly #byName = new Map<string, FileEntry[]>();

  constructor(
    given: readonly FileEntry[],
    private readonly beside?: (path: string) => FileEntry | undefined,
  ) {
    this.#given = given;
  }

  /** Looks at every file; archives give way to what is in them. */
  async sort(context: ReadContext, refuse: (file: string, error: unknown) => void): Promise<void> {
    for (let i = 0; i < this.#given.length; i += HEADS_AT_ONCE) {
      const some = this.#given.slice(i, i + HEADS_AT_ONCE).map((entry) => ({ entry, head: headOf(entry, context) }));
      // One that fails is told where it is looked at.
      await Promise.allSettled(some.map(({ head }) => head));
      for (const { entry, head } of some) await this.#add(entry, context, refuse, 0, head);
    }
  }

  async #add(
    entry: FileEntry,
    context: ReadContext,
    refuse: (file: string, error: unknown) => void,
    depth: number,
    given?: Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    context.signal?.throwIfAborted();
    if (LITTER.test(entry.path)) return;
    try {
      if (entry.source.size === 0) throw badFile(entry.path, "an image", "an empty file", CUT_OFF);
      const head = await (given ?? headOf(entry, context));
      const kind = await kindOfEntry(entry, head, context);
      if ((kind?.id === "zip" || kind?.id === "tar.packed" || kind?.id === "tar") && depth < MAX_DEPTH) {
        const { openArchive } = await import("./archive.ts");
        const found = await openArchive(entry, kind.id, context);
        if (found.length === 0) throw badFile(entry.path, "files in the archive", "nothing in it", "Pack it again with the images in it.");
        for (const inner of found) await this.#add(inner, context, refuse, depth + 1);
        return;
      }
      this.#keep(entry, kind);
    } catch (error) {
      refuse(entry.path, error);
    }
  }

  #keep(entry: FileEntry, kind: Kind | undefined): void {
    this.entries.push(entry);
    this.#kinds.set(entry, kind);
    this.#byPath.set(entry.path.toLowerCase(), entry);
    const name = nameOf(entry.path);
    this.#byName.set(name, [...(this.#byName.get(name) ?? []), entry]);
  }

  /** In the heap by path, then by a name that only one file has; then beside it, where files were not all given. */
  readonly companions: Companions = (path) => {
    const named = this.#byName.get(nameOf(path));
    const found = this.#byPath.get(path.toLowerCase()) ?? (named?.length === 1 ? named[0] : undefined) ?? this.beside?.(path);
    if (found) this.#used.add(found);
    return found;
  };

  /** Whether it was a header's companion. */
  used(entry: FileEntry): boolean {
    return this.#used.has(entry);
  }

  take(kinds: readonly string[]): FileEntry[] {
    const found = this.entries.filter((entry) => !this.#taken.has(entry) && kinds.includes(this.#kinds.get(entry)?.id ?? ""));
    for (const entry of found) this.#taken.add(entry);
    return found;
  }

  waiting(): number {
    return this.entries.length - this.#taken.size;
  }

  /** What no reader took and no header named. */
  rest(): { entry: FileEntry; kind: Kind | undefined }[] {
    return this.entries.filter((entry) => !this.#taken.has(entry) && !this.used(entry)).map((entry) => ({ entry, kind: this.#kinds.get(entry) }));
  }
}

async function headOf({ source }: FileEntry, { signal }: ReadContext): Promise<Uint8Array<ArrayBuffer>> {
  return source.read(0, Math.min(HEAD, source.size), signal);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).toLowerCase();
}

/** Of a packed file that is no archive, the kind of what is packed. */
async function kindOfEntry(entry: FileEntry, head: Uint8Array, context: ReadContext): Promise<Kind | undefined> {
  const kind = kindOf(head);
  if (kind?.id === "gzip" || kind?.id === "bzip2") {
    const inner = kindOf(await inflateHead({ source: entry.source, path: entry.path, packing: kind.id }, HEAD, context));
    if (inner?.id === "tar") return { ...inner, id: "tar.packed" };
    return inner?.id === "nifti" || inner?.id === "analyze" ? inner : { ...kind, name: `${kind.name} of ${inner?.name ?? "an unknown kind of file"}` };
  }
  if (/\.img(\.gz)?$/i.test(entry.path) && (!kind || kind.medium === "text"))
    return { id: "nifti", name: "the voxels of a NIfTI or Analyze volume", medium: "scan" };
  if ((!kind || kind.medium === "text" || kind.id === "onnx") && looksLikeDicom(head)) return { id: "dicom", name: "a DICOM file", medium: "scan" };
  return kind;
}
