// Sets of labels as files: of this page, of 3D Slicer and of COCO, written and read.
import { SamError } from "../../src/index.ts";
import { type Code, colourOf, hexOf, type LabelOf, rgbOf } from "./labels.ts";

/** What sets are written as. Codes go with all but `ctbl`, which has no place for them. */
export const LABEL_FILES = {
  json: { file: "labels.json", type: "application/json", write: ownFile },
  /** 3D Slicer's colour table with terms, read since 5.8. */
  csv: { file: "labels.csv", type: "text/csv", write: slicerCsv },
  /** 3D Slicer's colour table, read by all of its versions: a blank in a name becomes `_`. */
  ctbl: { file: "labels.ctbl", type: "text/plain", write: slicerTable },
  coco: { file: "categories.json", type: "application/json", write: cocoFile },
} as const;

export type LabelFile = keyof typeof LABEL_FILES;

function ownFile(labels: readonly LabelOf[]): string {
  return `${JSON.stringify({ kind: "sam-med2d labels", labels }, null, 2)}\n`;
}

/** COCO has no place for colours and codes, but leaves room for keys of one's own. */
function cocoFile(labels: readonly LabelOf[]): string {
  const categories = labels.map(({ id, name, colour, category, type }) => {
    return { id, name, supercategory: category?.meaning ?? "", color: rgbOf(colour), ...(category && { category }), ...(type && { type }) };
  });
  return `${JSON.stringify({ images: [], annotations: [], categories }, null, 2)}\n`;
}

function slicerTable(labels: readonly LabelOf[]): string {
  const lines = labels.map(({ id, name, colour }) => [id, name.trim().replace(/\s+/g, "_"), ...rgbOf(colour), 255].join(" "));
  return ["# Color table file labels.ctbl", `# ${labels.length + 1} values`, "0 Background 0 0 0 0", ...lines, ""].join("\n");
}

const CODED = ["Category", "Type", "TypeModifier", "Region", "RegionModifier"];
const COLUMNS = ["LabelValue", "Name", "Color_R", "Color_G", "Color_B", "Color_A"];

/** Slicer's reader takes no quotation mark within a value: apostrophes stand for them. */
function slicerCsv(labels: readonly LabelOf[]): string {
  const head = [...COLUMNS, ...CODED.flatMap((of) => [`${of}_CodingScheme`, `${of}_CodeValue`, `${of}_CodeMeaning`])];
  const rows = labels.map(({ id, name, colour, category, type }) => {
    const coded = [category, type].flatMap((code) => (code ? [code.scheme, code.value, code.meaning] : ["", "", ""]));
    return [id, name, ...rgbOf(colour), 255, ...coded, ...Array<string>(9).fill("")];
  });
  const cell = (value: string | number) => {
    const text = `${value}`.replaceAll('"', "'").replace(/\s+/g, " ");
    return text.includes(",") ? `"${text}"` : text;
  };
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
}

/**
 * Labels of this page, categories of a COCO file, entries of a 3D Slicer terminology or colour table (CSV, or lines like `1 liver 221 130 101 255`),
 * whichever it is. Throws a SamError of code "file".
 */
export function readLabels(text: string, name: string): LabelOf[] {
  const plain = text.replace(/^\uFEFF/, "");
  const found = /^\s*[{[]/.test(plain) ? fromJson(plain, name) : /^.*\bLabelValue\b/.test(plain) ? fromCsv(plain) : fromTable(plain);
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

/** 3D Slicer's colour table with terms: columns by name, in any order. */
function fromCsv(text: string): LabelOf[] {
  const [head = [], ...rows] = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map(cells);
  return rows.flatMap((row, index) => {
    const at = (column: string) => row[head.indexOf(column)] ?? "";
    const code = (of: string) => ({ value: at(`${of}_CodeValue`), scheme: at(`${of}_CodingScheme`), meaning: at(`${of}_CodeMeaning`) });
    const color = ["R", "G", "B"].map((part) => Number(at(`Color_${part}`) || Number.NaN));
    const known = color.every((value) => value >= 0 && value <= 255);
    const id = Number(at("LabelValue"));
    const name = at("Name") || at("Type_CodeMeaning");
    return ownLabel({ id, name, ...(known && { color }), category: code("Category"), type: code("Type") }, index);
  });
}

/** Of a line of CSV: in quotation marks where they hold a comma. */
function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, bare = ""]) => (quoted?.replaceAll('""', '"') ?? bare).trim());
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
