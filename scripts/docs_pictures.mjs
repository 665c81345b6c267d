// npm run docs:pictures: the pictures of docs/page.md, taken of the built page with the model that comes with it. `npm run build` goes before.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { host, openBrowser } from "./consumers/browser.mjs";
import { isMain, ROOT, runMain, say } from "./tools.mjs";

const FOLDER = join(ROOT, "docs", "pictures");
const WAIT = { timeout: 300_000 };
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844, deviceScaleFactor: 1.5 };
/** The left kidney of the first sample, original pixels. */
const KIDNEY = [318, 282, 410, 392];

async function drag(page, [x0, y0, x1, y1], side) {
  const stage = await (await page.$("#stage")).boundingBox();
  const zoom = (await page.$eval("#corner-zoom", (element) => Number.parseFloat(element.textContent))) / 100;
  const at = (x, y) => [stage.x + stage.width / 2 + (x - side / 2) * zoom, stage.y + stage.height / 2 + (y - side / 2) * zoom];
  await page.mouse.move(...at(x0, y0));
  await page.mouse.down();
  await page.mouse.move(...at((x0 + x1) / 2, (y0 + y1) / 2));
  await page.mouse.move(...at(x1, y1));
  await page.mouse.up();
}

const masked = (page) => page.waitForFunction(() => /predicted IoU/.test(document.querySelector("#status")?.textContent ?? ""), WAIT);
const ready = (page) => page.waitForFunction(() => /Loaded in/.test(document.querySelector("#model-facts")?.textContent ?? ""), WAIT);

async function shoot(page, name) {
  await page.screenshot({ path: join(FOLDER, `${name}.webp`), type: "webp", quality: 78 });
  say(`  docs/pictures/${name}.webp`);
}

async function main() {
  mkdirSync(FOLDER, { recursive: true });
  const server = await host({ mounts: { "/": join(ROOT, "dist/site") } });
  const browser = openBrowser();
  try {
    await browser.visit(`${server.origin}/`, async (page) => {
      await page.setViewport(DESKTOP);
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
      await ready(page);
      await page.select("#candidates-count", "3");
      await drag(page, KIDNEY, 512);
      await masked(page);
      await shoot(page, "page");
      await page.setViewport(PHONE);
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
      await page.waitForFunction(() => innerWidth === 390);
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      await shoot(page, "phone");
      await page.setViewport(DESKTOP);
      await page.click("#help-open");
      await page.waitForSelector("#help[open]", WAIT);
      await shoot(page, "keys");
    });
  } finally {
    await browser.close();
    server.close();
  }
}

if (isMain(import.meta)) await runMain(main);
