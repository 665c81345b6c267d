// Where keys act, what a trembling hand does not do, and where view and focus stay: the page in Chromium on a fake model.
import { describe, expect, it } from "vitest";
import { isHidden, loadFrom, placeOf, prompts, ready, status, text, withSamples } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

const site = useSite({ folder: FAKE_SITE });

async function open(samples = 1) {
  const opened = await site.open("/", withSamples("ct", "mr"));
  await ready(opened.page, samples);
  return opened;
}

const focused = (page: Awaited<ReturnType<typeof open>>["page"]) =>
  page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute("aria-label") || document.activeElement?.tagName);

/** The sum of what the stage shows. */
const seen = (page: Awaited<ReturnType<typeof open>>["page"]) =>
  page.$eval("#canvas", (element) => {
    const { width, height } = element as HTMLCanvasElement;
    let sum = 0;
    for (const value of (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? []) sum += value;
    return sum;
  });

describe("keys", () => {
  it("act under the pointer, whatever has the focus, and at the crosshair once arrows show it", async () => {
    const { page, errors } = await open(2);
    await page.click(".case[title='MR, head']");
    await page.click(".case[title='CT, abdomen']");
    const over = async (x: number, y: number) => {
      const place = await placeOf(page, x, y);
      await page.mouse.move(place.x, place.y);
    };
    await over(158, 182);
    await page.keyboard.press("n");
    await over(200, 100);
    await page.focus("#stage");
    await page.keyboard.press("Escape");
    expect(await prompts(page)).toEqual(["negative 158, 182"]);
    await page.keyboard.press("b");
    await over(220, 140);
    await page.keyboard.press("b");
    expect(await prompts(page)).toEqual(["box 200, 100 – 221, 141", "negative 158, 182"]);
    // Beside the image and without a crosshair nothing is set: the crosshair is shown.
    await page.mouse.move(5, 5);
    await page.click("#zoom-fit");
    await page.keyboard.press("n");
    expect((await prompts(page)).length).toBe(2);
    expect(await text(page, "#corner-place")).toMatch(/^x 256 y 256/);
    await page.keyboard.press("n");
    expect((await prompts(page)).at(-1)).toBe("negative 256, 256");
    expect(errors).toEqual([]);
    await page.close();
  });

  it("leave letters to text fields", async () => {
    const { page } = await open();
    await page.click("#weights-url-toggle");
    await page.type("#weights-address", "https://b.n/1");
    expect(await page.$eval("#weights-address", (field) => (field as HTMLInputElement).value)).toBe("https://b.n/1");
    expect(await prompts(page)).toEqual([]);
    await page.close();
  });
});

describe("the pointer", () => {
  it("sets the point that was pressed where the layout moves before it is let go", async () => {
    const { page } = await open();
    for (const [button, x, wanted] of [["left", 150, "positive 150, 210"] as const, ["right", 300, "negative 300, 210"] as const]) {
      const place = await placeOf(page, x, 210);
      await page.mouse.move(place.x, place.y);
      await page.mouse.down({ button });
      await page.$eval("#stage", (stage) => {
        (stage as HTMLElement).style.marginTop = "60px";
        return stage.getBoundingClientRect().top;
      });
      await page.mouse.up({ button });
      expect((await prompts(page)).at(-1)).toBe(wanted);
      await page.$eval("#stage", (stage) => {
        (stage as HTMLElement).style.marginTop = "";
      });
    }
    await page.close();
  });

  it("sets a point where the hand trembles, and no sliver of a box", async () => {
    const { page } = await open();
    const drag = async (dx: number, dy: number, key?: "Escape") => {
      const { x, y } = await placeOf(page, 120, 120);
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x + dx, y + dy, { steps: 5 });
      if (key) await page.keyboard.press(key);
      await page.mouse.up();
    };
    await drag(5, 2);
    expect((await prompts(page)).map((prompt) => prompt.split(" ")[0])).toEqual(["positive"]);
    await drag(120, 1);
    await drag(90, 90, "Escape");
    expect((await prompts(page)).length).toBe(1);
    await drag(40, 40);
    const box = (await prompts(page))[0];
    expect(box).toMatch(/^box 120, 120/);
    await drag(4, 4);
    expect((await prompts(page))[0]).toBe(box);
    // Again at the same pixel, and twice: nothing new.
    const { x, y } = await placeOf(page, 300, 300);
    await page.mouse.click(x, y, { count: 2 });
    await page.mouse.click(x, y);
    expect((await prompts(page)).filter((prompt) => prompt === "positive 300, 300")).toHaveLength(1);
    // The one that is pointed at stands out in the list and on the image, whichever of them the pointer is on, and Delete takes that one alone.
    const pointed = () => page.$$eval("#prompts li[data-pointed]", (items) => items.map((item) => item.innerText.trim()));
    await page.mouse.move(x + 60, y + 60);
    expect(await pointed()).toEqual([]);
    const plain = await seen(page);
    await page.mouse.move(x + 1, y + 1);
    expect(await pointed()).toEqual(["300, 300"]);
    await page.hover("#prompts li[data-kind=box]");
    expect(await pointed()).toHaveLength(1);
    await expect.poll(() => seen(page), { timeout: 20_000 }).not.toBe(plain);
    const many = (await prompts(page)).length;
    await page.mouse.move(x, y);
    await page.keyboard.press("Delete");
    expect(await prompts(page)).toHaveLength(many - 1);
    expect(await prompts(page)).not.toContain("positive 300, 300");
    // Nothing is pointed at any more: then the object is cleared, and undo brings both back.
    await page.keyboard.press("Delete");
    expect(await prompts(page)).toEqual([]);
    for (let i = 0; i < 2; i++) await page.click("#undo");
    expect(await prompts(page)).toHaveLength(many);
    // Of many points the list is folded, and what saves them stays in sight.
    const points = Array.from({ length: 22 }, (_, i) => ({ x: 20 + 20 * i, y: 256, label: 1 }));
    await page.evaluate(
      (text) => {
        const data = new DataTransfer();
        data.items.add(new File([text], "many-prompts.json", { type: "application/json" }));
        window.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
      },
      JSON.stringify({ image: { name: "CT, abdomen", width: 512, height: 512 }, points, box: null }),
    );
    await page.waitForFunction(() => /^22 \+ 0 − points$/.test(document.querySelector(".many summary")?.textContent ?? ""));
    expect(await page.$eval("#save-prompts", (button) => button.getBoundingClientRect().bottom)).toBeLessThanOrEqual(900);
    await page.close();
  });
});

