// The page in Chromium on a fake model: every way of giving prompts, every state it can be in.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, describe, expect, it, vi } from "vitest";
import { discPng, downloadsTo, isHidden, loadFrom, pictures, placeOf, prompts, ready, status, text, tintedPixels, withSamples } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { type PageOptions, useSite } from "../support/browser.ts";
import { QUICK } from "../support/quick.ts";

const folder = mkdtempSync(join(tmpdir(), "app-page-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

/** In haste it is left to CI. */
const inCi = (name: string, test: () => Promise<void>) => (QUICK ? undefined : it(name, test));

/** With the whole list where pictures are taken. */
const PICTURED = QUICK ? withSamples("ct") : {};

async function open(options: PageOptions = withSamples("ct")) {
  const opened = await site.open("/", options);
  await ready(opened.page);
  return opened;
}

async function openWithModel(options?: PageOptions) {
  const opened = await open(options);
  await loadFrom(opened.page, "https://weights.invalid/quick.safetensors");
  await opened.page.waitForFunction(() => /Encode/.test(document.querySelector("#model-facts")?.textContent ?? ""));
  return opened;
}

async function clickPixel(page: Page, x: number, y: number, button: "left" | "right" = "left"): Promise<void> {
  const place = await placeOf(page, x, y);
  await page.mouse.click(place.x, place.y, { button });
}

describe("opening the page", () => {
  it("shows the CT sample, says that no model is loaded, asks for nothing but its own files", async () => {
    const { page, errors, requests, foreign } = await open(PICTURED);
    expect(await text(page, "#corner-name")).toBe("CT, abdomen 512 × 512, drawn");
    await page.waitForSelector("#notice:not([hidden])");
    expect(await text(page, "#notice")).toContain("No model is loaded yet.");
    expect(await text(page, ".caution")).toBe("Not for clinical use");
    expect(errors).toEqual([]);
    expect(requests.length).toBeGreaterThan(3);
    expect(foreign(site.origin)).toEqual([]);
    await pictures(page, "app_no_model");
    await page.close();
  });

  it("is held to its own origin by its policy", async () => {
    const { page } = await open();
    const outcome = await page.evaluate(async () => {
      const tries = {
        fetch: () => fetch("http://127.0.0.1:9/"),
        inline: async () => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.head.append(script);
          if (!("ran" in window)) throw new Error();
        },
      };
      const ended: Record<string, string> = {};
      for (const [name, run] of Object.entries(tries))
        ended[name] = await run().then(
          () => "allowed",
          () => "blocked",
        );
      return ended;
    });
    expect(outcome).toEqual({ fetch: "blocked", inline: "blocked" });
    await page.close();
  });
});

describe("the pointer", () => {
  it("sets points and boxes where it points, and a mask appears there", async () => {
    const { page, errors } = await openWithModel(PICTURED);
    expect((await tintedPixels(page)).cyan).toBe(0);
    await clickPixel(page, 150, 210);
    expect(await status(page, /^Mask/)).toMatch(/^Mask 2 of 3: predicted IoU 0\.93, .* pixels .*, from 1 point\.$/);
    expect((await tintedPixels(page)).cyan).toBeGreaterThan(2000);
    await clickPixel(page, 300, 400, "right");
    const [from, to] = [await placeOf(page, 100, 120), await placeOf(page, 200, 300)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x - 30, to.y - 30, { steps: 4 });
    await page.mouse.move(to.x, to.y);
    await page.mouse.up();
    expect(await prompts(page)).toEqual(["box 100, 120 – 201, 301", "positive 150, 210", "negative 300, 400"]);
    await status(page, /from 2 points and a box/);
    await pictures(page, "app_mask");
    expect(errors).toEqual([]);
    await page.close();
  });

  if (!QUICK)
    it.each([1, 1.5, 2, 3])("hits the same pixels at a device pixel ratio of %d", async (ratio) => {
      const { page } = await open();
      await page.setViewport({ width: 1101, height: 777, deviceScaleFactor: ratio });
      await page.waitForSelector("#notice:not([hidden])");
      for (const [x, y] of [
        [0, 0],
        [511, 511],
        [255, 300],
      ] as const) {
        await clickPixel(page, x, y);
      }
      expect(await prompts(page)).toEqual(["positive 0, 0", "positive 511, 511", "positive 255, 300"]);
      await page.close();
    });

  it("means the pixel it is over when zoomed in, and nothing beside the image", async () => {
    const { page } = await open();
    const place = await placeOf(page, 100, 100);
    // Whole ones: wheel events know no others.
    const [left, top] = [Math.round(place.x), Math.round(place.y)];
    await page.mouse.move(left, top);
    const under = /^x (\d+) y (\d+)/.exec(await text(page, "#corner-place"));
    for (let i = 0; i < 8; i++) await page.mouse.wheel({ deltaY: -240 });
    await page.waitForFunction(() => Number.parseInt(document.querySelector("#corner-zoom")?.textContent ?? "", 10) > 500);
    await page.mouse.click(left, top);
    const expected = [`positive ${under?.[1]}, ${under?.[2]}`];
    expect(await prompts(page)).toEqual(expected);
    await page.click("#zoom-fit");
    const { x, y } = await page.$eval("#stage", (stage) => stage.getBoundingClientRect().toJSON());
    await page.mouse.click(x + 3, y + 200);
    expect(await prompts(page)).toEqual(expected);
    await page.close();
  });

  inCi("draws a box by two clicks too, in box mode", async () => {
    const { page } = await open();
    await page.click("input[value=box]");
    await clickPixel(page, 40, 50);
    await clickPixel(page, 20, 90);
    expect(await prompts(page)).toEqual(["box 20, 50 – 41, 91"]);
    await page.close();
  });
});

describe("the keyboard alone", () => {
  it("loads a model, sets everything, chooses a mask, undoes and clears", async () => {
    const { page, errors } = await open();
    await page.waitForSelector("#notice button");
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement?.textContent === "Try synthetic weights")) break;
    }
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => /mean nothing/.test(document.querySelector("#notice")?.textContent ?? ""));
    // What had the focus is gone with the notice; the stage is a few tabs on.
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement?.id === "stage")) break;
    }
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key as "Enter");
    };
    await press("ArrowRight", "ArrowRight", "ArrowUp", "a");
    await page.keyboard.down("Shift");
    await press("ArrowLeft");
    await page.keyboard.up("Shift");
    await press("s");
    await press("b", "ArrowDown", "ArrowRight");
    await page.screenshot({ path: join(folder, "keyboard.png") });
    await press("b", "n");
    expect(await prompts(page)).toEqual(["box 267, 250 – 274, 257", "positive 268, 250", "negative 267, 250", "negative 273, 256"]);
    await status(page, /^Mask 2 of 3/);
    await press("t");
    await status(page, /^Mask 3 of 3: predicted IoU 0\.67/);
    await page.keyboard.down("Control");
    await press("z", "z", "z");
    await page.keyboard.up("Control");
    expect((await prompts(page)).length).toBe(2);
    await press("Escape");
    expect((await prompts(page)).length).toBe(2);
    await press("Delete");
    expect(await prompts(page)).toEqual([]);
    await page.keyboard.down("Control");
    await press("z");
    await page.keyboard.up("Control");
    expect((await prompts(page)).length).toBe(2);
    expect(errors).toEqual([]);
    await page.close();
  });

  inCi("shows where it is and says so", async () => {
    const { page } = await open(PICTURED);
    await page.focus("#stage");
    await page.keyboard.press("ArrowLeft");
    expect(await text(page, "#corner-place")).toMatch(/^x 250 y 256 gray \d+$/);
    await page.waitForFunction(() => /^x 250, y 256, gray \d+$/.test(document.querySelector("#spoken")?.textContent ?? ""));
    await status(page, /^Click a structure/);
    await page.keyboard.press("b");
    await status(page, /^Box: first corner set/);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.waitForSelector("#help[open]");
    await pictures(page, "app_help");
    await page.close();
  });
});

