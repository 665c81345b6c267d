// Three pieces of a day's work by real input events, with the actions and the time they take; and a list of ten thousand cases. On a fake model.
import { expect, it } from "vitest";
import { discPng, loadFrom, placeOf, ready, text, withSamples } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { lesions, nuclei, openSet, organs } from "../app/fake/tasks.ts";
import { screenshots, useSite } from "../support/browser.ts";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds: on the clock, and of the thread itself. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

const site = useSite({ folder: FAKE_SITE });

async function open() {
  const opened = await site.open("/", withSamples("ct"));
  await ready(opened.page);
  await loadFrom(opened.page, "https://weights.invalid/quick.safetensors");
  return opened;
}

it("20 images with one lesion each: a click and a key an image", async () => {
  const { page, errors } = await open();
  const { counts } = await lesions(page, "click");
  expect(counts).toMatchObject({ clicks: 20, drags: 0, keys: 20 });
  expect(await page.$$eval(".case .sign[data-status=done]", (signs) => signs.length)).toBeGreaterThan(0);
  expect(await text(page, "#progress")).toBe("20 of 21 done");
  expect(errors).toEqual([]);
  await page.close();
});

it("a CT series, five organs through 40 slices: a box and three keys an organ; what was done is there after a reload", async () => {
  const { page, errors } = await open();
  const { counts } = await organs(page);
  expect(counts).toMatchObject({ clicks: 0, drags: 5, keys: 15 });
  const objects = await page.$$eval("#objects li", (items) => items.map((item) => (item as HTMLElement).innerText.replace(/\s+/g, " ")));
  for (const [i, name] of ["liver", "spleen", "right kidney", "left kidney", "aorta"].entries()) expect(objects[i]).toMatch(new RegExp(`${name}.*\\d+ slices`));
  await page.waitForFunction(() => document.querySelector<HTMLElement>("#saving")?.dataset.kind === "saved");
  await page.reload({ waitUntil: "load" });
  await page.waitForSelector(".case[title='CT series, abdomen']", { timeout: 60_000 });
  await page.click(".case[title='CT series, abdomen']");
  await page.waitForFunction(
    (before) => [...document.querySelectorAll<HTMLElement>("#objects li")].map((item) => item.innerText.replace(/\s+/g, " ")).join() === before,
    {},
    objects.join(),
  );
  expect(errors).toEqual([]);
  await page.close();
});

it("12 nuclei in one image: a click and a key each", async () => {
  const { page, errors } = await open();
  const { counts, dice } = await nuclei(page, "click");
  expect(counts).toMatchObject({ clicks: 12, drags: 0, keys: 12 });
  expect(dice.length).toBe(12);
  await screenshots(page, "nuclei_set");
  expect(errors).toEqual([]);
  await page.close();
});

it("scrolling through slices and drawing hold the main thread for no 100 ms at a time", async () => {
  const { page, errors } = await open();
  await openSet(page, "series", 1);
  const at = (n: number) =>
    page.waitForFunction((wanted) => (document.querySelector("#slice-place") as HTMLOutputElement | null)?.value === wanted, {}, `${n} of 40`);
  await at(21);
  const place = await placeOf(page, 128, 128);
  await page.mouse.move(place.x, place.y);
  await page.tracing.start({ categories: ["toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline"] });
  for (let n = 22; n <= 40; n++) {
    await page.mouse.wheel({ deltaY: 100 });
    await at(n);
  }
  await page.keyboard.press("d");
  for (let stroke = 0; stroke < 6; stroke++) {
    await page.mouse.move(place.x - 120, place.y - 90 + 30 * stroke);
    await page.mouse.down();
    await page.mouse.move(place.x + 120, place.y - 90 + 30 * stroke, { steps: 20 });
    await page.mouse.up();
  }
  await page.waitForFunction(() => document.querySelector<HTMLElement>("#saving")?.dataset.kind === "saved");
  const trace = JSON.parse(new TextDecoder().decode(await page.tracing.stop())) as { traceEvents: TraceEvent[] };
  const main = new Set(
    trace.traceEvents.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = trace.traceEvents.filter(({ name, pid, tid }) => /RunTask$/.test(name) && main.has(`${pid} ${tid}`));
  // The thread's own time: what else the machine does is none of it.
  const own = tasks.map(({ tdur = 0 }) => tdur / 1000);
  console.log(
    `${tasks.length} tasks, at most ${Math.max(...own).toFixed(0)} ms of their own (${Math.max(...tasks.map(({ dur = 0 }) => dur / 1000)).toFixed(0)} ms on the clock)`,
  );
  expect(own.filter((ms) => ms > 0).length).toBeGreaterThan(100);
  expect(Math.max(...own)).toBeLessThan(100);
  expect(errors).toEqual([]);
  await page.close();
});

it("a list of 10,000 cases scrolls without holding the page up, and keeps natural order", async () => {
  const { page, errors } = await open();
  const png = discPng(40).toString("base64");
  await page.evaluate((base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    for (let i = 10_000; i > 0; i--) data.items.add(new File([bytes], `scan ${i}.png`, { type: "image/png" }));
    window.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
  }, png);
  await page.waitForFunction(() => document.querySelector("#progress")?.textContent === "0 of 10000 done", { timeout: 60_000 });
  await page.waitForFunction(() => document.querySelector("#corner-name")?.textContent?.startsWith("scan 1.png"));
  const longest = await page.evaluate(async () => {
    const list = document.querySelector("#cases") as HTMLElement;
    let most = 0;
    for (let i = 1; i <= 40; i++) {
      const before = performance.now();
      list.scrollTop = (i * list.scrollHeight) / 41;
      await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
      most = Math.max(most, performance.now() - before);
    }
    return most;
  });
  console.log(`10,000 cases: at most ${longest.toFixed(0)} ms from a scroll to its picture`);
  expect(await page.$$eval(".case", (rows) => rows.length)).toBeLessThan(60);
  await page.keyboard.press(".");
  await page.waitForFunction(() => document.querySelector("#corner-name")?.textContent?.startsWith("scan 2.png"));
  expect(errors).toEqual([]);
  await page.close();
});
