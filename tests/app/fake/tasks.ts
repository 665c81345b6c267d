// Three pieces of a day's work, done by real input events as a person does them, with what they take: clicks, keys, seconds.
import type { Page } from "puppeteer";
import { expect } from "vitest";
import { drawLesion, LESIONS } from "../../../app/samples/sets/lesions.ts";
import { drawNuclei } from "../../../app/samples/sets/nuclei.ts";
import { drawSlice, ORGANS, SERIES } from "../../../app/samples/sets/series.ts";
import { boundsOf, runsOf } from "../../../src/volume/index.ts";
import { click } from "./killed.ts";
import { placeOf, status, text } from "./page.ts";

export const NUCLEI = 12;

/** A mask may take minutes on a software device. */
const MASK_MS = 600_000;

/** Called where a recording of the task has a picture. */
export type Film = (name: string) => Promise<void>;
const NO_FILM: Film = () => Promise.resolve();

export interface Counts {
  clicks: number;
  drags: number;
  keys: number;
  seconds: number;
}

/** What a person does, counted. */
export class Hand {
  readonly counts: Counts = { clicks: 0, drags: 0, keys: 0, seconds: 0 };
  readonly #page: Page;
  readonly #started = performance.now();

  constructor(page: Page) {
    this.#page = page;
  }

  click(x: number, y: number): Promise<void> {
    this.counts.clicks++;
    return click(this.#page, x, y);
  }

  /** From a corner to the other, as one draws a box. */
  async box([x0, y0, x1, y1]: readonly [number, number, number, number]): Promise<void> {
    this.counts.drags++;
    const from = await placeOf(this.#page, x0, y0);
    const to = await placeOf(this.#page, x1, y1);
    await this.#page.mouse.move(from.x, from.y);
    await this.#page.mouse.down();
    await this.#page.mouse.move(to.x, to.y, { steps: 6 });
    await this.#page.mouse.up();
  }

  async press(key: string, shift = false): Promise<void> {
    this.counts.keys++;
    if (shift) await this.#page.keyboard.down("Shift");
    await this.#page.keyboard.press(key as "Enter");
    if (shift) await this.#page.keyboard.up("Shift");
  }

  told(task: string): Counts {
    this.counts.seconds = (performance.now() - this.#started) / 1000;
    const { clicks, drags, keys, seconds } = this.counts;
    console.log(`${task}: ${clicks} clicks, ${drags} drags, ${keys} keys, ${seconds.toFixed(1)} s`);
    return this.counts;
  }
}

/** Opens one of the sets to practise on, and waits until all of its cases are in the list, of which only the rows in sight are drawn. */
export async function openSet(page: Page, set: "series" | "lesions" | "nuclei", cases: number): Promise<void> {
  const before = Number(/of (\d+) done/.exec(await text(page, "#progress"))?.[1]);
  await page.click("#sets summary");
  await page.click(`#set-${set}`);
  await page.waitForFunction((all) => document.querySelector("#progress")?.textContent?.includes(`of ${all} done`), { timeout: 120_000 }, before + cases);
}

const shows = (page: Page, name: string) =>
  page.waitForFunction((wanted) => document.querySelector("#corner-name")?.textContent?.startsWith(`${wanted}\n`), { timeout: 60_000 }, name);

interface Target {
  readonly middle: readonly [number, number];
  readonly box: readonly [number, number, number, number];
}

/** Where a person would click, and the box that would be drawn: two pixels of room to every side. */
function targetOf(mask: Uint8Array, width: number): Target {
  const [x0, y0, x1, y1] = boundsOf(runsOf(mask), width) as [number, number, number, number];
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] !== 1) continue;
    sum += 1;
    sumX += i % width;
    sumY += Math.floor(i / width);
  }
  const [cx, cy] = [Math.round(sumX / sum), Math.round(sumY / sum)];
  // The pixel of it next to its middle.
  let best: [number, number] = [cx, cy];
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] !== 1) continue;
    const away = ((i % width) - cx) ** 2 + (Math.floor(i / width) - cy) ** 2;
    if (away < least) [least, best] = [away, [i % width, Math.floor(i / width)]];
  }
  return { middle: best, box: [x0 - 2, y0 - 2, x1 + 1, y1 + 1] };
}

