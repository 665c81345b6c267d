// DICOM elements to bytes: explicit VR, little endian. Values are text, numbers by their VR, bytes, or sequences of data sets.

export interface Element {
  /** 0x00280010 */
  readonly tag: number;
  readonly vr: string;
  readonly value: string | readonly number[] | Uint8Array | readonly (readonly Element[])[];
}

/** These have a length of four bytes behind two empty ones. */
const LONG = new Set(["OB", "OW", "OD", "OF", "OL", "OV", "SQ", "UC", "UN", "UR", "UT"]);
const NUMBERS: Record<string, readonly [bytes: number, write: (view: DataView, at: number, value: number) => void]> = {
  US: [2, (view, at, value) => view.setUint16(at, value, true)],
  SS: [2, (view, at, value) => view.setInt16(at, value, true)],
  UL: [4, (view, at, value) => view.setUint32(at, value, true)],
  SL: [4, (view, at, value) => view.setInt32(at, value, true)],
  FL: [4, (view, at, value) => view.setFloat32(at, value, true)],
  // Group, then element.
  AT: [4, (view, at, value) => view.setUint32(at, ((value & 0xffff) << 16) | (value >>> 16), true)],
  FD: [8, (view, at, value) => view.setFloat64(at, value, true)],
};

/** Elements in rising order of their tags, as a data set needs them. */
export function encodeElements(elements: readonly Element[]): Uint8Array<ArrayBuffer> {
  return joinBytes([...elements].sort((a, b) => a.tag - b.tag).flatMap(encodeElement));
}

/** With preamble and meta information. */
export function encodeFile(sopClass: string, sopInstance: string, implementation: string, elements: readonly Element[]): Uint8Array<ArrayBuffer> {
  const meta = encodeElements([
    { tag: 0x00020001, vr: "OB", value: Uint8Array.of(0, 1) },
    { tag: 0x00020002, vr: "UI", value: sopClass },
    { tag: 0x00020003, vr: "UI", value: sopInstance },
    { tag: 0x00020010, vr: "UI", value: "1.2.840.10008.1.2.1" },
    { tag: 0x00020012, vr: "UI", value: implementation },
  ]);
  const length = encodeElements([{ tag: 0x00020000, vr: "UL", value: [meta.length] }]);
  const mark = new Uint8Array(132);
  mark.set(new TextEncoder().encode("DICM"), 128);
  return joinBytes([mark, length, meta, encodeElements(elements)]);
}

function encodeElement({ tag, vr: meant, value }: Element): Uint8Array<ArrayBuffer>[] {
  const body = bodyOf(meant, value);
  // What is longer than its representation can say is of an unknown one (PS3.5 6.2.2).
  const vr = body.length > 0xffff && !LONG.has(meant) ? "UN" : meant;
  const long = LONG.has(vr);
  const head = new Uint8Array(long ? 12 : 8);
  const view = new DataView(head.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  head[4] = vr.charCodeAt(0);
  head[5] = vr.charCodeAt(1);
  if (long) view.setUint32(8, body.length, true);
  else view.setUint16(6, body.length, true);
  return [head, body];
}

function bodyOf(vr: string, value: Element["value"]): Uint8Array<ArrayBuffer> {
  if (typeof value === "string") return even(new TextEncoder().encode(value), vr === "UI" ? 0 : 0x20);
  if (value instanceof Uint8Array) return even(value as Uint8Array<ArrayBuffer>, 0);
  if (vr === "SQ") return joinBytes((value as readonly (readonly Element[])[]).flatMap(item));
  const [bytes, write] = NUMBERS[vr] as (typeof NUMBERS)[string];
  const out = new Uint8Array(bytes * value.length);
  const view = new DataView(out.buffer);
  (value as readonly number[]).forEach((number, i) => write(view, i * bytes, number));
  return out;
}

function item(elements: readonly Element[]): Uint8Array<ArrayBuffer>[] {
  const body = encodeElements(elements);
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0xe000fffe, true);
  view.setUint32(4, body.length, true);
  return [head, body];
}

function even(bytes: Uint8Array<ArrayBuffer>, padding: number): Uint8Array<ArrayBuffer> {
  if (bytes.length % 2 === 0) return bytes;
  const out = new Uint8Array(bytes.length + 1).fill(padding);
  out.set(bytes);
  return out;
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
