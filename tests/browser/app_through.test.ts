// Volumes through their slices, and what comes of them: propagation as proposals, slices filled in between, files out and in, measurements. On a fake model.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import type { Page } from "puppeteer";
import { afterAll, expect, it, vi } from "vitest";
import { violations } from "../app/fake/axe.ts";
import { click } from "../app/fake/killed.ts";
import { discPng, downloadsTo, loadFrom, ready, status, text, withSamples } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { BALL, ballNifti, inBall } from "../app/fake/volume.ts";
import { screenshots, useSite } from "../support/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "app-through-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

async function give(page: Page, input: string, ...paths: string[]): Promise<void> {
  const element = (await page.$(input)) as Awaited<ReturnType<typeof page.$<"input">>>;
  await element?.uploadFile(...paths);
}

async function openBall() {
  const { page, errors } = await site.open("/", withSamples("ct"));
  await ready(page);
  await downloadsTo(page, folder);
  await loadFrom(page, "https://weights.invalid/quick.safetensors");
  const file = join(folder, "ball.nii");
  writeFileSync(file, ballNifti());
  await give(page, "#open-image", file);
  await page.waitForFunction(() => (document.querySelector("#slice-place") as HTMLOutputElement | null)?.value === "9 of 16");
  return { page, errors };
}

async function acceptAll(page: Page): Promise<void> {
  await page.keyboard.down("Shift");
  await page.keyboard.press("g");
  await page.keyboard.up("Shift");
}

const marks = (page: Page) => page.$$eval(".marks i", (found) => found.map((mark) => (mark as HTMLElement).dataset.mark).sort());
const bytesOf = (name: string) => vi.waitFor(() => readFileSync(join(folder, name)), 120_000);

it("propagates both ways as proposals, one step of the journal, accepted one by one or all; fills slices in between", async () => {
  const { page, errors } = await openBall();
  await click(page, 30, 28);
  await status(page, /^Mask 2 of 3/);
  await page.keyboard.press("g");
  await status(page, /proposals: look at them/, 60_000);
  const proposed = (await marks(page)).filter((mark) => mark === "proposed").length;
  expect(proposed).toBeGreaterThanOrEqual(8);
  await screenshots(page, "propagated");
  await page.keyboard.press("PageDown");
  await page.waitForFunction(() => (document.querySelector("#slice-place") as HTMLOutputElement).value === "10 of 16");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => (document.querySelector("#slice-place") as HTMLOutputElement).value === "11 of 16");
  expect((await marks(page)).filter((mark) => mark === "accepted")).toHaveLength(1);
  await acceptAll(page);
  expect((await marks(page)).filter((mark) => mark === "proposed")).toHaveLength(0);
  await page.keyboard.down("Control");
  for (let i = 0; i < 3; i++) await page.keyboard.press("z");
  await page.keyboard.up("Control");
  expect(await marks(page)).toEqual(["drawn"]);
  expect(await text(page, "#status")).toContain("Undone: propagated");

  // Two slices apart by four, filled in between.
  const toSlice = async (n: number) => {
    await page.$eval(
      "#slice",
      (range, value) => {
        (range as HTMLInputElement).value = `${value}`;
        range.dispatchEvent(new Event("input", { bubbles: true }));
      },
      n,
    );
    await page.waitForFunction((value) => (document.querySelector("#slice-place") as HTMLOutputElement).value === `${value} of 16`, {}, n);
  };
  await toSlice(5);
  await click(page, 30, 28);
  await status(page, /^Mask 2 of 3/);
  await page.keyboard.press("i");
  await status(page, /^3 slices filled in/);
  expect(await marks(page)).toEqual(["drawn", "drawn", "proposed", "proposed", "proposed"]);
  // Across the stored slices the same object is seen, and drawn on.
  await page.select("#plane", "coronal");
  await page.waitForFunction(() => (document.querySelector("#slice-place") as HTMLOutputElement).value === "31 of 60");
  expect(await text(page, "#objects")).toMatch(/mm² · 5 slices/);
  // Pictures were taken last on a phone, where this lies in the sheet.
  await page.setViewport({ width: 1440, height: 900 });
  await page.click("#outline");
  await screenshots(page, "coronal");
  expect(errors).toEqual([]);
  await page.close();
});

