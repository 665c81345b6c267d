// What everybody can use: no violation that axe finds in any view, text at twice its size, two languages. On a fake model.
import { beforeAll, expect, it } from "vitest";
import { violations } from "../app/fake/axe.ts";
import { click } from "../app/fake/killed.ts";
import { loadFrom, ready, status, text } from "../app/fake/page.ts";
import { buildFakeSite, FAKE_SITE } from "../app/fake/site.ts";
import { screenshots, useSite } from "../support/browser.ts";

beforeAll(buildFakeSite);
const site = useSite({ folder: FAKE_SITE });

it("axe finds nothing: at the start, while marking, in the labels, the help, on a phone, in the dark, in German", async () => {
  const { page, errors } = await site.open("/");
  await ready(page, 6);
  expect(await violations(page)).toEqual([]);
  await loadFrom(page, "https://weights.invalid/quick.safetensors");
  await click(page, 150, 210);
  await status(page, /^Mask 2 of 3/);
  await page.click("#labels-open");
  expect(await violations(page)).toEqual([]);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  expect(await violations(page)).toEqual([]);
  await page.setViewport({ width: 390, height: 844 });
  expect(await violations(page)).toEqual([]);
  await page.setViewport({ width: 1440, height: 900 });
  await page.click("#help-open");
  expect(await violations(page)).toEqual([]);
  await screenshots(page, "keys");
  await page.setViewport({ width: 1440, height: 900 });
  await page.keyboard.press("Escape");
  await page.select("#language", "de");
  expect(await text(page, "#h-objects")).toBe("Objekte");
  expect(await page.evaluate(() => document.documentElement.lang)).toBe("de");
  expect(await violations(page)).toEqual([]);
  await screenshots(page, "german");
  expect(errors).toEqual([]);
  await page.close();
});

it("nothing is cut off sideways with text at twice its size", async () => {
  const { page } = await site.open("/");
  await ready(page, 6);
  // As a browser's zoom of 200 % lays it out.
  await page.setViewport({ width: 720, height: 450, deviceScaleFactor: 2 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(720);
  await page.close();
});
