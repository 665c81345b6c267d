// Folders that were opened by handle, where the browser has handles: at the next start they are read again, with its permission, and nothing is chosen anew.
import { t } from "../words/words.ts";

/** What browsers with handles have beyond the standard's types. */
interface Handle extends FileSystemDirectoryHandle {
  queryPermission?(options: { readonly mode: "read" }): Promise<PermissionState>;
  requestPermission?(options: { readonly mode: "read" }): Promise<PermissionState>;
}

type Picker = (options: { readonly mode: "read" }) => Promise<FileSystemDirectoryHandle>;

/** Deeper is no series but a disk. */
const MOST_FILES = 200_000;

export const hasFolders = () => "showDirectoryPicker" in globalThis;

/** Undefined where its user chose none. */
export async function chooseFolder(): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    return await (globalThis as unknown as { showDirectoryPicker: Picker }).showDirectoryPicker({ mode: "read" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    throw error;
  }
}

/** Whether it may be read: without a question, or after one, which the browser allows on a click only. */
export async function mayRead(folder: FileSystemDirectoryHandle, ask: boolean): Promise<boolean> {
  const handle = folder as Handle;
  if (!handle.queryPermission) return true;
  if ((await handle.queryPermission({ mode: "read" })) === "granted") return true;
  return ask && (await handle.requestPermission?.({ mode: "read" })) === "granted";
}

/** All of its files, with their paths below it as `webkitRelativePath`, as a chosen folder has them. Rejects where it is gone, or no folder anybody meant. */
export async function filesIn(folder: FileSystemDirectoryHandle): Promise<File[]> {
  const files: File[] = [];
  await walk(folder, folder.name, files);
  return files;
}

async function walk(folder: FileSystemDirectoryHandle, path: string, files: File[]): Promise<void> {
  for await (const [name, handle] of folder as unknown as AsyncIterable<[string, FileSystemFileHandle | FileSystemDirectoryHandle]>) {
    if (handle.kind === "directory") await walk(handle, `${path}/${name}`, files);
    // Hidden files are the system's.
    else if (!name.startsWith(".")) files.push(Object.defineProperty(await handle.getFile(), "webkitRelativePath", { value: `${path}/${name}` }));
    if (files.length > MOST_FILES) throw new RangeError(t("folder.toomany", { n: MOST_FILES }));
  }
}
