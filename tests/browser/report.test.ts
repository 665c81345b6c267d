// The evaluation's report in a browser: no sideways scrolling at either width, nothing loaded, names of files as text.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Browser } from "puppeteer";
import { toHtml } from "../../src/eval/html.ts";
import { MODES } from "../../src/eval/modes.ts";
import { type CaseResult, evaluation } from "../../src/eval/results.ts";
import { launchBrowser, openPage, screenshots, WIDTHS } from "../support/browser.ts";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
const LONG = "a_structure_whose_name_is_longer_than_any_phone_is_wide_and_has_no_space_in_it";

function report(): string {
  const structures = ["liver", LONG, "<b>aorta</b>"];
  const cases = Array.from({ length: 30 }, (_, index): CaseResult => {
    const structure = structures[index % 3] as string;
    const score = (shift: number) => ({ dice: ((index + shift) % 30) / 29, iou: ((index + shift) % 30) / 40, predicted: 0.5, boundary: 0.4, parts: 1 });
    const scores = Object.fromEntries(MODES.map((mode, i) => [mode, score(i)]));
    return { index, mask: `masks/ct--drawn--${index}--${structure}_000.png`, image: "i.png", modality: "ct", dataset: "drawn", structure, scores };
  });
  const settings = {
    dataset: "drawn",
    fingerprint: "0",
    masks: 31,
    model: "SAM-Med2D",
    weights: `w.safetensors, sha256 ${"0".repeat(64)}`,
    prompts: MODES,
    input: "sam-med2d",
    channelOrder: "bgr",
    firstPrompts: "drawn",
    seed: 0,
    precision: "f32",
    software: "0.1.0",
  } as const;
  const problems = [{ file: `images/${LONG}.png`, message: "no such file", indices: [30] }];
  const notices = [{ file: `images/${LONG}.png`, message: "it is damaged" }];
  const pictures = MODES.flatMap((mode) => ["worst", "median", "best"].map((rank) => ({ mode, rank, mask: `masks/${LONG}.png`, dice: 0.5, png: PNG })));
  return toHtml(evaluation({ settings, cases, problems, notices, images: 1, seconds: 1 }), pictures);
}

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser({ webgpu: "none" });
});
afterAll(() => browser?.close());

it("fits both widths, light and dark, and asks for nothing", async () => {
  const { page, errors, requests } = await openPage(browser, "about:blank");
  await page.setContent(report());
  for (const viewport of Object.values(WIDTHS)) {
    await page.setViewport(viewport);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
  }
  const text = await page.$eval("body", (body) => body.innerText);
  for (const words of ["30 of 31", "1 file could not be used, 1 mask left out", "<b>aorta</b>", "Not for clinical use"]) expect(text).toContain(words);
  expect(await page.$$eval("img", (images) => images.every((image) => image.naturalWidth === 1))).toBe(true);
  await screenshots(page, "evaluation_report");
  expect([errors, requests.filter((url) => url !== "about:blank")]).toEqual([[], []]);
  await page.close();
});
