// Transfer syntaxes: how the elements are written and how the pixels are packed.

export interface ByteOrder {
  /** Each element tells its value representation. */
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

/** How a frame is packed; all but `rle` are for injected decoders. */
export type Packing = "rle" | "jpeg" | "jpeg-12bit" | "jpeg-lossless" | "jpeg-ls" | "jpeg-2000" | "htj2k";

export interface TransferSyntax extends ByteOrder {
  readonly uid: string;
  readonly name: string;
  readonly deflated: boolean;
  readonly packing?: Packing;
}

const LITTLE = { explicit: true, littleEndian: true, deflated: false } as const;

const NATIVE: readonly TransferSyntax[] = [
  { uid: "1.2.840.10008.1.2", name: "Implicit VR Little Endian", ...LITTLE, explicit: false },
  { uid: "1.2.840.10008.1.2.1", name: "Explicit VR Little Endian", ...LITTLE },
  { uid: "1.2.840.10008.1.2.1.99", name: "Deflated Explicit VR Little Endian", ...LITTLE, deflated: true },
  { uid: "1.2.840.10008.1.2.2", name: "Explicit VR Big Endian", ...LITTLE, littleEndian: false },
  // General Electric's own: little-endian elements, big-endian pixels; told apart where pixels are read.
  { uid: "1.2.840.113619.5.2", name: "GE Private Implicit VR Big Endian", ...LITTLE, explicit: false },
  { uid: "1.2.840.10008.1.2.1.98", name: "Encapsulated Uncompressed Explicit VR Little Endian", ...LITTLE },
];

/** Below 1.2.840.10008.1.2. */
const PACKED: readonly (readonly [end: string, name: string, packing: Packing])[] = [
  ["5", "RLE Lossless", "rle"],
  ["4.50", "JPEG Baseline (Process 1)", "jpeg"],
  ["4.51", "JPEG Extended (Process 2 and 4)", "jpeg-12bit"],
  ["4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)", "jpeg-12bit"],
  ["4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 and 12)", "jpeg-12bit"],
  ["4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", "jpeg-lossless"],
  ["4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])", "jpeg-lossless"],
  ["4.80", "JPEG-LS Lossless Image Compression", "jpeg-ls"],
  ["4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", "jpeg-ls"],
  ["4.90", "JPEG 2000 Image Compression (Lossless Only)", "jpeg-2000"],
  ["4.91", "JPEG 2000 Image Compression", "jpeg-2000"],
  ["4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)", "jpeg-2000"],
  ["4.93", "JPEG 2000 Part 2 Multi-component Image Compression", "jpeg-2000"],
  ["4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)", "htj2k"],
  ["4.202", "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)", "htj2k"],
  ["4.203", "High-Throughput JPEG 2000 Image Compression", "htj2k"],
];

const SYNTAXES: ReadonlyMap<string, TransferSyntax> = new Map(
  [...NATIVE, ...PACKED.map(([end, name, packing]) => ({ uid: `1.2.840.10008.1.2.${end}`, name, ...LITTLE, packing }))].map((syntax) => [syntax.uid, syntax]),
);

/** Of pixels that were packed with loss. */
export const LOSSY: ReadonlySet<string> = new Set(["4.50", "4.51", "4.53", "4.55", "4.81"].map((end) => `1.2.840.10008.1.2.${end}`));

/** Known by its UID, but no picture of its own: video, JPIP references and the like. */
const UNREAD: readonly (readonly [start: RegExp, what: string])[] = [
  [/^1\.2\.840\.10008\.1\.2\.4\.10[0-8]/, "a video (MPEG or H.264, H.265)"],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[45]|^1\.2\.840\.10008\.1\.2\.4\.20[45]/, "a reference to pixels on a server (JPIP)"],
  [/^1\.2\.840\.10008\.1\.2\.4\.11[0-2]/, "JPEG XL"],
];

export function syntaxOf(uid: string): TransferSyntax | undefined {
  return SYNTAXES.get(uid);
}

export function unreadSyntax(uid: string): string | undefined {
  return UNREAD.find(([start]) => start.test(uid))?.[1];
}
