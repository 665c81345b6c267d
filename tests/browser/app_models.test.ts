// The built page with weights from a hub, a small network: named by its address, chosen by hand, remembered, refused.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rawSafetensors } from "../checkpoint/support.ts";
import { loadFrom, nothingAhead, placeOf, ready, status, text, withSamples } from "../app/fake/page.ts";
import { networkFile } from "../model/network_file.ts";
import { useSite } from "../support/browser.ts";
import { readGolden } from "../support/goldens.ts";
import { type Hub, serveHub } from "../support/hub.ts";

/** A software adapter compiles for half a minute, and for minutes on a machine that has other work. */
const TIMEOUT = 200_000;
const COMMIT = "89abcdef0123456789abcdef0123456789abcdef";
const site = useSite();
const folder = mkdtempSync(join(tmpdir(), "app-models-"));

/** Files that people take for weights: name → what the page says of each. */
const STRANGE: Readonly<Record<string, RegExp>> = {
  "part.safetensors": /a part of the network/,
  "sam2.safetensors": /one of SAM 2, whose network is another.*Use a checkpoint of SAM/s,
  "lora.safetensors": /LoRA layers without the weights that they change.*Merge them into those/s,
  "cut.safetensors": /damaged or incomplete/,
  "model.safetensors.index.json": /the index alone.*Choose all files of the checkpoint at once/s,
};
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let hub: Hub;
beforeAll(async () => {
  const files = { "README.md": new Uint8Array(2), "ft_sam.safetensors": networkFile(readGolden("small_no_adapter")) };
  const part = networkFile(readGolden("small_no_adapter"), (name) => name, "image_encoder.");
  const one = (...names: string[]) =>
    rawSafetensors(Object.fromEntries(names.map((name, i) => [name, { dtype: "F32", shape: [2, 2], data_offsets: [16 * i, 16 * i + 16] }])), 16 * names.length);
  for (const [name, bytes] of Object.entries({
    "part.safetensors": part,
    "sam2.safetensors": one("image_encoder.trunk.pos_embed", "memory_attention.layers.0.norm1.weight"),
    "lora.safetensors": one(
      "base_model.model.vision_encoder.layers.0.attn.qkv.lora_A.weight",
      "base_model.model.vision_encoder.layers.0.attn.qkv.lora_B.weight",
    ),
    "cut.safetensors": part.subarray(0, part.length / 2),
    "model.safetensors.index.json": new TextEncoder().encode('{"weight_map":{"image_encoder.pos_embed":"part-2.safetensors"}}'),
  }))
    writeFileSync(join(folder, name), bytes);
  const page = { "index.safetensors": new TextEncoder().encode("<!doctype html><title>Sign in</title>") };
  hub = await serveHub({ "lab/small": { revisions: { main: COMMIT }, files }, "lab/page": { revisions: { main: COMMIT }, files: page } });
});
afterAll(() => hub.close());

/** Waits until the facts of the model read like this. */
async function facts(page: Page, words: RegExp): Promise<void> {
  await page.waitForFunction(
    (source) => new RegExp(source, "s").test(document.querySelector("#model-facts")?.textContent ?? ""),
    { timeout: TIMEOUT },
    words.source,
  );
}

async function mask(page: Page, x: number, y: number, words: RegExp): Promise<void> {
  const place = await placeOf(page, x, y);
  await page.mouse.click(place.x, place.y);
  await status(page, words, TIMEOUT);
}

const policyOf = (page: Page) => page.$$eval("meta[http-equiv=Content-Security-Policy]", (metas) => metas.map(({ content }) => content).at(-1));

describe("a model from a hub", () => {
  it(
    "is loaded where the page's address names it, answers a click, is kept by its commit and remembered; what is refused leaves it there",
    async () => {
      const { page, errors, foreign } = await site.open(`/?model=hf:lab/small&hub=${hub.url}`, withSamples("ct"));
      await ready(page);
      // The pictures that follow are not asked for, and each would take as long as the one that is.
      await nothingAhead(page);
      // The page itself may ask its own files and this one host.
      expect(await policyOf(page)).toBe(`connect-src 'self' ${hub.url}`);
      await facts(page, /hf:lab\/small.*Encode/);
      expect(await text(page, "#model-facts")).toMatch(/FT-SAM width 64, depth 3/);
      await mask(page, 150, 210, /^Mask.*from 1 point/);
      expect(foreign(site.origin).filter((url) => !url.includes("/lab/small/"))).toEqual([]);
      const kept = await page.$$eval("#kept li", (items) => items.map(({ title }) => title));
      expect(kept).toEqual([`${hub.url}/lab/small/resolve/${COMMIT}/ft_sam.safetensors`]);

      for (const [address, words] of [
        ["hf:lab/absent", /Repository not found \(HTTP 401\)/],
        ["hf:lab/page", /an HTML page/],
      ] as const) {
        await loadFrom(page, address);
        await page.waitForFunction(
          (source) => new RegExp(source).test(document.querySelector("#problems")?.textContent ?? ""),
          { timeout: TIMEOUT },
          words.source,
        );
        expect(await text(page, "#problems")).toContain("The model that was loaded is still there.");
        expect(await text(page, "#model-facts")).toContain("hf:lab/small");
      }
      for (const [name, words] of Object.entries(STRANGE)) {
        const [input] = (await page.$$("#open-weights")) as Awaited<ReturnType<typeof page.$$<"input">>>;
        await input?.uploadFile(join(folder, name));
        await page.waitForFunction(
          (source) => new RegExp(source, "s").test(document.querySelector("#problems")?.textContent ?? ""),
          { timeout: TIMEOUT },
          words.source,
        );
        expect(await text(page, "#problems")).toContain("The model that was loaded is still there.");
        expect(await text(page, "#model-facts")).toContain("hf:lab/small");
      }
      await mask(page, 300, 300, /^Mask.*from 2 points/);

      await page.goto(`${site.origin}/?hub=${hub.url}`, { waitUntil: "load" });
      // Pictures that were encoded before are not encoded again.
      await facts(page, /hf:lab\/small/);
      // The refusals are the browser's own words too.
      expect(errors.filter((error) => !/401/.test(error))).toEqual([]);
      await page.browserContext().close();
    },
    3 * TIMEOUT,
  );
});

describe("the menu of models", () => {
  it("says of each what it is for, how large, whether it fits, whose, and from where; asks nobody until one is chosen", async () => {
    const { page, errors, foreign } = await site.open("/", withSamples("ct"));
    await ready(page);
    expect(await policyOf(page)).toBe("connect-src 'self'");
    await page.click("#models summary");
    await page.waitForSelector("#models[open] li");
    const rows = await page.$$eval("#models li", (items) => items.map(({ dataset, innerText }) => `${dataset["model"]}: ${innerText.replace(/\s+/g, " ")}`));
    expect(rows.map((row) => row.split(":")[0])).toEqual([
      "default",
      "lite-medsam",
      "mobile-sam",
      "slim-sam",
      "slim-sam-50",
      "sam-med2d",
      "medsam",
      "sam-b",
      "sam-l",
      "sam-h",
    ]);
    for (const row of rows.slice(1)) expect(row).toMatch(/ \d[\d.]* [MG]B · .* · [\d.]+ [MG]B on the device.* · Apache-2\.0 · project of /);
    expect(rows[0]).toContain("comes with this page");
    expect(rows[1]).toContain("Choose its file…");
    expect(foreign(site.origin)).toEqual([]);
    expect(errors).toEqual([]);
    await page.browserContext().close();
  });
});
