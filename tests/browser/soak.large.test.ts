// The page used by chance, on its real engine and a small network: prompts taken back and in bursts, other images, killed workers, lost devices,
// a lost graphics process, a cache whose disk is full. `npm run soak` runs it for half of its minutes, CI for half a one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killWorker, modelWorker, watchedWorker, writeSmallNetwork } from "../app/fake/engine.ts";
import { loadFrom, placeOf, ready, status, text } from "../app/fake/page.ts";
import { Random } from "../checkpoint/fuzz.ts";
import { launchBrowser, openPage } from "../support/browser.ts";
import { ROOT } from "../support/setup_file.ts";
import { serve } from "../support/static_server.ts";

const MINUTES = Number(process.env.SOAK_MINUTES ?? 0.5);
const SEED = Number(process.env.SOAK_SEED ?? 1);
/** Of the page's own memory, after collection, once everything has been done a few times. */
const GROWTH_MB = 30;
/** A browser gives no adapter after its second lost graphics process: each has one, at its end. */
const BROWSER_MINUTES = 2;
const WAIT = 200_000;

const folder = mkdtempSync(join(tmpdir(), "soak-"));
const file = join(folder, "small.safetensors");
beforeAll(() => writeSmallNetwork(file));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs in the worker: a disk without room. */
function fullDisk(): void {
  Cache.prototype.put = async () => {
    throw new DOMException("no room", "QuotaExceededError");
  };
}

/** Places on every sample, apart from each other, so that no click lands on a point that is there. */
const PLACES = Array.from({ length: 49 }, (_, i) => ({ x: 40 + 60 * (i % 7), y: 40 + 60 * Math.floor(i / 7) }));

class Visitor {
  readonly counts = { prompts: 0, masks: 0, "taken back": 0, "other images": 0, "killed workers": 0, "lost devices": 0, "lost graphics processes": 0 };
  /** What must be listed, by image. */
  readonly #set = new Map<string, string[]>();
  #image = "CT, abdomen";
  #lost = Number.NEGATIVE_INFINITY;

  constructor(
    readonly page: Page,
    readonly random: Random,
  ) {}