/** What the panel says of the mask and the truth it is nearest to. */
async function diceShown(page: Page): Promise<number> {
  const said = await page.$eval("#truth", (field) => ((field as HTMLFieldSetElement).hidden ? "" : (field.textContent ?? "")));
  return Number(/Dice (\d\.\d+)/i.exec(said)?.[1] ?? 0);
}

type How = "click" | "box";

/** (a) 20 images with one lesion each, or the first of them. Gives Dice of each against the truth. */
export async function lesions(page: Page, how: How, film = NO_FILM, count = LESIONS): Promise<{ counts: Counts; dice: number[] }> {
  await openSet(page, "lesions", LESIONS);
  const targets = Array.from({ length: count }, (_, number) => {
    const { picture, structures } = drawLesion(number);
    return targetOf(structures[0]?.mask as Uint8Array, picture.width);
  });
  const hand = new Hand(page);
  const dice: number[] = [];
  for (const [i, { middle, box }] of targets.entries()) {
    await shows(page, `Lesion ${i + 1}`);
    if (i === 0) await film("start");
    if (how === "click") await hand.click(...middle);
    else await hand.box(box);
    await status(page, /^Mask\b/, MASK_MS);
    dice.push(await diceShown(page));
    if (i % 6 === 0) await film(`lesion-${i + 1}`);
    await hand.press("Enter", true);
  }
  await film("done");
  return { counts: hand.told(`${count} lesions, a ${how} each`), dice };
}

/** (b) A series of 40 slices with five organs, each marked on the middle slice and propagated. Gives Dice of each over the volume. */
export async function organs(page: Page, film = NO_FILM): Promise<{ counts: Counts; dice: Record<string, number> }> {
  await openSet(page, "series", 1);
  await shows(page, "CT series, abdomen");
  const middle = drawSlice(SERIES.slices / 2);
  await page.waitForFunction(
    (at) => (document.querySelector("#slice-place") as HTMLOutputElement | null)?.value === at,
    {},
    `${SERIES.slices / 2 + 1} of ${SERIES.slices}`,
  );
  await film("start");
  const hand = new Hand(page);
  for (const [organ, name] of ORGANS.entries()) {
    await hand.press(`${organ + 1}`);
    await hand.box(
      targetOf(
        middle.parts.map((part) => Number(part === organ + 1)),
        SERIES.columns,
      ).box,
    );
    await status(page, /^Mask\b/, MASK_MS);
    if (organ === 0) await film(`${name}-box`);
    await hand.press("g");
    await status(page, /proposals: look at them/, MASK_MS);
    if (organ === 0 || organ === ORGANS.length - 1) await film(`${name}-proposed`);
    await hand.press("g", true);
    await page.waitForFunction(() => !document.querySelector("#accept-proposals"));
  }
  const counts = hand.told("five organs through 40 slices");
  await page.click("#measure");
  await page.waitForSelector("#measures");
  await film("measured");
  const rows = await page.$$eval("#measures tbody tr", (found) =>
    found.map((row) => [...row.querySelectorAll("th, td")].map((cell) => cell.textContent ?? "")),
  );
  const dice = Object.fromEntries(rows.map((cells) => [cells[0] as string, Number(cells.at(-1))]));
  return { counts, dice };
}

/** (c) 12 nuclei in one image, or the first of them. Gives Dice of each. */
export async function nuclei(page: Page, how: How, film = NO_FILM, count = NUCLEI): Promise<{ counts: Counts; dice: number[] }> {
  await openSet(page, "nuclei", 1);
  await shows(page, "Histology, nuclei");
  const { picture, structures } = drawNuclei();
  await film("start");
  const hand = new Hand(page);
  const dice: number[] = [];
  for (const [i, { mask }] of structures.slice(0, count).entries()) {
    const { middle, box } = targetOf(mask, picture.width);
    if (how === "click") await hand.click(...middle);
    else await hand.box(box);
    await status(page, /^Mask\b/, MASK_MS);
    dice.push(await diceShown(page));
    if (i % 4 === 0) await film(`nucleus-${i + 1}`);
    await hand.press("Enter");
  }
  const counts = hand.told(`${count} nuclei, a ${how} each`);
  await film("done");
  // With the empty one that would be next.
  expect(await page.$$eval("#objects li", (items) => items.length)).toBe(count + 1);
  return { counts, dice };
}
