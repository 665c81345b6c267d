// Files a command writes: all of them or none, and never half of one under its final name.
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, chmod, chown, copyFile, type FileHandle, open, readFile, readlink, rename, rm, stat } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { Stream } from "./output_stream.ts";
import { identityOf, resolveTarget, type Target } from "./output_target.ts";
import { CommandError, reasonOf, UsageError } from "./usage.ts";

/** What each option writes; a name that promises another format is refused. */
const FORMATS: Readonly<Record<string, string>> = {
  "--out": ".png",
  "--overlay": ".png",
  "--save-embedding": ".npy",
  "--save-logits": ".npy",
  "--json": ".json",
  "--save-prompts": ".json",
  "--csv": ".csv",
  "--html": ".html",
};

const MORE: Readonly<Record<string, string>> = { "--out": ", or for labels on a volume in .nii.gz, .seg.nrrd, .dcm or .json" };

/** Endings that promise a format. A name with another ending is the user's own business only where the content is text. */
const TEXT = new Set([".json", ".csv", ".html"]);
const PROMISES = /^\.(png|npy|json|csv|html?|jpe?g|tiff?|bmp|gif|webp|dcm|nii|gz|nrrd|mha|npz|pdf|svg|xlsx?|pth?|safetensors)$/;

/** Files to be written, each by the option that names it. */
export type Destinations = Readonly<Record<string, string | undefined>>;

function expectEnding(option: string, path: string): void {
  const format = FORMATS[option];
  const ending = extname(path).toLowerCase();
  if (!format || ending === format || ending === "" || (format === ".html" && ending === ".htm")) return;
  if (TEXT.has(format) && !PROMISES.test(ending)) return;
  throw new UsageError(`${option} ${path}: it is written as ${format.slice(1).toUpperCase()} alone: name a file that ends in ${format}${MORE[option] ?? ""}`);
}

/**
 * Before any work: folders exist and can be written to, no two options name one file, and no input is overwritten, whatever
 * links lead there. Devices may be named more than once.
 */
export async function checkDestinations(outputs: Destinations, inputs: readonly string[]): Promise<void> {
  const taken = new Map<string, string>();
  for (const path of inputs) taken.set(await identityOf(path), "an input of this command");
  for (const [option, path] of Object.entries(outputs)) {
    if (path === undefined) continue;
    if (path === "") throw new UsageError(`${option} is empty: name a file`);
    if (path === "-")
      throw new UsageError(
        `${option} -: by this name only --json, and --csv of measure, go to standard output: name a file, /dev/stdout, or ./- for a file called so`,
      );
    const target = await resolveTarget(path).catch((cause) => {
      throw new CommandError(`${option} ${path}: ${reasonOf(cause)}`, { cause });
    });
    if (target.kind === "folder") throw new UsageError(`${option} ${path} is a folder: name a file in it`);
    if (target.kind === "file" && /[\\/]\.?$/.test(path)) throw new UsageError(`${option} ${path} is the name of a folder: name a file in it`);
    if (target.kind === "descriptor") await expectWritable(option, path, target.descriptor);
    if (target.kind === "device") continue;
    const identity = target.kind === "descriptor" ? `descriptor ${target.descriptor}` : await identityOf(target.path);
    const other = taken.get(identity);
    if (other) throw new UsageError(`${option} ${path} is also ${other}: give it a name of its own`);
    taken.set(identity, option);
    if (target.kind !== "file") continue;
    expectEnding(option, path);
    const folder = dirname(target.path);
    const found = await stat(folder).catch(() => undefined);
    if (!found?.isDirectory()) throw new CommandError(`${option} ${path}: the folder ${folder} does not exist`);
    await access((await stat(target.path).catch(() => undefined)) ? target.path : folder, constants.W_OK).catch((cause) => {
      throw new CommandError(`${option} ${path} cannot be written: ${reasonOf(cause)}`, { cause });
    });
  }
}

/** A descriptor that somebody opened for this process, to be written to: Node has others of its own, which must not be. */
async function expectWritable(option: string, path: string, descriptor: number): Promise<void> {
  if (process.platform !== "linux") return;
  const leads = await readlink(`/proc/self/fd/${descriptor}`).catch(() => "");
  const flags = /^flags:\s*(\d+)/m.exec(await readFile(`/proc/self/fdinfo/${descriptor}`, "utf8").catch(() => ""))?.[1] ?? "";
  const forReading = (Number.parseInt(flags, 8) & 3) === constants.O_RDONLY;
  if (leads === "" || leads.startsWith("anon_inode:") || forReading)
    throw new CommandError(`${option} ${path}: descriptor ${descriptor} is not open for writing`);
}

