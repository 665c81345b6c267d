// Errors of this folder are all of code "file".
import { SamError } from "../errors.ts";

/** `where` is the file's path. */
export function badFile(where: string, expected: string, got: string, remedy: string, cause?: unknown): SamError {
  return new SamError({ code: "file", op: where, expected, got, remedy }, cause === undefined ? undefined : { cause });
}

export const CUT_OFF = "The file is cut off: copy or fetch it again.";
export const DAMAGED = "The file is damaged: copy or fetch it again.";

/** Text of a file as it may appear in a message: bounded, nothing a terminal would act on. */
export function shown(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "�");
  return JSON.stringify(clean.length > 120 ? `${clean.slice(0, 117)}...` : clean);
}

/** "1.5 kB", "32 TB" */
export function byteCount(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  const power = bytes < 10_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

/** `ct/liver.nii.gz` → `liver.nii.gz` */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
