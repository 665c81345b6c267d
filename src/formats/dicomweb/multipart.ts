// multipart/related, as DICOMweb answers and is answered (PS3.18 section 8.6.1): bytes between lines of a boundary.
import { badFile } from "../fail.ts";

export interface Part {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array<ArrayBuffer>;
}

const LF = 10;
const CR = 13;
const DASH = 45;
/** Longer than the headers of any part. */
const MOST_HEADERS = 1 << 14;

/** `; name=value` or `; name="value"` of a header; undefined where it has none. */
export function parameter(header: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]+))`, "i").exec(header);
  return found?.[1] ?? found?.[2];
}

/**
 * The parts of an answer; an answer that is none of several parts is one part of its own. Some servers leave out the boundary's name: it is in the first
 * line then. Throws a SamError of code "file" where no boundary is found.
 */
export function partsOf(where: string, type: string, bytes: Uint8Array<ArrayBuffer>): Part[] {
  const first = firstLine(bytes);
  if (!/^multipart\//i.test(type)) return [{ headers: new Map([["content-type", type]]), body: bytes }];
  const boundary = parameter(type, "boundary") ?? (first.startsWith("--") ? first.slice(2) : undefined);
  const mark = new TextEncoder().encode(`--${boundary ?? ""}`);
  const parts: Part[] = [];
  let at = boundary ? find(bytes, mark, 0) : -1;
  if (at < 0)
    throw badFile(where, "an answer in parts, each after its boundary", "one without a boundary", "Tell the server's administrator what was answered.");
  while (at >= 0) {
    const begin = at + mark.length;
    if (bytes[begin] === DASH && bytes[begin + 1] === DASH) break;
    const next = find(bytes, mark, begin);
    // An answer that was cut off has no last boundary.
    const part = partOf(bytes.subarray(afterLine(bytes, begin), next < 0 ? bytes.length : next));
    if (part) parts.push(next < 0 ? part : { ...part, body: withoutLineEnd(part.body) });
    at = next;
  }
  return parts;
}

/** Parts as one body with its content type: what a server is sent. */
export function multipartOf(parts: readonly { readonly type: string; readonly body: Uint8Array }[]): { type: string; body: Uint8Array<ArrayBuffer> } {
  const boundary = `part-${crypto.randomUUID()}`;
  const text = new TextEncoder();
  const pieces = parts.flatMap(({ type, body }) => [text.encode(`--${boundary}\r\nContent-Type: ${type}\r\n\r\n`), body, text.encode("\r\n")]);
  pieces.push(text.encode(`--${boundary}--\r\n`));
  const out = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return { type: `multipart/related; type="${parts[0]?.type ?? "application/octet-stream"}"; boundary=${boundary}`, body: out };
}

function firstLine(bytes: Uint8Array): string {
  const begin = bytes[0] === CR ? 2 : bytes[0] === LF ? 1 : 0;
  return new TextDecoder("latin1").decode(bytes.subarray(begin, begin + 200)).split(/\r?\n/)[0] ?? "";
}

/** Where the line after `at` begins. */
function afterLine(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(LF, at);
  return end < 0 ? bytes.length : end + 1;
}

function partOf(bytes: Uint8Array<ArrayBuffer>): Part | undefined {
  const headers = new Map<string, string>();
  const text = new TextDecoder("latin1");
  let at = 0;
  while (at < Math.min(bytes.length, MOST_HEADERS)) {
    const next = afterLine(bytes, at);
    const line = text.decode(bytes.subarray(at, next)).trim();
    at = next;
    if (line === "") return { headers, body: bytes.subarray(at) };
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return undefined;
}

/** The line end before a boundary is the boundary's. */
function withoutLineEnd(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const end = body.at(-1) === LF ? (body.at(-2) === CR ? 2 : 1) : 0;
  return body.subarray(0, body.length - end);
}

/** A boundary stands at the start of a line. */
function find(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(DASH, from); at >= 0; at = bytes.indexOf(DASH, at + 1)) {
    if (at + mark.length > bytes.length) return -1;
    if (at > 0 && bytes[at - 1] !== LF) continue;
    let same = 0;
    while (same < mark.length && bytes[at + same] === mark[same]) same++;
    if (same === mark.length) return at;
  }
  return -1;
}