  get #listed(): string[] {
    return this.#set.get(this.#image) ?? [];
  }

  /** Clicks faster than they are decoded, or one. */
  async click(count = this.random.chance(3) ? 1 + this.random.below(4) : 1): Promise<void> {
    for (let i = 0; i < count; i++) {
      const free = PLACES.filter(({ x, y }) => !this.#listed.some((prompt) => prompt.endsWith(` ${x}, ${y}`)));
      if (free.length < 8) return this.clear();
      const at = this.random.pick(free);
      const kind = this.random.chance(4) ? "negative" : "positive";
      const place = await placeOf(this.page, at.x, at.y);
      await this.page.mouse.click(place.x, place.y, { button: kind === "negative" ? "right" : "left" });
      this.#set.set(this.#image, [...this.#listed, `${kind} ${at.x}, ${at.y}`]);
      this.counts.prompts++;
    }
  }

  async undo(): Promise<void> {
    if (this.#listed.length === 0) return;
    const before = this.#listed;
    await this.click(1);
    if (this.#listed.length <= before.length) return;
    await this.page.keyboard.down("Control");
    await this.page.keyboard.press("z");
    await this.page.keyboard.up("Control");
    this.#set.set(this.#image, before);
    this.counts["taken back"]++;
  }

  async clear(): Promise<void> {
    if (this.#listed.length === 0) return;
    await this.page.click("#clear");
    this.#set.set(this.#image, []);
  }

  async otherImage(): Promise<void> {
    const names = await this.page.$$eval(".case", (cases) => cases.map((item) => item.getAttribute("title") ?? ""));
    const name = this.random.pick(names.filter((other) => other !== this.#image).slice(0, 2));
    await this.page.click(`.case[title='${name}']`);
    await this.page.waitForFunction((wanted) => document.querySelector("#corner-name")?.textContent?.startsWith(wanted), { timeout: WAIT }, name);
    this.#image = name;
    this.counts["other images"]++;
  }

  /** Half a minute since the last loss: what is lost again sooner is not made again by itself, lest that go on without end. */
  #mayLose(): boolean {
    if (performance.now() - this.#lost < 31_000) return false;
    this.#lost = performance.now();
    return true;
  }

  async killWorker(): Promise<void> {
    if (!this.#mayLose()) return;
    await killWorker(this.page);
    this.counts["killed workers"]++;
  }

  async loseDevice(): Promise<void> {
    if (!this.#mayLose()) return;
    await modelWorker(this.page)?.evaluate(() => globalThis.latestDevice?.destroy());
    this.counts["lost devices"]++;
  }

  async loseGraphicsProcess(): Promise<void> {
    const session = await this.page.browser().target().createCDPSession();
    await this.page.evaluate(() => {
      Object.assign(window, { contextsLost: 0 });
      addEventListener("contextlost", () => Object.assign(window, { contextsLost: 1 }), { capture: true, once: true });
    });
    await session.send("Browser.crashGpuProcess");
    await this.page.waitForFunction(() => "contextsLost" in window && window.contextsLost === 1, { timeout: WAIT });
    // The picture comes back before anything is pointed at.
    await this.page.waitForFunction(
      () => {
        const canvas = document.querySelector("#canvas") as HTMLCanvasElement;
        const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        return pixels.some((value, i) => i % 4 < 3 && value > 60);
      },
      { timeout: WAIT, polling: 200 },
    );
    this.counts["lost graphics processes"]++;
  }

  /** Every prompt is there, and a mask of all of them comes. */
  async settled(): Promise<void> {
    const wanted = this.#listed;
    await this.page
      .waitForFunction((count) => document.querySelectorAll("#prompts li").length === count, { timeout: WAIT }, wanted.length)
      .catch(async () => {
        throw new Error(`${JSON.stringify(await listed(this.page))} for ${JSON.stringify(wanted)}; ${await text(this.page, "#status")}`);
      });
    expect(await listed(this.page)).toEqual(wanted);
    if (wanted.length === 0) return;
    await status(this.page, new RegExp(`^Mask \\d of 3: .* from ${wanted.length} points?\\b`), WAIT);
    expect(await problems(this.page)).toEqual([]);
    this.counts.masks++;
  }
}

/** The prompts, those of a list that is folded too. */
function listed(page: Page): Promise<string[]> {
  return page.$$eval("#prompts li", (items) => items.map((item) => `${item.dataset.kind} ${/\d+, \d+/.exec(item.textContent ?? "")?.[0]}`));
}

/** What the page complains of besides the disk. */
async function problems(page: Page): Promise<string[]> {
  const all = await page.$$eval(".problem", (cards) => cards.map((card) => (card as HTMLElement).innerText));
  return all.filter((words) => !/no room to keep/.test(words));
}

async function memory(page: Page): Promise<number> {
  const client = await page.createCDPSession();
  for (let i = 0; i < 3; i++) await client.send("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize = 0 } = (await client.send("Runtime.getHeapUsage")) as { usedSize: number; backingStorageSize?: number };
  await client.detach();
  return (usedSize + backingStorageSize) / 1e6;
}

/** Bytes that live on every device of the worker, in the order they were made. */
function liveBytes(page: Page): Promise<number[]> {
  const sum = () => (globalThis.liveBuffers ?? []).map((live) => [...live].reduce((bytes, { size }) => bytes + size, 0));
  return modelWorker(page)?.evaluate(sum) ?? Promise.resolve([]);
}

async function visit(random: Random, end: number): Promise<Visitor["counts"] & { readonly grown: number }> {
  const server = await serve({ folder: join(ROOT, "dist", "site"), files: watchedWorker(fullDisk), mounts: { "/weights/": folder } });
  const browser = await launchBrowser();
  try {
    const { page, errors } = await openPage(browser, `${server.origin}/`);
    await ready(page, 3);
    await loadFrom(page, `${server.origin}/weights/small.safetensors`);
    await page.waitForFunction(() => /small\.safetensors.*Encode/s.test(document.querySelector("#model-facts")?.textContent ?? ""), { timeout: WAIT });
    await page.waitForFunction(() => /no room to keep/.test(document.body.innerText), { timeout: WAIT });
    const visitor = new Visitor(page, random);
    let [first, grown] = [0, 0];
    for (let round = 0; Date.now() < end || round < 8; round++) {
      await visitor.click();
      if (random.chance(3)) await visitor.undo();
      if (random.chance(8)) await visitor.clear();
      if (round % 4 === 1) await visitor.otherImage();
      if (round % 8 === 3) await visitor.loseDevice();
      if (round % 8 === 6) await visitor.killWorker();
      await visitor.click();
      await visitor.settled();
      // A device that was lost keeps nothing; what graphs need lives on the one in use alone.
      for (const bytes of (await liveBytes(page)).slice(0, -1)) expect(bytes).toBe(0);
      if (round === 7) first = await memory(page);
      if (round > 7) grown = (await memory(page)) - first;
    }
    await visitor.loseGraphicsProcess();
    await visitor.click(1);
    await visitor.settled();
    expect(grown).toBeLessThan(GROWTH_MB);
    expect(await text(page, "#corner-name")).toMatch(/\d+ × \d+/);
    // The browser's own words about what was done to it.
    expect(errors.filter((error) => !/the worker is gone|context|GPU|device|Device/.test(error))).toEqual([]);
    return { ...visitor.counts, grown };
  } finally {
    await browser.close();
    await server.close();
  }
}

describe("the page in a soak", () => {
  it(
    `of ${MINUTES} minutes loses no prompt, leaks no buffer and grows no memory`,
    async () => {
      const random = new Random(SEED);
      const end = Date.now() + MINUTES * 60_000;
      const total: Record<string, number> = {};
      let browsers = 0;
      do {
        const { grown, ...counts } = await visit(random, Math.min(end, Date.now() + BROWSER_MINUTES * 60_000));
        for (const [what, count] of Object.entries(counts)) total[what] = (total[what] ?? 0) + count;
        total["most MB grown"] = Math.max(total["most MB grown"] ?? 0, Math.round(grown * 10) / 10);
        browsers++;
      } while (Date.now() < end);
      const words = Object.entries(total).map(([what, count]) => `${count} ${what}`);
      console.log(`soak of the page, ${MINUTES} min, seed ${SEED}: ${browsers} browsers, ${words.join(", ")}`);
    },
    MINUTES * 60_000 + 900_000,
  );
});
