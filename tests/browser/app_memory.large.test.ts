// A long day on the built page with its default model on a software device: 500 actions on 400 slices, and what the page's process holds then.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, expect, it } from "vitest";
import { click } from "../app/fake/killed.ts";
import { nothingAhead, placeOf, ready, status, withSamples } from "../app/fake/page.ts";
import { niftiFile } from "../app/fake/volume.ts";
import { useSite } from "../support/browser.ts";

const TIMEOUT = 1_800_000;
const site = useSite();
const folder = mkdtempSync(join(tmpdir(), "app-memory-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function open(): Promise<{ page: Page; errors: string[] }> {
  const opened = await site.open("/", withSamples("ct"));
  await ready(opened.page);
  await opened.page.waitForFunction(() => /Loaded in/.test(document.querySelector("#model-facts")?.textContent ?? ""), { timeout: 240_000 });
  return opened;
}

const SIDE = 256;
const SLICES = 400;

/** A gray tube through 400 slices, as NIfTI of 16 bits: 52 MB. */
function tubeNifti(): Buffer {
  const file = niftiFile(SIDE, SIDE, SLICES);
  file.writeFloatLE(1, 112);
  const values = new Int16Array(file.buffer, file.byteOffset + 352, SIDE * SIDE * SLICES);
  for (let z = 0, i = 0; z < SLICES; z++) {
    const [cx, cy] = [128 + 30 * Math.sin(z / 40), 128 + 20 * Math.cos(z / 60)];
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++, i++) values[i] = (Math.hypot(x - cx, y - cy) < 40 ? 700 : 200) + ((x * 13 + y * 7 + z * 5) % 60);
  }
  return file;
}

/** Of the page's own process, MB: what it holds for itself, without what processes share. */
async function memoryOf(page: Page): Promise<number> {
  const client = await page.createCDPSession();
  for (let i = 0; i < 3; i++) await client.send("HeapProfiler.collectGarbage");
  const browser = await site.browser.target().createCDPSession();
  const { processInfo } = (await browser.send("SystemInfo.getProcessInfo")) as { processInfo: { type: string; id: number }[] };
  const sizes = processInfo
    .filter(({ type }) => type === "renderer")
    .map(({ id }) => Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? 0) / 1000);
  return Math.max(...sizes);
}

it(
  "500 actions on 400 slices hold less than 600 MB",
  async () => {
    const file = join(folder, "tube.nii");
    writeFileSync(file, tubeNifti());
    const { page, errors } = await open();
    // Half of a large window: its pixels are painted on the processors too.
    await page.setViewport({ width: 1080, height: 640 });
    const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
    await input?.uploadFile(file);
    const at = (n: number) =>
      page.waitForFunction(
        (wanted) => (document.querySelector("#slice-place") as HTMLOutputElement | null)?.value === wanted,
        { timeout: 60_000 },
        `${n} of ${SLICES}`,
      );
    await at(201);
    // Encoding ahead (tests/browser/app_ahead.test.ts) would take whatever two cores have left.
    await nothingAhead(page);
    const before = await memoryOf(page);
    for (let n = 200; n >= 1; n -= 10) {
      await page.keyboard.down("Shift");
      await page.keyboard.press("PageUp");
      await page.keyboard.up("Shift");
      await at(Math.max(1, n - 9));
    }
    await page.keyboard.press("d");
    const place = await placeOf(page, 128, 128);
    let actions = 0;
    for (let n = 1; n <= SLICES; n++) {
      for (let stroke = 0; stroke < 1 + Number(n % 5 === 0) + Number(n % 40 === 20); stroke++, actions++) {
        await page.mouse.move(place.x - 40, place.y + 30 * stroke);
        await page.mouse.down();
        await page.mouse.move(place.x + 40, place.y + 30 * stroke, { steps: 4 });
        await page.mouse.up();
      }
      // A point asks the model, whose answer takes the place of what was drawn.
      if (n % 40 === 0) {
        await page.keyboard.press("p");
        await click(page, Math.round(128 + 30 * Math.sin((n - 1) / 40)), Math.round(128 + 20 * Math.cos((n - 1) / 60)));
        await status(page, /^Mask( \d of 3)?: predicted IoU/, 240_000);
        await page.keyboard.press("d");
        actions++;
      }
      if (n === SLICES) break;
      await page.keyboard.press("PageDown");
      await at(n + 1);
    }
    const after = await memoryOf(page);
    console.log(`${actions} actions on ${SLICES} slices: ${after.toFixed(0)} MB in the page's process, ${before.toFixed(0)} MB before them`);
    expect(actions).toBe(500);
    expect(after).toBeLessThan(600);
    expect(errors).toEqual([]);
    await page.close();
  },
  TIMEOUT,
);
