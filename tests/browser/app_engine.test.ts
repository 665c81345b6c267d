// The built page with its real worker and engine, on a small network: weights from disk, masks, and what happens when the worker dies.
import { createReadStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killWorker, modelWorker, watchedWorker, writeSmallNetwork } from "../app/fake/engine.ts";
import { loadFrom, nothingAhead, placeOf, prompts, ready, status, text, withSamples } from "../app/fake/page.ts";
import { useSite } from "../support/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "app-engine-"));
const file = join(folder, "small.safetensors");

beforeAll(() => writeSmallNetwork(file));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Somebody else's server that lets other sites read its weights. */
const elsewhere = createServer((_request, response) => {
  response.writeHead(200, { "access-control-allow-origin": "*", "content-length": statSync(file).size });
  createReadStream(file).pipe(response);
});
await new Promise<void>((listening) => elsewhere.listen(0, "127.0.0.1", listening));
afterAll(() => {
  elsewhere.close();
});

const site = useSite({ files: watchedWorker() });

/** What the workers asked for, by their own record: Chromium does not report it as the page's. */
async function askedByWorkers(page: Page): Promise<string[]> {
  const lists = await Promise.all(page.workers().map((worker) => worker.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name))));
  return lists.flat().filter((name) => !/^(blob|data):/.test(name));
}

async function openWithWeights(): Promise<{ page: Page; errors: string[]; foreign: (origin: string) => string[] }> {
  const opened = await openAlone();
  await upload(opened.page, file);
  return opened;
}

/** The page, which reads no picture that nobody asked for. */
async function openAlone() {
  const opened = await site.open("/", withSamples("ct", "mr"));
  await ready(opened.page, 2);
  await nothingAhead(opened.page);
  return opened;
}

/** Gives the page a weights file, and waits until its network has read the image. */
async function upload(page: Page, path: string): Promise<void> {
  await giveFile(page, path);
  await page.waitForFunction(() => /small\.safetensors.*Encode/s.test(document.querySelector("#model-facts")?.textContent ?? ""), { timeout: 100_000 });
}

