// Three pieces of a day's work by real input events, with the actions and the time they take; and a list of ten thousand cases. On a fake model.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DRAW } from "../../app/samples/draw.ts";
import { click } from "../app/fake/killed.ts";
import { discPng, loadFrom, ready, status, text } from "../app/fake/page.ts";
import { buildFakeSite, FAKE_SITE } from "../app/fake/site.ts";
import { ballNifti } from "../app/fake/volume.ts";
import { useSite } from "../support/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "app-tasks-"));
beforeAll(buildFakeSite);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

async function open() {
  const opened = await site.open("/");
  await ready(opened.page, 6);
  await loadFrom(opened.page, "https://weights.invalid/quick.safetensors");
  return opened;
}

async function give(page: Page, ...paths: string[]): Promise<void> {
  const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(...paths);
}

/** Counts what a person does. */
function counted(page: Page) {
  const started = performance.now();
  const counts = { clicks: 0, keys: 0 };
  return {
    click: (x: number, y: number) => {
      counts.clicks++;
      return click(page, x, y);
    },
    press: async (key: string, shift = false) => {
      counts.keys++;
      if (shift) await page.keyboard.down("Shift");
      await page.keyboard.press(key as "Enter");
      if (shift) await page.keyboard.up("Shift");
    },
    told: (task: string) => console.log(`${task}: ${counts.clicks} clicks, ${counts.keys} keys, ${((performance.now() - started) / 1000).toFixed(1)} s`),
    counts,
  };
}

it("20 images with one lesion each: a click and a key an image", async () => {
  const { page, errors } = await open();
  const names = Array.from({ length: 20 }, (_, i) => join(folder, `lesion ${i + 1}.png`));
  for (const [i, name] of names.entries()) writeFileSync(name, discPng(60 + i));
  await give(page, ...names);
  const by = counted(page);
  for (let i = 0; i < 20; i++) {
    await page.waitForFunction((name) => document.querySelector("#corner-name")?.textContent?.startsWith(`${name}\n`), {}, `lesion ${i + 1}.png`);
    await by.click(30 + (i >> 1), 30 + (i >> 1));
    await status(page, /^Mask 2 of 3/);
    await by.press("Enter", true);
  }
  by.told("20 lesions");
  expect(await text(page, "#progress")).toBe("20 of 20 done");
  expect(by.counts).toEqual({ clicks: 20, keys: 20 });
  expect(errors).toEqual([]);
  await page.close();
});

it("a volume: one click, propagated through its slices, accepted", async () => {
  const { page, errors } = await open();
  const file = join(folder, "ball.nii");
  writeFileSync(file, ballNifti());
  await give(page, file);
  await page.waitForFunction(() => (document.querySelector("#slice-place") as HTMLOutputElement | null)?.value === "9 of 16");
  const by = counted(page);
  await by.click(30, 28);
  await status(page, /^Mask 2 of 3/);
  await by.press("g");
  await status(page, /proposals: look at them/, 60_000);
  await by.press("g", true);
  by.told("a structure through its slices");
  const slices = Number(/(\d+) slices/.exec(await text(page, "#objects"))?.[1]);
  expect(slices).toBeGreaterThanOrEqual(9);
  expect(by.counts).toEqual({ clicks: 1, keys: 2 });
  expect(errors).toEqual([]);
  await page.close();
});

it("12 nuclei in one image: a click and a key each, one undo takes the last one back", async () => {
  const { page, errors } = await open();
  await page.click(".case[title='Microscopy, nuclei']");
  const { picture, structures } = DRAW.microscopy();
  const middles = structures.slice(0, 12).map(({ mask }) => {
    const inside = [...mask.keys()].filter((i) => mask[i] === 1);
    const [x, y] = [0, 1].map((axis) => inside.reduce((sum, i) => sum + (axis === 0 ? i % picture.width : Math.floor(i / picture.width)), 0) / inside.length);
    return { x: Math.round(x as number), y: Math.round(y as number) };
  });
  const by = counted(page);
  for (const { x, y } of middles) {
    await by.click(x, y);
    await status(page, /^Mask 2 of 3/);
    await by.press("Enter");
  }
  by.told("12 nuclei");
  expect(by.counts).toEqual({ clicks: 12, keys: 12 });
  // Twelve, and the empty one that would be next.
  expect(await page.$$eval("#objects li", (items) => items.length)).toBe(13);
  expect(errors).toEqual([]);
  await page.close();
});

it("a list of 10,000 cases scrolls without holding the page up, and keeps natural order", async () => {
  const { page, errors } = await open();
  const png = discPng(40).toString("base64");
  await page.evaluate((base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    for (let i = 10_000; i > 0; i--) data.items.add(new File([bytes], `scan ${i}.png`, { type: "image/png" }));
    window.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
  }, png);
  await page.waitForFunction(() => document.querySelector("#progress")?.textContent === "0 of 10000 done", { timeout: 60_000 });
  await page.waitForFunction(() => document.querySelector("#corner-name")?.textContent?.startsWith("scan 1.png"));
  const longest = await page.evaluate(async () => {
    const list = document.querySelector("#cases") as HTMLElement;
    let most = 0;
    for (let i = 1; i <= 40; i++) {
      const before = performance.now();
      list.scrollTop = (i * list.scrollHeight) / 41;
      await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
      most = Math.max(most, performance.now() - before);
    }
    return most;
  });
  console.log(`10,000 cases: at most ${longest.toFixed(0)} ms from a scroll to its picture`);
  expect(await page.$$eval(".case", (rows) => rows.length)).toBeLessThan(60);
  await page.keyboard.press(".");
  await page.waitForFunction(() => document.querySelector("#corner-name")?.textContent?.startsWith("scan 2.png"));
  expect(errors).toEqual([]);
  await page.close();
});
