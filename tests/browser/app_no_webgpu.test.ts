// The page in a Chromium without WebGPU: it says so, says what to do, and everything but masks works.
import { beforeAll, expect, it } from "vitest";
import { pictures, prompts, ready, text } from "../app/fake/page.ts";
import { buildFakeSite, FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

beforeAll(buildFakeSite);
const site = useSite({ folder: FAKE_SITE, webgpu: "none" });

it("says that WebGPU is missing and what to do about it; prompts work", async () => {
  const { page } = await site.open("/");
  await ready(page);
  await page.waitForSelector('#notice[data-tone="bad"]');
  const said = await text(page, "#notice");
  expect(said).toMatch(/This browser has no WebGPU|WebGPU found no graphics device/);
  expect(said).toMatch(/chrome:\/\/(flags|settings)/);
  await page.focus("#stage");
  await page.keyboard.press("a");
  expect(await prompts(page)).toEqual(["positive 256, 256"]);
  await pictures(page, "app_no_webgpu");
  await page.close();
});
