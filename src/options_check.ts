// What is wrong with the names of what a caller passed: fetched where something is.
import { type ErrorCode, SamError } from "./errors.ts";
import { describe, isKind, OPTION_KINDS } from "./options.ts";

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
    const near = nearest(name, names);
    const remedy = known ?? (near === undefined ? "Leave it out." : `Perhaps ${near} is meant.`);
    throw new SamError({ code, op, argument, expected, got: `the unknown name ${JSON.stringify(name.slice(0, 60))}`, remedy });
  }
  for (const [name, item] of Object.entries(value)) {
    if (isKind(name, item)) continue;
    const [wanted = ""] = OPTION_KINDS[name] ?? [];
    throw new SamError({ code, op, argument: name, expected: wanted, got: describe(item), remedy: "Leave it out where there is none." });
  }
}

/** Throws unless it is a `Worker`, or speaks like one. */
export function expectWorker(worker: unknown): void {
  if (typeof (worker as Worker | undefined)?.postMessage === "function" && typeof (worker as Worker).addEventListener === "function") return;
  const remedy = "Pass a module worker that runs sam-med2d-webgpu/worker, then the options.";
  throw new SamError({ code: "device", op: "load", argument: "worker", expected: "a Worker", got: describe(worker), remedy });
}

/** The name that was meant, where one is like it: one holds the other, or up to half of its letters differ. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[_-]/g, "");
  const holds = (other: string) => plain(other).includes(plain(name)) || plain(name).includes(plain(other));
  const cost = (other: string) => distance(plain(name), plain(other)) - (holds(other) ? 3 : 0);
  const [best = ""] = [...names].sort((a, b) => cost(a) - cost(b));
  return holds(best) || cost(best) * 2 <= Math.max(plain(name).length, plain(best).length) ? best : undefined;
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
