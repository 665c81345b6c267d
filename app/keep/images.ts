// Images kept on this machine on request, in the browser's own file system: copied, never moved.

const FOLDER = "images";

async function folder(create: boolean): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create });
}

/** Gives the names under which they lie there. Rejects where the disk is full; what was begun is taken away again. */
export async function keepFiles(id: string, files: readonly File[], signal?: AbortSignal): Promise<string[]> {
  const own = await (await folder(true)).getDirectoryHandle(encodeURIComponent(id), { create: true });
  try {
    const names: string[] = [];
    for (const [index, file] of files.entries()) {
      signal?.throwIfAborted();
      const name = `${index} ${encodeURIComponent(file.webkitRelativePath || file.name)}`.slice(0, 200);
      const writer = await (await own.getFileHandle(name, { create: true })).createWritable();
      await file.stream().pipeTo(writer);
      names.push(name);
    }
    return names;
  } catch (error) {
    await dropFiles(id);
    throw error;
  }
}

export async function keptFiles(id: string, names: readonly string[]): Promise<File[]> {
  const own = await (await folder(false)).getDirectoryHandle(encodeURIComponent(id));
  return Promise.all(
    names.map(async (name) => {
      const file = await (await own.getFileHandle(name)).getFile();
      const path = decodeURIComponent(name.replace(/^\d+ /, ""));
      return new File([file], path.slice(path.lastIndexOf("/") + 1), { type: file.type });
    }),
  );
}

export async function dropFiles(id: string): Promise<void> {
  await folder(false)
    .then((all) => all.removeEntry(encodeURIComponent(id), { recursive: true }))
    .catch(() => {});
}

export async function dropAll(): Promise<void> {
  await navigator.storage
    ?.getDirectory()
    .then((root) => root.removeEntry(FOLDER, { recursive: true }))
    .catch(() => {});
}
