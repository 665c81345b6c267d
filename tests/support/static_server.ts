// A plain static file host on loopback, as a page meets it: MIME types, byte ranges, 404. It answers nothing else.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

export interface StaticServer {
  /** `http://127.0.0.1:PORT`: loopback is a secure context, so WebGPU is there. */
  readonly origin: string;
  /** Paths asked for, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

export interface ServeOptions {
  /** Folder for `/`. */
  readonly folder?: string;
  /** Further folders by path prefix: `{ "/weights/": "weights" }`. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Files made by the test, by path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Sent with every answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

export async function serve({ folder, mounts = {}, files = {}, headers = {} }: ServeOptions): Promise<StaticServer> {
  const requests: string[] = [];
  const folders = Object.entries({ ...mounts, ...(folder ? { "/": folder } : {}) }).sort(([a], [b]) => b.length - a.length);
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    requests.push(path);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const made = files[path];
    if (made !== undefined) return void response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/html; charset=utf-8" }).end(made);
    const prefix = folders.find(([start]) => path.startsWith(start));
    if (!prefix || normalize(path).includes("..")) return void response.writeHead(404).end();
    const below = path.slice(prefix[0].length);
    await sendFile(response, join(prefix[1], below.endsWith("/") || below === "" ? `${below}index.html` : below), request.headers.range);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function sendFile(response: ServerResponse, file: string, range: string | undefined): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return void response.writeHead(404).end();
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  if (from === undefined) {
    response.writeHead(200, { "content-type": type, "content-length": found.size, "accept-ranges": "bytes" });
    createReadStream(file).pipe(response);
    return;
  }
  const start = Number(from);
  const end = Math.min(to ? Number(to) : found.size - 1, found.size - 1);
  if (start > end) return void response.writeHead(416, { "content-range": `bytes */${found.size}` }).end();
  response.writeHead(206, {
    "content-type": type,
    "content-length": end - start + 1,
    "content-range": `bytes ${start}-${end}/${found.size}`,
    "accept-ranges": "bytes",
  });
  createReadStream(file, { start, end }).pipe(response);
}
