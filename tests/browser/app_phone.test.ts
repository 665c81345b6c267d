// The page under fingers, on a fake model.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadFrom, placeOf, prompts, ready, status } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";
import { ROOT } from "../support/setup_file.ts";

const site = useSite({ folder: FAKE_SITE });

describe("a phone", () => {
  it("has the panel as a sheet of three heights, by tap, drag and key, over an image that stays where it is", async () => {
    const { page, errors } = await site.open("/", { size: "phone" });
    await page.setViewport({ width: 390, height: 844, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    await ready(page, 6);
    await loadFrom(page, "https://weights.invalid/quick.safetensors");
    const measure = () =>
      page.evaluate(() => {
        const [sheet, stage, save] = ["#panel", "#stage", "#save-mask"].map((one) => document.querySelector(one)?.getBoundingClientRect()) as DOMRect[];
        return { sheet: sheet?.height ?? 0, top: sheet?.top ?? 0, stage: [stage?.top, stage?.height], stageEnds: stage?.bottom ?? 0, save: save?.bottom ?? 0 };
      });
    const grown = (least: number, most: number) =>
      page.waitForFunction(
        (low, high) => {
          const { height } = (document.querySelector("#panel") as HTMLElement).getBoundingClientRect();
          return height >= low && height <= high;
        },
        {},
        least,
        most,
      );
    await grown(130, 150);
    const low = await measure();
    await page.screenshot({ path: join(ROOT, ".cache", "sheet_peek.png") });
    expect(low.stage[1]).toBeGreaterThan(330);
    expect(low.stageEnds).toBeLessThanOrEqual(low.top + 1);
    expect(low.save).toBeLessThanOrEqual(844);
    await page.tap("#sheet-handle");
    await grown(430, 450);
    expect((await measure()).stage).toEqual(low.stage);
    await page.screenshot({ path: join(ROOT, ".cache", "sheet_half.png") });
    await page.tap("#sheet-handle");
    await grown(780, 800);
    await page.screenshot({ path: join(ROOT, ".cache", "sheet_full.png") });
    expect(await page.$eval("#panel #cases", (cases) => cases.getBoundingClientRect().height)).toBeGreaterThan(100);
    await page.focus("#sheet-handle");
    await page.keyboard.press("ArrowDown");
    await grown(430, 450);
    const { top } = await measure();
    await page.mouse.move(195, top + 14);
    await page.mouse.down();
    await page.mouse.move(195, 760, { steps: 5 });
    await page.mouse.up();
    await grown(130, 150);
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(844);
    // Held sideways, and on a desk, the list of cases is a column again.
    await page.setViewport({ width: 1440, height: 900 });
    await page.waitForFunction(() => document.querySelector("main > #case-list"));
    expect(errors).toEqual([]);
    await page.close();
  });

  it("fits without scrolling sideways; taps set what the switch says", async () => {
    const { page, errors } = await site.open("/", { size: "phone" });
    // Chromium loads the page anew for it.
    await page.setViewport({ width: 390, height: 844, hasTouch: true, isMobile: true, deviceScaleFactor: 3 });
    await ready(page);
    await loadFrom(page, "https://weights.invalid/quick.safetensors");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    const tap = async (x: number, y: number) => {
      const place = await placeOf(page, x, y);
      await page.touchscreen.tap(place.x, place.y);
    };
    await tap(150, 210);
    await page.tap("input[value=negative]");
    await tap(300, 300);
    await page.tap("input[value=box]");
    await tap(100, 120);
    await tap(200, 300);
    // A finger's place is a whole CSS pixel, which is 1.4 of the image's here.
    const [box, positive, negative] = (await prompts(page)).map((prompt) => prompt.match(/\d+/g)?.map(Number) ?? []);
    for (const [given, meant] of [
      [box, [100, 120, 201, 301]],
      [positive, [150, 210]],
      [negative, [300, 300]],
    ] as const) {
      expect(given?.length).toBe(meant.length);
      for (const [i, value] of meant.entries()) expect(Math.abs((given?.[i] as number) - value)).toBeLessThanOrEqual(1);
    }
    await status(page, /^Mask/);
    expect(errors).toEqual([]);
    await page.close();
  });
});
