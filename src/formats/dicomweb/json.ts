// DICOM JSON (PS3.18 annex F) to a data set: written as bytes and parsed again, so that readers meet one kind of data set.
import type { Dataset } from "../dicom/dataset.ts";
import { parseElements } from "../dicom/parse.ts";
import { type Element, encodeElements } from "../dicom/write.ts";

/** An element as the server gives it. */
export interface JsonElement {
  readonly vr?: unknown;
  readonly Value?: unknown;
  readonly InlineBinary?: unknown;
  readonly BulkDataURI?: unknown;
}

export type JsonDataset = Readonly<Record<string, JsonElement>>;

const NUMBERS = new Set(["US", "SS", "UL", "SL", "FL", "FD"]);
const BYTES = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "UN"]);
const UTF8 = "ISO_IR 192";
const MAX_DEPTH = 20;

/** What is no element is left out, as are pixels, which come frame by frame. */
export function datasetOf(path: string, json: JsonDataset): Dataset {
  const bytes = encodeElements([...elementsOf(json, 0), { tag: 0x00080005, vr: "CS", value: UTF8 }]);
  return parseElements(bytes, 0, { explicit: true, littleEndian: true }, { size: bytes.length, path }).dataset;
}

function elementsOf(json: JsonDataset, depth: number): Element[] {
  return Object.entries(json).flatMap(([name, element]) => {
    const tag = tagOf(name);
    if (tag === undefined || tag >>> 16 <= 2 || tag === 0x00080005 || tag >= 0x7fe00008 || typeof element !== "object" || element === null) return [];
    const vr = typeof element.vr === "string" && /^[A-Z]{2}$/.test(element.vr) ? element.vr : undefined;
    const value = vr && readValue(vr, element, depth);
    return vr && value !== undefined ? [{ tag, vr, value }] : [];
  });
}

function tagOf(name: string): number | undefined {
  return /^[0-9a-f]{8}$/i.test(name) ? Number.parseInt(name, 16) : undefined;
}

function readValue(vr: string, { Value, InlineBinary }: JsonElement, depth: number): Element["value"] | undefined {
  if (typeof InlineBinary === "string") return fromBase64(InlineBinary);
  if (BYTES.has(vr)) return undefined;
  const values = Array.isArray(Value) ? Value : [];
  if (vr === "SQ") return depth < MAX_DEPTH ? values.filter(isDataset).map((item) => elementsOf(item, depth + 1)) : undefined;
  if (vr === "AT") return values.map((value) => Number.parseInt(String(value), 16)).filter(Number.isFinite);
  if (NUMBERS.has(vr)) return values.map(numberOf);
  if (vr === "SV" || vr === "UV") return undefined;
  return values.map((value) => (vr === "PN" ? personName(value) : textOf(value))).join("\\");
}

export function isDataset(value: unknown): value is JsonDataset {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As strings where JSON has no name for them. */
function numberOf(value: unknown): number {
  return value === null ? Number.NaN : Number(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function personName(value: unknown): string {
  if (!isDataset(value)) return textOf(value);
  const { Alphabetic, Ideographic, Phonetic } = value as Record<string, unknown>;
  return [Alphabetic, Ideographic, Phonetic].map(textOf).join("=").replace(/=+$/, "");
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}
