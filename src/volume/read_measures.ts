// Tables of measurements, read back.
import { SamError } from "../errors.ts";

/** A line of the table: a label's slice, or, without a slice, all of the label. NaN where nothing was measured. */
export interface MeasuresRow {
  readonly label: string;
  readonly id: number;
  readonly slice?: number;
  readonly voxels: number;
  readonly area?: number;
  /** ml, or voxels where the volume gave no sizes. */
  readonly volume?: number;
  readonly mean: number;
  readonly sd: number;
  readonly min: number;
  readonly max: number;
  readonly longest: number;
  readonly shortest: number;
}

export interface MeasuresTable {
  readonly unit: "mm" | "pixels";
  /** Of the values, where the table names it: "HU". */
  readonly values: string;
  readonly rows: readonly MeasuresRow[];
}

const COLUMNS =
  /^label,id,slice,voxels,area_(mm2|pixels),volume_(?:ml|voxels),mean(_\w*)?,sd(?:_\w*)?,min(?:_\w*)?,max(?:_\w*)?,longest_(?:mm|pixels),shortest_(?:mm|pixels)$/;

/** See fetched.ts. */
export function readMeasuresCsv(text: string, name = "measurements"): MeasuresTable {
  const fail = (line: number, expected: string, got: string) =>
    new SamError({
      code: "file",
      op: name,
      argument: `line ${line}`,
      expected,
      got,
      remedy: "Save the table as comma-separated values, its first line as it was.",
    });
  const [head, ...lines] = records(text.replace(/^\ufeff/, ""));
  const found = COLUMNS.exec((head ?? []).join(","));
  if (!found) throw fail(1, "the columns label, id, slice, voxels, area_mm2, …", (head ?? []).slice(0, 12).join(", ") || "nothing");
  const rows = lines.map((cells, i): MeasuresRow => {
    const number = (at: number) => (cells[at] === "" ? Number.NaN : Number(cells[at]));
    const numbers = cells.slice(1).map((cell) => (cell === "" ? 0 : Number(cell)));
    if (cells.length !== 12 || !numbers.every(Number.isFinite)) throw fail(i + 2, "a name and 11 numbers", cells.join(", "));
    const [id, slice, voxels, area, volume, mean, sd, min, max, longest, shortest] = Array.from({ length: 11 }, (_, at) => number(at + 1)) as Eleven;
    const where = cells[2] === "" ? { volume } : { slice, area };
    // An apostrophe before what looks like a formula was put there for spreadsheets.
    return { label: (cells[0] as string).replace(/^'(?=[=+\-@\t\r])/, ""), id, ...where, voxels, mean, sd, min, max, longest, shortest };
  });
  return { unit: found[1] === "mm2" ? "mm" : "pixels", values: (found[2] ?? "").replace(/^_/, ""), rows };
}

type Eleven = [number, number, number, number, number, number, number, number, number, number, number];

/** RFC 4180: lines of cells, quoted where a cell holds commas, quotes or ends of lines. */
function records(text: string): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  for (const [whole, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    if (whole === "" && cells.length === 0) break;
    cells.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === ",") continue;
    lines.push(cells);
    cells = [];
  }
  return lines;
}
