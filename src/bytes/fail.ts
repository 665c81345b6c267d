// Errors of this folder are all of code "checkpoint"; what is left to say is short enough for one call.
import { SamError } from "../errors.ts";

/** `where` is the file or address, or the function; `argument` the tensor or option at fault. */
export function bad(where: string, expected: string, got: string, remedy: string, argument?: string, cause?: unknown): SamError {
  return new SamError({ code: "checkpoint", op: where, expected, got, remedy, ...(argument ? { argument } : {}) }, cause === undefined ? undefined : { cause });
}

/** A name from a file as it may appear in a message: bounded, nothing a terminal would act on. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}...` : name);
}

/** Control characters and lone surrogates would lie in listings and could not be written back. */
export function expectName(where: string, name: unknown): asserts name is string {
  if (typeof name === "string" && name !== "" && name.length <= 512 && !/[\p{Cc}\p{Cs}]/u.test(name)) return;
  throw bad(where, "a printable name of 1 to 512 characters", quoted(String(name)), DAMAGED);
}

export const DAMAGED = "The file is damaged or incomplete: fetch it again.";

/** With today's PyTorch, which reads no more than tensors unless it is told to; runs what the file names, so only for a file one trusts. */
export const RESAVE = `If you trust the file, save it again with PyTorch 1.13 or later: python -c "import torch; torch.save(torch.load('old.pth', map_location='cpu', weights_only=False), 'new.pth')"`;
