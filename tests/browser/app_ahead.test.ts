// Images are encoded before they are looked at, and kept: on another day none of them is encoded again. On a fake model.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { click } from "../app/fake/killed.ts";
import { loadFrom, ready, status, text } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { ballNifti } from "../app/fake/volume.ts";
import { screenshots, useSite } from "../support/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "app-ahead-"));
const ball = join(folder, "ball.nii");
beforeAll(async () => {
  writeFileSync(ball, ballNifti());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

async function openBall(page: Page): Promise<void> {
  await ready(page, 6);
  await loadFrom(page, "https://weights.invalid/quick.safetensors");
  const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(ball);
  await page.waitForFunction(() => (document.querySelector("#slice-place") as HTMLOutputElement | null)?.value === "9 of 16");
}

async function toSlice(page: Page, n: number, key: string): Promise<void> {
  await page.keyboard.press(key as "PageUp");
  await page.waitForFunction((wanted) => (document.querySelector("#slice-place") as HTMLOutputElement | null)?.value === wanted, {}, `${n} of 16`);
}

it("encodes all 16 slices ahead; after a reload masks come without an encode; Clear takes them away", async () => {
  const { page, errors } = await site.open("/");
  await openBall(page);
  // The slices, of which those to both sides of the middle are the same to the pixel, and the two cases that follow.
  await page.waitForFunction(() => Number(/^\d+/.exec(document.querySelector("#encoded")?.textContent ?? "")?.[0]) >= 10, { timeout: 60_000 });
  expect(await text(page, "#encoded")).toMatch(/^(10|11) images kept encoded, \d(\.\d)? MB$/);
  await screenshots(page, "ahead");
  await page.setViewport({ width: 1440, height: 900 });

  await page.reload({ waitUntil: "load" });
  await openBall(page);
  await click(page, 30, 28);
  await status(page, /^Mask 2 of 3/);
  for (let n = 8; n >= 5; n--) {
    await toSlice(page, n, "PageUp");
    await click(page, 30, 28);
    await status(page, /^Mask 2 of 3/);
  }
  for (let n = 6; n <= 12; n++) await toSlice(page, n, "PageDown");
  expect(await text(page, "#model-facts")).toMatch(/quick\.safetensors/);
  // The first image that was shown was encoded too, on the day before.
  expect(await text(page, "#model-facts")).not.toMatch(/Encode/);

  await page.click("#ahead-on");
  await page.click("#encoded-clear");
  await page.waitForFunction(() => !document.querySelector("#encoded"));
  const left = await page.evaluate(async () => {
    const names: string[] = [];
    for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
    return names;
  });
  // The folder may be there again, empty.
  expect(left.filter((name) => name !== "embeddings")).toEqual([]);
  expect(errors).toEqual([]);
  await page.close();
});
