// Files in batches: what opens, in which order, what does not, and prompts that are of another image. On a fake model.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "fast-png";
import { afterAll, expect, it } from "vitest";
import { discPng, prompts, ready, text } from "../app/fake/page.ts";
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
  expect(errors).toEqual([]);
  await page.close();
});
