// An instance on a server: described by its metadata, its frames asked for one by one, as a whole file where the server gives no frames.
import { bufferSource } from "../../bytes/byte_source.ts";
import { badFile } from "../fail.ts";
import { codestreamOf } from "../dicom/codestream.ts";
import type { Dataset } from "../dicom/dataset.ts";
import { type DicomFile, openDicom, type PackedFrame } from "../dicom/file.ts";
import { frameFragments, readFragments } from "../dicom/fragments.ts";
import { describeImage } from "../dicom/image.ts";
import { syntaxOf, type TransferSyntax } from "../dicom/syntax.ts";
import { TAG } from "../dicom/tags.ts";
import type { FileEntry } from "../reader.ts";
import { datasetOf, isDataset, type JsonDataset, type JsonElement } from "./json.ts";
import { parameter, partsOf } from "./multipart.ts";
import type { Server } from "./server.ts";

const BYTES = 'multipart/related; type="application/octet-stream"';
/** As it is stored: nothing is packed or unpacked for us. */
const AS_STORED = `${BYTES}; transfer-syntax=*`;
const FILE = 'multipart/related; type="application/dicom"; transfer-syntax=*';
/** Of frames that name none, and of headers, which are JSON. */
const EXPLICIT: TransferSyntax = { ...(syntaxOf("1.2.840.10008.1.2.1") as TransferSyntax), uid: "" };
const RLE = syntaxOf("1.2.840.10008.1.2.5") as TransferSyntax;
/** Tables that pixels go through: servers keep them apart from the metadata. */
const TABLES = new Set(["00281201", "00281202", "00281203", "00281221", "00281222", "00281223", "00283006"]);
const AVAILABLE_SYNTAX = 0x00083002;

/** A server's address of an instance, from its root: `/studies/…/series/…/instances/…`. */
export function instancePath(study: string, series: string, json: JsonDataset): string | undefined {
  const [uid] = Array.isArray(json["00080018"]?.Value) ? (json["00080018"].Value as unknown[]) : [];
  return isUid(uid) ? `${seriesPath(study, series)}/instances/${uid}` : undefined;
}

export function seriesPath(study: string, series: string): string {
  return `/studies/${study}/series/${series}`;
}

export function isUid(value: unknown): value is string {
  return typeof value === "string" && /^[0-9.]{1,64}$/.test(value);
}

/** Its header as if it were a file, with what pixels need of the server's bulk data. */
export async function instanceFile(server: Server, path: string, json: JsonDataset, signal?: AbortSignal): Promise<DicomFile> {
  const address = `${server.root}${path}`;
  const dataset = datasetOf(address, await withTables(server, json, signal));
  const stored = syntaxOf(dataset.text(AVAILABLE_SYNTAX) ?? dataset.text(TAG.TransferSyntaxUID) ?? "");
  const syntax = stored ? { ...stored, explicit: true, littleEndian: true } : EXPLICIT;
  const source = bufferSource(new Uint8Array(0), address);
  const header = { path: address, source, syntax, dataset, notes: [] };
  if (!dataset.has(TAG.Rows) || !dataset.has(TAG.Columns)) return header;
  const tag = json["7FE00008"] ? TAG.FloatPixelData : json["7FE00009"] ? TAG.DoubleFloatPixelData : TAG.PixelData;
  return { ...header, pixels: { tag, vr: "OW", offset: 0, length: undefined }, frame: framesOf(server, path, dataset) };
}

/** The whole file, which some need: segmentations, and whatever a server gives no frames of. */
export async function instanceEntry(server: Server, path: string, signal?: AbortSignal): Promise<FileEntry> {
  const address = `${server.root}${path}`;
  let answer = await server.ask(path, { accept: FILE, signal, also: (status) => status === 406 || status === 400 });
  if (answer.status >= 400) answer = await server.ask(path, { accept: 'multipart/related; type="application/dicom"', signal });
  const [part] = partsOf(address, answer.type, answer.bytes);
  if (!part) throw badFile(address, "a DICOM file", "an empty answer", "Tell the server's administrator.");
  return { path: address, source: bufferSource(part.body, address) };
}

