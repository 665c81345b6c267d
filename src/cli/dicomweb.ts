// A DICOMweb address where a path may stand: …/studies/UID or …/studies/UID/series/UID.
import { dicomWebStudies, fromDicomWeb, type Opened } from "../formats/index.ts";
import type { PixelDecoders } from "../formats/reader.ts";
import type { Terminal } from "./terminal.ts";
import { CommandError, UsageError } from "./usage.ts";

/** The whole header, `Bearer …` or `Basic …`: what is on a command line others can read. */
const AUTHORIZATION = "DICOMWEB_AUTHORIZATION";
const LISTED = 20;

export function isAddress(path: string): boolean {
  return /^https?:\/\//i.test(path);
}

/** Throws a SamError where the server refuses, and a UsageError that lists its studies where the address names none. */
export async function openAddress(address: string, decoders: PixelDecoders, terminal: Pick<Terminal, "progress">, signal: AbortSignal): Promise<Opened> {
  const [, url = address, study, series] = /^(.*?)\/studies\/([^/?#]+)(?:\/series\/([^/?#]+))?\/?$/.exec(address) ?? [];
  const authorization = process.env[AUTHORIZATION];
  const server = { url, ...(authorization ? { headers: { Authorization: authorization } } : {}), signal };
  const onProgress = ({ done, total }: { done: number; total: number }) => terminal.progress(`Describing images  ${done} of ${total}`);
  const words = (error: unknown) => {
    signal.throwIfAborted();
    const signIn = error instanceof Error && /HTTP 401/.test(error.message) ? ` Put it into ${AUTHORIZATION}, for instance "Bearer TOKEN".` : "";
    throw error instanceof Error ? new CommandError(`${error.message}${signIn}`, { cause: error }) : error;
  };
  if (study) return fromDicomWeb({ ...server, study, ...(series ? { series } : {}), decoders, onProgress }).catch(words);
  const studies = await dicomWebStudies(server).catch(words);
  const lines = studies
    .slice(0, LISTED)
    .map((item) => `  ${item.study}  ${[item.date, item.modalities.join(" "), item.description].filter(Boolean).join(", ")}`);
  const list = lines.length > 0 ? ` Its newest studies:\n${lines.join("\n")}` : " It has none.";
  throw new UsageError(`${address} names no study: expected ${url.replace(/\/$/, "")}/studies/UID.${list}`);
}
