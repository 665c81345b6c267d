// Series on a DICOMweb server: listed by QIDO-RS, described by WADO-RS metadata, frames asked for when they are looked at.
import type { Segmentation } from "../../volume/segmentation.ts";
import type { Volume } from "../../volume/volume.ts";
import type { Dataset } from "../dicom/dataset.ts";
import { imageOf, readDicom } from "../dicom/index.ts";
import type { DicomImage } from "../dicom/image.ts";
import { isSegmentation } from "../dicom/segmentation.ts";
import { volumesOf } from "../dicom/volumes.ts";
import { badFile } from "../fail.ts";
import type { Opened } from "../index.ts";
import type { PixelDecoders, ReadContext, Refused } from "../reader.ts";
import { reasonOf } from "../reason.ts";
import { instanceEntry, instanceFile, instancePath, isUid, seriesPath } from "./instance.ts";
import { datasetOf, isDataset, type JsonDataset } from "./json.ts";
import { multipartOf } from "./multipart.ts";
import { connect, type Server, type ServerOptions } from "./server.ts";

export interface DicomWebOptions extends ServerOptions {
  /** StudyInstanceUID. */
  readonly study: string;
  /** SeriesInstanceUID; left out, all series of the study. */
  readonly series?: string;
  readonly decoders?: PixelDecoders;
  readonly signal?: AbortSignal;
  /** Instances described so far, of how many. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Of a study, without what names its patient. */
export interface StudyItem {
  readonly study: string;
  readonly description?: string;
  /** YYYYMMDD */
  readonly date?: string;
  readonly modalities: readonly string[];
  readonly series?: number;
}

export interface SeriesItem {
  readonly series: string;
  readonly description?: string;
  readonly modality?: string;
  readonly number?: number;
  readonly instances?: number;
}

/** Described at a time. */
const AT_ONCE = 6;
const EXPECTED_UID = "a UID of digits and points";

/** Headers at once, frames when a slice is asked for. What cannot be opened is in `refused`; throws where nothing can be asked. */
export async function fromDicomWeb(options: DicomWebOptions): Promise<Opened> {
  const { study, series, decoders, signal, onProgress } = options;
  const server = connect(options);
  expectUid(server, "study", study);
  if (series !== undefined) expectUid(server, "series", series);
  const context: ReadContext = { ...(decoders && { decoders }), ...(signal && { signal }) };
  const wanted = series === undefined ? (await seriesAt(server, study, signal)).map((item) => item.series) : [series];
  const refused: Refused[] = [];
  const images: DicomImage[] = [];
  const segmentations: Segmentation[] = [];
  let [done, total] = [0, 0];
  for (const uid of wanted) {
    const found = await metadataOf(server, study, uid, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      // Of one series that was asked for there is nothing else to give.
      if (wanted.length === 1) throw error;
      refused.push({ file: `${server.root}${seriesPath(study, uid)}`, reason: reasonOf(error) });
      return [];
    });
    total += found.length;
    await each(found, async (json) => {
      const path = instancePath(study, uid, json) ?? `${seriesPath(study, uid)}/instances`;
      try {
        const file = await instanceFile(server, path, json, signal);
        const image = await imageOf(file, context);
        if (!isSegmentation(image)) images.push(image);
        else {
          const read = await readDicom([await instanceEntry(server, path, signal)], context);
          segmentations.push(...(read.segmentations ?? []));
          refused.push(...read.refused);
        }
      } catch (error) {
        signal?.throwIfAborted();
        refused.push({ file: `${server.root}${path}`, reason: reasonOf(error) });
      }
      onProgress?.({ done: ++done, total });
    });
  }
  const volumes: readonly Volume[] = volumesOf(images, decoders);
  return { volumes, segmentations, refused };
}

/** Studies of a server, the newest first; `query` as in QIDO-RS: `{ PatientID: "…", StudyDate: "20240101-" }`. At most `limit`. */
export async function dicomWebStudies(
  options: ServerOptions & { readonly query?: Readonly<Record<string, string>>; readonly limit?: number; readonly signal?: AbortSignal },
): Promise<StudyItem[]> {
  const server = connect(options);
  const { query = {}, limit = 200, signal } = options;
  const parameters = new URLSearchParams({ limit: String(limit), includefield: "00081030", ...query });
  const items = (await listed(server, `/studies?${parameters}`, signal)).flatMap((dataset): StudyItem[] => {
    const study = dataset.text(0x0020000d);
    if (!isUid(study)) return [];
    const series = dataset.number(0x00201206, "IS");
    const said = { description: dataset.text(0x00081030), date: dataset.text(0x00080020) };
    return [{ study, ...present(said), modalities: dataset.texts(0x00080061), ...(series === undefined ? {} : { series }) }];
  });
  return items.sort((a, b) => (b.date ?? "").localeCompare(a.date ?? ""));
}

/** Series of a study by their numbers. */
export async function dicomWebSeries(options: ServerOptions & { readonly study: string; readonly signal?: AbortSignal }): Promise<SeriesItem[]> {
  const server = connect(options);
  expectUid(server, "study", options.study);
  return seriesAt(server, options.study, options.signal);
}

