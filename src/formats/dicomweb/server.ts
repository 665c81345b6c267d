// A DICOMweb server as something to ask: its headers sent, its refusals in words, stalls given up, tokens asked for where they are wanted.
import { SamError } from "../../errors.ts";
import { badFile, shown } from "../fail.ts";

export interface ServerOptions {
  /** The server's DICOMweb root, which `/studies` lies below: `https://pacs.example.org/dicom-web`. */
  readonly url: string | URL;
  /** Sent with every request, `Authorization` among them. Kept in memory alone, and sent to this server alone. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked for a bearer token where the server wants one (401); `undefined` gives up. A token that is refused is asked for again. */
  readonly authorize?: (asked: { readonly url: string; readonly refused: boolean }) => Promise<string | undefined>;
  /** Nothing for so long is given up, ms. */
  readonly stallMs?: number;
}

export interface Answer {
  readonly status: number;
  /** The content type. */
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Question {
  readonly accept: string;
  readonly signal?: AbortSignal | undefined;
  /** Sent by POST. */
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly type?: string;
  /** Answers that are for the caller to judge; other refusals throw. */
  readonly also?: (status: number) => boolean;
}

export interface Server {
  /** Without a slash at its end. */
  readonly root: string;
  /** `path` begins with a slash. Throws a SamError of code "file", in the user's words. */
  ask(path: string, question: Question): Promise<Answer>;
  /** An answer in JSON; `undefined` where the server has nothing (204). */
  json(path: string, signal?: AbortSignal): Promise<unknown>;
}

const ATTEMPTS = 3;
const PAUSE_MS = 300;
const TYPED = "Check the address: it is the DICOMweb root, for instance https://pacs.example.org/dicom-web.";
const REFUSALS: Readonly<Record<number, readonly [got: string, remedy: string]>> = {
  400: ["a refusal to understand the question (HTTP 400)", "Check the study's and the series' UID."],
  401: ["a demand for a sign-in (HTTP 401)", "Give a bearer token that the server knows and that is not expired."],
  403: ["a refusal (HTTP 403)", "Ask the server's administrator for access to this study."],
  404: ["nothing there (HTTP 404)", "Check the address and the UIDs: the server knows no such study, series or instance."],
  405: ["a server that does not offer this (HTTP 405)", TYPED],
  406: ["a server that cannot answer in this form (HTTP 406)", "Its DICOMweb is too old for this: fetch the files another way and open them."],
  410: ["nothing there any more (HTTP 410)", "The study was removed from the server."],
  415: ["a server that does not take this form (HTTP 415)", "Its DICOMweb is too old for this."],
  501: ["a server that does not offer this (HTTP 501)", "Switch DICOMweb (QIDO-RS and WADO-RS) on at the server."],
};

/** Throws a SamError where `url` is no http or https address. */
export function connect({ url, headers = {}, authorize, stallMs = 30_000 }: ServerOptions): Server {
  const root = rootOf(url);
  let token: string | undefined;
  let asking: Promise<string | undefined> | undefined;
  let answered = false;

  async function authorized(used: string | undefined): Promise<boolean> {
    // Another request got one in the meantime.
    if (used !== token) return true;
    asking ??= (authorize?.({ url: root, refused: used !== undefined }) ?? Promise.resolve(undefined)).finally(() => {
      asking = undefined;
    });
    const given = await asking;
    if (given) token = given;
    return Boolean(given);
  }

  async function once(path: string, question: Question): Promise<Answer> {
    const { accept, signal, body, type } = question;
    const connection = new AbortController();
    const cancel = () => connection.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", cancel);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => connection.abort(new Stalled()), stallMs);
    };
    try {
      for (;;) {
        wait();
        const used = token;
        const own = {
          ...headers,
          ...(used === undefined ? {} : { Authorization: `Bearer ${used}` }),
          Accept: accept,
          ...(type ? { "Content-Type": type } : {}),
        };
        const init: RequestInit = { headers: own, signal: connection.signal, cache: "no-store", credentials: "same-origin", referrerPolicy: "no-referrer" };
        const response = await fetch(`${root}${path}`, body ? { ...init, method: "POST", body } : init);
        answered = true;
        clearTimeout(timer);
        if (response.status === 401 && authorize && (await authorized(used))) {
          response.body?.cancel().catch(() => undefined);
          continue;
        }
        return { status: response.status, type: response.headers.get("content-type") ?? "", bytes: await bytesOf(response, wait) };
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
    }
  }

  async function ask(path: string, question: Question): Promise<Answer> {
    const where = `${root}${path}`;
    for (let attempt = 1; ; attempt++) {
      let failure: unknown;
      try {
        const answer = await once(path, question);
        const { status } = answer;
        if ((status >= 200 && status < 300) || question.also?.(status)) return answer;
        // A second sending is no repeated question.
        if (!question.body && attempt < ATTEMPTS && [408, 429, 502, 503, 504].includes(status)) failure = answer;
        else throw refusal(where, answer);
      } catch (cause) {
        question.signal?.throwIfAborted();
        if (cause instanceof SamError) throw cause;
        if (question.body || !answered || attempt >= ATTEMPTS || cause instanceof Stalled) throw await unreachable(where, stallMs, cause);
        failure = cause;
      }
      if (failure) await pause(PAUSE_MS * 2 ** (attempt - 1), question.signal);
    }
  }

  return {
    root,
    ask,
    async json(path, signal) {
      const { status, type, bytes } = await ask(path, { accept: "application/dicom+json, application/json;q=0.9", signal });
      if (status === 204 || bytes.length === 0) return undefined;
      try {
        return JSON.parse(new TextDecoder().decode(bytes));
      } catch (cause) {
        const got = bytes[0] === 0x3c ? "a web page" : shown(type || "another form");
        throw badFile(`${root}${path}`, "DICOM JSON", got, TYPED, cause);
      }
    },
  };
}

class Stalled extends Error {}

/** As it came, within what one array holds. */
async function bytesOf({ body }: Response, alive: () => void): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  alive();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    alive();
    pieces.push(next.value);
    length += next.value.length;
    if (length >= 2 ** 31) {
      reader?.cancel().catch(() => undefined);
      throw new RangeError("the answer is larger than an array may be");
    }
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

function rootOf(url: string | URL): string {
  let address: URL | undefined;
  try {
    address = new URL(String(url));
  } catch {
    // Told below.
  }
  if (!address || !/^https?:$/.test(address.protocol)) throw badFile("DICOMweb", "an address that begins with https:// or http://", shown(String(url)), TYPED);
  if (address.username || address.password) {
    throw badFile(`${address.origin}${address.pathname}`, "an address without a password in it", "one with", "Give the sign-in as a header or a token.");
  }
  return `${address.origin}${address.pathname.replace(/\/+$/, "")}`;
}

function refusal(where: string, { status, type, bytes }: Answer): SamError {
  const [got, remedy] = REFUSALS[status] ?? [
    status >= 500 ? `a fault of the server (HTTP ${status})` : `HTTP ${status}`,
    "Try again later, or tell the server's administrator.",
  ];
  return badFile(where, "an answer", `${got}${saidOf(type, bytes)}`, remedy);
}

/** The server's own word, where it is short and in JSON. */
function saidOf(type: string, bytes: Uint8Array): string {
  if (!/json/i.test(type) || bytes.length > 10_000) return "";
  try {
    const said = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const words = said.Details ?? said.Message ?? said.message ?? said.errorMessage;
    return typeof words === "string" && words !== "" ? `: ${shown(words)}` : "";
  } catch {
    return "";
  }
}

async function unreachable(where: string, stallMs: number, cause: unknown): Promise<SamError> {
  if (cause instanceof Stalled)
    return badFile(where, "an answer", `nothing for ${stallMs / 1000} s`, "The server is too busy or gone: try again later.", cause);
  if (cause instanceof RangeError) return badFile(where, "an answer of less than 2 GB", "a larger one", "Open a part of it.", cause);
  const page = (globalThis as { location?: { readonly origin: string; readonly protocol: string } }).location;
  if (page?.protocol === "https:" && where.startsWith("http:") && !/^http:\/\/(localhost|127\.|\[::1\])/.test(where)) {
    return badFile(where, "an https address", "an http one, which pages of https may not ask", "Give the server's https address.", cause);
  }
  if (page && (await answersWithoutReading(where))) {
    const remedy = `Its administrator has to allow it (CORS: Access-Control-Allow-Origin ${page.origin}, Access-Control-Allow-Headers Authorization, Accept).`;
    return badFile(where, "a server that lets this page read its answers", `one that answers, but not to pages of ${page.origin}`, remedy, cause);
  }
  const reason = cause instanceof Error && cause.cause instanceof Error ? ` (${shown(cause.cause.message)})` : "";
  return badFile(where, "an answer", `none: the server is off, or cannot be reached from here${reason}`, TYPED, cause);
}

/** A question whose answer nobody may read tells a server that is off from one that does not allow pages of this origin. */
async function answersWithoutReading(where: string): Promise<boolean> {
  try {
    await fetch(where, { mode: "no-cors", credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(5000) });
    return true;
  } catch {
    return false;
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
