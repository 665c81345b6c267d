// Files of what was dropped or pasted, folders walked to their ends.

/** Deeper is no series but a disk. */
const MOST_FILES = 200_000;

/**
 * To be called while the event lasts: browsers forget what was dropped after it. Files keep their paths below what was dropped as
 * `webkitRelativePath`. Throws where a folder holds more files than anybody meant.
 */
export function filesOf(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].flatMap((item) => (item.kind === "file" ? [{ entry: item.webkitGetAsEntry(), file: item.getAsFile() }] : []));
  const plain = entries.length === 0 ? [...transfer.files] : [];
  return (async () => {
    const files = [...plain];
    for (const { entry, file } of entries) {
      if (entry?.isDirectory) await walk(entry as FileSystemDirectoryEntry, files);
      else if (file) files.push(file);
    }
    return files;
  })();
}

async function walk(folder: FileSystemDirectoryEntry, files: File[]): Promise<void> {
  const reader = folder.createReader();
  // A browser gives at most a hundred at a time, and none when it is done.
  for (let some = await entriesOf(reader); some.length > 0; some = await entriesOf(reader)) {
    for (const entry of some) {
      if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, files);
      else files.push(await fileOf(entry as FileSystemFileEntry));
      if (files.length > MOST_FILES) throw new RangeError(`The folder holds more than ${MOST_FILES} files: drop a part of it.`);
    }
  }
}

function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

async function fileOf(entry: FileSystemFileEntry): Promise<File> {
  const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
  return Object.defineProperty(file, "webkitRelativePath", { value: entry.fullPath.replace(/^\//, "") });
}
