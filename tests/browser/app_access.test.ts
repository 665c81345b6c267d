// What everybody can use: no violation that axe finds in any view, text at twice its size, two languages. On a fake model.
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ElementHandle, Page } from "puppeteer";
import { afterAll, expect, it } from "vitest";
import { deErrors } from "../../app/words/de_errors.ts";
import { de } from "../../app/words/de.ts";
import { en } from "../../app/words/en.ts";
import { filled } from "../../app/words/words.ts";
import { violations } from "../app/fake/axe.ts";
import { click } from "../app/fake/killed.ts";
import { loadFrom, placeOf, ready, status, text } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { ballNifti } from "../app/fake/volume.ts";
import { screenshots, useSite } from "../support/browser.ts";
import { ROOT } from "../support/setup_file.ts";

const SAMPLE_NAMES = Object.fromEntries(Object.entries(en).filter(([key]) => /^sample\.\w+$/.test(key)));

/** The object under the pointer lights up; the right button opens its menu, which the keyboard alone can use. */
async function withSelectTool(page: Page): Promise<void> {
  const white = () =>
    page.$eval("#canvas", (canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const { data } = (canvas as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height) ?? { data: [] };
      let count = 0;
      for (let i = 0; i < data.length; i += 4) if (Math.min(data[i] as number, data[i + 1] as number, data[i + 2] as number) > 190) count++;
      return count;
    });
  await page.click("input[value=select]");
  const at = await placeOf(page, 150, 210);
  const far = await placeOf(page, 500, 10);
  await page.mouse.move(far.x, far.y);
  await drawn(page);
  const before = await white();
  await page.mouse.move(at.x, at.y);
  await drawn(page);
  expect(await white()).toBeGreaterThan(before + 200);
  await page.mouse.click(at.x, at.y, { button: "right" });
  await page.waitForSelector("#object-menu:popover-open #menu-accept:focus");
  expect(await violations(page)).toEqual([]);
  // Past accept and show: lock.
  for (const key of ["ArrowDown", "ArrowDown", "Enter"] as const) await page.keyboard.press(key);
  await page.waitForFunction(() => !document.querySelector("#object-menu:popover-open") && document.activeElement?.id === "stage");
  await status(page, /locked/);
  await page.keyboard.press("ContextMenu");
  await page.waitForSelector("#object-menu:popover-open");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("#object-menu:popover-open"));
  await page.click("#undo");
  await page.click("input[value=positive]");
}

const drawn = (page: Page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

const folder = mkdtempSync(join(tmpdir(), "app-access-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
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
  await withSelectTool(page);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  expect(await violations(page)).toEqual([]);
  await page.setViewport({ width: 390, height: 844 });
  expect(await violations(page)).toEqual([]);
  await page.setViewport({ width: 1440, height: 900 });
  await page.click("#help-open");
  await page.waitForSelector("#help[open]");
  expect(await violations(page)).toEqual([]);
  await screenshots(page, "keys");
  await page.setViewport({ width: 1440, height: 900 });
  await page.keyboard.press("Escape");
  await page.select("#language", "de");
  await page.waitForFunction(() => document.querySelector("#h-objects")?.textContent === "Objekte");
  expect(await page.evaluate(() => document.documentElement.lang)).toBe("de");
  // What the page itself named follows; what was named by hand stays.
  expect(await page.$$eval(".case", (cases) => cases.map((one) => (one as HTMLElement).title))).toEqual(
    Object.keys(SAMPLE_NAMES).map((key) => de[key as "sample.ct"]),
  );
  expect(await text(page, "#objects")).toContain(de["label.first"]);
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
  expect(await text(page, ".problem p")).toBe(filled(deErrors["checkpoint.http"], { status: "404" }));
  const input = await page.$("#open-image");
  await (input as ElementHandle<HTMLInputElement>).uploadFile(join(ROOT, "LICENSE"), join(ROOT, "README.md"));
  await page.waitForFunction(() => document.querySelectorAll(".problem").length === 2);
  expect(await page.$$eval(".problem li", (items) => items.map((item) => item.textContent))).toEqual(
    ["LICENSE", "README.md"].map((name) => `${name}: ${deErrors.refused}`),
  );
  await loadFrom(page, "https://weights.invalid/quick.safetensors");
  await page.waitForFunction(() => !document.querySelector("#notice[data-tone=plain]:not([hidden])"));
  await click(page, 150, 210);
  await status(page, /^Maske 2 von 3/);
  const said = await page.evaluate(() => {
    const words: string[] = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) words.push(node.textContent?.trim() ?? "");
    for (const element of document.querySelectorAll("[aria-label], [title], [placeholder]"))
      for (const name of ["aria-label", "title", "placeholder"]) words.push(element.getAttribute(name)?.replace(/ \([^)]*\)$/, "") ?? "");
    return words;
  });
  const english = new Map((Object.keys(en) as (keyof typeof en)[]).filter((key) => en[key] !== de[key]).map((key) => [en[key] as string, key]));
  for (const german of Object.values(de)) english.delete(german);
  expect(said.filter((words) => english.has(words))).toEqual([]);
  expect(said).toContain(de["model.advanced"]);
  expect(await text(page, "#corner-score")).toContain("0,930");
  expect(errors).toEqual([]);
  await page.close();
});

