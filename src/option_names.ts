// Which options a call has, and that it was given no others.
import type { ErrorCode } from "./errors.ts";
import { isNamed } from "./options.ts";

/** Every name, checked by the compiler, so that an unknown one is told. */
export const namesOf = <T>(names: Record<keyof T, 1>): string[] => Object.keys(names);

/** Throws a SamError that names the nearest right one where options have a name that is none of `names`. */
export async function expectOptions(options: unknown, names: readonly string[], code: ErrorCode, op: string, argument?: string): Promise<void> {
  if (!isNamed(options, names)) (await import("./options_check.ts")).expectNames(options, names, { code, op, ...(argument && { argument }) });
}