describe("loading weights", () => {
  inCi("shows bytes, rate and time left, can be cancelled, and keeps the prompts", async () => {
    const { page, errors } = await open(PICTURED);
    await clickPixel(page, 100, 100);
    await loadFrom(page, "https://weights.invalid/slow.safetensors");
    await page.waitForFunction(() => /^\d+ MB of 1\.07 GB, \d+ MB\/s, \d+ s left$/.test(document.querySelector("#loading-figures")?.textContent ?? ""));
    expect(await text(page, "#loading-title")).toBe("Loading slow.safetensors");
    await pictures(page, "app_loading");
    await page.click("#loading-cancel");
    expect(await isHidden(page, "#loading")).toBe(true);
    expect(await text(page, "#notice")).toContain("slow.safetensors was not loaded");
    expect(await prompts(page)).toEqual(["positive 100, 100"]);
    expect(await status(page, /kept until a model is loaded/)).toBe("1 point, kept until a model is loaded.");
    await loadFrom(page, "https://weights.invalid/quick.safetensors");
    await status(page, /^Mask 2 of 3/);
    expect(await isHidden(page, "#notice")).toBe(true);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("says what is wrong with them and what to do, until dismissed", async () => {
    const { page } = await open(PICTURED);
    await loadFrom(page, "https://weights.invalid/broken.safetensors");
    await page.waitForSelector(".problem");
    const said = await text(page, ".problem");
    expect(said).toContain("These weights can't be used");
    expect(said).toContain("got HTTP status 404 (Not Found)");
    expect(said).toContain("Check the address in a tab of its own.");
    await pictures(page, "app_problem");
    await page.click(".problem .close");
    expect(await page.$(".problem")).toBeNull();
    await page.close();
  });

  inCi("warns as long as the weights are synthetic", async () => {
    const { page } = await open(PICTURED);
    await page.click("#weights-synthetic");
    await page.waitForFunction(() => /these masks mean nothing/.test(document.querySelector("#notice")?.textContent ?? ""));
    await pictures(page, "app_synthetic");
    await loadFrom(page, "https://weights.invalid/quick.safetensors");
    await page.waitForFunction(() => (document.querySelector("#notice") as HTMLElement).hidden);
    await page.close();
  });
});

describe("images", () => {
  inCi("are opened, listed, and keep their prompts; what is none is refused by name", async () => {
    const { page, errors } = await openWithModel();
    await clickPixel(page, 150, 210);
    const [disc, wrong] = [join(folder, "disc.png"), join(folder, "slice.dcm")];
    writeFileSync(disc, discPng(90));
    writeFileSync(wrong, "no image at all");
    const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
    await input?.uploadFile(disc);
    await page.waitForFunction(() => /disc\.png/.test(document.querySelector("#corner-name")?.textContent ?? ""));
    expect(await prompts(page)).toEqual([]);
    await clickPixel(page, 45, 45);
    // A disc of radius 22.5 has 1590 pixels; the fake model's blur takes its rim away.
    const found = await status(page, /^Mask 2 of 3/);
    const area = Number(/, ([\d ]+) pixels/.exec(found)?.[1]?.replace(/\D/g, ""));
    expect(area).toBeGreaterThan(1200);
    expect(area).toBeLessThan(1600);
    await input?.uploadFile(wrong);
    await page.waitForSelector(".problem");
    expect(await text(page, ".problem")).toMatch(/slice\.dcm was not opened .*text file/);
    await page.click('.case[title="CT, abdomen"][aria-label="CT, abdomen, Begun, has marks"]');
    expect(await prompts(page)).toEqual(["positive 150, 210"]);
    await status(page, /^Mask 2 of 3/);
    expect(errors).toEqual([]);
    await page.close();
  });
});

describe("images that are dropped or pasted", () => {
  inCi("are opened; a prompt file sets its prompts; closing one asks when prompts would be lost", async () => {
    const { page, errors } = await open({});
    const give = (kind: "drop" | "paste", name: string, type: string, bytes: Buffer) =>
      page.evaluate(
        (event, fileName, mime, base64) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], fileName, { type: mime }));
          const init = { bubbles: true, cancelable: true };
          window.dispatchEvent(
            event === "drop" ? new DragEvent("drop", { ...init, dataTransfer: data }) : new ClipboardEvent("paste", { ...init, clipboardData: data }),
          );
        },
        kind,
        name,
        type,
        bytes.toString("base64"),
      );
    const shows = (words: string) => page.waitForFunction((wanted) => document.querySelector("#corner-name")?.textContent?.includes(wanted), {}, words);
    await give("drop", "dropped.png", "image/png", discPng(40));
    await shows("dropped.png\n40 × 40");
    await give("paste", "image.png", "image/png", discPng(50));
    await shows("image.png\n50 × 50");
    await give("drop", "prompts.json", "application/json", Buffer.from(JSON.stringify({ points: [{ x: 49, y: 0, label: 0 }], box: [1, 2, 30, 40] })));
    await page.waitForSelector("#prompts li");
    expect(await prompts(page)).toEqual(["box 1, 2 – 30, 40", "negative 49, 0"]);
    const asked = new Promise<string>((resolve) => page.once("dialog", (dialog) => void dialog.dismiss().then(() => resolve(dialog.message()))));
    await page.click('[aria-label="Close image.png"]');
    expect(await asked).toBe("Close image.png? What was marked on it goes with it.");
    await shows("image.png\n50 × 50");
    await page.click("#clear");
    await page.click('[aria-label="Close image.png"]');
    await shows("dropped.png");
    await page.click('[aria-label="Close dropped.png"]');
    await shows("CT, abdomen");
    // With all samples there: one that arrives takes the place of what was said.
    await sampleGoesAndComesBack(page, shows);
    await page.keyboard.down("Control");
    await page.keyboard.press("s");
    await page.keyboard.up("Control");
    await status(page, /^All is saved in this browser/);
    expect(errors).toEqual([]);
    await page.close();
  });
});

