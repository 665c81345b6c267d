// The three tasks on the built page with its default model on a software device: what they take, and how good the masks are against the truth. Some of
// each: the whole of them with the fake model is tests/browser/app_tasks.test.ts, the organs with the default one tests/app/propagate.large.test.ts. With a
// folder in SAM_MED2D_FILM (scripts/record_tasks.mjs) all of them, and the pictures are taken that the documentation shows.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { expect, it } from "vitest";
import { LESIONS } from "../../app/samples/sets/lesions.ts";
import { ORGANS } from "../../app/samples/sets/series.ts";
import { ready, withSamples } from "../app/fake/page.ts";
import { type Film, lesions, NUCLEI, nuclei, organs } from "../app/fake/tasks.ts";
import { useSite } from "../support/browser.ts";

const TIMEOUT = 1_800_000;
const FILM = process.env["SAM_MED2D_FILM"];
const WANTED = FILM ? { lesions: LESIONS, nuclei: NUCLEI } : { lesions: 6, nuclei: 6 };
const site = useSite();

async function open(): Promise<{ page: Page; errors: string[] }> {
  const opened = await site.open("/", FILM ? {} : withSamples("ct"));
  await ready(opened.page);
  await opened.page.waitForFunction(() => /Loaded in/.test(document.querySelector("#model-facts")?.textContent ?? ""), { timeout: 240_000 });
  return opened;
}

/** Pictures of a task in their order: `lesions-1-start.webp`. */
function filmOf(page: Page, task: string): Film | undefined {
  if (!FILM) return undefined;
  mkdirSync(FILM, { recursive: true });
  let count = 0;
  return async (name) => {
    count += 1;
    // As large as a page of the documentation shows it.
    const path = join(FILM, `${task}-${count}-${name.replaceAll(" ", "-")}.webp`) as `${string}.webp`;
    await page.screenshot({ path, type: "webp", quality: 55 });
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

it(
  `${WANTED.lesions} lesions`,
  async () => {
    const { page, errors } = await open();
    const { counts, dice } = await lesions(page, "box", filmOf(page, "lesions"), WANTED.lesions);
    console.log(`Dice: mean ${mean(dice).toFixed(3)}, least ${Math.min(...dice).toFixed(2)}`);
    expect(counts.clicks + counts.drags + counts.keys).toBe(2 * WANTED.lesions);
    expect(mean(dice)).toBeGreaterThan(0.85);
    expect(errors).toEqual([]);
    await page.close();
  },
  TIMEOUT,
);

if (FILM)
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
      expect(counts.clicks + counts.drags + counts.keys).toBe(4 * ORGANS.length);
      expect(Object.keys(dice)).toEqual([...ORGANS]);
      for (const [name, value] of Object.entries(dice)) expect(value, name).toBeGreaterThan(0.55);
      expect(errors).toEqual([]);
      await page.close();
    },
    TIMEOUT,
  );

it(
  `${WANTED.nuclei} nuclei`,
  async () => {
    const { page, errors } = await open();
    const { counts, dice } = await nuclei(page, "box", filmOf(page, "nuclei"), WANTED.nuclei);
    console.log(`Dice: mean ${mean(dice).toFixed(3)}, least ${Math.min(...dice).toFixed(2)}`);
    expect(counts.clicks + counts.drags + counts.keys).toBe(2 * WANTED.nuclei);
    expect(mean(dice)).toBeGreaterThan(0.85);
    expect(errors).toEqual([]);
    await page.close();
  },
  TIMEOUT,
);
