// What everybody can use: no violation that axe finds in any view, text at twice its size, two languages. On a fake model.
import { expect, it } from "vitest";
import { de } from "../../app/words/de.ts";
import { en } from "../../app/words/en.ts";
import { violations } from "../app/fake/axe.ts";
import { click } from "../app/fake/killed.ts";
import { loadFrom, ready, status, text } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { screenshots, useSite } from "../support/browser.ts";

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

it("speaks German throughout once it is chosen: no English sentence is left on the page, its names or its tooltips", async () => {
  const { page, errors } = await site.open("/");
  await page.evaluate(() => localStorage.setItem("language", "de"));
  await page.reload();
  await ready(page, 6);
  await page.click("#labels-open");
  await page.$$eval("details", (all) => {
    for (const one of all) one.open = true;
  });
  await page.click("#weights-url-toggle");
  await loadFrom(page, "https://weights.invalid/broken.safetensors");
  await page.waitForSelector(".problem");
  await loadFrom(page, "https://weights.invalid/quick.safetensors");
  await page.waitForFunction(() => !document.querySelector("#notice[data-tone=plain]:not([hidden])"));
  await click(page, 150, 210);
  await status(page, /^Maske 2 von 3/);
  const said = await page.evaluate(() => {
    const words: string[] = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    // What a drawn structure is called is the sample's own.
    for (let node = walk.nextNode(); node; node = walk.nextNode()) if (!node.parentElement?.closest("#truth")) words.push(node.textContent?.trim() ?? "");
    for (const element of document.querySelectorAll("[aria-label], [title], [placeholder]"))
      for (const name of ["aria-label", "title", "placeholder"]) words.push(element.getAttribute(name)?.replace(/ \([^)]*\)$/, "") ?? "");
    return words;
  });
  const english = new Map((Object.keys(en) as (keyof typeof en)[]).filter((key) => en[key] !== de[key]).map((key) => [en[key] as string, key]));
  for (const german of Object.values(de)) english.delete(german);
  expect(said.filter((words) => english.has(words))).toEqual([]);
  expect(said).toContain(de["model.advanced"]);
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
