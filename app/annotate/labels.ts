// The structures that objects are marked as: names, colours, codes; as files of this page, of 3D Slicer and of COCO.
import { SamError } from "../../src/index.ts";
import type { Label } from "../../src/volume/index.ts";
import type { ObjectOf } from "./case.ts";

type Code = NonNullable<Label["type"]>;

export interface LabelOf {
  /** From 1; its value in label files. The first nine have the digit as key. */
  readonly id: number;
  readonly name: string;
  /** `#22c7e8` */
  readonly colour: string;
  /** SNOMED CT, for DICOM. */
  readonly category?: Code;
  readonly type?: Code;
}

/** Told apart on gray tissue and by most of those who see fewer colours; after them come others of the same lightness. */
const COLOURS = ["#22c7e8", "#ffb020", "#f35bd0", "#9be22d", "#ff7a59", "#8f9bff", "#2ee6a8", "#ffe14d", "#d08bff"] as const;

export function colourOf(id: number): string {
  const known = COLOURS[id - 1];
  if (known) return known;
  const hue = (id * 137.508) % 360;
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    const value = 0.66 - 0.3 * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

export function rgbOf(colour: string): [number, number, number] {
  return [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16)) as [number, number, number];
}

export const hexOf = (rgb: readonly number[]) => `#${rgb.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;

/** As the labelmap wants the objects of a case. */
export function toLabel({ id, label, locked }: ObjectOf, labels: readonly LabelOf[]): Label {
  const of = labels.find((known) => known.id === label);
  const { name = `${label}`, colour = colourOf(label), category, type } = of ?? {};
  return { id, name, color: rgbOf(colour), locked, ...(category && { category }), ...(type && { type }) };
}

/** As this page saves a set of labels. */
export function labelsFile(labels: readonly LabelOf[]): string {
  return `${JSON.stringify({ kind: "sam-med2d labels", labels }, null, 2)}\n`;
}

/**
 * Labels of this page, categories of a COCO file, entries of a 3D Slicer terminology or colour table (`1 liver 221 130 101 255`), whichever it is.
 * Throws a SamError of code "file".
 */
export function readLabels(text: string, name: string): LabelOf[] {
  const found = /^\s*[{[]/.test(text) ? fromJson(text, name) : fromTable(text);
  if (found.length > 0) return found;
  throw labelsError(name, "nothing of the kind");
}

function fromJson(text: string, name: string): LabelOf[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw labelsError(name, "a file that is not JSON");
  }
  const of = file as { labels?: unknown; categories?: unknown; SegmentationCodes?: { Category?: unknown } };
  if (Array.isArray(of.labels)) return of.labels.flatMap(ownLabel);
  if (Array.isArray(of.categories)) return of.categories.flatMap(cocoCategory);
  if (Array.isArray(of.SegmentationCodes?.Category)) return terminology(of.SegmentationCodes.Category as Terms[]);
  return Array.isArray(file) ? file.flatMap(ownLabel) : [];
}

const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 1 && (id as number) <= 65535;
const isColour = (colour: unknown): colour is string => typeof colour === "string" && /^#[0-9a-f]{6}$/i.test(colour);

function ownLabel(value: unknown, index: number): LabelOf[] {
  const { id = index + 1, name, colour, color, category, type } = (value ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || name.trim() === "" || !isId(id)) return [];
  const shown = isColour(colour) ? colour : isColour(color) ? color : Array.isArray(color) && color.length >= 3 ? hexOf(color.slice(0, 3)) : colourOf(id);
  return [{ id, name: name.trim(), colour: shown, ...codeOf("category", category), ...codeOf("type", type) }];
}

function codeOf<K extends string>(key: K, value: unknown): Partial<Record<K, Code>> {
  const { value: code, scheme, meaning } = (value ?? {}) as Record<string, unknown>;
  const all = [code, scheme, meaning].every((part) => typeof part === "string" && part !== "");
  return all ? ({ [key]: { value: code, scheme, meaning } } as Record<K, Code>) : {};
}

function cocoCategory(value: unknown, index: number): LabelOf[] {
  const { id, ...rest } = (value ?? {}) as Record<string, unknown>;
  // COCO counts from 0 in some files, where 0 would be the background here.
  return ownLabel({ ...rest, id: isId(id) ? id : index + 1 }, index);
}

interface Terms {
  readonly CodeValue?: string;
  readonly CodingSchemeDesignator?: string;
  readonly CodeMeaning?: string;
  readonly Type?: readonly Terms[];
  readonly recommendedDisplayRGBValue?: readonly number[];
}

function terminology(categories: readonly Terms[]): LabelOf[] {
  const code = ({ CodeValue = "", CodingSchemeDesignator = "", CodeMeaning = "" }: Terms): Code => {
    return { value: CodeValue, scheme: CodingSchemeDesignator, meaning: CodeMeaning };
  };
  return categories
    .flatMap((category) => (category.Type ?? []).map((type) => ({ category, type })))
    .map(({ category, type }, i) => {
      const colour = type.recommendedDisplayRGBValue?.length === 3 ? hexOf(type.recommendedDisplayRGBValue) : colourOf(i + 1);
      return { id: i + 1, name: type.CodeMeaning ?? `${i + 1}`, colour, category: code(category), type: code(type) };
    });
}

/** 3D Slicer's colour table: number, name, red, green, blue, alpha; 0 is the background. */
function fromTable(text: string): LabelOf[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, id, name, red, green, blue] = /^\s*(\d+)\s+(\S.*?)\s+(\d+)\s+(\d+)\s+(\d+)(?:\s+\d+)?\s*$/.exec(line) ?? [];
    return name && isId(Number(id)) ? [{ id: Number(id), name: name.replaceAll("_", " "), colour: hexOf([Number(red), Number(green), Number(blue)]) }] : [];
  });
}

function labelsError(name: string, got: string): SamError {
  const expected = "labels as this page saves them, categories of a COCO file, or a colour table or terminology of 3D Slicer";
  return new SamError({ code: "file", op: "open", argument: name, expected, got, remedy: "Export the labels again, or add them by hand." });
}