async function giveFile(page: Page, path: string): Promise<void> {
  const input = (await page.$("#open-weights")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(path);
}

async function clickPixel(page: Page, x: number, y: number): Promise<void> {
  const place = await placeOf(page, x, y);
  await page.mouse.click(place.x, place.y);
}

declare global {
  /** What the page asked of the model's worker. */
  var calls: { load: number; encode: number; decode: number; withMask: number } | undefined;
}

async function watchCalls(page: Page): Promise<void> {
  await page.evaluate(() => {
    const counts = { load: 0, encode: 0, decode: 0, withMask: 0 };
    globalThis.calls = counts;
    const send = Worker.prototype.postMessage as (this: Worker, message: unknown, options?: StructuredSerializeOptions) => void;
    Worker.prototype.postMessage = function (message: unknown, options?: unknown) {
      const { kind, method, params } = message as { kind?: string; method?: string; params?: { prompts?: { maskInput?: unknown } } };
      if (kind === "call" && method && method in counts) counts[method as keyof typeof counts] += 1;
      if (kind === "call" && method === "decode" && params?.prompts?.maskInput) counts.withMask += 1;
      send.call(this, message, options as StructuredSerializeOptions);
    };
  });
}

const callsOf = (page: Page) => page.evaluate(() => globalThis.calls as NonNullable<typeof globalThis.calls>);

describe("the page on the engine", () => {
  it("loads weights from disk, decodes a click, and asks no other origin for anything; goes on when its worker dies, and when its device is lost", async () => {
    const { page, errors, foreign } = await openWithWeights();
    expect(await text(page, "#model-facts")).toMatch(/width 64, depth 2/);
    await clickPixel(page, 150, 210);
    expect(await status(page, /^Mask \d of 3: predicted IoU -?\d/, 100_000)).toContain("from 1 point");
    const workers = page.workers().map((worker) => new URL(worker.url()).origin);
    expect(workers.length).toBeGreaterThan(0);
    expect(new Set(workers)).toEqual(new Set([site.origin]));
    expect(foreign(site.origin)).toEqual([]);
    expect((await askedByWorkers(page)).filter((address) => new URL(address).origin !== site.origin)).toEqual([]);
    expect(errors).toEqual([]);

    await killWorker(page);
    await clickPixel(page, 300, 300);
    await status(page, /^Mask \d of 3: .* from 2 points/, 100_000);
    expect(await prompts(page)).toEqual(["positive 150, 210", "positive 300, 300"]);
    expect(await page.$(".problem")).toBeNull();

    const worker = modelWorker(page);
    expect(await worker?.evaluate(() => globalThis.devices)).toBe(1);
    await worker?.evaluate(() => globalThis.latestDevice?.destroy());
    await clickPixel(page, 320, 200);
    await status(page, /^Mask \d of 3: .* from 3 points/, 100_000);
    // A rebuild that is itself cut off is done again.
    expect(await worker?.evaluate(() => globalThis.devices)).toBeGreaterThanOrEqual(2);
    expect(await page.$(".problem")).toBeNull();
    await page.close();
  });

  it("asks another origin only for the weights that the user names", async () => {
    const { page } = await openAlone();
    const named = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/named.safetensors`;
    await loadFrom(page, named);
    await page.waitForFunction(() => /named\.safetensors.*Encode/s.test(document.querySelector("#model-facts")?.textContent ?? ""), { timeout: 100_000 });
    const others = (await askedByWorkers(page)).filter((address) => new URL(address).origin !== site.origin);
    expect(new Set(others)).toEqual(new Set([named]));
    await page.close();
  });

  it("reads a picture once for its first mask and never again; corrects what was drawn, previews, and finds everything", async () => {
    const { page, errors } = await openAlone();
    await watchCalls(page);
    await upload(page, file);
    expect(await callsOf(page)).toMatchObject({ load: 1, encode: 1 });
    await clickPixel(page, 150, 210);
    await status(page, /^Mask \d of 3: .* from 1 point/, 100_000);
    expect(await callsOf(page)).toMatchObject({ encode: 1, decode: 1 });
    await page.click(".case[title='MR, head']");
    await page.waitForFunction(() => document.querySelector("#corner-name")?.textContent?.startsWith("MR, head"));
    await clickPixel(page, 120, 120);
    await status(page, /^Mask \d of 3: .* from 1 point/, 100_000);
    expect(await callsOf(page)).toMatchObject({ encode: 2, decode: 2 });

    // Back at the first one: a stroke, and a point that starts from it.
    await page.click(".case[title='CT, abdomen']");
    await page.waitForFunction(() => document.querySelector("#corner-name")?.textContent?.startsWith("CT, abdomen"));
    await page.keyboard.press("Enter");
    await page.keyboard.press("d");
    const [from, to] = [await placeOf(page, 300, 300), await placeOf(page, 340, 300)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 5 });
    await page.mouse.up();
    await page.keyboard.press("p");
    await clickPixel(page, 320, 290);
    await status(page, /from 1 point, refined from the mask before/, 100_000);
    expect(await callsOf(page)).toMatchObject({ encode: 2, decode: 3, withMask: 1 });

    await page.$eval("#preview", (box) => (box as HTMLInputElement).checked || (box as HTMLInputElement).click());
    const rest = await placeOf(page, 200, 260);
    await page.mouse.move(rest.x, rest.y);
    await page.waitForFunction(() => globalThis.calls?.decode === 4, { timeout: 100_000 });
    expect(await prompts(page)).toEqual(["positive 320, 290"]);

    await page.$eval("#everything-options", (details) => ((details as HTMLDetailsElement).open = true));
    await page.select("#everything-options select", "8");
    await page.click("#everything");
    await status(page, /found/i, 200_000);
    const { encode, decode } = await callsOf(page);
    expect(encode).toBe(2);
    expect(decode).toBeGreaterThanOrEqual(4 + 64 / 16);
    expect(await page.$(".problem")).toBeNull();
    expect(errors).toEqual([]);
    await page.close();
  });

  it("names what a wrong file is, and can still be used", async () => {
    const { page, errors } = await openAlone();
    const wrong = join(folder, "wrong.safetensors");
    await writeFile(wrong, "these are no weights, only words");
    await giveFile(page, wrong);
    await page.waitForSelector(".problem", { timeout: 60_000 });
    expect(await text(page, ".problem")).toMatch(/These weights can't be used/);
    await upload(page, file);
    expect(errors).toEqual([]);
    await page.close();
  });
});
