// A damaged PNG or JPEG, in words, with what could be read offered.
import { SamError } from "../errors.ts";
import { damageWords, type Mended } from "../formats/mend.ts";

/** `offer` is what the user may add to get what could be read. */
export function damaged(path: string, mended: Mended, offer?: string, cause?: unknown): SamError {
  const again = "Fetch or export the file again";
  const remedy = offer ? `${again}, or add ${offer} to use what could be read.` : `${again}.`;
  const facts = { code: "image", op: path, expected: `a whole ${mended.kind} image`, got: `one that is ${damageWords(mended)}`, remedy } as const;
  return new SamError(facts, cause === undefined ? undefined : { cause });
}