/** Writes every file beside its destination, then moves all into place; what is no regular file is written in place. */
export async function writeAll(files: ReadonlyMap<string, Uint8Array | string>, signal?: AbortSignal): Promise<void> {
  const outputs = new Outputs(signal);
  try {
    for (const [path, content] of files) await outputs.write(path, [content]);
    await outputs.commit();
  } finally {
    await outputs.discard();
  }
}

interface Waiting {
  readonly path: string;
  readonly target: Target & { kind: "file" };
  readonly beside: string;
}

/** Outputs of one command. `discard` belongs in a finally: it removes what `commit` did not move. */
export class Outputs {
  readonly #waiting: Waiting[] = [];
  readonly #inPlace: (() => Promise<void>)[] = [];

  constructor(private readonly signal?: AbortSignal) {}

  /** Regular files take the pieces as they come; anything else holds them until all files are complete. */
  async write(path: string, pieces: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array>): Promise<void> {
    this.signal?.throwIfAborted();
    await this.#told(path, async () => {
      const target = await resolveTarget(path);
      const inPlace = target.kind !== "file" || (await onlyInPlace(target.path));
      if (!inPlace) {
        const beside = join(dirname(target.path), `.sam-med2d-${process.pid}-${randomUUID().slice(0, 8)}.tmp`);
        this.#waiting.push({ path, target, beside });
        const file = await open(beside, "wx");
        await this.#fill(file, pieces, true);
        return;
      }
      const held: (Uint8Array | string)[] = [];
      for await (const piece of pieces) held.push(piece);
      this.#inPlace.push(() => this.#told(path, () => this.#inPlaceNow(target, held)));
    });
  }

  async commit(): Promise<void> {
    for (const write of this.#inPlace.splice(0)) await write();
    this.signal?.throwIfAborted();
    while (this.#waiting[0]) {
      const { path, target, beside } = this.#waiting[0];
      await this.#told(path, async () => {
        const before = await stat(target.path).catch(() => undefined);
        if (before) {
          // Who may read it is the user's choice of before; another owner's file may not be given back.
          await chown(beside, before.uid, before.gid).catch(() => undefined);
          await chmod(beside, before.mode & 0o7777);
        }
        await rename(beside, target.path).catch((cause) => {
          // A file mounted by itself, as containers do: nothing can be moved onto it.
          if (cause.code !== "EBUSY" && cause.code !== "EXDEV") throw cause;
          return copyFile(beside, target.path).then(() => rm(beside, { force: true }));
        });
      });
      this.#waiting.shift();
    }
  }

  async discard(): Promise<void> {
    await Promise.all(this.#waiting.splice(0).map(({ beside }) => rm(beside, { force: true })));
  }

  async #fill(file: FileHandle, pieces: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array>, flush: boolean): Promise<void> {
    try {
      for await (const piece of pieces) {
        this.signal?.throwIfAborted();
        await file.writeFile(piece);
      }
      // A full disk may be told only now; some file systems cannot do it.
      if (flush) await file.sync().catch((cause) => (["EINVAL", "ENOTSUP", "EROFS"].includes(cause.code) ? undefined : Promise.reject(cause)));
    } finally {
      await file.close();
    }
  }

  async #inPlaceNow(target: Target, pieces: readonly (Uint8Array | string)[]): Promise<void> {
    if (target.kind === "file") return this.#fill(await open(target.path, "w"), pieces, true);
    const stream = await Stream.open(target, this.signal);
    try {
      for (const piece of pieces) await stream.write(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    } finally {
      await stream.close();
    }
  }

  async #told(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      if (this.signal?.aborted) throw this.signal.reason;
      if (cause instanceof CommandError) throw cause;
      throw new CommandError(`cannot write ${path}: ${reasonOf(cause)}`, { cause });
    }
  }
}

/** A file in a folder that takes no new ones. */
async function onlyInPlace(path: string): Promise<boolean> {
  if (!(await stat(path).catch(() => undefined))) return false;
  return access(dirname(path), constants.W_OK).then(
    () => false,
    () => true,
  );
}
