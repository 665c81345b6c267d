// JSON files that people and other programs wrote: a byte order mark is no fault, a name given twice is.
import { EvaluationError } from "./error.ts";

/** Longest piece of a file's content that a message repeats. */
const MOST_QUOTED = 120;

export function parseJson(text: string, file: string, expected: string, remedy = "Correct the file."): unknown {
  const plain = text.startsWith("\ufeff") ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(plain);
  } catch (cause) {
    throw new EvaluationError(file, expected, plain.trim() === "" ? "an empty file" : `text that is no JSON: ${quoted(plain.trim())}`, remedy, { cause });
  }
  const twice = nameGivenTwice(plain);
  if (twice !== undefined) throw new EvaluationError(file, "each name once", `${quoted(twice)} twice`, "Remove one of the two entries, or correct its name.");
  return value;
}

export function parseRecord(text: string, file: string, expected: string, remedy?: string): Record<string, unknown> {
  const value = parseJson(text, file, expected, remedy);
  if (!isRecord(value)) throw new EvaluationError(file, expected, kindOf(value), remedy ?? "Correct the file.");
  return value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value of a file as it may appear in a message. */
export function quoted(value: unknown): string {
  const text = typeof value === "string" && value.length > MOST_QUOTED ? `${value.slice(0, MOST_QUOTED)}…` : value;
  const json = JSON.stringify(text) ?? "nothing";
  return json.length > 2 * MOST_QUOTED ? `${json.slice(0, 2 * MOST_QUOTED)}…` : json;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

/** JSON.parse keeps the last of two equal names without a word. `text` is JSON. */
function nameGivenTwice(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, string, colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (string && colon) {
      const name = JSON.parse(string) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
}
