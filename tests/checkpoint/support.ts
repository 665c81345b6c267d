// Files made by hand, broken on purpose, and a server that misbehaves on request.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import type { ByteSource } from "../../src/bytes/byte_source.ts";
import { type ErrorCode, SamError } from "../../src/errors.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A safetensors file with this header text, right or wrong, and so many bytes of data. */
export function rawSafetensors(header: string | object, data: Uint8Array | number, claimed?: bigint): Bytes {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  return concat(length, json, typeof data === "number" ? new Uint8Array(data) : data);
}

export function f32(...values: number[]): Bytes {
  return new Uint8Array(new Float32Array(values).buffer);
}

/** Equal to the bit. `toEqual` on a large array compares element by element, slowly. */
export function expectSame(got: ArrayBufferView, wanted: ArrayBufferView): void {
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength);
  expect(bytes(got).equals(bytes(wanted))).toBe(true);
}

export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Bytes> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return concat(...all);
}

/** The SamError that `work` ends with; anything else fails the test. */
export async function samError(work: Promise<unknown> | (() => Promise<unknown>), code: ErrorCode = "checkpoint"): Promise<SamError> {
  const error: unknown = await (typeof work === "function" ? work() : work).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error, "no error").toBeDefined();
  if (!(error instanceof SamError)) throw error;
  expect(error.code).toBe(code);
  for (const part of [error.op, error.expected, error.got, error.remedy]) expect(part).toMatch(/\S/);
  return error;
}

/** Counts what is read of a source, so that a test can say what was not. */
export function counting(source: ByteSource): ByteSource & { readonly reads: { offset: number; length: number }[]; closed: boolean } {
  const counted = {
    label: source.label,
    size: source.size,
    reads: [] as { offset: number; length: number }[],
    closed: false,
    read(offset: number, length: number, signal?: AbortSignal) {
      counted.reads.push({ offset, length });
      return source.read(offset, length, signal);
    },
    async close() {
      counted.closed = true;
      await source.close();
    },
  };
  return counted;
}

export interface TestServer {
  readonly url: string;
  readonly requests: { range: string | undefined; path: string }[];
  close(): Promise<void>;
}

/** Answers with what `handle` writes; requests are kept for the test to look at. */
export async function serve(handle: (request: IncomingMessage, response: ServerResponse, count: number) => void): Promise<TestServer> {
  const requests: TestServer["requests"] = [];
  const server: Server = createServer((request, response) => {
    requests.push({ range: request.headers.range, path: request.url ?? "" });
    // A test that cancels closes the socket under the writer; that is the point, not a failure.
    response.on("error", () => {});
    handle(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** A well-behaved answer to a request for `data`, with or without ranges. */
export function answer(request: IncomingMessage, response: ServerResponse, data: Uint8Array, { ranges = true, etag = '"1"' } = {}): void {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const headers = { etag, "content-type": "application/octet-stream" };
  if (!match || !ranges) {
    response.writeHead(200, { ...headers, "content-length": data.length }).end(data);
    return;
  }
  const begin = Number(match[1]);
  const end = match[2] ? Number(match[2]) + 1 : data.length;
  if (begin >= data.length) response.writeHead(416, { "content-range": `bytes */${data.length}` }).end();
  else {
    const part = data.subarray(begin, end);
    response
      .writeHead(206, { ...headers, "content-length": part.length, "content-range": `bytes ${begin}-${begin + part.length - 1}/${data.length}` })
      .end(part);
  }
}
