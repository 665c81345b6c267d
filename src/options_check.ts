// What is wrong with the names of what a caller passed: fetched where something is.
import { type ErrorCode, SamError } from "./errors.ts";
import { describe } from "./options.ts";

interface Where {
  readonly code: ErrorCode;
  readonly op: string;
  /** What the options are of: `prompt`, `points[0]`; left out for a call's own. */
  readonly argument?: string;
}

/** What other libraries call a thing, and how it is given here. */
export type Aliases = readonly (readonly [name: RegExp, remedy: string])[];

/**
 * Throws unless `value` is an object with no other names than `names`, and those that are taken without being offered.
 * @throws SamError that names the nearest right one.
 */
export function expectNames(
  value: unknown,
  names: readonly string[],
  { code, op, argument = "options" }: Where,
  aliases: Aliases = [],
  unsaid: readonly string[] = [],
): void {
  const expected = `{ ${names.map((name) => `${name}?`).join(", ")} }`;
  if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw new SamError({ code, op, argument, expected, got: describe(value), remedy: `Pass an object: ${op}(…, { ${names[0]}: … }).` });
  for (const name of Object.keys(value)) {
    if (names.includes(name) || unsaid.includes(name) || (value as Record<string, unknown>)[name] === undefined) continue;
    const known = aliases.find(([pattern]) => pattern.test(name))?.[1];
    const near = known ?? `Perhaps ${nearest(name, names)} is meant.`;
    throw new SamError({ code, op, argument, expected, got: `the unknown name ${JSON.stringify(name.slice(0, 60))}`, remedy: near });
  }
}

function nearest(name: string, names: readonly string[]): string {
  const plain = (text: string) => text.toLowerCase().replace(/[_-]/g, "");
  const cost = (other: string) => distance(plain(name), plain(other)) - (plain(other).includes(plain(name)) || plain(name).includes(plain(other)) ? 3 : 0);
  return [...names].sort((a, b) => cost(a) - cost(b))[0] as string;
}

/** Letters to change, add or drop. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] as number;
}
