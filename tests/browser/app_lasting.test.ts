// What must outlast a long day: pictures a lost graphics process, memory many clicks on a large image.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, describe, expect, it } from "vitest";
import { loadFrom, placeOf, ready, status, withSamples } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "app-lasting-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

async function openWithModel() {
  const opened = await site.open("/", withSamples("ct", "mr"));
  await ready(opened.page, 2);
  await loadFrom(opened.page, "https://weights.invalid/quick.safetensors");
  return opened;
}

async function click(page: Page, x: number, y: number): Promise<void> {
  const place = await placeOf(page, x, y);
  await page.mouse.click(place.x, place.y);
}

/** Mean brightness of stage, first thumbnail and first candidate. */
function brightness(page: Page): Promise<number[]> {
  return page.evaluate(() =>
    ["#canvas", ".case canvas", ".candidate canvas"].map((selector) => {
      const canvas = document.querySelector<HTMLCanvasElement>(selector);
      if (!canvas) return 0;
      const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      let sum = 0;
      for (let i = 0; i < pixels.length; i += 4) sum += pixels[i] as number;
      return sum / (pixels.length / 4);
    }),
  );
}

describe("a lost graphics process", () => {
  it("takes no picture along", async () => {
    const { page } = await openWithModel();
    await click(page, 150, 210);
    await status(page, /^Mask 2 of 3/);
    const before = await brightness(page);
    for (const value of before) expect(value).toBeGreaterThan(5);
    await page.evaluate(() => {
      const lost = { count: 0 };
      addEventListener("contextlost", () => lost.count++, true);
      Object.assign(window, { lost });
    });
    const browser = await site.browser.target().createCDPSession();
    await browser.send("Browser.crashGpuProcess");
    await page.waitForFunction(() => (window as unknown as { lost: { count: number } }).lost.count > 0, { timeout: 60_000 }).catch(() => {});
    await page.waitForFunction(
      (wanted) => {
        const canvas = document.querySelector("#canvas") as HTMLCanvasElement;
        const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        let sum = 0;
        for (let i = 0; i < pixels.length; i += 4) sum += pixels[i] as number;
        return sum / (pixels.length / 4) > wanted * 0.9;
      },
      { timeout: 60_000, polling: 200 },
      before[0] as number,
    );
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    const after = await brightness(page);
    for (const [index, value] of after.entries()) expect(Math.abs(value - (before[index] as number))).toBeLessThan(2);
    // And images that are shown later, too.
    await page.click(".case[title='MR, head']");
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    expect((await brightness(page))[0]).toBeGreaterThan(5);
    await page.close();
  });
});

describe("12 megapixels", () => {
  it("take no more memory after 50 clicks than after one, and Clear lets go", async () => {
    const { page } = await openWithModel();
    const picture = join(folder, "large.png");
    const base64 = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(4000, 3000);
      const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
      context.fillStyle = "#303030";
      context.fillRect(0, 0, 4000, 3000);
      context.fillStyle = "#c0c0c0";
      context.arc(2000, 1500, 500, 0, 7);
      context.fill();
      const blob = await canvas.convertToBlob();
      return new Promise<string>((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve((reader.result as string).split(",")[1] as string);
        reader.readAsDataURL(blob);
      });
    });
    writeFileSync(picture, Buffer.from(base64, "base64"));
    const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
    await input?.uploadFile(picture);
    await page.waitForFunction(() => /large\.png/.test(document.querySelector("#corner-name")?.textContent ?? ""));
    const client = await page.createCDPSession();
    const memory = async () => {
      for (let i = 0; i < 3; i++) await client.send("HeapProfiler.collectGarbage");
      const { usedSize, backingStorageSize } = (await client.send("Runtime.getHeapUsage")) as { usedSize: number; backingStorageSize?: number };
      if (backingStorageSize === undefined) throw new Error("this Chromium does not tell the size of array buffers");
      return (usedSize + backingStorageSize) / 1e6;
    };
    await click(page, 2000, 1500);
    await status(page, /from 1 point\b/, 120_000);
    const first = await memory();
    for (let i = 2; i <= 50; i++) {
      await click(page, 1700 + 12 * i, 1500 + 7 * (i % 9));
      await status(page, new RegExp(`from ${i} points`), 120_000);
    }
    const grown = (await memory()) - first;
    await page.click("#clear");
    await status(page, /^Click a structure/);
    const cleared = (await memory()) - first;
    console.log(`50 clicks on 12 megapixels: ${grown.toFixed(1)} MB more; after Clear ${cleared.toFixed(1)} MB`);
    expect(grown).toBeLessThan(20);
    expect(cleared).toBeLessThan(10);
    await page.close();
  }, 900_000);
});
