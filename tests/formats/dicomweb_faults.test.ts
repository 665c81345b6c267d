// DICOMweb of servers that answer in their own ways, badly or not at all.
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { multipartOf, parameter, partsOf } from "../../src/formats/dicomweb/multipart.ts";
import { dicomWebStudies, fromDicomWeb } from "../../src/formats/index.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { samError as anySamError, serve, type TestServer } from "../checkpoint/support.ts";

const samError = (work: Promise<unknown>) => anySamError(work, "file");
const STUDY = "1.2.3";
const SERIES = "1.2.3.4";
const bytes = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const latin1 = (data: Uint8Array) => new TextDecoder("latin1").decode(data);

const ui = (value: string) => ({ vr: "UI", Value: [value] });
const us = (value: number) => ({ vr: "US", Value: [value] });
/** A 4 × 2 image of 16 bits, with what some servers add. */
const image = (number: number, more: object = {}) => ({
  "00080016": ui("1.2.840.10008.5.1.4.1.1.2"),
  "00080018": ui(`${SERIES}.${number}`),
  "00080060": { vr: "CS", Value: ["CT"] },
  "0008103E": { vr: "LO", Value: ["Brust – groß"] },
  "00100010": { vr: "PN", Value: [{ Alphabetic: "Phantom^Drawn", Ideographic: "幻影" }] },
  "0020000D": ui(STUDY),
  "0020000E": ui(SERIES),
  "00200032": { vr: "DS", Value: [0, 0, `${number * 2.5}`] },
  "00200037": { vr: "DS", Value: [1, 0, 0, 0, 1, 0] },
  "00280002": us(1),
  "00280004": { vr: "CS", Value: ["MONOCHROME2"] },
  "00280010": us(2),
  "00280011": us(4),
  "00280030": { vr: "DS", Value: [0.5, 0.25] },
  "00280100": us(16),
  "00280101": us(16),
  "00280102": us(15),
  "00280103": us(0),
  "00281053": { vr: "DS", Value: ["2"] },
  "00281052": { vr: "DS", Value: [null] },
  "7FE00010": { vr: "OW", BulkDataURI: "http://inside.example/bulk" },
  nonsense: 5,
  "00280106": null,
  ...more,
});
const PIXELS = Uint8Array.from({ length: 16 }, (_, i) => i);

let server: TestServer | undefined;
afterEach(() => server?.close());

type Handler = (path: string, request: IncomingMessage, response: ServerResponse, count: number) => unknown;

async function start(handle: Handler): Promise<string> {
  server = await serve((request, response, count) => handle(request.url?.replace(/^\/weights/, "") ?? "", request, response, count));
  return server.url;
}

const json = (response: ServerResponse, value: unknown, status = 200) => {
  response.writeHead(status, { "content-type": "application/dicom+json" });
  response.end(JSON.stringify(value));
};

/** Two instances, frames by `frame`. */
function series(frame: Handler, instances: readonly object[] = [image(1), image(0)]): Handler {
  return (path, request, response, count) => {
    if (path.endsWith("/metadata")) json(response, instances);
    else frame(path, request, response, count);
  };
}

const openOne = async (url: string, more: object = {}) => {
  const { volumes, refused } = await fromDicomWeb({ url, study: STUDY, series: SERIES, ...more });
  return { volume: volumes[0] as Volume, refused };
};

describe("an answer in parts", () => {
  it("is taken apart whatever the ends of its lines, its quotes and what stands around it", () => {
    const { type, body } = multipartOf([
      { type: "image/jls", body: bytes("one--\r\n--two") },
      { type: "image/jp2", body: bytes("") },
    ]);
    expect(partsOf("x", type, body).map((part) => [part.headers.get("content-type"), latin1(part.body)])).toEqual([
      ["image/jls", "one--\r\n--two"],
      ["image/jp2", ""],
    ]);
    const loose = bytes("a preamble\n--edge\nContent-Type:  a/b; transfer-syntax=1.2\nX: y\n\nbody\n--edge--\nand more");
    const [part, ...rest] = partsOf("x", 'multipart/related; type="a/b; transfer-syntax=1.2"; boundary=edge', loose);
    expect(rest).toEqual([]);
    expect(latin1(part?.body as Uint8Array)).toBe("body");
    expect(parameter(part?.headers.get("content-type") as string, "transfer-syntax")).toBe("1.2");
    expect(parameter('multipart/related; boundary="a b"', "boundary")).toBe("a b");
    expect(partsOf("x", "multipart/related", bytes("--e\r\n\r\nin\r\n--e--")).map((found) => latin1(found.body))).toEqual(["in"]);
    // Cut off, and none of several parts.
    expect(partsOf("x", "multipart/related; boundary=e", bytes("--e\r\n\r\ncut")).map((found) => latin1(found.body))).toEqual(["cut"]);
    expect(partsOf("x", "application/dicom", PIXELS)[0]?.body).toEqual(PIXELS);
    expect(() => partsOf("x", "multipart/related; boundary=other", bytes("--e\r\n\r\nin\r\n--e--"))).toThrow("without a boundary");
  });
});

