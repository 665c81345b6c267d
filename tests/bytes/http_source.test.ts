import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type HttpOptions, httpSource } from "../../src/bytes/http_source.ts";
import { answer, type Bytes, samError, serve, type TestServer } from "../checkpoint/support.ts";

const DATA: Bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
const QUICK: HttpOptions = { stallMs: 500, retryMs: 1, attempts: 3 };

let server: TestServer | undefined;
afterEach(() => server?.close());

async function start(handle: (request: IncomingMessage, response: ServerResponse, count: number) => void): Promise<TestServer> {
  server = await serve(handle);
  return server;
}

/** `toEqual` on megabytes compares element by element, slowly. */
function expectBytes(got: Uint8Array, begin: number, end: number): void {
  expect(Buffer.compare(got, DATA.subarray(begin, end))).toBe(0);
}

describe("httpSource", () => {
  it("reads front to back over one connection", async () => {
    const { url, requests } = await start((request, response) => answer(request, response, DATA));
    const source = await httpSource(url, QUICK);
    expect(source.size).toBe(DATA.length);
    expect(source.version).toBe('"1"');
    for (let at = 0; at < DATA.length; at += 700_001) {
      const length = Math.min(700_001, DATA.length - at);
      const bytes = await source.read(at, length);
      expectBytes(bytes, at, at + length);
      expect(bytes.byteOffset % 4).toBe(0);
    }
    expect(requests).toHaveLength(1);
    await source.close();
  });

  it("jumps by range, both ways, and skips short gaps on the same connection", async () => {
    const { url, requests } = await start((request, response) => answer(request, response, DATA));
    const source = await httpSource(url, QUICK);
    expectBytes(await source.read(2_999_990, 10), 2_999_990, 3_000_000);
    expectBytes(await source.read(1_200_000, 10), 1_200_000, 1_200_010);
    expectBytes(await source.read(1_300_000, 10), 1_300_000, 1_300_010);
    expect(requests.map(({ range }) => range)).toEqual(["bytes=0-", "bytes=2999990-", "bytes=1200000-"]);
    await source.close();
  });

  it("looks at the head again without asking again", async () => {
    const { url, requests } = await start((request, response) => answer(request, response, DATA));
    const source = await httpSource(url, QUICK);
    expectBytes(await source.read(0, 512), 0, 512);
    expectBytes(await source.read(0, 8), 0, 8);
    expectBytes(await source.read(8, 1_000_000), 8, 1_000_008);
    expect(requests).toHaveLength(1);
    await source.close();
  });

  it("serves reads asked for at once, one after another", async () => {
    const { url } = await start((request, response) => answer(request, response, DATA));
    const source = await httpSource(url, QUICK);
    const begins = [0, 2_000_000, 500_000, 2_900_000, 1];
    const all = await Promise.all(begins.map((begin) => source.read(begin, 90_000)));
    begins.forEach((begin, i) => expectBytes(all[i] as Bytes, begin, begin + 90_000));
    await source.close();
  });

  it("reads in order from a server without ranges, and says so when made to go back too often", async () => {
    const { url, requests } = await start((request, response) => answer(request, response, DATA, { ranges: false }));
    const source = await httpSource(url, QUICK);
    expectBytes(await source.read(2_500_000, 10), 2_500_000, 2_500_010);
    expect(requests).toHaveLength(1);
    expectBytes(await source.read(20, 10), 20, 30);
    for (const begin of [1_500_000, 1_400_000, 1_300_000]) expectBytes(await source.read(begin, 9), begin, begin + 9);
    expect((await samError(source.read(1_200_000, 9))).message).toMatch(/range requests/);
    await source.close();
  });

  it("goes on by range where a connection broke", async () => {
    const { url, requests } = await start((request, response, count) => {
      if (count > 2) return answer(request, response, DATA);
      const begin = Number(/=(\d+)/.exec(request.headers.range ?? "")?.[1]);
      response.writeHead(206, { "content-length": DATA.length - begin, "content-range": `bytes ${begin}-${DATA.length - 1}/${DATA.length}`, etag: '"1"' });
      response.write(DATA.subarray(begin, begin + 1_100_000), () => setTimeout(() => response.destroy(), 20));
    });
    const source = await httpSource(url, QUICK);
    expectBytes(await source.read(0, DATA.length), 0, DATA.length);
    expect(requests.length).toBeGreaterThanOrEqual(3);
    expect(requests.at(-1)?.range).toMatch(/^bytes=[1-9]/);
    await source.close();
  });

  it("tries again after 503, and gives up with words", async () => {
    const { url, requests } = await start((request, response, count) => {
      if (count < 3) response.writeHead(503).end();
      else answer(request, response, DATA);
    });
    const source = await httpSource(url, QUICK);
    expectBytes(await source.read(0, 9), 0, 9);
    expect(requests).toHaveLength(3);
    await source.close();
    const down = await serve((_, response) => response.writeHead(500).end());
    expect((await samError(httpSource(down.url, QUICK))).message).toMatch(/HTTP 500 \(at byte 0, 3 attempts\)/);
    await down.close();
  });

  it.each(["ftp://files.example/a.pth", "s3://bucket/a.pth", "blob:gone"])("asks once for %s, which no server answers", async (address) => {
    const asked = vi.spyOn(globalThis, "fetch");
    const error = await samError(httpSource(address, QUICK));
    expect(error).toMatchObject({ op: address, expected: "an address that can be fetched here", remedy: expect.stringMatching(/https: serves it/) });
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
  });

  const refusals: [what: string, handle: (request: IncomingMessage, response: ServerResponse) => void, message: RegExp][] = [
    ["404", (_, response) => response.writeHead(404).end("no"), /nothing there \(HTTP 404\)/],
    ["403", (_, response) => response.writeHead(403).end(), /HTTP 403/],
    ["416 at the start", (_, response) => response.writeHead(416).end(), /HTTP 416/],
    ["an answer without length", (_, response) => response.writeHead(200).end(DATA), /Content-Length/],
    [
      "another range than asked for",
      (_, response) => response.writeHead(206, { "content-range": "bytes 5-9/10", "content-length": 5 }).end("12345"),
      /bytes from 5/,
    ],
    ["a stalled server", () => {}, /nothing for 0\.05 s \(at byte 0, 3 attempts/],
  ];
  for (const [what, handle, message] of refusals) {
    it(`refuses ${what}`, async () => {
      const { url } = await start(handle);
      const error = await samError(httpSource(url, { ...QUICK, stallMs: 50 }));
      expect(error.message).toMatch(message);
      expect(error.op).toBe(url);
    });
  }

  it("refuses a compressed answer, whose length is not the file's", async () => {
    const { gzipSync } = await import("node:zlib");
    const packed = gzipSync(DATA);
    const { url } = await start((_, response) => response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length }).end(packed));
    expect((await samError(httpSource(url, QUICK))).message).toMatch(/compressed/);
  });

  it("says that nothing answers", async () => {
    const { url } = await start(() => {});
    await server?.close();
    expect((await samError(httpSource(url, QUICK))).message).toMatch(/ECONNREFUSED/);
  });

  it("refuses a file shorter than it said", async () => {
    const short = DATA.subarray(0, 2_000_000);
    const { url } = await start((request, response) => {
      const begin = Number(/=(\d+)/.exec(request.headers.range ?? "")?.[1]);
      response.writeHead(206, { "content-range": `bytes ${begin}-${DATA.length - 1}/${DATA.length}`, "content-length": DATA.length - begin });
      response.write(short.subarray(begin), () => setTimeout(() => response.destroy(), 5));
    });
    const source = await httpSource(url, QUICK);
    expect((await samError(source.read(0, DATA.length))).message).toMatch(/3 attempts/);
    await source.close();
  });

  it("stalls in the middle: an error, and the connection is given up", async () => {
    const { url } = await start((request, response, count) => {
      if (count > 1) return;
      response.writeHead(206, { "content-range": `bytes 0-${DATA.length - 1}/${DATA.length}`, "content-length": DATA.length });
      response.write(DATA.subarray(0, 100_000));
      void request;
    });
    const source = await httpSource(url, { ...QUICK, stallMs: 50 });
    expectBytes(await source.read(0, 100_000), 0, 100_000);
    expect((await samError(source.read(100_000, 10))).message).toMatch(/nothing for 0\.05 s \(at byte 100000/);
    await source.close();
  });

  it("refuses a file that changed between two ranges", async () => {
    const versions: [etag: string, length: number][] = [
      ['"2"', DATA.length],
      ['"1"', DATA.length - 5],
    ];
    for (const [etag, length] of versions) {
      const { url } = await start((request, response, count) =>
        count === 1 ? answer(request, response, DATA) : answer(request, response, DATA.subarray(0, length), { etag }),
      );
      const source = await httpSource(url, QUICK);
      expect((await samError(source.read(2_500_000, 10))).message).toMatch(/replaced while it was read/);
      await source.close();
      await server?.close();
    }
    const { url } = await start((request, response, count) =>
      count === 1 ? answer(request, response, DATA) : answer(request, response, DATA.subarray(0, 1000)),
    );
    const source = await httpSource(url, QUICK);
    expect((await samError(source.read(2_500_000, 10))).message).toMatch(/HTTP 416/);
    await source.close();
  });

  it("finds the size where another origin hides Content-Range", async () => {
    const { url } = await start((request, response) => {
      const begin = Number(/=(\d+)/.exec(request.headers.range ?? "")?.[1]);
      response.writeHead(206, { "content-length": DATA.length - begin }).end(DATA.subarray(begin));
    });
    const source = await httpSource(url, QUICK);
    expect(source.size).toBe(DATA.length);
    expectBytes(await source.read(2_900_000, 100), 2_900_000, 2_900_100);
    await source.close();
  });

  it("stops at once when cancelled, and works again afterwards", async () => {
    const { url } = await start((request, response, count) => {
      if (count !== 1) return answer(request, response, DATA);
      response.writeHead(206, { "content-range": `bytes 0-${DATA.length - 1}/${DATA.length}`, "content-length": DATA.length, etag: '"1"' });
      response.write(DATA.subarray(0, 1000));
    });
    const source = await httpSource(url, { ...QUICK, stallMs: 60_000 });
    const controller = new AbortController();
    const reading = source.read(0, 5000, controller.signal);
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(reading).rejects.toThrow("enough");
    await expect(source.read(0, 10, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
    expectBytes(await source.read(0, 5000), 0, 5000);
    await source.close();
    await samError(source.read(2_000_000, 10));
    await expect(httpSource(url, QUICK, AbortSignal.abort(new Error("never")))).rejects.toThrow("never");
  });

  it("knows an empty file", async () => {
    const { url } = await start((request, response) => answer(request, response, new Uint8Array(0)));
    const source = await httpSource(url, QUICK);
    expect(source.size).toBe(0);
    await source.close();
  });
});