/** Sends DICOM files to a server (STOW-RS), which keeps them in the studies that they name. Throws a SamError where it takes one of them not. */
export async function toDicomWeb(
  files: readonly Uint8Array[],
  options: ServerOptions & { readonly study?: string; readonly signal?: AbortSignal },
): Promise<Stored> {
  const server = connect(options);
  const { study, signal } = options;
  if (study !== undefined) expectUid(server, "study", study);
  const path = study === undefined ? "/studies" : `/studies/${study}`;
  const sent = multipartOf(files.map((body) => ({ type: "application/dicom", body })));
  // 202: some were kept. 409: none, for what they are.
  const also = (status: number) => status === 409;
  const { status, bytes } = await server.ask(path, { accept: "application/dicom+json", signal, ...sent, also });
  const { kept, failed } = storedOf(bytes);
  if (status !== 409 && failed.length === 0) return { status, kept };
  const reasons = [...new Set(failed.filter((reason) => reason !== undefined))].map(reasonOfCode);
  const got = `${failed.length || files.length} that it did not keep${reasons.length > 0 ? ` (${reasons.join("; ")})` : ""}`;
  throw badFile(
    `${server.root}${path}`,
    `a server that keeps all ${files.length} files`,
    got,
    "Ask its administrator why it refuses them; save them as files meanwhile.",
  );
}

/** A server's answer to what it was sent. */
export interface Stored {
  /** 200: all kept; 202: kept, with warnings. */
  readonly status: number;
  /** Empty where the server says no more than that. */
  readonly kept: readonly { readonly sopInstance: string; readonly url?: string; readonly warning?: string }[];
}

/** ReferencedSOPSequence and FailedSOPSequence of a store's answer; of failures their codes. */
function storedOf(bytes: Uint8Array): { readonly kept: Stored["kept"]; readonly failed: readonly (number | undefined)[] } {
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return { kept: [], failed: [] };
  }
  const items = (tag: string) => {
    const value = isDataset(answer) ? answer[tag]?.Value : undefined;
    return Array.isArray(value) ? value.filter(isDataset) : [];
  };
  const first = (item: ReturnType<typeof items>[number], tag: string): unknown => (Array.isArray(item[tag]?.Value) ? item[tag]?.Value[0] : undefined);
  const kept = items("00081199").flatMap((item) => {
    const [sopInstance, url, warning] = ["00081155", "00081190", "00081196"].map((tag) => first(item, tag));
    if (typeof sopInstance !== "string") return [];
    return [{ sopInstance, ...(typeof url === "string" && { url }), ...(typeof warning === "number" && { warning: reasonOfCode(warning) }) }];
  });
  const failed = items("00081198").map((item) => {
    const code = first(item, "00081197");
    return typeof code === "number" ? code : undefined;
  });
  return { kept, failed };
}

/** PS3.18 table I.2-2 and I.2-1, in words. */
const REASONS: readonly (readonly [from: number, to: number, words: string])[] = [
  [0xa700, 0xa7ff, "it has no room left"],
  [0xa900, 0xa9ff, "what they say does not fit their kind"],
  [0xb000, 0xb000, "it changed some elements"],
  [0xb006, 0xb006, "it left some elements out"],
  [0xb007, 0xb007, "they do not quite fit their kind"],
  [0xc000, 0xcfff, "it cannot understand them"],
  [0x0110, 0x0110, "its own work failed"],
  [0x0122, 0x0122, "it keeps no files of this kind"],
  [0x0124, 0x0124, "it does not allow it"],
];

function reasonOfCode(code: number): string {
  const words = REASONS.find(([from, to]) => code >= from && code <= to)?.[2];
  return `${words ? `${words}, ` : ""}code ${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

async function seriesAt(server: Server, study: string, signal?: AbortSignal): Promise<SeriesItem[]> {
  const items = (await listed(server, `/studies/${study}/series?includefield=0008103E`, signal)).flatMap((dataset): SeriesItem[] => {
    const series = dataset.text(0x0020000e);
    if (!isUid(series)) return [];
    const numbers = { number: dataset.number(0x00200011, "IS"), instances: dataset.number(0x00201209, "IS") };
    return [{ series, ...present({ description: dataset.text(0x0008103e), modality: dataset.text(0x00080060), ...numbers }) }];
  });
  if (items.length === 0) {
    throw badFile(`${server.root}/studies/${study}`, "a study with series", "none", "Check the study's UID: the server knows no such study.");
  }
  return items.sort((a, b) => (a.number ?? Number.POSITIVE_INFINITY) - (b.number ?? Number.POSITIVE_INFINITY));
}

async function metadataOf(server: Server, study: string, series: string, signal?: AbortSignal): Promise<readonly JsonDataset[]> {
  const path = seriesPath(study, series);
  const answer = await server.json(`${path}/metadata`, signal);
  const found = (Array.isArray(answer) ? answer : []).filter(isDataset);
  if (found.length > 0) return found;
  throw badFile(`${server.root}${path}`, "a series with images", "none", "Check the series' UID: the server knows no such series, or it is empty.");
}

async function listed(server: Server, path: string, signal?: AbortSignal): Promise<Dataset[]> {
  const answer = await server.json(path, signal);
  const items = Array.isArray(answer) ? answer : [];
  return items.filter(isDataset).map((item) => datasetOf(`${server.root}${path}`, item));
}

function expectUid(server: Server, argument: string, uid: unknown): void {
  if (!isUid(uid))
    throw badFile(server.root, `${EXPECTED_UID} as ${argument}`, "another text", `Give the ${argument}'s InstanceUID, for instance 1.2.840.113619.2.`);
}

function present<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> };
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const run = async () => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, run));
}
