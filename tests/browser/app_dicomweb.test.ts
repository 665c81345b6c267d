// The page on a DICOMweb server: Orthanc behind a gate that wants a token and lets pages of any origin read. On a fake model.
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dicomWebStudies, fromDicomWeb } from "../../src/formats/index.ts";
import { violations } from "../app/fake/axe.ts";
import { loadFrom, placeOf, ready, status } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";
import { type Orthanc, orthancIsHere, startOrthanc } from "../support/orthanc.ts";
import { ROOT } from "../support/setup_file.ts";

const DICOM = join(ROOT, "tests/formats/fixtures/dicom");
const TOKEN = "a-token-of-42";

let orthanc: Orthanc;
let gate: Server;
/** Without permission for other origins. */
let closed: Server;
let study: string;

/** Passes on what carries the token; answers pages of any origin where it is open. */
function gateTo(open: boolean): Promise<Server> {
  const server = createServer(async (request, response) => {
    const allowed = { "access-control-allow-origin": "*", "access-control-allow-headers": "authorization, accept, content-type" };
    if (open) for (const [name, value] of Object.entries(allowed)) response.setHeader(name, value);
    if (request.method === "OPTIONS") return response.writeHead(open ? 204 : 405).end();
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(401).end();
    const { method = "GET", headers: asked } = request;
    const headers = { ...orthanc.server.headers, accept: asked.accept ?? "*/*", ...(asked["content-type"] && { "content-type": asked["content-type"] }) };
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const sent = method === "POST" ? { method, body: Buffer.concat(parts) } : {};
    const answer = await fetch(`${orthanc.server.url}${request.url?.replace(/^\/pacs/, "")}`, { headers, ...sent });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(new Uint8Array(await answer.arrayBuffer()));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/pacs`;
const query = (more: Record<string, string>) => `/?${new URLSearchParams(more)}`;

const site = useSite({ folder: FAKE_SITE });

async function typeToken(page: Page, token: string, words: RegExp): Promise<void> {
  await page.waitForFunction((source) => new RegExp(source).test(document.querySelector("dialog.ask")?.textContent ?? ""), {}, words.source);
  expect(await violations(page)).toEqual([]);
  await page.type("dialog.ask input", token);
  await page.keyboard.press("Enter");
}

const segmentationsOf = async (of: string) => (await fromDicomWeb({ ...orthanc.server, study: of })).segmentations;

const told = (page: Page, words: string) => page.waitForFunction((text) => document.querySelector("#problems")?.textContent?.includes(text), {}, words);

describe.skipIf(!orthancIsHere)("a DICOMweb address", () => {
  beforeAll(async () => {
    orthanc = await startOrthanc();
    const shuffled = readdirSync(join(DICOM, "shuffled")).map((name) => join("shuffled", name));
    await orthanc.fill([...shuffled, "jpeg_lossless_1.dcm", "j2k.dcm", "palette_8.dcm"].map((name) => readFileSync(join(DICOM, name))));
    study = (await dicomWebStudies(orthanc.server))[0]?.study as string;
    [gate, closed] = await Promise.all([gateTo(true), gateTo(false)]);
  });
  afterAll(async () => {
    gate?.close();
    closed?.close();
    await orthanc?.close();
  });

  it("opens its study once the right token is typed, keeps the token nowhere, and lets the page ask no other http server", async () => {
    const { page, errors } = await site.open(query({ dicomweb: addressOf(gate), study }));
    await typeToken(page, "wrong", /wants a sign-in/);
    await typeToken(page, TOKEN, /did not take this token/);
    await told(page, "opened as 4 volumes");
    await ready(page, 6 + 4);
    expect(await page.$$eval(".case", (thumbs) => thumbs.map((thumb) => thumb.textContent).join())).toContain("j2k");
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, document.body.innerHTML]),
    );
    expect(kept).not.toContain(TOKEN);
    expect(kept).not.toMatch(/Phantom\^|phantom/);
    const asks = (url: string) =>
      page.evaluate(
        (address) =>
          fetch(address).then(
            ({ status }) => status,
            () => "refused",
          ),
        url,
      );
    expect(await asks(`${addressOf(gate)}/studies`)).toBe(401);
    const before = errors.length;
    expect(await asks(`${addressOf(closed)}/studies`)).toBe("refused");
    // The browser's own word on the refusals that were provoked here.
    expect(errors.slice(0, before).filter((text) => !/401/.test(text))).toEqual([]);
    await page.close();
  });

  it("gets a segmentation back by one click, and shows the server's answer", async () => {
    const { page, errors } = await site.open(query({ dicomweb: addressOf(gate), study }));
    await typeToken(page, TOKEN, /wants a sign-in/);
    await told(page, "opened as 4 volumes");
    await ready(page, 6 + 4);
    await loadFrom(page, "http://localhost/fake.safetensors");
    await page.waitForFunction(() => !(document.querySelector("#slices") as HTMLElement).hidden);
    const before = (await segmentationsOf(study)).length;
    const at = await placeOf(page, 8, 8);
    await page.mouse.click(at.x, at.y);
    await status(page, /predicted IoU/);
    await page.waitForSelector("#send-server:not(:disabled)");
    await page.click("#send-server");
    await told(page, "has the segmentation");
    await told(page, "The server kept 1");
    const segmentations = await segmentationsOf(study);
    expect(segmentations).toHaveLength(before + 1);
    expect(segmentations.at(-1)?.segments.map(({ label }) => label)).toEqual(["Structure"]);
    expect(errors.filter((text) => !/401/.test(text))).toEqual([]);
    await page.close();
  });

  it("is given its token by the page that opened it, and lets one choose among studies", async () => {
    const { page } = await site.open("/");
    const target = query({ dicomweb: addressOf(gate) });
    const opened = new Promise<Page>((resolve) => page.once("popup", (popup) => resolve(popup as Page)));
    await page.evaluate(
      (address, token) => {
        addEventListener("message", ({ source, data }) => {
          if (data?.type === "dicomweb-token-wanted") (source as Window).postMessage({ type: "dicomweb-token", token }, location.origin);
        });
        open(address);
      },
      target,
      TOKEN,
    );
    const popup = await opened;
    await popup.waitForSelector("dialog.ask select");
    expect(await popup.$eval("dialog.ask", (dialog) => dialog.textContent)).toContain("CT");
    expect(await violations(popup)).toEqual([]);
    await popup.select("dialog.ask select", study);
    await popup.click("dialog.ask button[type=submit]");
    await told(popup, "opened as 4 volumes");
    await popup.close();
    await page.close();
  });

  it("that lets no other page read it is told", async () => {
    const { page } = await site.open(query({ dicomweb: addressOf(closed), study }));
    await told(page, "but not to pages of");
    await page.close();
  });
});
