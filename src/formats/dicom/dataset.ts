// Elements of a DICOM data set: where each value lies, and the value itself when it is asked for. Nothing is decoded before.
import type { ByteOrder } from "./syntax.ts";
import { decodeText } from "./text.ts";

/** `tag` is group and element as one number: 0x00280010 for (0028,0010). */
export interface Element {
  readonly tag: number;
  /** Absent in implicit data sets: whoever asks for a value knows what it is. */
  readonly vr?: string;
  /** Of the value, from the start of the file. */
  readonly offset: number;
  /** `undefined` for encapsulated pixels, whose length is not given. */
  readonly length: number | undefined;
  readonly items?: readonly Dataset[];
}

const BYTES: Record<string, number> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, OW: 2 };

export class Dataset {
  readonly elements = new Map<number, Element>();
  readonly #view: DataView;

  /** `bytes` are the file's from its first on; `parent` knows the character set where an item has none of its own. */
  constructor(
    readonly bytes: Uint8Array<ArrayBuffer>,
    readonly order: ByteOrder,
    readonly parent?: Dataset,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  has(tag: number): boolean {
    return this.elements.has(tag);
  }

  /** Items of a sequence; none where it is missing or empty. */
  items(tag: number): readonly Dataset[] {
    return this.elements.get(tag)?.items ?? [];
  }

  /** The first item's, which is all that most sequences have. */
  item(tag: number): Dataset | undefined {
    return this.items(tag)[0];
  }

  /** The value's bytes; of no length where there are none. */
  raw(tag: number): Uint8Array<ArrayBuffer> {
    const element = this.elements.get(tag);
    return element?.length ? this.bytes.subarray(element.offset, element.offset + element.length) : new Uint8Array(0);
  }

  /** Without padding; `undefined` where missing or empty. In the file's character set. */
  text(tag: number): string | undefined {
    const text = decodeText(this.raw(tag), this.characterSets()).replace(/^[\s\0]+|[\s\0]+$/g, "");
    return text === "" ? undefined : text;
  }

  /** Values between backslashes. */
  texts(tag: number): string[] {
    return (this.text(tag)?.split("\\") ?? []).map((part) => part.trim());
  }

  /** All numbers of a value; those that are none are NaN. `vr` is what the tag has by the standard, for data sets that do not say it. */
  numbers(tag: number, vr: "US" | "SS" | "UL" | "SL" | "FL" | "FD" | "DS" | "IS" = "DS"): number[] {
    const element = this.elements.get(tag);
    if (!element?.length) return [];
    const kind = element.vr !== undefined && element.vr !== "UN" && (element.vr in BYTES || element.vr === "DS" || element.vr === "IS") ? element.vr : vr;
    const size = BYTES[kind];
    // A comma is no part of a decimal string, and yet some writers follow their country's custom.
    if (size === undefined)
      return this.texts(tag).map((part) => (part === "" ? Number.NaN : Number(/^[-+\d]*,\d+$/.test(part) ? part.replace(",", ".") : part)));
    const little = this.order.littleEndian;
    const read: Record<string, (at: number) => number> = {
      US: (at) => this.#view.getUint16(at, little),
      OW: (at) => this.#view.getUint16(at, little),
      SS: (at) => this.#view.getInt16(at, little),
      UL: (at) => this.#view.getUint32(at, little),
      SL: (at) => this.#view.getInt32(at, little),
      FL: (at) => this.#view.getFloat32(at, little),
      FD: (at) => this.#view.getFloat64(at, little),
    };
    return Array.from({ length: Math.floor(element.length / size) }, (_, i) => (read[kind] as (at: number) => number)(element.offset + i * size));
  }

  /** The first number, where it is one. */
  number(tag: number, vr?: "US" | "SS" | "UL" | "SL" | "FL" | "FD" | "DS" | "IS"): number | undefined {
    const value = this.numbers(tag, vr)[0];
    return value !== undefined && Number.isFinite(value) ? value : undefined;
  }

  characterSets(): readonly string[] {
    const own = this.elements.get(0x00080005);
    if (!own) return this.parent?.characterSets() ?? [];
    return decodeText(this.raw(0x00080005), [])
      .split("\\")
      .map((part) => part.replace(/[\s\0]+/g, " ").trim());
  }
}

/** `(0028,0010)` */
export function tagName(tag: number): string {
  const hex = tag.toString(16).padStart(8, "0").toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}
