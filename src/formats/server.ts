// DICOMweb, fetched when a server is asked.
import type { DicomWebOptions, SeriesItem, Stored, StudyItem } from "./dicomweb/index.ts";
import type { ServerOptions } from "./dicomweb/server.ts";
import type { Opened } from "./index.ts";
import { SamError } from "../errors.ts";
import { expectOptions, namesOf } from "../option_names.ts";
import { describe } from "../options.ts";

const SERVER = [...namesOf<Required<ServerOptions>>({ url: 1, headers: 1, authorize: 1, stallMs: 1 }), "signal"];

const part = () => import("./dicomweb/index.ts");

/**
 * Opens series on a DICOMweb server: QIDO-RS lists them, WADO-RS describes them, and frames are fetched when a slice is asked for, as they are stored:
 * pass `decoders` for compressed ones. What cannot be opened is in `refused`. Throws a SamError of code "file" where the server cannot be asked,
 * in the user's words: no such study, no permission, another origin, no DICOMweb.
 */
export async function fromDicomWeb(options: DicomWebOptions): Promise<Opened> {
  await expectOptions(options, [...SERVER, "study", "series", "decoders", "onProgress"], "file", "fromDicomWeb");
  return (await part()).fromDicomWeb(options);
}

/** Studies of a server, the newest first, without what names their patients; `query` as in QIDO-RS: `{ StudyDate: "20240101-" }`. At most `limit` (200). */
export async function dicomWebStudies(
  options: ServerOptions & { readonly query?: Readonly<Record<string, string>>; readonly limit?: number; readonly signal?: AbortSignal },
): Promise<StudyItem[]> {
  await expectOptions(options, [...SERVER, "query", "limit"], "file", "dicomWebStudies");
  return (await part()).dicomWebStudies(options);
}

/** Series of a study, by their numbers. */
export async function dicomWebSeries(options: ServerOptions & { readonly study: string; readonly signal?: AbortSignal }): Promise<SeriesItem[]> {
  await expectOptions(options, [...SERVER, "study"], "file", "dicomWebSeries");
  return (await part()).dicomWebSeries(options);
}

/** Sends DICOM files, as `writeLabels` makes them, to a server (STOW-RS), which keeps them in the studies that they name. Gives its answer; throws a SamError with its reasons unless it keeps all. */
export async function toDicomWeb(
  files: readonly Uint8Array[],
  options: ServerOptions & { readonly study?: string; readonly signal?: AbortSignal },
): Promise<Stored> {
  await expectOptions(options, [...SERVER, "study"], "file", "toDicomWeb");
  const wrong = Array.isArray(files) ? files.find((file) => !(file instanceof Uint8Array)) : files;
  if (wrong !== undefined) {
    const facts = { code: "file", op: "toDicomWeb", argument: "files", expected: "a list of Uint8Array, the bytes of DICOM files" } as const;
    throw new SamError({ ...facts, got: describe(wrong), remedy: "Pass what writeLabels gives for dicom-seg, in a list." });
  }
  return (await part()).toDicomWeb(files, options);
}