/** A sample too can go, stays away at the next start, and comes back when it is asked for. */
async function sampleGoesAndComesBack(page: Page, shows: (words: string) => Promise<unknown>): Promise<void> {
  await ready(page, 6);
  await page.click('[aria-label="Close CT, abdomen"]');
  await shows("MR, head");
  await page.reload();
  await ready(page, 5);
  await shows("MR, head");
  await page.click("#sets summary");
  await page.click("#set-samples");
  await ready(page, 6);
  expect(await page.$("#set-samples")).toBeNull();
}

describe("results", () => {
  inCi("refine from the previous mask when that is on, and undo leads back", async () => {
    const { page } = await openWithModel();
    await page.click("#refine");
    await clickPixel(page, 150, 210);
    expect(await status(page, /^Mask/)).not.toContain("refined");
    await clickPixel(page, 170, 230);
    expect(await status(page, /from 2 points/)).toContain("refined from the mask before");
    await page.click("#undo");
    expect(await status(page, /from 1 point\b/)).not.toContain("refined");
    await page.close();
  });

  it("are saved: the mask at the image's size, the prompts with scores", async () => {
    const { page } = await openWithModel();
    await downloadsTo(page, folder);
    await clickPixel(page, 150, 210);
    await status(page, /^Mask/);
    await page.click("#save-mask");
    await page.click("#save-prompts");
    await vi.waitFor(() => expect(readdirSync(folder)).toEqual(expect.arrayContaining(["CT_abdomen-mask.png", "CT_abdomen-prompts.json"])), 120_000);
    const png = readFileSync(join(folder, "CT_abdomen-mask.png"));
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([512, 512]);
    const saved = JSON.parse(readFileSync(join(folder, "CT_abdomen-prompts.json"), "utf8"));
    expect(saved).toMatchObject({
      image: { name: "CT, abdomen", width: 512, height: 512 },
      points: [{ x: 150, y: 210, label: 1 }],
      box: null,
      refined: false,
      result: { meaningless: false, chosen: 1, scores: [expect.closeTo(0.81), expect.closeTo(0.93), expect.closeTo(0.67)] },
    });
    await page.close();
  });

  inCi("follow the settings: one candidate, another colour of the label, another opacity", async () => {
    const { page, errors } = await openWithModel();
    await clickPixel(page, 150, 210);
    await status(page, /^Mask 2 of 3/);
    await page.click("summary");
    await page.select("#candidates-count", "1");
    await status(page, /^Mask: predicted IoU/);
    expect(await isHidden(page, "#candidates")).toBe(true);
    await page.click("#labels-open");
    await page.$eval('#labels input[type="color"]', (input) => {
      (input as HTMLInputElement).value = "#f35bd0";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    const filled = (await tintedPixels(page)).magenta;
    expect(filled).toBeGreaterThan(2000);
    await page.focus("#opacity");
    await page.keyboard.press("Home");
    await page.waitForFunction(() => document.querySelector("#opacity-value")?.textContent === "0 %");
    // The outline stays.
    const outline = (await tintedPixels(page)).magenta;
    expect(outline).toBeGreaterThan(100);
    expect(outline).toBeLessThan(filled / 2);
    expect(errors).toEqual([]);
    await page.close();
  });
});