describe("a server", () => {
  it("is understood whether its frames come in parts or bare, named or not", async () => {
    const answers = [
      (response: ServerResponse) => {
        const { body } = multipartOf([{ type: "application/octet-stream", body: PIXELS }]);
        response.writeHead(200, { "content-type": "multipart/related" });
        response.end(body);
      },
      (response: ServerResponse) => {
        response.writeHead(200, { "content-type": "application/octet-stream" });
        response.end(PIXELS);
      },
    ];
    const url = await start(series((path, _, response) => answers[path.includes(`${SERIES}.1/`) ? 0 : 1]?.(response)));
    const { volume, refused } = await openOne(url);
    expect(refused).toEqual([]);
    expect(volume).toMatchObject({ name: "Brust – groß", modality: "CT", slices: 2, rows: 2, columns: 4 });
    expect(volume.geometry?.spacing).toEqual({ betweenRows: 0.5, betweenColumns: 0.25, betweenSlices: 2.5 });
    expect(volume.transferSyntax).toBeUndefined();
    for (const index of [0, 1]) expect([...(await volume.slice(index)).data]).toEqual([...new Uint16Array(PIXELS.buffer)].map((value) => value * 2));
    expect(server?.requests.map(({ path }) => path.split("/").slice(-3).join("/"))).toEqual([
      `series/${SERIES}/metadata`,
      `${SERIES}.0/frames/1`,
      `${SERIES}.1/frames/1`,
    ]);
  });

  it("is asked again where it is busy, and where an answer is cut off", async () => {
    const url = await start(
      series((_, __, response, count) => {
        if (count === 2) response.writeHead(503).end();
        else if (count === 3) {
          response.writeHead(200, { "content-length": "16" });
          response.write(PIXELS.subarray(0, 5));
          setImmediate(() => response.destroy());
        } else {
          response.writeHead(200, { "content-type": "application/octet-stream" });
          response.end(PIXELS);
        }
      }),
    );
    const { volume } = await openOne(url);
    expect((await volume.slice(0)).data).toHaveLength(8);
    expect(server?.requests).toHaveLength(4);
  });

  it("is given a token when it asks, the next one when that is refused, and none is asked for twice at once", async () => {
    const asked: boolean[] = [];
    const url = await start((path, request, response) => {
      if (request.headers.authorization !== "Bearer right") response.writeHead(401).end();
      else series((_, __, answer) => answer.end(PIXELS))(path, request, response, 0);
    });
    const authorize = async ({ refused }: { refused: boolean }) => {
      asked.push(refused);
      return refused ? "right" : "wrong";
    };
    const { volume } = await openOne(url, { authorize });
    await Promise.all([volume.slice(0), volume.slice(1)]);
    expect(asked).toEqual([false, true]);
    expect((await samError(openOne(url, { authorize: async () => undefined }))).message).toContain("bearer token");
  });

  it("is asked for tables that it keeps apart, by its own address alone", async () => {
    const lut = Uint16Array.from({ length: 16 }, (_, i) => 1000 + i);
    const table = { "00283002": { vr: "US", Value: [16, 0, 16] }, "00283006": { vr: "OW", BulkDataURI: "http://10.0.0.1/pacs/studies/1/bulk/lut" } };
    const url = await start(
      series(
        (path, _, response) => {
          response.writeHead(200, { "content-type": "application/octet-stream" });
          response.end(path.endsWith("/studies/1/bulk/lut") ? new Uint8Array(lut.buffer) : PIXELS.map((_, i) => (i % 2 ? 0 : i / 2)));
        },
        [image(0, { "00283000": { vr: "SQ", Value: [table] } })],
      ),
    );
    const { volume } = await openOne(url);
    expect([...(await volume.slice(0)).data]).toEqual([1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007]);
  });

  it.each<[string, string, Handler]>([
    ["a web page", "a web page", (_, __, response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Sign in</title>")],
    ["no permission", "access to this study", (_, __, response) => response.writeHead(403).end()],
    ["its own words", 'HTTP 404): "Unknown resource"', (_, __, response) => json(response, { Message: "Unknown resource" }, 404)],
    ["a fault", "HTTP 500", (_, __, response) => response.writeHead(500).end("at com.example.Stack(Trace.java:5)")],
    ["nothing in it", "knows no such series", (_, __, response) => response.writeHead(204).end()],
    ["silence", "nothing for 0.2 s", () => undefined],
    ["other text", "DICOM JSON", (_, __, response) => response.writeHead(200, { "content-type": "text/plain" }).end("\u0007hello")],
  ])("that answers with %s is told in words", async (_, words, handle) => {
    const url = await start(handle);
    const { message } = await samError(openOne(url, { stallMs: 200 }));
    expect(message).toContain(words);
    expect(message).not.toMatch(/undefined|TypeError|fetch failed|Stack/);
    expect(message).not.toContain("\u0007");
  });

  it("that gives frames too short, of another size, or that claims more frames than any has, is told by slice", async () => {
    const short = await openOne(await start(series((_, __, response) => response.end(PIXELS.subarray(0, 9)))));
    expect((await samError(short.volume.slice(0))).message).toContain("16 bytes");
    await server?.close();
    const many = await openOne(await start(series(() => undefined, [image(0, { "00280008": { vr: "IS", Value: [2_000_000_000] } })])));
    expect(many.refused[0]?.reason).toContain("no more pixels");
    await server?.close();
    const huge = await openOne(await start(series(() => undefined, [image(0, { "00280010": us(65535), "00280011": us(65535) })])));
    expect(huge.refused[0]?.reason).toContain("65535");
  });

  it("that is off, or no server, is told", async () => {
    const url = await start(() => undefined);
    await server?.close();
    expect((await samError(openOne(url))).message).toContain("the server is off");
    expect((await samError(openOne("ftp://pacs.example"))).message).toContain("https://");
    expect((await samError(openOne("not an address"))).message).toContain("https://");
    expect((await samError(openOne("https://user:secret@pacs.example"))).message).not.toContain("secret");
    expect((await samError(dicomWebStudies({ url }))).message).toContain("the server is off");
  });

  it("is let go when its user cancels", async () => {
    const url = await start(() => undefined);
    const controller = new AbortController();
    const opening = openOne(url, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
  });
});