it("writes one case or all, measures, takes masks back as truth and as objects", async () => {
  const { page, errors } = await openBall();
  await click(page, 30, 28);
  await status(page, /^Mask 2 of 3/);
  await page.keyboard.press("g");
  await status(page, /proposals: look at them/, 60_000);
  await acceptAll(page);
  await page.click("#export-case");
  const unzipped = unzipSync(await bytesOf("ball-nifti.zip"));
  expect(Object.keys(unzipped).sort()).toEqual(["ball-work.json", "ball.nii.gz"]);
  const work = JSON.parse(Buffer.from(unzipped["ball-work.json"] as Uint8Array).toString("utf8"));
  expect(work.objects[0].slices.map(({ origin }: { origin: string }) => origin)).toContain("propagated");
  writeFileSync(join(folder, "labels.nii.gz"), unzipped["ball.nii.gz"] as Uint8Array);

  await page.click("#measure");
  await page.waitForSelector("#measures td");
  const ml = Number((await text(page, "#measures td")).replace(",", "."));
  let voxels = 0;
  for (let z = 0; z < BALL.slices; z++) for (let y = 0; y < BALL.rows; y++) for (let x = 0; x < BALL.columns; x++) voxels += Number(inBall(x, y, z));
  // The fake model's blur takes the rim away.
  expect(ml / ((voxels * 2) / 1000)).toBeGreaterThan(0.6);
  expect(ml / ((voxels * 2) / 1000)).toBeLessThan(1.05);
  await give(page, "#import-truth", join(folder, "labels.nii.gz"));
  await page.waitForFunction(() => /Dice 1\.00/.test(document.querySelector("#truth-score")?.textContent ?? ""));
  await page.waitForFunction(() => [...document.querySelectorAll("#measures td")].at(-1)?.textContent === "1.000");
  await page.click("#measures-csv");
  expect((await bytesOf("ball-measures.csv")).toString("utf8")).toMatch(/^label,id,slice,voxels,area_mm2/);

  await give(page, "#import-masks", join(folder, "labels.nii.gz"));
  await page.waitForFunction(() => document.querySelectorAll("#objects li").length === 2);
  await page.click("#undo");
  await page.waitForFunction(() => document.querySelectorAll("#objects li").length === 1);

  const disc = join(folder, "disc.png");
  writeFileSync(disc, discPng(90));
  await give(page, "#open-image", disc);
  await page.waitForFunction(() => document.querySelector("#corner-name")?.textContent?.startsWith("disc.png"));
  await click(page, 45, 45);
  await status(page, /^Mask 2 of 3/);
  for (const [format, names] of [
    ["seg-nrrd", ["ball/ball.seg.nrrd", "disc/disc.seg.nrrd"]],
    ["coco", ["ball/ball.json", "disc/disc.json"]],
    ["png", ["ball/ball_0008.png", "disc/disc.png"]],
  ] as const) {
    await page.select("#format", format);
    await page.click("#export-all");
    const files = Object.keys(unzipSync(await bytesOf(`labels-${format}.zip`)));
    expect(files).toEqual(expect.arrayContaining([...names, "ball/ball-work.json"]));
  }
  await report(page, ml);
  expect(existsSync(join(folder, "labels-dicom-seg.zip"))).toBe(false);
  expect(errors).toEqual([]);
  await page.close();
});

/** Of the case that is shown, then of both; printed on paper and saved as a file that needs nothing else. */
async function report(page: Page, ml: number): Promise<void> {
  const sections = (of: Page) =>
    of.$$eval(".paper section", (found) =>
      found.map((section) => ({
        title: section.querySelector("h2")?.innerText,
        captions: [...section.querySelectorAll("figcaption")].map((caption) => (caption as HTMLElement).innerText),
        pictures: [...section.querySelectorAll("img")].map(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight]),
        numbers: [...section.querySelectorAll("td")].map((cell) => cell.innerText.replace(",", ".")),
      })),
    );
  await page.click("#report");
  await page.waitForSelector("#report-print:enabled");
  expect((await sections(page)).map(({ title }) => title)).toEqual(["disc.png Begun"]);
  await page.select(".report-acts select", "all");
  await page.waitForFunction(() => document.querySelectorAll(".paper section").length === 2);
  const both = await sections(page);
  const [disc, ball] = ["disc", "ball"].map((name) => both.find(({ title }) => title?.startsWith(name)));
  expect(ball).toMatchObject({ title: "ball.nii Begun", captions: ["Structure, Slice 9 / 16"], pictures: [[4 * BALL.columns, 4 * BALL.rows]] });
  expect(Number(ball?.numbers[0])).toBeCloseTo(ml, 3);
  expect(ball?.numbers.at(-1)).toBe("1.000");
  expect(disc?.pictures).toEqual([[360, 360]]);
  expect(await violations(page)).toEqual([]);
  await screenshots(page, "app_report");

  await page.emulateMediaType("print");
  const seen = await page.evaluate(() =>
    [...document.body.children].filter((child) => (child as HTMLElement).checkVisibility()).map(({ className }) => className),
  );
  expect(seen).toEqual(["report-root"]);
  const pages = Buffer.from(await page.pdf({ format: "A5" })).toString("latin1");
  expect(pages.match(/\/Type\s*\/Page\b/g)?.length).toBeGreaterThan(1);
  expect(pages.match(/\/Subtype\s*\/Image\b/g)?.length).toBe(2);
  await page.emulateMediaType();

  await page.click("#report-save");
  const saved = (await bytesOf("report.html")).toString("utf8");
  expect(saved).not.toMatch(/src="(?!data:)|https?:/);
  const sheet = await page.browserContext().newPage();
  await sheet.goto(`file://${join(folder, "report.html")}`);
  expect((await sections(sheet)).length).toBe(2);
  expect(await sheet.$eval(".paper", (paper) => getComputedStyle(paper).color)).toBe("rgb(20, 32, 42)");
  await sheet.close();
  await page.bringToFront();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelector("dialog[open]") === null && document.activeElement?.id === "stage");
  expect(await page.evaluate(() => document.adoptedStyleSheets.length)).toBe(0);
}
