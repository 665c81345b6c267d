// What the browser tests of the page do again and again.
import { deflateSync } from "node:zlib";
import type { Page } from "puppeteer";
import { type SampleId, SAMPLES } from "../../../app/open/samples.ts";
import { screenshots } from "../../support/browser.ts";
import { QUICK } from "../../support/quick.ts";

/** Waits for the first case, or for so many in the list, of which only those in sight are there. */
export async function ready(page: Page, cases = 1): Promise<void> {
  const listed = (wanted: number) => Number(document.querySelector(".row-of")?.getAttribute("aria-setsize")) >= wanted;
  await page.waitForFunction(listed, { timeout: 60_000 }, cases);
}

/** How a page is opened that has these of its samples alone, the others closed before: each takes a core half a second and more to draw. */
export function withSamples(...ids: readonly SampleId[]): { stored: Record<string, string> } {
  return { stored: { "closed-samples": JSON.stringify(SAMPLES.map(({ id }) => id).filter((id) => !ids.includes(id))) } };
}

/** No picture is read that nobody asked for: with a real model each takes seconds of all cores. */
export async function nothingAhead(page: Page): Promise<void> {
  await page.$eval("#ahead-on", (element) => {
    const box = element as HTMLInputElement;
    if (box.checked) box.click();
  });
}

/** Screenshots at both widths, light and dark, with the list of cases complete; in haste none. */
export async function pictures(page: Page, name: string): Promise<void> {
  if (QUICK) return;
  await ready(page, 6);
  await screenshots(page, name);
}

/** What the page saves goes to this folder, without a question. */
export async function downloadsTo(page: Page, folder: string): Promise<void> {
  const session = await page.createCDPSession();
  const { id } = page.browserContext();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder, ...(id && { browserContextId: id }) });
}

export function text(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => (element as HTMLElement).innerText.replace(/\s+/g, " ").trim());
}

export function isHidden(page: Page, selector: string): Promise<boolean> {
  return page.$eval(selector, (element) => Boolean((element as HTMLElement).hidden));
}

/** Waits until the status line reads like this. */
export async function status(page: Page, pattern: RegExp, timeout = 30_000): Promise<string> {
  await page.waitForFunction((source) => new RegExp(source).test(document.querySelector("#status")?.textContent ?? ""), { timeout }, pattern.source);
  return text(page, "#status");
}

/** The prompts as the panel lists them: `positive 120, 80`. */
export function prompts(page: Page): Promise<string[]> {
  return page.$$eval("#prompts li", (items) => items.map((item) => `${item.dataset.kind} ${item.innerText.trim()}`));
}

export async function loadFrom(page: Page, address: string): Promise<void> {
  await page.evaluate((url) => {
    (document.querySelector("#weights-address") as HTMLInputElement).value = url;
    (document.querySelector("#weights-url") as HTMLFormElement).requestSubmit();
  }, address);
}

/** Where an original pixel's middle is in the window, by the page's own description: size and zoom in its corners. */
export async function placeOf(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
  // What appears beside the image moves it: it counts where it stays for two frames.
  for (let before = await place(page, x, y); ; ) {
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    const now = await place(page, x, y);
    if (now.x === before.x && now.y === before.y) return now;
    before = now;
  }
}

async function place(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
  const box = await page.$eval("#stage", (stage) => {
    const { left, top, width, height } = stage.getBoundingClientRect();
    return { left, top, width, height };
  });
  const [width, height] = ((await text(page, "#corner-name")).match(/(\d+) × (\d+)/) ?? []).slice(1).map(Number) as [number, number];
  const margin = 12;
  const scale = Math.min((box.width - 2 * margin) / width, (box.height - 2 * margin) / height);
  return {
    x: box.left + (box.width - width * scale) / 2 + (x + 0.5) * scale,
    y: box.top + (box.height - height * scale) / 2 + (y + 0.5) * scale,
  };
}

/** How many of the stage's pixels are cyan or magenta: the colours of a mask, on a gray image. */
export async function tintedPixels(page: Page): Promise<{ cyan: number; magenta: number }> {
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  return page.$eval("#canvas", (element) => {
    const { width, height } = element as HTMLCanvasElement;
    const pixels = (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
    const counts = { cyan: 0, magenta: 0 };
    for (let i = 0; i < pixels.length; i += 4) {
      const [red, green, blue] = [pixels[i], pixels[i + 1], pixels[i + 2]] as [number, number, number];
      if (green - red > 25 && blue - red > 25) counts.cyan++;
      if (red - green > 25 && blue - green > 25) counts.magenta++;
    }
    return counts;
  });
}

/** A gray PNG with a bright disc in the middle. */
export function discPng(side: number): Buffer {
  const rows = Buffer.alloc(side * (side + 1));
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) rows[y * (side + 1) + 1 + x] = Math.hypot(x - side / 2, y - side / 2) < side / 4 ? 200 : 60;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 8;
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), 8 + data.length);
  return out;
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
