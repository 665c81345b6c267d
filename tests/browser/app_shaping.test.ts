// Masks that are drawn, corrected by prompts and by the corners of their outline; previews; everything mode. On a fake model.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, expect, it } from "vitest";
import { click } from "../app/fake/killed.ts";
import { discPng, loadFrom, placeOf, prompts, ready, status, text, withSamples } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { screenshots, useSite } from "../support/browser.ts";

const SIDE = 120;
const SOON = { timeout: 20_000 };
const folder = mkdtempSync(join(tmpdir(), "app-shaping-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

async function openDisc() {
  const { page, errors } = await site.open("/", withSamples("ct"));
  await ready(page);
  await loadFrom(page, "https://weights.invalid/quick.safetensors");
  const file = join(folder, "disc.png");
  writeFileSync(file, discPng(SIDE));
  const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(file);
  await page.waitForFunction(() => document.querySelector("#corner-name")?.textContent?.startsWith("disc.png"));
  return { page, errors };
}

async function drag(page: Page, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  const [a, b] = [await placeOf(page, ...from), await placeOf(page, ...to)];
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.mouse.move(b.x, b.y, { steps: 6 });
  await page.mouse.up();
}

/** Pixels of the current object, as its row says. */
const area = async (page: Page) => Number((await text(page, "#objects li[data-current] small")).replace(/\D/g, ""));

it("corrects a mask that was drawn: by a prompt, which starts from it, and without the prompt it is there again", async () => {
  const { page, errors } = await openDisc();
  await page.click("input[value=brush]");
  await drag(page, [50, 60], [70, 60]);
  const drawn = await area(page);
  expect(drawn).toBeGreaterThan(50);
  await page.click("input[value=positive]");
  await click(page, 60, 45);
  await status(page, /from 1 point, refined from the mask before/);
  expect(await area(page)).not.toBe(drawn);
  await page.click("#prompts button");
  await page.waitForFunction(() => document.querySelectorAll("#prompts li").length === 0);
  expect(await area(page)).toBe(drawn);
  expect(errors).toEqual([]);
  await page.close();
});

it("measures an object by a long axis and the short one across its mask: moved by an end, undone, in the table, and kept", async () => {
  const { page, errors } = await openDisc();
  await click(page, 60, 60);
  await status(page, /^Mask 2 of 3/);
  const radius = Math.sqrt((await area(page)) / Math.PI);
  const choose = async () => {
    await page.keyboard.down("Shift");
    await page.keyboard.press("u");
    await page.keyboard.up("Shift");
    await page.waitForSelector("input[value=axes]:checked");
  };
  await choose();
  await drag(page, [20, 60], [100, 60]);
  const row = () => text(page, "#objects li[data-current] small");
  await expect.poll(row, SOON).toMatch(/80\.0 × \d+\.\d px$/);
  const short = Number(/× ([\d.]+) px/.exec(await row())?.[1]);
  expect(Math.abs(short - 2 * radius)).toBeLessThan(4);
  expect(await text(page, "#diameters tbody")).toBe(`Structure 1 80.0 ${short.toFixed(1)}`);
  await drag(page, [100, 60], [110, 60]);
  await expect.poll(row, SOON).toMatch(/90\.0 × /);
  await page.keyboard.down("Control");
  await page.keyboard.press("z");
  await page.keyboard.up("Control");
  await expect.poll(row, SOON).toMatch(/80\.0 × /);
  expect(await text(page, "#status")).toMatch(/axes/);
  await screenshots(page, "axes");
  await page.setViewport({ width: 1440, height: 900 });
  await page.waitForFunction(() => document.querySelector<HTMLElement>("#saving")?.dataset.kind === "saved");
  await page.reload({ waitUntil: "load" });
  // Its picture is to be opened again: what was measured is there.
  await page.waitForSelector(".case[title='disc.png']", SOON);
  const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(join(folder, "disc.png"));
  await expect.poll(() => text(page, "#diameters tbody").catch(() => ""), SOON).toBe(`Structure 1 80.0 ${short.toFixed(1)}`);
  await choose();
  await page.keyboard.press("Delete");
  await page.waitForFunction(() => document.querySelector("#diameters") === null);
  expect(errors).toEqual([]);
  await page.close();
});

it("edits an outline by its corners: dragged, made of an edge, taken away; the rest of the mask stays", async () => {
  const { page, errors } = await openDisc();
  await click(page, 60, 60);
  await status(page, /^Mask 2 of 3/);
  const before = await area(page);
  await page.click("input[value=outline]");
  // The top of the disc, drawn up: an edge or a corner, whichever is there.
  const reach = 60 - Math.sqrt(before / Math.PI);
  await drag(page, [60, Math.round(reach)], [60, 8]);
  await expect.poll(() => area(page), SOON).toBeGreaterThan(before + 40);
  const larger = await area(page);
  expect(await prompts(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await screenshots(page, "outline");
  await page.setViewport({ width: 1440, height: 900 });
  const { x, y } = await placeOf(page, 60, 8);
  await page.mouse.click(x, y, { button: "right" });
  await expect.poll(() => area(page), SOON).toBeLessThan(larger - 20);
  await page.keyboard.down("Control");
  for (let i = 0; i < 2; i++) await page.keyboard.press("z");
  await page.keyboard.up("Control");
  await expect.poll(() => area(page), SOON).toBe(before);
  expect(errors).toEqual([]);
  await page.close();
});

it("previews where the pointer rests what a click would give, and nothing of it stays", async () => {
  const { page, errors } = await openDisc();
  // The fake model answers at once: it is on by itself after the first answer.
  await click(page, 20, 20);
  await status(page, /^Mask/);
  const seen = () =>
    page.$eval("#canvas", (element) => {
      const { width, height } = element as HTMLCanvasElement;
      const data = (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data;
      let sum = 0;
      for (const value of data ?? []) sum += value;
      return sum;
    });
  await page.mouse.move(5, 300);
  await page.$eval("#preview", (box) => (box as HTMLInputElement).checked || (box as HTMLInputElement).click());
  const plain = await seen();
  const { x, y } = await placeOf(page, 60, 60);
  await page.mouse.move(x, y);
  await expect.poll(seen, SOON).not.toBe(plain);
  expect((await prompts(page)).length).toBe(1);
  await page.mouse.move(5, 300);
  await expect.poll(seen, SOON).toBe(plain);
  expect(errors).toEqual([]);
  await page.close();
});

it("finds everything as objects of the chosen label, one undo takes them back; it can be stopped", async () => {
  const { page, errors } = await openDisc();
  await page.$eval("#everything-options", (details) => ((details as HTMLDetailsElement).open = true));
  await page.select("#everything-options select", "8");
  await page.click("#everything");
  await status(page, /objects? found/, 60_000);
  const found = (await page.$$("#objects li")).length;
  expect(found).toBeGreaterThanOrEqual(1);
  expect(await area(page)).toBeGreaterThan(1000);
  await page.click("#undo");
  await expect.poll(() => text(page, "#objects"), SOON).toContain("nothing yet");
  await page.select("#everything-options select", "32");
  // As soon as it can be.
  await page.evaluate(() => {
    new MutationObserver(() => document.querySelector<HTMLElement>("#task button")?.click()).observe(document.body, { childList: true, subtree: true });
  });
  await page.click("#everything");
  await status(page, /Stopped; nothing was added/);
  expect(errors).toEqual([]);
  await page.close();
});
