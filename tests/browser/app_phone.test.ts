// The page under fingers, on a fake model.
import { beforeAll, describe, expect, it } from "vitest";
import { loadFrom, placeOf, prompts, ready, status } from "../app/fake/page.ts";
import { buildFakeSite, FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

beforeAll(buildFakeSite);
const site = useSite({ folder: FAKE_SITE });

describe("a phone", () => {
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