it("is reached by Tab, all of it, on a volume with everything open; axe finds nothing there either, on a phone in each position", async () => {
  const { page, errors } = await site.open("/");
  await ready(page, 6);
  await loadFrom(page, "https://weights.invalid/broken.safetensors");
  await page.waitForSelector(".problem");
  const file = join(folder, "ball.nii");
  await writeFile(file, ballNifti());
  const input = await page.$("#open-image");
  await (input as ElementHandle<HTMLInputElement>).uploadFile(file, join(ROOT, "LICENSE"), join(ROOT, "README.md"));
  await page.waitForFunction(() => document.querySelectorAll(".problem").length === 3 && document.querySelector("#slices:not([hidden])"));
  await page.click("#views");
  await page.click("#labels-open");
  await page.$$eval("details", (all) => {
    for (const one of all) one.open = true;
  });
  await page.waitForFunction(() => document.querySelectorAll(".side:not([hidden]) input").length === 2);
  expect(await violations(page)).toEqual([]);
  expect(await unreached(page)).toEqual([]);

  // A card that is closed by key hands the focus on; the help gives it back.
  await page.focus(".problem .close");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll(".problem").length === 2 && document.activeElement?.id === "stage");
  await page.focus("#help-open");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#help[open]");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.closest("#help") !== null)).toBe(true);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("#help[open]") && document.activeElement?.id === "help-open");

  await page.setViewport({ width: 390, height: 844 });
  expect(await violations(page)).toEqual([]);
  for (const height of ["half", "full"]) {
    await page.focus("#sheet-handle");
    await page.keyboard.press("ArrowUp");
    await page.waitForFunction((wanted) => document.querySelector<HTMLElement>("#panel")?.dataset.sheet === wanted, {}, height);
    expect(await violations(page)).toEqual([]);
    // What lies in it can be seen: a button of words shows them.
    expect(await page.$eval("#labels-open span", (words) => words.checkVisibility() && words.getBoundingClientRect().width > 20)).toBe(true);
  }
  await page.setViewport({ width: 844, height: 390 });
  await page.waitForFunction(() => document.querySelector("#cases-slot > #case-list"));
  expect(await violations(page)).toEqual([]);
  const laid = await page.evaluate(() => {
    const [well, panel] = ["#well", "#panel"].map((one) => document.querySelector(one)?.getBoundingClientRect()) as [DOMRect, DOMRect];
    const { scrollWidth, scrollHeight } = document.documentElement;
    return { scrollWidth, scrollHeight, well: Math.round(well.height), beside: panel.left >= well.right - 1 };
  });
  expect(laid).toEqual({ scrollWidth: 844, scrollHeight: 390, well: expect.any(Number), beside: true });
  // Beside a notice with three buttons and the controls of a volume.
  expect(laid.well).toBeGreaterThan(150);
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

/** Controls in sight that Tab does not come to, once around the page; of a group of radio buttons one is enough. */
async function unreached(page: Page): Promise<string[]> {
  const wanted = await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    const controls = [...document.querySelectorAll<HTMLElement>("button, input, select, summary, a[href], [tabindex='0']")];
    const seen = controls.filter((one) => one.tabIndex >= 0 && !one.matches(":disabled") && !one.closest("dialog") && one.checkVisibility());
    for (const one of seen) one.dataset.wanted = "";
    return seen.length;
  });
  for (let presses = 0; presses < wanted + 30; presses++) {
    await page.keyboard.press("Tab");
    const round = await page.evaluate(() => {
      const now = document.activeElement as HTMLElement | null;
      const again = !now || !("wanted" in now.dataset);
      if (now instanceof HTMLInputElement && now.type === "radio") for (const one of document.getElementsByName(now.name)) delete one.dataset.wanted;
      delete now?.dataset.wanted;
      return again && !document.querySelector("[data-wanted]");
    });
    if (round) break;
  }
  return page.$$eval("[data-wanted]", (left) => left.map((one) => one.outerHTML.slice(0, 120)));
}