function framesOf(server: Server, path: string, dataset: Dataset): (index: number, signal?: AbortSignal) => Promise<PackedFrame> {
  const expected = expectedBytes(dataset);
  let whole: WeakRef<DicomFile> | undefined;
  let refused = false;
  const fromFile = async (index: number, signal?: AbortSignal): Promise<PackedFrame> => {
    const known = whole?.deref() ?? (await openDicom(await instanceEntry(server, path, signal), signal));
    whole = new WeakRef(known);
    return frameOfFile(known, index, signal);
  };
  return async (index, signal) => {
    if (refused) return fromFile(index, signal);
    const where = `${path}/frames/${index + 1}`;
    // 404 of frames is often a server that has none to give of what it holds.
    const answer = await server.ask(where, { accept: AS_STORED, signal, also: (status) => [400, 404, 405, 406, 415, 500, 501].includes(status) });
    if (answer.status >= 400) {
      const given = await fromFile(index, signal);
      refused = true;
      return given;
    }
    const [part] = partsOf(`${server.root}${where}`, answer.type, answer.bytes);
    if (!part || part.body.length === 0) throw badFile(`${server.root}${where}`, "a frame", "an empty answer", "Tell the server's administrator.");
    const type = part.headers.get("content-type") ?? "";
    return { bytes: part.body, syntax: syntaxOfFrame(part.body, parameter(type, "transfer-syntax"), expected) };
  };
}

function expectedBytes(dataset: Dataset): number {
  const number = (tag: number, otherwise: number) => dataset.number(tag, "US") ?? otherwise;
  return Math.ceil((number(TAG.Rows, 0) * number(TAG.Columns, 0) * number(TAG.SamplesPerPixel, 1) * number(TAG.BitsAllocated, 16)) / 8);
}

/** What the server says, unless it says nothing or "plain" of bytes that are not. */
function syntaxOfFrame(bytes: Uint8Array, uid: string | undefined, expected: number): TransferSyntax {
  const said = syntaxOf(uid ?? "");
  if (said?.packing) return said;
  const plain = { ...EXPLICIT, littleEndian: said?.littleEndian ?? true };
  if (bytes.length >= expected && bytes.length <= expected + 1) return plain;
  const seen = codestreamOf(bytes);
  if (seen) return { ...EXPLICIT, packing: seen.kind };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rle = bytes.length > 64 && view.getUint32(0, true) >= 1 && view.getUint32(0, true) <= 15 && view.getUint32(4, true) === 64;
  return rle ? RLE : plain;
}

async function frameOfFile(file: DicomFile, index: number, signal?: AbortSignal): Promise<PackedFrame> {
  const image = describeImage(file);
  const { pixels, rows, columns, samples, bitsAllocated, halved } = image;
  if (pixels.length === undefined || file.syntax.packing) {
    const parts = (await frameFragments(image, signal))[index] ?? [];
    return { bytes: await readFragments(image, parts, signal), syntax: file.syntax };
  }
  const bits = rows * columns * samples * bitsAllocated * (halved ? 2 / 3 : 1);
  const first = Math.floor((index * bits) / 8);
  const bytes = await file.source.read(pixels.offset + first, Math.ceil(((index + 1) * bits) / 8) - first, signal);
  return { bytes: bitsAllocated === 1 ? shifted(bytes, (index * bits) % 8) : bytes, syntax: file.syntax };
}

/** Frames of single bits follow each other within bytes; a frame that stands alone begins with one. */
function shifted(bytes: Uint8Array<ArrayBuffer>, by: number): Uint8Array<ArrayBuffer> {
  return by === 0 ? bytes : Uint8Array.from(bytes, (byte, i) => (byte >> by) | ((bytes[i + 1] ?? 0) << (8 - by)));
}

/** Palettes and tables that the metadata only points at. */
async function withTables(server: Server, json: JsonDataset, signal?: AbortSignal): Promise<JsonDataset> {
  const filled: Record<string, JsonElement> = { ...json };
  for (const [name, element] of Object.entries(json)) {
    const items = element?.vr === "SQ" && /^0028(3000|3010)$/.test(name) && Array.isArray(element.Value) ? element.Value : undefined;
    if (items) filled[name] = { vr: "SQ", Value: await Promise.all(items.map((item) => (isDataset(item) ? withTables(server, item, signal) : item))) };
    else if (TABLES.has(name) && typeof element?.BulkDataURI === "string") filled[name] = await bulkData(server, element, signal);
  }
  return filled;
}

async function bulkData(server: Server, element: JsonElement, signal?: AbortSignal): Promise<JsonElement> {
  // Servers behind another name give the address that they know themselves by; nothing is asked of anybody but the server that was named.
  const uri = String(element.BulkDataURI);
  const below = /\/studies\/[^?#]*/.exec(uri)?.[0] ?? (uri.startsWith(server.root) ? uri.slice(server.root.length) : undefined);
  if (!below) return element;
  const { type, bytes } = await server.ask(below, { accept: `${BYTES}, application/octet-stream;q=0.5, */*;q=0.1`, signal });
  const [part] = partsOf(`${server.root}${below}`, type, bytes);
  return part ? { vr: element.vr, InlineBinary: toBase64(part.body) } : element;
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
