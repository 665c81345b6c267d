// The profiling page in Chromium on SwiftShader: a run started by the address, what it shows, saves and compares.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BenchReport, parseReport, together } from "../../src/bench/report.ts";
import { writeSmallWeights } from "../cli/small_weights.ts";
import { sampleReport } from "../bench/sample_report.ts";
import { useFolder } from "../cli/support.ts";
import { screenshots, type TestPage, useSite } from "../support/browser.ts";
import { ROOT } from "../support/setup_file.ts";

const folder = useFolder();
const weights = join(ROOT, ".cache", `bench_weights_${process.pid}`);
const RUN = "/bench/index.html?autorun=1&config=small&runs=1";

function finished(page: Page): Promise<unknown> {
  return page.waitForFunction(() => ["done", "failed"].includes(document.documentElement.dataset.state ?? ""), { timeout: 300_000 });
}

const text = (page: Page, selector: string) => page.$eval(selector, (element) => (element as HTMLElement).innerText);
const problem = (page: Page) => page.$eval("#problem", (element) => ((element as HTMLElement).hidden ? "" : element.textContent));
const heads = (page: Page) => page.$$eval("#kernels tbody th", (cells) => cells.map((cell) => cell.textContent ?? ""));

async function choose(page: Page, selector: string, file: string): Promise<void> {
  const input = await page.$(`input${selector}`);
  await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(file);
}

/** The page asks for files; this hands over what it would have saved. */
async function savedJson(page: Page): Promise<BenchReport> {
  const json = await page.evaluate(async () => {
    const blobs: Blob[] = [];
    const original = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      blobs.push(blob as Blob);
      return original(blob);
    };
    const save = [...document.querySelectorAll("#exports button")].find((button) => button.textContent === "Save JSON");
    (save as HTMLElement).click();
    URL.createObjectURL = original;
    return blobs[0]?.text() ?? "";
  });
  return parseReport(json);
}

