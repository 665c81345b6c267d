// A file behind an address, read front to back over one connection; a jump or a broken connection continues by range.
import { SamError } from "../errors.ts";
import { type ByteSource, expectInside, letGo } from "./byte_source.ts";
import { bad } from "./fail.ts";

export interface HttpOptions {
  /** Give up on a connection that delivers nothing for this long. Default 30,000. */
  readonly stallMs?: number;
  /** Attempts in a row that may fail before the read does. Default 4. */
  readonly attempts?: number;
  /** Wait before the second attempt; doubled for each further one. Default 300. */
  readonly retryMs?: number;
}

/** A jump forward of less is read and dropped: cheaper than another request. */
const SKIP = 1 << 20;
/** How often a file may be fetched from its start again when the server does no ranges. */
const RESTARTS = 3;

const RANGES = "Use a server that answers range requests, or download the file and open it from disk.";
const CHECK = "Check the address and the connection, then try again.";
const SERVE = "Put the file where https: serves it, or pass its bytes.";

/** With the server's own reason, where it gives one as hubs of models do. */
function refusal(status: number, said: string): string {
  const reason =
    said
      .replace(/[\p{Cc}\s]+/gu, " ")
      .trim()
      .slice(0, 200) || (status === 404 || status === 410 ? "nothing there" : "");
  return reason ? `${reason} (HTTP ${status})` : `HTTP ${status}`;
}

export interface HttpSource extends ByteSource {
  /** What the server gives to tell one version from another: ETag, else Last-Modified, else empty. */
  readonly version: string;
}

