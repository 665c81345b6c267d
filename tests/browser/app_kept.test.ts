// Nothing done is lost: tabs killed at any moment, two tabs at once, images kept on request, all of it forgotten. On a fake model.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "puppeteer";
import { afterAll, expect, it } from "vitest";
import { click, killAgainAndAgain, openTab, points } from "../app/fake/killed.ts";
import { discPng, loadFrom, prompts, ready, status, text } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "app-kept-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

const tab = (context: BrowserContext, samples = 6) => openTab(context, site.origin, samples);

it("a tab that is killed loses at most the last half second", async () => {
  await killAgainAndAgain(site.browser, site.origin, 6);
});

const saved = (page: Page) => page.waitForFunction(() => (document.querySelector("#saving") as HTMLElement).dataset.kind === "saved");

it("masks, objects, states and notes are there again; of two tabs only one writes", async () => {
  const context = await site.browser.createBrowserContext();
  const page = await tab(context);
  await loadFrom(page, "https://weights.invalid/quick.safetensors");
  await click(page, 150, 210);
  const found = await status(page, /^Mask 2 of 3/);
  const area = /, ([^,]+) pixels/.exec(found)?.[1];
  await page.keyboard.press("Enter");
  await page.keyboard.press("2");
  await click(page, 400, 300);
  await status(page, /^Mask 2 of 3/);
  await page.keyboard.press("m");
  await page.type("#note", "second look");
  await saved(page);

  const second = await tab(context);
  await second.waitForFunction(() => (document.querySelector("#saving") as HTMLElement).dataset.kind === "reader");
  expect(await second.$$eval("#objects li", (items) => items.length)).toBe(2);
  await click(second, 100, 100);
  expect(await points(second)).toBe(1);
  await second.close();
  await page.close();

  const again = await tab(context);
  await again.waitForFunction(() => document.querySelectorAll("#objects li").length === 2);
  expect(await again.$eval("#note", (note) => (note as HTMLInputElement).value)).toBe("second look");
  expect(await text(again, "#progress")).toBe("1 of 6 done");
  expect(await text(again, "#objects")).toContain("Structure 2");
  await again.keyboard.press("1");
  await again.waitForFunction((words) => document.querySelector("#status")?.textContent?.replace(/\s/g, " ").includes(`${words} pixels`), {}, area as string);
  // The model of today says the same to the prompts of yesterday, and changes nothing by itself.
  await loadFrom(again, "https://weights.invalid/quick.safetensors");
  await status(again, /^Mask 2 of 3/);
  expect(await again.$eval("#undo", (button) => (button as HTMLButtonElement).disabled)).toBe(true);
  await context.close();
});

it("files are found again by name, size and time, kept on request, and forgotten with all that was marked", async () => {
  const context = await site.browser.createBrowserContext();
  const names = ["a1.png", "a2.png", "a10.png"];
  for (const [i, name] of names.entries()) writeFileSync(join(folder, name), discPng(60 + 10 * i));
  const give = async (page: Page) => {
    const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
    await input?.uploadFile(...names.map((name) => join(folder, name)));
  };
  const shows = (page: Page, name: string) =>
    page.waitForFunction((wanted) => document.querySelector("#corner-name")?.textContent?.startsWith(wanted), {}, name);
  let page = await tab(context);
  await give(page);
  await shows(page, "a1.png\n60 × 60");
  await click(page, 30, 30);
  await page.keyboard.press("m");
  await page.keyboard.press(".");
  await shows(page, "a2.png\n70 × 70");
  await click(page, 35, 35);
  await saved(page);
  await page.close();

  page = await tab(context);
  await page.waitForFunction(() => /Continue: 1 of 3 done/.test(document.querySelector("#problems")?.textContent ?? ""));
  await status(page, /are not open/);
  await ready(page, 9);
  await give(page);
  await shows(page, "a1.png\n60 × 60");
  expect(await page.$$eval(".case", (cases) => cases.map((one) => one.getAttribute("title")).slice(0, 4))).toEqual([...names, "CT, abdomen"]);
  expect(await prompts(page)).toEqual(["positive 30, 30"]);
  await page.click("#keep-images");
  await page.waitForFunction(() => !document.querySelector("#keep-images"));
  await saved(page);
  await page.close();

  page = await tab(context);
  await shows(page, "a2.png\n70 × 70");
  expect(await prompts(page)).toEqual(["positive 35, 35"]);
  page.once("dialog", (dialog) => void dialog.accept());
  await Promise.all([page.waitForNavigation(), page.click("#forget")]);
  await ready(page, 6);
  expect(await page.$$eval(".case", (cases) => cases.length)).toBe(6);
  expect(await text(page, "#corner-name")).toContain("CT, abdomen");
  await context.close();
});

it("a full disk is said, and what was not saved is saved once there is room", async () => {
  const { page } = await site.open("/");
  await ready(page);
  await page.evaluate(() => {
    const put = IDBObjectStore.prototype.put;
    Object.assign(window, { put });
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
  });
  await click(page, 100, 100);
  await page.waitForFunction(() => /the disk is full/i.test(document.querySelector("#saving")?.textContent ?? ""));
  expect(await text(page, ".problem")).toContain("in this tab only");
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = (window as unknown as { put: IDBObjectStore["put"] }).put;
    [...document.querySelectorAll("button")].find((button) => button.textContent === "Try again")?.click();
  });
  await saved(page);
  await page.close();
});
