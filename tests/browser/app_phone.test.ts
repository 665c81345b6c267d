// The page under fingers, on a fake model.
import { join } from "node:path";
import type { Page } from "puppeteer";
import { describe, expect, it } from "vitest";
import { loadFrom, placeOf, prompts, ready, status, text } from "../app/fake/page.ts";
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
    // Scrolled, it still has its handle.
    await page.$eval("#panel", (panel) => panel.scrollTo(0, 400));
    await page.waitForFunction(() => (document.querySelector("#panel") as HTMLElement).scrollTop > 300);
    expect(await page.evaluate((y) => document.elementFromPoint(195, y)?.id, top + 14)).toBe("sheet-handle");
    await page.mouse.move(195, top + 14);
    await page.mouse.down();
    await page.mouse.move(195, 760, { steps: 5 });
    await page.mouse.up();
    await grown(130, 150);
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(844);
    // Held sideways, and on a desk, the list of cases is a column again.
    await page.setViewport({ width: 1440, height: 900 });
    await page.waitForFunction(() => document.querySelector("main > #case-list"));
    await page.$eval("#panel", (panel) => panel.scrollTo(0, 200));
    await page.setViewport({ width: 390, height: 844 });
    await page.waitForFunction(() => document.querySelector("#cases-slot > #case-list") && (document.querySelector("#panel") as HTMLElement).scrollTop === 0);
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
    const client = await page.createCDPSession();
    const tap = async (x: number, y: number) => {
      const spot = await placeOf(page, x, y);
      // Both at once: what waits for the finger to be down before it is lifted may hold it for as long as a long press.
      await Promise.all([
        client.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [spot] }),
        client.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] }),
      ]);
    };
    // The browser says that it took a touch before the page has heard of it.
    const has = (kind: string) => page.waitForSelector(`#prompts li[data-kind=${kind}]`, { timeout: 60_000 });
    await tap(150, 210);
    await has("positive");
    await page.tap("input[value=negative]");
    await tap(300, 300);
    await has("negative");
    await page.tap("input[value=box]");
    await tap(100, 120);
    await status(page, /^Box: first corner set/);
    await tap(200, 300);
    await has("box");
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
    await fingersAndPen(page);
    expect(errors).toEqual([]);
    await page.close();
  });
});

/** A long press, a tap of two fingers, a pinch, one finger where it is zoomed, and a pen whose hand rests on the screen. */
async function fingersAndPen(page: Page): Promise<void> {
  const client = await page.createCDPSession();
  type Spot = { readonly x: number; readonly y: number };
  // Moments as the gestures mean them, however slowly the machine gets to them.
  let moment = Date.now() / 1000;
  const after = (seconds: number) => {
    moment += seconds;
    return moment;
  };
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", spots: readonly Spot[], later = 0.03) =>
    client.send("Input.dispatchTouchEvent", { type, touchPoints: spots.map((spot, id) => ({ ...spot, id })), timestamp: after(later) });
  const pen = (type: "mousePressed" | "mouseMoved" | "mouseReleased", spot: Spot) =>
    client.send("Input.dispatchMouseEvent", {
      type,
      ...spot,
      button: "left",
      buttons: type === "mouseReleased" ? 0 : 1,
      clickCount: 1,
      pointerType: "pen",
      force: 0.5,
      timestamp: after(0.03),
    });
  const count = async (wanted: number) => {
    await page.waitForFunction((many) => document.querySelectorAll("#prompts li").length === many, {}, wanted);
  };
  const before = (await prompts(page)).length;
  await page.tap("input[value=positive]");
  await touch("touchStart", [await placeOf(page, 400, 150)]);
  await count(before + 1);
  await touch("touchEnd", []);
  expect((await prompts(page)).at(-1)).toMatch(/^negative (399|40[01]), (149|15[01])/);

  const [left, right] = [await placeOf(page, 200, 250), await placeOf(page, 300, 250)];
  await touch("touchStart", [left], 1);
  await touch("touchStart", [left, right]);
  await touch("touchEnd", []);
  await count(before);

  const zoom = () => text(page, "#corner-zoom");
  const fit = await zoom();
  const apart = (by: number) => [
    { ...left, x: left.x - by },
    { ...right, x: right.x + by },
  ];
  await touch("touchStart", apart(0).slice(0, 1), 1);
  await touch("touchStart", apart(0));
  for (const by of [15, 30, 50]) await touch("touchMove", apart(by));
  await touch("touchEnd", []);
  await page.waitForFunction((known) => document.querySelector("#corner-zoom")?.textContent !== known, {}, fit);
  const zoomed = await zoom();

  // The pixel under the finger goes along with it.
  const under = async () => (await text(page, "#corner-place")).match(/\d+/g)?.slice(0, 2).map(Number) as [number, number];
  const [from, to] = [left, { x: left.x + 60, y: left.y + 40 }];
  await touch("touchStart", [from], 1);
  // Browsers tell of a finger once it has left the place it came down on.
  for (const share of [0.2, 0.4]) await touch("touchMove", [{ x: from.x + 60 * share, y: from.y + 40 * share }]);
  await page.waitForFunction(() => /\d/.test(document.querySelector("#corner-place")?.textContent ?? ""));
  const held = await under();
  for (const share of [0.6, 0.8, 1]) await touch("touchMove", [{ x: from.x + 60 * share, y: from.y + 40 * share }]);
  await touch("touchMove", [to]);
  await expect.poll(async () => Math.max(...(await under()).map((at, i) => Math.abs(at - (held[i] as number)))), { timeout: 20_000 }).toBeLessThanOrEqual(4);
  await touch("touchEnd", []);
  expect(await zoom()).toBe(zoomed);
  expect((await prompts(page)).length).toBe(before);

  // A palm that came down before the pen, and one that comes while it draws: one stroke, one step, nothing set.
  await page.$eval("#zoom-fit", (button) => (button as HTMLElement).click());
  await page.keyboard.press("Enter");
  await page.$eval("input[value=brush]", (tool) => (tool as HTMLElement).click());
  const area = () => page.$eval("#objects li[data-current] small", (words) => Number((words.textContent ?? "").replace(/\D/g, "")));
  expect(await area()).toBe(0);
  // Nothing reaches beside the screen, which would take the sheet along.
  expect(await page.$eval("#panel", (panel) => ["right", "bottom"].map((side) => panel.getBoundingClientRect()[side as "right"]))).toEqual([390, 844]);
  const [palm, start, end] = [await placeOf(page, 420, 420), await placeOf(page, 120, 250), await placeOf(page, 220, 250)];
  await touch("touchStart", [palm], 1);
  await pen("mousePressed", start);
  for (const share of [0.3, 0.6, 1]) await pen("mouseMoved", { x: start.x + (end.x - start.x) * share, y: start.y });
  await touch("touchMove", [{ x: palm.x + 4, y: palm.y }]);
  await touch("touchMove", [{ x: palm.x + 20, y: palm.y }]);
  await pen("mouseReleased", end);
  await touch("touchEnd", []);
  await expect.poll(area, { timeout: 20_000 }).toBeGreaterThan(500);
  await page.$eval("#undo", (button) => (button as HTMLElement).click());
  await expect.poll(area, { timeout: 20_000 }).toBe(0);
}