describe("the view", () => {
  it("of each image is kept while others are shown, on a stage of another size too", async () => {
    const { page } = await open(2);
    for (let i = 0; i < 3; i++) await page.click("#zoom-in");
    const zoom = await text(page, "#corner-zoom");
    await page.click(".case[title='MR, head']");
    expect(await text(page, "#corner-zoom")).not.toBe(zoom);
    await page.click(".case[title='CT, abdomen']");
    expect(await text(page, "#corner-zoom")).toBe(zoom);
    await page.setViewport({ width: 1200, height: 800 });
    await page.click(".case[title='MR, head']");
    await page.click(".case[title='CT, abdomen']");
    expect(await text(page, "#corner-zoom")).toBe(zoom);
    await page.close();
  });
});

describe("the focus", () => {
  it("goes to the next prompt when one is removed, then to the image, and stays there after Clear", async () => {
    const { page } = await open();
    for (const at of [100, 200, 300]) {
      const { x, y } = await placeOf(page, at, at);
      await page.mouse.click(x, y);
    }
    await page.focus('[aria-label="Remove the positive point at 200, 200"]');
    await page.keyboard.press("Enter");
    expect(await focused(page)).toBe("Remove the positive point at 300, 300");
    await page.keyboard.press("Enter");
    expect(await focused(page)).toBe("Remove the positive point at 100, 100");
    await page.keyboard.press("Enter");
    expect(await focused(page)).toBe("stage");
    const { x, y } = await placeOf(page, 50, 50);
    await page.mouse.click(x, y);
    await page.focus("#clear");
    await page.keyboard.press("Enter");
    expect(await focused(page)).toBe("stage");
    await page.close();
  });
});

describe("the image", () => {
  it.each([
    [1440, 900],
    [1280, 720],
    [1101, 777],
    [1024, 768],
    [870, 700],
    [390, 844],
  ])("has most of a window of %d × %d and never moves, whatever the page says", async (width, height) => {
    const { page } = await open();
    await page.setViewport({ width, height });
    await page.waitForSelector("#notice:not([hidden])");
    const stage = () => page.$eval("#stage", (element) => element.getBoundingClientRect().toJSON() as DOMRect);
    const before = await stage();
    expect(before.height).toBeGreaterThan(0.4 * height);
    for (const at of [100, 200]) {
      const place = await placeOf(page, at, at);
      await page.mouse.click(place.x, place.y);
    }
    await status(page, /2 points/);
    expect(await stage()).toEqual(before);
    const zoom = await text(page, "#corner-zoom");
    await page.click("#notice .close");
    expect(await isHidden(page, "#notice")).toBe(true);
    expect(await stage()).toEqual(before);
    await loadFrom(page, "https://weights.invalid/broken.safetensors");
    await page.waitForSelector(".problem");
    await page.waitForFunction(() => /was not loaded/.test(document.querySelector("#notice")?.textContent ?? ""));
    expect(await isHidden(page, "#notice")).toBe(false);
    expect(await stage()).toEqual(before);
    await page.click(".problem .close");
    await loadFrom(page, "https://weights.invalid/quick.safetensors");
    await status(page, /^Mask/);
    expect(await isHidden(page, "#notice")).toBe(true);
    expect(await stage()).toEqual(before);
    expect(await text(page, "#corner-zoom")).toBe(zoom);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    await page.close();
  });
});
