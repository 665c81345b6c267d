// Series and volumes on the page: opened together, looked through by wheel, keys and bar, each slice with prompts of its own. On a fake model.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { downloadsTo, loadFrom, placeOf, prompts, ready, status, text, withSamples } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { screenshots, useSite } from "../support/browser.ts";
import { ROOT } from "../support/setup_file.ts";

const DICOM = join(ROOT, "tests/formats/fixtures/dicom");
const series = readdirSync(join(DICOM, "shuffled")).map((name) => join(DICOM, "shuffled", name));

const folder = mkdtempSync(join(tmpdir(), "app-volumes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

const corner = (pattern: RegExp) =>
  [(source: string) => new RegExp(source).test((document.querySelector("#slice-place") as HTMLOutputElement).value), {}, pattern.source] as const;

it("opens a series in order, keeps what is said about each slice, and says what was opened and what was not", async () => {
  const { page, errors } = await site.open("/", withSamples("ct"));
  await ready(page);
  await loadFrom(page, "http://localhost/fake.safetensors");
  const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(...series, join(DICOM, "jpeg_lossless_1.dcm"), join(ROOT, "tests/formats/fixtures/make_dicom.py"));
  await page.waitForFunction(() => !(document.querySelector("#slices") as HTMLElement).hidden);
  const count = series.length;
  const middle = Math.floor(count / 2) + 1;
  await page.waitForFunction(...corner(new RegExp(`^${middle} of ${count}$`)));
  await page.waitForFunction(() => ["opened as", "make_dicom.py"].every((words) => document.querySelector("#problems")?.textContent?.includes(words)));
  const told = await page.$eval("#problems", (cards) => cards.textContent ?? "");
  expect(told).toContain(`${count + 1} files opened as 2 volumes`);
  expect(told).toContain("make_dicom.py");

  const at = await placeOf(page, 5, 5);
  await page.mouse.click(at.x, at.y);
  await status(page, /predicted IoU|kept until/);
  expect(await prompts(page)).toEqual(["positive 5, 5"]);
  await page.mouse.move(at.x, at.y);
  await page.mouse.wheel({ deltaY: 100 });
  await page.waitForFunction(...corner(new RegExp(`^${middle + 1} of`)));
  expect(await prompts(page)).toEqual([]);
  await page.keyboard.press("PageUp");
  await page.waitForFunction(...corner(new RegExp(`^${middle} of`)));
  expect(await prompts(page)).toEqual(["positive 5, 5"]);

  const window = await text(page, "#window-numbers");
  await page.mouse.move(at.x, at.y);
  await page.mouse.down({ button: "right" });
  await page.mouse.move(at.x + 60, at.y + 20, { steps: 4 });
  await page.mouse.up({ button: "right" });
  await page.waitForFunction((before) => (document.querySelector("#window-numbers") as HTMLOutputElement).value !== before, {}, window);
  expect(await prompts(page)).toEqual(["positive 5, 5"]);
  await page.select("#plane", "coronal");
  await page.waitForFunction(() => document.querySelectorAll("#prompts li").length === 0);
  // Back at the middle, where the prompt was set.
  await page.select("#plane", "stored");
  await page.waitForFunction(() => document.querySelectorAll("#prompts li").length === 1);

  // Its prompts go out for the whole volume, and come back as one step.
  await downloadsTo(page, folder);
  await page.click("#save-prompts");
  await vi.waitFor(() => expect(readdirSync(folder).filter((name) => name.endsWith("-prompts.json"))).toHaveLength(1), { timeout: 30_000 });
  const file = join(folder, readdirSync(folder).find((name) => name.endsWith("-prompts.json")) as string);
  const saved = JSON.parse(readFileSync(file, "utf8"));
  expect(saved.prompts).toEqual([{ label: "Structure", plane: "stored", slice: middle - 1, points: [{ x: 5, y: 5, label: 1 }] }]);
  saved.prompts.push({ label: "Liver", plane: "stored", slice: middle, points: [{ x: 2, y: 3, label: 1 }] });
  writeFileSync(file, JSON.stringify(saved));
  await input?.uploadFile(file);
  await page.waitForFunction(() => document.querySelector("#objects")?.textContent?.includes("Liver"));
  await screenshots(page, "volume");
  expect(errors).toEqual([]);
  await page.close();
});
