// The three tasks on the built page with its default model on a software device: what they take, and how good the masks are against the truth.
// With a folder in SAM_MED2D_FILM (scripts/record_tasks.mjs) it also takes the pictures that the documentation shows.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { expect, it } from "vitest";
import { ready } from "../app/fake/page.ts";
import { type Film, lesions, nuclei, organs } from "../app/fake/tasks.ts";
import { useSite } from "../support/browser.ts";

const TIMEOUT = 1_800_000;
const site = useSite();

async function open(): Promise<{ page: Page; errors: string[] }> {
  const opened = await site.open("/");
  await ready(opened.page, 6);
  await opened.page.waitForFunction(() => /Loaded in/.test(document.querySelector("#model-facts")?.textContent ?? ""), { timeout: 240_000 });
  return opened;
}

/** Pictures of a task in their order: `lesions-1-start.webp`. */
function filmOf(page: Page, task: string): Film | undefined {
  const folder = process.env.SAM_MED2D_FILM;
  if (!folder) return undefined;
  mkdirSync(folder, { recursive: true });
  let count = 0;
  return async (name) => {
    count += 1;
    // As large as a page of the documentation shows it.
    const path = join(folder, `${task}-${count}-${name.replaceAll(" ", "-")}.webp`) as `${string}.webp`;
    await page.screenshot({ path, type: "webp", quality: 55 });
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

it(
  "20 lesions",
  async () => {
    const { page, errors } = await open();
    const { counts, dice } = await lesions(page, "box", filmOf(page, "lesions"));
    console.log(`Dice: mean ${mean(dice).toFixed(3)}, least ${Math.min(...dice).toFixed(2)}`);
    expect(counts.clicks + counts.drags + counts.keys).toBe(40);
    expect(mean(dice)).toBeGreaterThan(0.85);
    expect(errors).toEqual([]);
    await page.close();
  },
  TIMEOUT,
);

it(
  "five organs through 40 slices",
  async () => {
    const { page, errors } = await open();
    const { counts, dice } = await organs(page, filmOf(page, "series"));
    console.log(
      `Dice over the volume: ${Object.entries(dice)
        .map(([name, value]) => `${name} ${value.toFixed(2)}`)
        .join(", ")}`,
    );
    expect(counts.clicks + counts.drags + counts.keys).toBe(20);
    expect(Object.keys(dice)).toEqual(["liver", "spleen", "right kidney", "left kidney", "aorta"]);
    for (const [name, value] of Object.entries(dice)) expect(value, name).toBeGreaterThan(0.55);
    expect(errors).toEqual([]);
    await page.close();
  },
  TIMEOUT,
);

it(
  "12 nuclei",
  async () => {
    const { page, errors } = await open();
    const { counts, dice } = await nuclei(page, "box", filmOf(page, "nuclei"));
    console.log(`Dice: mean ${mean(dice).toFixed(3)}, least ${Math.min(...dice).toFixed(2)}`);
    expect(counts.clicks + counts.drags + counts.keys).toBe(24);
    expect(mean(dice)).toBeGreaterThan(0.85);
    expect(errors).toEqual([]);
    await page.close();
  },
  TIMEOUT,
);
