// What went wrong, in the language of the page. Errors speak English, each for itself; another language has a sentence for each kind of error,
// and the English words stand beside it as details.
import { SamError } from "../../src/index.ts";
import type { ErrorKind } from "./de_errors.ts";
import { faultWords, t } from "./words.ts";

/** An error whose message is a sentence in the page's language already. */
export class Told extends Error {}

export interface Lines {
  /** In the page's language. */
  readonly lines: readonly string[];
  /** The words of the program, where `lines` does not say the same. */
  readonly technical?: string;
}

/** What `argument` names as a whole is in the card's title. */
const WHOLE: ReadonlySet<string | undefined> = new Set(["weights", "image", "device"]);

export function linesOf(error: unknown): Lines {
  if (error instanceof Told) return { lines: [error.message] };
  // A reader's refusal is a sentence already.
  if (typeof error === "string") return inLanguage(error, "refused");
  if (!(error instanceof SamError)) {
    const words = error instanceof Error ? error.message : String(error);
    const { lines } = inLanguage(words, "unexpected");
    return { lines: [...lines, t("problem.reload")], technical: error instanceof Error ? `${error.name}: ${words}` : words };
  }
  const technical = `${error.name}: ${error.message}`;
  const status = /HTTP status (\d+)/.exec(error.message)?.[1];
  const sentence = faultWords(kindOf(error), { subject: subjectOf(error), ...(status && { status }) });
  if (sentence) return { lines: [sentence], technical };
  const { expected, got, argument } = error;
  const named = argument !== undefined && !WHOLE.has(argument);
  const what = named ? t("problem.expected.of", { subject: argument, expected, got }) : t("problem.expected", { expected, got });
  return { lines: [what, error.remedy], technical };
}

/** English words of a reader, as they are; in another language the sentence of `kind`, with them as details. */
export function inLanguage(words: string, kind: ErrorKind): Lines {
  const sentence = words && faultWords(kind);
  return sentence ? { lines: [sentence], technical: words } : { lines: [words] };
}

export function kindOf({ code, op, expected, message }: SamError): ErrorKind {
  if (op === "worker") return "worker";
  if (/HTTP status \d/.test(message) && (code === "checkpoint" || code === "file")) return `${code}.http`;
  if (code === "device" && /memory/.test(message)) return "device.memory";
  if (code === "file" && /^labels as/.test(expected)) return "file.labels";
  if (code === "image" && op === "encode") return "image.encode";
  if (code === "prompt" && (op === "open" || op === "propagate")) return `${code}.${op}`;
  return code;
}

/** The file at fault, by its name; else in general. */
function subjectOf({ argument, op }: SamError): string {
  const name = [argument, op].find((one) => one !== undefined && /\.\w+$/.test(one));
  return name ?? t("problem.thisfile");
}