describe("the bench page", () => {
  const site = useSite({ mounts: { "/weights/": weights } });
  let opened: TestPage;

  beforeAll(async () => {
    await mkdir(weights, { recursive: true });
    await writeSmallWeights(join(weights, "small.safetensors"));
    opened = await site.open(RUN);
    await finished(opened.page);
  }, 320_000);
  afterAll(async () => {
    await opened?.page.close();
    await rm(weights, { recursive: true, force: true });
  });

  it("shows no empty card before a run", async () => {
    const before = await site.open("/bench/index.html");
    const cards = await before.page.$$eval("section", (sections) =>
      sections.filter((card) => card.offsetHeight > 0).map((card) => card.innerText.split("\n")[0]),
    );
    expect(cards).toEqual(["Measure this device", "On paper", "A saved run"]);
    await before.page.close();
  });

  it("runs by its address, quietly, asking no other origin", async () => {
    const { page, errors, foreign } = opened;
    expect(await problem(page)).toBe("");
    expect(await page.evaluate(() => document.documentElement.dataset.state)).toBe("done");
    expect(errors).toEqual([]);
    expect(foreign(site.origin)).toEqual([]);
  });

  it("shows parity, end to end, stages, and a row and a circle a dispatch", async () => {
    const { page } = opened;
    const report = await savedJson(page);
    expect(report.environment.runtime).toBe("browser");
    expect(report.parity.checked).toBe(report.parity.kernels);
    const overview = await text(page, "#overview");
    for (const words of ["Largest difference from PyTorch: embedding", "Encode one image", "Decode one box", "read the embedding back"]) {
      expect(overview).toContain(words);
    }
    expect(await heads(page)).toHaveLength(report.encode.dispatches);
    expect(await page.$$eval("#roofline circle", (dots) => dots.length)).toBeGreaterThan(report.encode.dispatches / 2);
    await page.click("#graph button:nth-child(2)");
    expect(await heads(page)).toHaveLength(report.decode.dispatches);
    await page.click("#graph button:nth-child(1)");
  });

  it("sorts, filters and is used by keyboard", async () => {
    const { page } = opened;
    const before = await heads(page);
    await page.focus("#kernels thead th:nth-child(5) button");
    await page.keyboard.press("Enter");
    expect(await page.$eval("#kernels [aria-sort]", (cell) => [cell.textContent, cell.getAttribute("aria-sort")])).toEqual(["Median", "descending"]);
    expect(await heads(page)).not.toEqual(before);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Median");
    await page.type("#filter", "norm1");
    const shown = await heads(page);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.every((label) => label.includes("norm1"))).toBe(true);
    await page.$eval("#filter", (input) => {
      (input as HTMLInputElement).value = "";
      input.dispatchEvent(new Event("input"));
    });
    await page.$eval("#roofline circle", (circle) => (circle as SVGElement).focus());
    expect(await text(page, "#roofline p")).toMatch(/GFLOP\/s, .* of what the device can do/);
  });

  it("compares with a saved run, and says what is not the same", async () => {
    const { page } = opened;
    const report = await savedJson(page);
    const encode = { ...report.encode, wall: { ...report.encode.wall, median: 1000 * report.encode.wall.median } };
    await writeFile(folder.file("before.json"), JSON.stringify({ ...report, precision: "f16", encode }));
    await choose(page, "#saved", folder.file("before.json"));
    await page.waitForSelector("#compared:not([hidden])");
    expect(await text(page, "#compared")).toMatch(/encode −100 %, faster; decode .*within the noise.*other precision \(f16\)/s);
    expect(await text(page, "#kernels")).toContain("Change");
  });

  it("puts the runs side by side, and shows the one that is chosen", async () => {
    const { page } = opened;
    await page.waitForSelector("#runs-section:not([hidden])");
    const names = await page.$$eval("#side-by-side thead button", (buttons) => buttons.map((button) => button.textContent));
    expect(names).toEqual([expect.stringMatching(/^f32/), expect.stringMatching(/^f16.*saved$/)]);
    expect(await text(page, "#side-by-side")).toMatch(/encode, median wait/);
    expect(await page.$eval("#side-by-side tbody tr td:last-child .change", (change) => change.className)).toContain("slower");
    await page.click("#side-by-side thead th:last-child button");
    expect(await text(page, "#result-title")).toContain("f16");
    expect(await page.$eval("#compared", (line) => (line as HTMLElement).hidden)).toBe(true);
    await page.select("#before", "0");
    expect(await text(page, "#compared")).toMatch(/encode \+.* slower/s);
    await page.click("#side-by-side thead th:nth-child(2) button");
    await page.select("#before", "1");
    expect(await text(page, "#result-title")).toContain("f32");
    expect(await text(page, "#compared")).toContain("other precision (f16)");
  });

  it("shows the runs of one file side by side, and what the tuner tried", async () => {
    const { page, errors } = await site.open("/bench/index.html");
    const single = sampleReport();
    const candidates = [
      { name: "tile 64", ms: 2 },
      { name: "tile 32", ms: 3 },
    ];
    const tuned = { ...single, tuning: [{ shape: "256×768×3072", chosen: "tile 64", candidates }] };
    const both = together([tuned, { ...single, precision: "f16" }, { ...single, precision: "int8" }]);
    await writeFile(folder.file("both.json"), JSON.stringify(both));
    await choose(page, "#saved", folder.file("both.json"));
    await page.waitForSelector("#runs-section:not([hidden])");
    expect(await page.$$eval("#side-by-side thead button", (buttons) => buttons.map((button) => button.textContent))).toEqual([
      "f32, saved",
      "f16, saved",
      "int8, saved",
    ]);
    expect(await text(page, "#tuning")).toMatch(/256×768×3072\s+✓ 2.00 ms\s+3.00 ms/);
    await screenshots(page, "bench_saved");
    expect(errors).toEqual([]);
    await page.close();
  });

  it("fits both widths, light and dark", async () => {
    const { page } = opened;
    await screenshots(page, "bench");
    for (const width of [1440, 390]) {
      await page.setViewport({ width, height: 900 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    }
  });

  it("opens a saved run without a run, and refuses other files in words", async () => {
    const { page, errors } = await site.open("/bench/index.html", { size: "phone" });
    await page.waitForSelector("#paper table");
    await writeFile(folder.file("other.json"), "[]");
    await choose(page, "#saved", folder.file("other.json"));
    await page.waitForSelector("#problem:not([hidden])");
    expect(await problem(page)).toContain("This is not a saved run");
    const { encode, ...sample } = sampleReport();
    const kernels = encode.kernels.map((kernel) => ({ ...kernel, modelled: { us: 1000, fill: 0.36, limit: "latency" } }));
    await writeFile(folder.file("sample.json"), JSON.stringify({ ...sample, encode: { ...encode, modelledMs: 1.5, kernels } }));
    await choose(page, "#saved", folder.file("sample.json"));
    await page.waitForSelector("#results:not([hidden])");
    expect(await text(page, "#overview")).toContain("Test GPU");
    // What the model says, beside what was measured.
    expect(await text(page, "#overview")).toMatch(/modelled\s+1\.50\sms/);
    expect(await page.$$eval("#kernels thead button", (heads) => heads.map((head) => head.textContent))).toEqual(
      expect.arrayContaining(["Modelled", "Fill", "Limit"]),
    );
    expect(await text(page, "#kernels tbody tr")).toMatch(/2\.00\sms\s+1\.00\sms\s+36\s%\s+latency/);
    expect(await problem(page)).toBe("");
    expect(errors).toEqual([]);
    await page.close();
  });

  it("takes weights by address, and says when the file is not there", async () => {
    const { page } = await site.open("/bench/index.html?autorun=1&runs=1&weights=/weights/small.safetensors");
    await finished(page);
    expect(await problem(page)).toBe("");
    expect(await text(page, "#overview")).toContain("The weights have no known answer");
    await page.close();
    const missing = await site.open("/bench/index.html?autorun=1&weights=/none.safetensors");
    await finished(missing.page);
    expect(await problem(missing.page)).toContain("404");
    await missing.page.close();
  }, 300_000);

  it("holds nothing of another origin in its built files", async () => {
    const html = await readFile(join(ROOT, "dist/site/bench/index.html"), "utf8");
    expect(html).not.toMatch(/(?:src|href)="https?:/);
  });
});

describe("the bench page without WebGPU", () => {
  const site = useSite({ webgpu: "none" });

  it("still counts", async () => {
    const { page, errors } = await site.open("/bench/index.html");
    await page.waitForSelector("#paper table");
    expect(await text(page, "#adapter")).toContain("no WebGPU adapter");
    await page.select("#device-model", "h100");
    await page.waitForFunction(() => document.querySelector("#paper summary")?.textContent?.includes("h100"));
    await page.click("#paper summary");
    expect(await text(page, "#paper details")).toMatch(/linear\s+256×768×2304\s+\w+\/1\s+12 ×\s+\d+ × \d+\s+\d+\s%\s+[\d.]+\sµs\s+\w+/);
    await page.setViewport({ width: 390, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await screenshots(page, "bench_model");
    expect(await page.$eval("#start", (button) => (button as HTMLButtonElement).disabled)).toBe(true);
    expect(errors).toEqual([]);
    await page.close();
  });
});
