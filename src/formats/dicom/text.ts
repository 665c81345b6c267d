// Text of a DICOM file in its character set (PS3.5 chapter 6): one set for all of it, or several that escape sequences switch between.

const ESCAPE = 0x1b;

/** Defined terms without and with code extensions; the platform's decoders know the rest. */
const LABELS: Record<string, string> = {
  "": "windows-1252",
  "6": "windows-1252",
  "13": "shift_jis",
  "58": "gbk",
  "87": "euc-jp",
  "100": "windows-1252",
  "101": "iso-8859-2",
  "109": "iso-8859-3",
  "110": "iso-8859-4",
  "126": "iso-8859-7",
  "127": "iso-8859-6",
  "138": "iso-8859-8",
  "144": "iso-8859-5",
  "148": "windows-1254",
  "149": "euc-kr",
  "166": "windows-874",
  "192": "utf-8",
  "203": "iso-8859-15",
};

/** What an escape sequence chooses, and how the bytes that follow become those of a decoder. */
const ESCAPES: readonly (readonly [sequence: string, set: string, kind: "plain" | "double" | "supplement"])[] = [
  ["$B", "87", "double"],
  ["$@", "87", "double"],
  ["$(D", "87", "supplement"],
  ["$)C", "149", "plain"],
  ["$)A", "58", "plain"],
  [")I", "13", "plain"],
  ["(J", "13", "plain"],
  ["(B", "6", "plain"],
  ["-A", "100", "plain"],
  ["-B", "101", "plain"],
  ["-C", "109", "plain"],
  ["-D", "110", "plain"],
  ["-F", "126", "plain"],
  ["-G", "127", "plain"],
  ["-H", "138", "plain"],
  ["-L", "144", "plain"],
  ["-M", "148", "plain"],
  ["-T", "166", "plain"],
  ["-b", "203", "plain"],
];

const decoders = new Map<string, TextDecoder>();

function decode(bytes: Uint8Array, label: string): string {
  const known = decoders.get(label) ?? new TextDecoder(label);
  decoders.set(label, known);
  return known.decode(bytes);
}

function labelOf(set: string): string {
  if (/^GB ?18030$/i.test(set)) return "gb18030";
  if (/^GBK$/i.test(set)) return "gbk";
  return LABELS[/(\d+)$/.exec(set)?.[1] ?? ""] ?? "windows-1252";
}

/** `sets` as (0008,0005) has them. Never throws: what can't be read is replaced. */
export function decodeText(bytes: Uint8Array, sets: readonly string[]): string {
  const first = labelOf(sets[0] ?? "");
  if (!bytes.includes(ESCAPE)) return decode(bytes, first);
  let text = "";
  let at = 0;
  let label = first;
  let kind: "plain" | "double" | "supplement" = "plain";
  while (at < bytes.length) {
    if (bytes[at] === ESCAPE) {
      const next = String.fromCharCode(...bytes.subarray(at + 1, at + 4));
      const found = ESCAPES.find(([sequence]) => next.startsWith(sequence));
      at += 1 + (found?.[0].length ?? 0);
      if (found) {
        // Back to ASCII of the right half keeps the left half's set, which is the first.
        label = found[1] === "6" ? first : labelOf(found[1]);
        kind = found[2];
      }
      continue;
    }
    let end = bytes.indexOf(ESCAPE, at);
    if (end < 0) end = bytes.length;
    text += decode(transformed(bytes.subarray(at, end), kind), label);
    at = end;
  }
  return text;
}

/** Seven-bit pairs of JIS as the eight-bit ones of EUC. */
function transformed(bytes: Uint8Array, kind: "plain" | "double" | "supplement"): Uint8Array {
  if (kind === "plain") return bytes;
  const out: number[] = [];
  for (let i = 0; i + 1 < bytes.length || i < bytes.length; i += 2) {
    const [a, b] = [bytes[i] as number, bytes[i + 1]];
    if (a < 0x21 || b === undefined) {
      // A delimiter ends the double bytes without an escape sequence.
      out.push(a);
      i--;
      continue;
    }
    if (kind === "supplement") out.push(0x8f);
    out.push(a | 0x80, b | 0x80);
  }
  return Uint8Array.from(out);
}
