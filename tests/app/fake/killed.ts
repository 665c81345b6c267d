// Tabs that are killed while somebody works in them.
import type { Browser, BrowserContext, Page } from "puppeteer";
import { expect } from "vitest";
import { newPage } from "../../support/browser.ts";
import { placeOf, prompts, ready, withSamples } from "./page.ts";

/** Within which every step is safe. */
const SAFE_MS = 500;

/** A tab that shares its storage with others of the context. */
export async function openTab(context: BrowserContext, origin: string, cases = 1, stored: Readonly<Record<string, string>> = {}): Promise<Page> {
  const page = await newPage(context, { stored });
  await page.goto(`${origin}/`, { waitUntil: "load" });
  await ready(page, cases);
  return page;
}

export async function click(page: Page, x: number, y: number): Promise<void> {
  const place = await placeOf(page, x, y);
  await page.mouse.click(place.x, place.y);
}

export async function points(page: Page): Promise<number> {
  return (await prompts(page)).filter((prompt) => prompt.startsWith("positive")).length;
}

/** Sets points, kills the tab at a moment nobody knows, opens it again, and expects all that was done half a second before. */
export async function killAgainAndAgain(browser: Browser, origin: string, kills: number): Promise<void> {
  const context = await browser.createBrowserContext();
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  let safe = 0;
  const { stored } = withSamples("ct");
  let page = await openTab(context, origin, 1, stored);
  for (let kill = 0; kill < kills; kill++) {
    await page.waitForFunction((least) => document.querySelectorAll("#prompts li").length >= least, {}, safe);
    const before = await points(page);
    const done: { at: number; count: number }[] = [{ at: 0, count: before }];
    const until = performance.now() + 200 + 900 * random();
    while (performance.now() < until) {
      await click(page, 20 + Math.floor(470 * random()), 20 + Math.floor(470 * random()));
      done.push({ at: performance.now(), count: await points(page) });
      await new Promise((wait) => setTimeout(wait, 120 * random()));
    }
    const client = await page.createCDPSession();
    // The command itself is never answered.
    const gone = new Promise((crashed) => page.once("error", crashed));
    const killed = performance.now();
    client.send("Page.crash").catch(() => {});
    await gone;
    await page.close().catch(() => {});
    safe = Math.max(...done.filter(({ at }) => at < killed - SAFE_MS).map(({ count }) => count));
    page = await openTab(context, origin, 1, stored);
    await page.waitForFunction((least) => document.querySelectorAll("#prompts li").length >= least, {}, safe);
    safe = await points(page);
  }
  expect(safe).toBeGreaterThan(kills);
  await context.close();
}
