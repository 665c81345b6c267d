// A sample's true mask beside the predicted one, on a fake model.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, describe, expect, it } from "vitest";
import { discPng, isHidden, loadFrom, pictures, placeOf, prompts, ready, status, text } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "app-truth-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

/** Where the stage's pixels are white: the dashes of the true outline, and what is white in the image. */
async function whitePixels(page: Page): Promise<number> {
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  return page.$eval("#canvas", (element) => {
    const { width, height } = element as HTMLCanvasElement;
    const pixels = (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
    let count = 0;
    for (let i = 0; i < pixels.length; i += 4) if (Math.min(pixels[i] as number, pixels[i + 1] as number, pixels[i + 2] as number) > 245) count++;
    return count;
  });
}

describe("the true mask", () => {
  it("is compared with a sample's mask, and drawn when asked for by key", async () => {
    const { page, errors } = await site.open("/");
    await ready(page);
    await loadFrom(page, "https://weights.invalid/quick.safetensors");
    expect(await isHidden(page, "#truth")).toBe(true);
    await page.click("#mask-empty button");
    expect(await prompts(page)).toEqual(["box 117, 277 – 182, 358"]);
    await page.click("#clear");
    const liver = await placeOf(page, 150, 210);
    await page.mouse.click(liver.x, liver.y);
    await status(page, /^Mask 2 of 3/);
    expect(await text(page, "#truth-score")).toMatch(/^True mask: liver — Dice 0\.\d\d$/);
    const before = await whitePixels(page);
    await page.focus('input[name="candidate"]:checked');
    for (let i = 0; i < 4; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement?.id === "show-truth")) break;
    }
    await page.keyboard.press("Space");
    expect(await page.$eval("#show-truth", (input) => (input as HTMLInputElement).checked)).toBe(true);
    expect(await whitePixels(page)).toBeGreaterThan(before + 100);
    await pictures(page, "app_truth");
    await page.setViewport({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.setViewport({ width: 1440, height: 900 });
    await page.focus("#show-truth");
    await page.keyboard.press("Space");
    expect(Math.abs((await whitePixels(page)) - before)).toBeLessThan(50);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("is not spoken of on an image of one's own", async () => {
    const { page, errors } = await site.open("/");
    await ready(page);
    await loadFrom(page, "https://weights.invalid/quick.safetensors");
    const disc = join(folder, "disc.png");
    writeFileSync(disc, discPng(90));
    const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
    await input?.uploadFile(disc);
    await page.waitForFunction(() => /disc\.png/.test(document.querySelector("#corner-name")?.textContent ?? ""));
    const place = await placeOf(page, 45, 45);
    await page.mouse.click(place.x, place.y);
    await status(page, /^Mask 2 of 3/);
    expect(await isHidden(page, "#truth")).toBe(true);
    expect(errors).toEqual([]);
    await page.close();
  });
});
