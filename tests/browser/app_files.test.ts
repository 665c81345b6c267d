// Files in batches: what opens, in which order, what does not, and prompts that are of another image. On a fake model.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "fast-png";
import sharp from "sharp";
import { afterAll, expect, it } from "vitest";
import { readPixels } from "../../src/cli/image_pixels.ts";
import { discPng, placeOf, prompts, ready, text } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "app-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

it("a batch opens in natural order with its first image shown, one card names what did not, 16 bits are not black, strange prompts ask", async () => {
  const { page, errors } = await site.open("/");
  await ready(page, 6);
  const values = Uint16Array.from({ length: 64 * 64 }, (_, i) => 1000 + (i % 64) * 6);
  const files: [string, Uint8Array][] = [
    ["s10.png", discPng(40)],
    ["s2.png", encode({ width: 64, height: 64, data: values, depth: 16, channels: 1 })],
    ["s3.png", discPng(30)],
    ...[1, 2, 3, 4, 5].map((i): [string, Uint8Array] => [`bad${i}`, Uint8Array.from([0x25, 0x50, 0x44, 0x46, i])]),
  ];
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(...files.map(([name]) => join(folder, name)));
  await page.waitForFunction(() => /5 of 8 files not opened/.test(document.querySelector("#problems")?.textContent ?? ""));
  expect(await page.$$eval(".case", (thumbs) => thumbs.slice(0, 3).map((thumb) => thumb.getAttribute("title")))).toEqual(["s2.png", "s3.png", "s10.png"]);
  expect(await text(page, "#corner-name")).toContain("s2.png");
  const told = await page.$eval("#problems", (cards) => cards.textContent ?? "");
  expect(told).toContain("values from 1000 to 1378");
  expect(told.match(/a PDF/gi)).toHaveLength(5);
  expect(await page.$$eval(".problem", (cards) => cards.length)).toBe(2);
  const prompt = join(folder, "p.json");
  writeFileSync(prompt, JSON.stringify({ image: { name: "s10.png", width: 40, height: 40 }, points: [{ x: 5, y: 6, label: 1 }], box: null }));
  await input?.uploadFile(prompt);
  await page.waitForFunction(() => /Prompts of another image/.test(document.querySelector("#problems")?.textContent ?? ""));
  expect(await prompts(page)).toEqual([]);
  await page.evaluate(() => [...document.querySelectorAll("button")].find((button) => button.textContent === "Set them on s10.png")?.click());
  await page.waitForFunction(() => /s10\.png/.test(document.querySelector("#corner-name")?.textContent ?? ""));
  expect(await prompts(page)).toEqual(["positive 5, 6"]);

  // Many prompts leave what saves in sight.
  const points = Array.from({ length: 60 }, (_, i) => ({ x: i % 20, y: 3 * Math.floor(i / 20), label: i % 3 === 0 ? 0 : 1 }));
  writeFileSync(prompt, JSON.stringify({ image: { name: "s10.png", width: 40, height: 40 }, points, box: null }));
  await input?.uploadFile(prompt);
  await page.waitForFunction(() => document.querySelectorAll("#prompts li").length === 60);
  expect(await text(page, ".many summary")).toMatch(/40.*20/);
  expect(await page.$eval("#save-mask", (save) => save.getBoundingClientRect().bottom <= innerHeight)).toBe(true);

  // Damaged pictures: the row, and what could be read on request.
  const [wide, high] = [96, 64];
  const colours = Uint8Array.from({ length: wide * high * 3 }, (_, i) => (i * 13 + (i >> 7)) % 251);
  const drawn = () => sharp(colours, { raw: { width: wide, height: high, channels: 3 } });
  const inks = await drawn().toColourspace("cmyk").jpeg().toBuffer();
  expect((await sharp(inks).metadata()).space).toBe("cmyk");
  const [png, jpeg] = [await drawn().png().toBuffer(), await drawn().jpeg().toBuffer()];
  for (const [name, whole] of [
    ["cut.png", png],
    ["cut.jpg", jpeg],
    ["cut_inks.jpg", inks],
  ] as const) {
    writeFileSync(join(folder, name), whole.subarray(0, whole.length * 0.8));
    await input?.uploadFile(join(folder, name));
    await page.waitForFunction(
      (words) => new RegExp(words).test(document.querySelector("#problems")?.textContent ?? ""),
      {},
      `${name}: .*a whole ${name.endsWith("png") ? "PNG" : "JPEG"} image.*damaged after row [1-9]\\d* of ${high}`,
    );
    await page.evaluate(() => [...document.querySelectorAll("button")].find((button) => button.textContent === "Open what could be read")?.click());
    await page.waitForFunction((shown) => document.querySelector("#corner-name")?.textContent?.includes(shown), {}, name);
    await page.evaluate(() => document.querySelector<HTMLElement>(".problem[role=alert] .close")?.click());
  }
  // Only its end is missing.
  writeFileSync(join(folder, "endless.png"), png.subarray(0, png.length - 12));
  writeFileSync(join(folder, "inks.jpg"), inks);
  for (const name of ["endless.png", "inks.jpg"]) {
    await input?.uploadFile(join(folder, name));
    await page.waitForFunction((shown) => document.querySelector("#corner-name")?.textContent?.includes(shown), {}, name);
  }
  // Inks: the bytes of the command line, and of the reference readers.
  const { data } = await readPixels("inks", inks);
  for (const [x, y] of [
    [3, 5],
    [50, 31],
    [90, 60],
    [17, 44],
  ] as const) {
    const { x: left, y: top } = await placeOf(page, x, y);
    await page.mouse.move(left, top);
    const [red, green, blue] = data.subarray(3 * (y * wide + x));
    await page.waitForFunction(
      (words) => document.querySelector("#corner-place")?.textContent?.includes(words),
      {},
      red === green && green === blue ? `gray ${red}` : `RGB ${red} ${green} ${blue}`,
    );
  }
  expect(errors).toEqual([]);
  await page.close();
});