/** Opens the address with one request, whose body is what the first reads are served from. */
export async function httpSource(url: string | URL, options: HttpOptions = {}, signal?: AbortSignal): Promise<HttpSource> {
  const { stallMs = 30_000, attempts = 4, retryMs = 300 } = options;
  const address = String(url);
  let body: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  let connection = new AbortController();
  /** The last piece the connection delivered, and its position: a reader looks at the start of a file more than once. */
  let piece: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let at = 0;
  let size = -1;
  let version = "";
  let ranges = true;
  let restarts = 0;
  let closed = false;

  const fail = (expected: string, got: string, remedy: string, cause?: unknown) => bad(address, expected, got, remedy, undefined, cause);

  /** `work`, given up when nothing comes of it in time or the caller cancels. */
  async function within<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let cancel = () => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        work.then(resolve, reject);
        timer = setTimeout(() => reject(new Error(`nothing for ${stallMs / 1000} s`)), stallMs);
        cancel = () => reject(signal?.reason);
        if (signal?.aborted) cancel();
        signal?.addEventListener("abort", cancel);
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
    }
  }

  function disconnect(): void {
    body?.cancel().catch(() => {});
    body = undefined;
    connection.abort();
    connection = new AbortController();
  }

  /** One request for everything from `from` on. Throws a SamError when another attempt is pointless. */
  async function connect(from: number, signal: AbortSignal | undefined): Promise<void> {
    disconnect();
    // `If-Range` would make every cross-origin read ask the server for permission first; comparing versions finds the same.
    const init: RequestInit = { headers: { Range: `bytes=${from}-` }, cache: "no-store", signal: connection.signal };
    const response = await within(fetch(address, init), signal);
    const { status } = response;
    const header = (name: string) => response.headers.get(name) ?? "";
    const first = size < 0;
    const [, begin, end] = /^bytes (\d+)-\d+\/(\d+)$/.exec(header("content-range")) ?? [];
    if (status === 408 || status === 429 || status >= 500) throw new Error(`HTTP ${status}`);
    // An empty file has no range to give.
    const empty = status === 416 && first && header("content-range").endsWith("/0");
    if (status === 416 && !first) throw changed(`no bytes from ${from} on (HTTP 416)`);
    if (status !== 200 && status !== 206 && !empty) throw fail("a file that may be read", refusal(status, header("x-error-message")), CHECK);
    const partial = status === 206;
    if (begin && Number(begin) !== from) throw fail(`bytes from ${from} on`, `bytes from ${begin} on`, RANGES);
    // Other origins often hide Content-Range, but the length of "everything from here on" says the same.
    const encoding = header("content-encoding") || "identity";
    const length = encoding === "identity" && header("content-length") !== "" ? Number(header("content-length")) : Number.NaN;
    const total = empty ? 0 : end ? Number(end) : partial ? from + length : length;
    const seen = header("etag") || header("last-modified");
    if (first) {
      if (!Number.isSafeInteger(total)) throw fail("a Content-Length", encoding === "identity" ? "none" : "a compressed answer", RANGES);
      size = total;
      version = seen;
      ranges = partial;
    } else if ((total >= 0 && total !== size) || seen !== version) {
      throw changed(total === size ? `version ${seen} after ${version}` : `${total} bytes after ${size}`);
    }
    if (!partial && from > 0) {
      ranges = false;
      if (++restarts > RESTARTS) throw fail("a server that answers range requests", "the whole file again for each jump", RANGES);
    }
    at = partial ? from : 0;
    piece = new Uint8Array(0);
    body = (response.body as ReadableStream<Uint8Array<ArrayBuffer>> | null)?.getReader();
  }

  const changed = (got: string) => fail("the same file from first to last byte", got, "The file was replaced while it was read: load it again.");

  /** Copies bytes `[from, …)` into `out`, over as many connections as it takes. Opening is a read of nothing. */
  async function fill(from: number, out: Uint8Array<ArrayBuffer>, signal: AbortSignal | undefined): Promise<void> {
    let failures = 0;
    for (let filled = 0; filled < out.length || size < 0; ) {
      const wanted = from + filled;
      try {
        signal?.throwIfAborted();
        if (closed) throw fail("an open source", "a closed one", "Open it again.");
        const ahead = wanted - at - piece.length;
        if (wanted < at || ahead >= 0) {
          if (!body || wanted < at || (ahead > SKIP && ranges)) {
            await connect(wanted, signal);
            continue;
          }
          const { done, value } = await within(body.read(), signal);
          at += piece.length;
          letGo(piece);
          piece = value ?? new Uint8Array(0);
          if (done) throw new Error(`the connection ended at byte ${at} of ${size}`);
          if (piece.length > 0) failures = 0;
          continue;
        }
        const part = piece.subarray(wanted - at, wanted - at + out.length - filled);
        out.set(part, filled);
        filled += part.length;
      } catch (cause) {
        disconnect();
        signal?.throwIfAborted();
        if (cause instanceof SamError) throw cause;
        const { message, cause: reason } = cause as Error;
        const why = reason instanceof Error ? `${message}, ${reason.message}` : message;
        // What asks no server answers alike the next time: a page's own scheme may know the file, `ftp:` never will.
        if (size < 0 && /^(?!https?:)[a-z][\w+.-]*:/i.test(address)) throw fail("an address that can be fetched here", why, SERVE, cause);
        if (++failures >= attempts) throw fail("bytes from the server", `${why} (at byte ${wanted}, ${attempts} attempts)`, CHECK, cause);
        await within(new Promise((resolve) => setTimeout(resolve, retryMs * 2 ** (failures - 1))), signal);
      }
    }
  }

  await fill(0, new Uint8Array(0), signal);
  // One connection serves one read at a time; a second read waits.
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => {});
    return turn;
  };
  const source: HttpSource = {
    label: address,
    size,
    version,
    fresh: true,
    read(offset, length, signal) {
      return inTurn(async () => {
        signal?.throwIfAborted();
        expectInside(source, offset, length);
        const out = new Uint8Array(length);
        await fill(offset, out, signal);
        return out;
      });
    },
    pause() {
      // Behind the reads already asked for, so that none is broken off.
      void inTurn(async () => disconnect());
    },
    async close() {
      closed = true;
      disconnect();
    },
  };
  return source;
}
