// The shipped weights on the built page, which loads them itself.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { downloadsTo, nothingAhead, placeOf, ready, status } from "../app/fake/page.ts";
import { writePng } from "../cli/support.ts";
import { useSite } from "../support/browser.ts";
import { iou, knownMask, readMaskPng } from "../support/known_mask.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "known-mask-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const site = useSite();

it("the default model on the page gives the known mask for the known click", async () => {
  const { image, click, mask } = await knownMask();
  await writePng(join(folder, "discs.png"), image);
  const { page, errors } = await site.open("/");
  await ready(page);
  // The pictures that follow are not asked for.
  await nothingAhead(page);
  const input = (await page.$("#open-image")) as Awaited<ReturnType<typeof page.$<"input">>>;
  await input?.uploadFile(join(folder, "discs.png"));
  await page.waitForFunction(() => document.querySelector("#corner-name")?.textContent?.includes("discs"));
  const place = await placeOf(page, click.x, click.y);
  await page.mouse.click(place.x, place.y);
  expect(await status(page, /^Mask \d of 3/, 250_000)).toContain("from 1 point");
  await downloadsTo(page, folder);
  await page.click("#save-mask");
  const png = await until(() => readFileSync(join(folder, "discs-mask.png")));
  expect(iou(await readMaskPng(png), mask)).toBeGreaterThan(0.99);
  // The page of the fake model has them drawn beforehand; here its worker draws.
  await ready(page, 6);
  expect(errors).toEqual([]);
  await page.close();
});
