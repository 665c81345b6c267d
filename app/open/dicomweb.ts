// `?dicomweb=URL&study=…&series=…`: series of a DICOMweb server, opened with the page. Its token comes from the page that opened this one, or is typed;
// it stays in memory.
import type { StudyItem } from "../../src/formats/index.ts";
import type { Desk } from "../desk.ts";
import { ask } from "../panels/ask.tsx";
import { languageNow, t } from "../words/words.ts";

export interface Server {
  readonly url: string;
  readonly study?: string;
  readonly series?: string;
}

/** Of the page's address; undefined where it names none. */
export function serverOf(search: string): Server | undefined {
  const given = new URLSearchParams(search);
  const [url, study, series] = ["dicomweb", "study", "series"].map((name) => given.get(name)?.trim() || undefined);
  return url ? { url, ...(study && { study }), ...(study && series && { series }) } : undefined;
}

/** Sent to the page that opened this one, which may answer with `{ type: "dicomweb-token", token }`. */
const WANTED = "dicomweb-token-wanted";
const GIVEN = "dicomweb-token";
const OPENER_MS = 2000;

export async function openAddress(desk: Desk, server: Server): Promise<void> {
  const authorize = signIn();
  if (server.study) return desk.opening.server({ ...server, study: server.study, authorize });
  const { dicomWebStudies } = await import("../../src/formats/index.ts");
  const studies = await dicomWebStudies({ url: server.url, authorize });
  const study = await chosenStudy(server.url, studies);
  if (study) await desk.opening.server({ url: server.url, study, authorize });
}

function signIn(): (asked: { readonly url: string; readonly refused: boolean }) => Promise<string | undefined> {
  let opener = window.opener as Window | null;
  let last: string | undefined;
  return async ({ url, refused }) => {
    // One that this server took is good for what is sent back, too.
    if (last && !refused) return last;
    const given = opener && (await tokenOfOpener(opener, url));
    // What it gave once is no better the second time, but it may know a fresh one: asked again once.
    if (refused) opener = null;
    last = given || (await typedToken(url, refused));
    return last;
  };
}

function tokenOfOpener(opener: Window, url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const done = (token?: string) => {
      clearTimeout(timer);
      removeEventListener("message", take);
      resolve(token);
    };
    const take = ({ source, data }: MessageEvent<unknown>) => {
      if (source !== opener || typeof data !== "object" || data === null) return;
      const { type, token } = data as Record<string, unknown>;
      if (type === GIVEN && typeof token === "string" && token !== "") done(token);
    };
    const timer = setTimeout(done, OPENER_MS);
    addEventListener("message", take);
    // It tells no secret: whoever opened this page named the server.
    opener.postMessage({ type: WANTED, dicomweb: url }, "*");
  });
}

function typedToken(url: string, refused: boolean): Promise<string | undefined> {
  const { host } = new URL(url);
  return ask({ title: t(refused ? "server.refused" : "server.wants", { host }), hint: t("server.token.words"), label: t("server.token") });
}

function chosenStudy(url: string, studies: readonly StudyItem[]): Promise<string | undefined> {
  const options = studies.map(({ study, date, description, modalities, series }) => {
    const day = date && dayOf(date);
    const words = [day, modalities.join(" "), description, series === undefined ? undefined : t("server.series", { n: series })].filter(Boolean).join(" · ");
    return { value: study, words: words || study };
  });
  const title = t(studies.length > 0 ? "server.studies" : "server.nostudies", { host: new URL(url).host });
  return ask({ title, hint: t("server.studies.words"), label: t("server.study"), options });
}

/** `20260131` as the page's language writes days; whatever else it is, as it is. */
function dayOf(date: string): string {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(date) ?? [];
  return year ? new Date(Number(year), Number(month) - 1, Number(day)).toLocaleDateString(languageNow()) : date;
}
