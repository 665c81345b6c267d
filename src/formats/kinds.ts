// Which reader takes which kind of file. Each is fetched when the first such file is met.
import type { Companions, FileEntry, ReadContext, ReadResult } from "./reader.ts";

export type { Kind } from "../bytes/sniff.ts";

export interface Reader {
  /** As `kindOf` calls them. */
  readonly kinds: readonly string[];
  /** All such files of a heap in one call, else one by one. */
  readonly together?: boolean;
  read(entries: readonly FileEntry[], companions: Companions, context: ReadContext): Promise<ReadResult>;
}

/** Headers that name other files come first, so that those are not taken for files of their own. */
export const READERS: readonly Reader[] = [
  { kinds: ["nrrd"], read: async ([entry], companions, context) => (await import("./nrrd.ts")).readNrrd(entry as FileEntry, companions, context) },
  {
    kinds: ["metaimage"],
    read: async ([entry], companions, context) => (await import("./metaimage.ts")).readMetaImage(entry as FileEntry, companions, context),
  },
  {
    kinds: ["nifti", "analyze"],
    read: async ([entry], companions, context) => (await import("./nifti.ts")).readNifti(entry as FileEntry, companions, context),
  },
  { kinds: ["dicom"], together: true, read: async (entries, _, context) => (await import("./dicom/index.ts")).readDicom(entries, context) },
  { kinds: ["json"], read: async ([entry], companions, context) => (await import("./read_json.ts")).readJson(entry as FileEntry, companions, context) },
  { kinds: ["tiff"], read: async ([entry], _, context) => (await import("./tiff.ts")).readTiff(entry as FileEntry, context) },
  { kinds: ["png"], read: async ([entry], _, context) => (await import("./png.ts")).readPng(entry as FileEntry, context) },
  {
    kinds: ["jpeg", "webp", "avif", "gif", "bmp"],
    read: async ([entry], _, context) => (await import("./picture.ts")).readPicture(entry as FileEntry, context),
  },
];
