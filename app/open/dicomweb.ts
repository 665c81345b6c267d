// `?dicomweb=URL&study=…&series=…`: series of a DICOMweb server, opened with the page. Its token comes from the page that opened this one, or is typed;
// it stays in memory.
import type { StudyItem } from "../../src/formats/index.ts";
import type { Desk } from "../desk.ts";
import { button, make } from "../dom.ts";

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
  return async ({ url, refused }) => {
    const given = opener && (await tokenOfOpener(opener, url));
    // What it gave once is no better the second time, but it may know a fresh one: asked again once.
    if (refused) opener = null;
    return given || typedToken(url, refused);
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
  const field = make("input", { type: "password", autocomplete: "off", spellcheck: false, required: true, name: "token", ariaLabel: "Token" });
  const words = refused ? `${new URL(url).host} did not take this token.` : `${new URL(url).host} wants a sign-in.`;
  return ask(words, "It is sent to this server alone and kept nowhere.", field, () => field.value.trim() || undefined);
}

function chosenStudy(url: string, studies: readonly StudyItem[]): Promise<string | undefined> {
  const named = ({ study, date, description, modalities, series }: StudyItem) => {
    const day = date?.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3");
    const words = [day, modalities.join(" "), description, series === undefined ? undefined : `${series} series`].filter(Boolean);
    return make("option", { value: study }, words.join(" · ") || study);
  };
  const list = make("select", { size: Math.min(12, Math.max(2, studies.length)), required: true, name: "study", ariaLabel: "Study" }, ...studies.map(named));
  const host = new URL(url).host;
  const words = studies.length > 0 ? `Studies at ${host}` : `${host} has no studies.`;
  return ask(words, "The newest first. Patients are not named here.", list, () => list.value || undefined);
}

/** A dialog with one field; undefined where it is closed without an answer. */
function ask(title: string, hint: string, field: HTMLElement, answer: () => string | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    const dialog = make("dialog", { className: "ask" });
    const form = make("form", { method: "dialog" }, make("h2", {}, title), make("p", {}, hint), field);
    form.append(
      make(
        "p",
        {},
        make("button", { type: "submit", className: "primary" }, "Open"),
        button("Cancel", () => dialog.close("")),
        null,
      ),
    );
    let given: string | undefined;
    form.addEventListener("submit", () => {
      given = answer();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(given);
    });
    dialog.append(form);
    document.body.append(dialog);
    dialog.showModal();
  });
}
