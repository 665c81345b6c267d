// A DICOM file up to its pixels: preamble or none, meta header or none, deflated or not.
import type { ByteSource } from "../../bytes/byte_source.ts";
import { badFile, DAMAGED, shown } from "../fail.ts";
import { inflateAll } from "../inflate.ts";
import type { FileEntry } from "../reader.ts";
import type { Dataset, Element } from "./dataset.ts";
import { NeedsMore, type Parsed, parseElements } from "./parse.ts";
import { syntaxOf, type TransferSyntax, unreadSyntax } from "./syntax.ts";
import { TAG } from "./tags.ts";

export interface DicomFile {
  readonly path: string;
  /** Offsets of elements count from its first byte; of a deflated file it is the unpacked one. */
  readonly source: ByteSource;
  readonly syntax: TransferSyntax;
  readonly dataset: Dataset;
  readonly pixels?: Element;
  /** Where frames come one by one, each in a syntax of its own (a server's); there is no `source` of pixels then. */
  readonly frame?: (index: number, signal?: AbortSignal) => Promise<PackedFrame>;
  readonly notes: readonly string[];
}

export interface PackedFrame {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly syntax: TransferSyntax;
}

/** What most headers fit in. */
const FIRST = 1 << 16;
const IMPLICIT = "1.2.840.10008.1.2";
const EXPLICIT = "1.2.840.10008.1.2.1";

/** Whether a file may be DICOM by its first 132 bytes: with its mark, or with a meta header or identifying elements at its very start. */
export function looksLikeDicom(head: Uint8Array): boolean {
  return mark(head) || startOf(head, 0) !== undefined;
}

function mark(head: Uint8Array, at = 128): boolean {
  return head[at] === 0x44 && head[at + 1] === 0x49 && head[at + 2] === 0x43 && head[at + 3] === 0x4d;
}

/** How the elements at `at` are written, where group 2 or 8 begins there with a sensible first element. */
function startOf(head: Uint8Array, at: number): "explicit" | "implicit" | "big" | undefined {
  if (head.length < at + 8) return undefined;
  const [a, b, c, d] = head.subarray(at, at + 4) as unknown as [number, number, number, number];
  const representation = /^(AE|AS|AT|CS|DA|DS|DT|FL|FD|IS|LO|LT|OB|OW|PN|SH|SL|SQ|SS|ST|TM|UI|UL|UN|US|UT|UC|UR)$/.test(
    String.fromCharCode(head[at + 4] as number, head[at + 5] as number),
  );
  const little = (a === 2 || a === 8) && b === 0 && d === 0 && c <= 0x20;
  if (little && representation) return "explicit";
  if (a === 0 && (b === 2 || b === 8) && c === 0 && representation) return "big";
  const length = new DataView(head.buffer, head.byteOffset).getUint32(at + 4, true);
  return little && length <= 1024 && length % 2 === 0 ? "implicit" : undefined;
}

/** Throws a SamError of code "file" where it is no DICOM file, damaged, or of a transfer syntax that is not read. */
export async function openDicom({ path, source }: FileEntry, signal?: AbortSignal): Promise<DicomFile> {
  let size = Math.min(source.size, FIRST);
  for (;;) {
    const bytes = await source.read(0, size, signal);
    try {
      return await parseFile(path, source, bytes, signal);
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error;
      if (size === source.size) throw badFile(path, "a whole DICOM file", "one that is cut off inside its header, before any image", "Copy or fetch it again.");
      size = Math.min(source.size, size * 4);
    }
  }
}

async function parseFile(path: string, source: ByteSource, bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<DicomFile> {
  const begin = mark(bytes) ? 132 : mark(bytes, 0) ? 4 : 0;
  const size = source.size;
  const meta = bytes[begin] === 2 && bytes[begin + 1] === 0 ? metaOf(path, bytes, begin, size) : undefined;
  const at = meta?.end ?? begin;
  const seen = startOf(bytes, at) ?? (bytes.length >= at + 8 ? "implicit" : undefined);
  if (seen === undefined) throw badFile(path, "a DICOM image", "a header with nothing after it", "There is no image in it: fetch the file again.");
  const guessed = syntaxOf(seen === "explicit" ? EXPLICIT : seen === "big" ? "1.2.840.10008.1.2.2" : IMPLICIT) as TransferSyntax;
  const uid = meta?.dataset.text(TAG.TransferSyntaxUID);
  if (!uid) {
    const words = meta ? "The header names no transfer syntax" : "The file has no meta header";
    const parsed = parseElements(bytes, at, guessed, { size, path });
    return file(path, source, guessed, parsed, [`${words}: read as ${guessed.name}.`]);
  }
  const syntax = syntaxOf(uid);
  if (!syntax) {
    const known = unreadSyntax(uid);
    throw badFile(
      path,
      "a DICOM transfer syntax that is known",
      known ? `${known} (${uid})` : `the transfer syntax ${shown(uid)}, which is not supported`,
      known ? "Convert it to one of single pictures first." : "Convert the file to Explicit VR Little Endian with the software that made it.",
    );
  }
  if (syntax.deflated) {
    const unpacked = await inflateAll({ source, path, begin: at, packing: "deflate-raw" }, { limit: 1 << 30 }, signal ? { signal } : {});
    const inner = await unpacked.read(0, unpacked.size);
    return file(path, unpacked, syntax, parseElements(inner, 0, syntax, { size: unpacked.size, path }), []);
  }
  // Some writers name one syntax and write another; the elements themselves cannot lie.
  if (
    !syntax.packing &&
    !/^1\.2\.840\.113619/.test(uid) &&
    startOf(bytes, at) !== undefined &&
    (guessed.explicit !== syntax.explicit || guessed.littleEndian !== syntax.littleEndian)
  ) {
    const note = `The header says ${syntax.name}, the file is written as ${guessed.name}: read as it is written.`;
    return file(path, source, guessed, parseElements(bytes, at, guessed, { size, path }), [note]);
  }
  const order = syntax.packing && startOf(bytes, at) === "implicit" ? { ...syntax, explicit: false } : syntax;
  return file(path, source, order, parseElements(bytes, at, order, { size, path }), []);
}

function file(path: string, source: ByteSource, syntax: TransferSyntax, { dataset, pixels }: Parsed, notes: readonly string[]): DicomFile {
  return { path, source, syntax, dataset, ...(pixels ? { pixels } : {}), notes };
}

/** Group 2, always explicit and little endian, up to the first element that is of another group. */
function metaOf(path: string, bytes: Uint8Array<ArrayBuffer>, begin: number, size: number): Parsed {
  const explicit = startOf(bytes, begin) === "explicit";
  const parsed = parseElements(bytes, begin, { explicit, littleEndian: true }, { size, path, only: (tag) => tag >>> 16 === 2 });
  if (parsed.dataset.elements.size === 0) throw badFile(path, "a DICOM header", "one without elements", DAMAGED);
  return parsed;
}
