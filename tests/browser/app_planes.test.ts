// Three planes of a volume at once: linked by a crosshair, at their true shape, with one window, each to be drawn on. On a fake model.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, expect, it } from "vitest";
import { violations } from "../app/fake/axe.ts";
import { click } from "../app/fake/killed.ts";
import { loadFrom, prompts, ready, status, text, withSamples } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { BALL, ballNifti } from "../app/fake/volume.ts";
import { screenshots, useSite } from "../support/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "app-planes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite({ folder: FAKE_SITE });

async function openBall() {
  const { page, errors } = await site.open("/", withSamples("ct"));
  await ready(page);
  await loadFrom(page, "https://weights.invalid/quick.safetensors");
  const file = join(folder, "ball.nii");
  writeFileSync(file, ballNifti());
  const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(file);
  await page.waitForFunction(() => (document.querySelector("#slice-place") as HTMLOutputElement | null)?.value === "9 of 16");
  return { page, errors };
}

/** Pictures are read and drawn a little later than asked for. */
const SOON = { timeout: 20_000 };
const side = (plane: string) => `.side[data-plane="${plane}"]:not([hidden])`;

/** Waits until a view beside the stage says that it is on this slice. */
async function sideAt(page: Page, plane: string, words: string): Promise<void> {
  await page.waitForFunction((selector, wanted) => document.querySelector(`${selector} .plane`)?.textContent === wanted, {}, side(plane), words);
}

/** Cyan pixels of a view, and how wide and tall the picture is on it, in CSS pixels: what is not the dark around it, in the middle row and column. */
function look(page: Page, selector: string) {
  return page.$eval(`${selector} canvas`, (element) => {
    const canvas = element as HTMLCanvasElement;
    const { width, height } = canvas;
    const data = canvas.getContext("2d")?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray();
    let cyan = 0;
    for (let i = 0; i < data.length; i += 4)
      if ((data[i + 1] as number) - (data[i] as number) > 25 && (data[i + 2] as number) - (data[i] as number) > 25) cyan++;
    const lit = (x: number, y: number) => data[4 * (y * width + x) + 3] === 255;
    const across = [...Array(width).keys()].filter((x) => lit(x, Math.round(height * 0.47))).length;
    const down = [...Array(height).keys()].filter((y) => lit(Math.round(width * 0.47), y)).length;
    return { cyan, across, down };
  });
}

/** A voxel's middle on a view beside the stage, which fits its picture with a margin. */
async function placeOn(page: Page, plane: string, x: number, y: number, sides: readonly [number, number], ratio: number) {
  const box = await page.$eval(`${side(plane)} canvas`, (canvas) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return { left, top, width, height };
  });
  const [columns, rows] = sides;
  const scale = Math.min((box.width - 24) / columns, (box.height - 24) / (rows * ratio));
  return {
    x: box.left + (box.width - columns * scale) / 2 + (x + 0.5) * scale,
    y: box.top + (box.height - rows * scale * ratio) / 2 + (y + 0.5) * scale * ratio,
  };
}

it("links planes by a crosshair, shows masks in all of them, and is drawn on in each", async () => {
  const { page, errors } = await openBall();
  const { columns, rows, slices } = BALL;
  await page.click("#views");
  await sideAt(page, "coronal", `coronal 31 of ${rows}`);
  await sideAt(page, "sagittal", `sagittal 33 of ${columns}`);
  expect(await text(page, "#stage-plane")).toBe("axial");

  // The mask of one slice is a line in the others.
  await click(page, 30, 28);
  await status(page, /^Mask 2 of 3/);
  await expect.poll(async () => (await look(page, side("coronal"))).cyan, SOON).toBeGreaterThan(50);

  // Shift and a click put the crosshair there; the others follow, and no point is set.
  await page.keyboard.down("Shift");
  await click(page, 20, 41);
  await page.keyboard.up("Shift");
  await sideAt(page, "coronal", `coronal 42 of ${rows}`);
  await sideAt(page, "sagittal", `sagittal 21 of ${columns}`);
  expect(await prompts(page)).toEqual(["positive 30, 28"]);
  expect(await text(page, "#cross-voxel")).toBe("21, 42, 9");
  await page.waitForFunction(() => document.querySelector("#cross-value")?.textContent === `${40 + ((20 * 7 + 41 * 3) % 5)}`);
  // By the file's affine.
  expect(await text(page, "#cross-patient")).toBe("R 12, P 11, H 0 mm");

  // True shape: a coronal pixel is 1 × 2 mm.
  const shape = async () => {
    const { across, down } = await look(page, side("coronal"));
    return across / down / (columns / (2 * slices));
  };
  await expect.poll(async () => Math.abs((await shape()) - 1), SOON).toBeLessThan(0.03);

  // The wheel and the bar of a view turn its slices; the stage's bar turns the stage's, and the crosshair with it.
  const over = await placeOn(page, "coronal", 5, 5, [columns, slices], 2);
  await page.mouse.move(over.x, over.y);
  await page.mouse.wheel({ deltaY: 100 });
  await sideAt(page, "coronal", `coronal 43 of ${rows}`);
  await page.focus(`${side("sagittal")} input`);
  await page.keyboard.press("ArrowRight");
  await sideAt(page, "sagittal", `sagittal 22 of ${columns}`);
  await page.keyboard.press("PageDown");
  await page.waitForFunction(() => document.querySelector("#cross-voxel")?.textContent === "22, 43, 10");

  // A click in a view is a prompt there, and the view is the one that is worked on from then on.
  await page.keyboard.press("PageUp");
  await page.waitForFunction(() => document.querySelector("#cross-voxel")?.textContent === "22, 43, 9");
  const at = await placeOn(page, "coronal", 30, 6, [columns, slices], 2);
  await page.mouse.click(at.x, at.y);
  await page.waitForFunction(() => (document.querySelector("#plane") as HTMLSelectElement).value === "coronal");
  expect(await prompts(page)).toEqual(["positive 30, 6"]);
  expect(await text(page, "#stage-plane")).toBe("coronal");
  await sideAt(page, "stored", `axial 9 of ${slices}`);
  // What was said about the slice as it is stored is still there, one click away.
  const back = await placeOn(page, "stored", 40, 40, [columns, rows], 1);
  await page.mouse.click(back.x, back.y);
  await page.waitForFunction(() => document.querySelectorAll("#prompts li").length === 2);
  expect(await prompts(page)).toEqual(["positive 30, 28", "positive 40, 40"]);

  // A window is every plane's.
  const gray = () =>
    page.$eval(`${side("coronal")} canvas`, (element) => {
      const { width, height } = element as HTMLCanvasElement;
      const data = (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data;
      let sum = 0;
      for (const value of data ?? []) sum += value;
      return sum;
    });
  const before = await gray();
  await page.mouse.move(back.x, back.y);
  await page.mouse.down({ button: "right" });
  await page.mouse.move(back.x + 90, back.y, { steps: 3 });
  await page.mouse.up({ button: "right" });
  await expect.poll(gray, SOON).not.toBe(before);
  expect(await violations(page)).toEqual([]);
  await screenshots(page, "planes");
  await page.setViewport({ width: 1440, height: 900 });
  await page.click("#views");
  await page.waitForFunction(() => document.querySelectorAll(".side:not([hidden])").length === 0);
  expect(errors).toEqual([]);
  await page.close();
});
