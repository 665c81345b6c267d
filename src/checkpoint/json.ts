// JSON from a file that nobody vouches for: flat, each key once, and no more of it than the memory for it is bounded.
import { bad, DAMAGED, quoted } from "../bytes/fail.ts";

/** Keys, objects and lists; 30,000 tensors take two thirds of it. Four megabytes of `{}` would become eighty in memory. */
const MAX_PARTS = 300_000;

export function parseJson(label: string, bytes: Uint8Array, expected: string, remedy = DAMAGED): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    expectFlat(label, text, remedy);
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    throw bad(label, expected, cause instanceof TypeError ? "bytes that are no text" : "text that is none, or breaks off", remedy, undefined, cause);
  }
}

/** JSON.parse keeps the last of two equal keys without a word, and follows any depth: both are looked for here first. */
function expectFlat(label: string, text: string, remedy: string): void {
  const open: Set<string>[] = [];
  let parts = 0;
  for (const [token, string, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*(:)?|[{}[\]]/g)) {
    const opens = token === "{" || token === "[";
    if (opens) open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (string && colon) {
      const key: unknown = JSON.parse(string);
      const keys = open.at(-1);
      if (keys?.has(key as string)) throw bad(label, "each name once", `${quoted(key as string)} twice`, remedy, "header");
      keys?.add(key as string);
    }
    if ((opens || colon) && ++parts > MAX_PARTS) throw bad(label, `at most ${MAX_PARTS} keys, objects and lists`, "more", remedy, "header");
    if (open.length > 4) throw bad(label, "a header of flat entries", "deeper nesting", remedy, "header");
  }
}
