// Where an output's name leads: links are followed, and what is no regular file is told apart.
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

export type Target =
  /** A regular file, or none yet. */
  | { readonly kind: "file"; readonly path: string }
  /** `/dev/stdout`, `/dev/fd/63`: of this process, already open. */
  | { readonly kind: "descriptor"; readonly descriptor: number }
  /** `/dev/null`, a terminal. */
  | { readonly kind: "device"; readonly path: string }
  | { readonly kind: "pipe"; readonly path: string }
  | { readonly kind: "folder"; readonly path: string };

const DESCRIPTOR = /^\/(?:dev|proc\/(?:self|thread-self))\/fd\/(\d{1,9})$/;
const NAMED: Readonly<Record<string, number>> = { "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2 };
/** As the system has it. */
const MOST_LINKS = 40;

/** Descriptor N of this process, where a path names one. */
export function descriptorOf(path: string): number | undefined {
  if (process.platform === "win32") return undefined;
  const number = NAMED[path] ?? DESCRIPTOR.exec(path.replace(`/proc/${process.pid}/`, "/proc/self/"))?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Throws what the system said; a folder that is missing is no error yet. */
export async function resolveTarget(given: string): Promise<Target> {
  let path = resolve(given);
  for (let links = 0; links < MOST_LINKS; links++) {
    const descriptor = descriptorOf(path);
    if (descriptor !== undefined) return { kind: "descriptor", descriptor };
    const found = await lstat(path).catch(absent);
    if (!found) return { kind: "file", path };
    if (found.isSymbolicLink()) {
      // From the folder as it is: a link may hold "../".
      path = resolve(await realpath(dirname(path)), await readlink(path));
      continue;
    }
    if (found.isDirectory()) return { kind: "folder", path };
    if (found.isFIFO()) return { kind: "pipe", path };
    return found.isFile() ? { kind: "file", path } : { kind: "device", path };
  }
  throw Object.assign(new Error("links in a circle"), { code: "ELOOP" });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}

/** The same for every path of one file, hard links included; of a file that is not there yet, its folder's and its name. */
export async function identityOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (found) return `${found.dev} ${found.ino}`;
  const folder = await realpath(dirname(resolve(path))).catch(() => dirname(resolve(path)));
  return join(folder, basename(path));
}
