// The page in a Chromium without WebGPU: it says so, says what to do, and everything but masks works.
import { expect, it } from "vitest";
import { pictures, prompts, ready, text } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

const site = useSite({ folder: FAKE_SITE, webgpu: "none" });

it("says that WebGPU is missing and what to do about it; prompts work", async () => {
  const { page } = await site.open("/");
  await ready(page);
  await page.waitForSelector('#notice[data-tone="bad"]');
  expect(await text(page, "#notice")).toMatch(/masks need WebGPU/);
  await page.focus("#notice summary");
  await page.keyboard.press("Enter");
  const said = await text(page, "#notice");
  expect(said).toMatch(/This browser has no WebGPU|WebGPU found no graphics device/);
  expect(said).toMatch(/chrome:\/\/(flags|settings)/);
  await page.focus("#stage");
  await page.keyboard.press("a");
  expect(await prompts(page)).toEqual(["positive 256, 256"]);
  await pictures(page, "app_no_webgpu");
  await page.close();
});

it("comes to be on a phone without moving what is there already", async () => {
  const { page } = await site.open("/", { size: "phone" });
  await ready(page, 6);
  await page.waitForSelector("#notice:not([hidden])");
  const moved = await page.evaluate(async () => {
    const shifts: number[] = [];
    const look = new PerformanceObserver((list) => shifts.push(...list.getEntries().map((entry) => (entry as PerformanceEntry & { value: number }).value)));
    look.observe({ type: "layout-shift", buffered: true });
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return shifts.reduce((sum, value) => sum + value, 0);
  });
  console.log(`layout shift on a phone: ${moved.toFixed(3)}`);
  expect(moved).toBeLessThan(0.1);
  await page.close();
});
