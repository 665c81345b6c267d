// Names and kinds of what callers pass, so that a misspelt or misplaced one is told and never ignored.

/** `null`, `the string "7"`, `an array of 2`, `an object with x, y`: what a value is, in the caller's words. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 60))}`;
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `the bigint ${value}n`;
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind !== "Object") return `${/^([AEIO]|HTML|SVG)/.test(kind) ? "an" : "a"} ${kind}`;
  const names = Object.keys(value);
  return names.length === 0 ? "an empty object" : `an object with ${names.slice(0, 6).join(", ")}${names.length > 6 ? ", …" : ""}`;
}

/** What `work` gives, or the signal's reason as soon as there is one: the work may go on, its outcome is nobody's. */
export function obeying<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const cancel = () => reject(signal.reason);
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", cancel));
  });
}

/** Whether a value gives things one after the other: no text, and no bytes. */
export function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value && !ArrayBuffer.isView(value);
}

const has = (value: unknown, ...names: string[]) => typeof value === "object" && value !== null && names.every((name) => name in value);
const isBoolean = (value: unknown) => typeof value === "boolean";

/** What options of these names are in every call: in words, and whether a value is one, which may be of another realm. */
export const OPTION_KINDS: Readonly<Record<string, readonly [expected: string, fits: (value: unknown) => boolean]>> = {
  signal: ["an AbortSignal", (value) => has(value, "aborted", "addEventListener")],
  onProgress: ["a function", (value) => typeof value === "function"],
  device: ["a GPUDevice", (value) => has(value, "queue")],
  strict: ["true or false", isBoolean],
  cache: ["true or false", isBoolean],
};

/** Whether an option is left out or what its name says. */
export function isKind(name: string, value: unknown): boolean {
  return value === undefined || (OPTION_KINDS[name]?.[1](value) ?? true);
}

/** Whether `value` is an object with no other names than these, of their kinds. `options_check.ts` says what is wrong where it is not. */
export function isNamed(value: unknown, names: readonly string[]): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return Object.entries(value).every(([name, item]) => names.includes(name) && isKind(name, item));
}
