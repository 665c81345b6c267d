// Names and kinds of what callers pass, so that a misspelt or misplaced one is told and never ignored.

/** `null`, `the string "7"`, `an array of 2`, `an object with x, y`: what a value is, in the caller's words. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 60))}`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind !== "Object") return `${/^[AEIOU]/.test(kind) ? "an" : "a"} ${kind}`;
  const names = Object.keys(value);
  return names.length === 0 ? "an empty object" : `an object with ${names.slice(0, 6).join(", ")}${names.length > 6 ? ", …" : ""}`;
}

/** Whether `value` is an object with no other names than these. `options_check.ts` says what is wrong where it is not. */
export function isNamed(value: unknown, names: readonly string[]): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return Object.keys(value).every((name) => names.includes(name));
}
