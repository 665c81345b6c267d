// What callers pass as a mask, checked before it is walked.
import { SamError } from "../errors.ts";
import { describe } from "../options.ts";

/** `mask`, given to `op`, where it has `data`, or `bits`, of its size; throws a SamError where it has not. */
export function checkedMask<T extends object>(op: string, mask: T, name = "data"): T {
  const { width, height, [name]: values } = (mask ?? {}) as { width?: number; height?: number; [values: string]: unknown };
  const pixels = (width as number) * (height as number);
  if (ArrayBuffer.isView(values) && (values as Uint8Array).length === (name === "data" ? pixels : Math.ceil(pixels / 32))) return mask;
  throw new SamError({
    code: "image",
    op,
    argument: "mask",
    expected: `{ ${name}, width, height } of one size`,
    got: describe(mask),
    remedy: "Pass a mask of decode.",
  });
}
