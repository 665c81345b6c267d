// A folder opened by handle is there again at the next start: with permission by itself, else after one click. On a fake model.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { expect, it } from "vitest";
import { click } from "../app/fake/killed.ts";
import { discPng, prompts, ready, text } from "../app/fake/page.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

const site = useSite({ folder: FAKE_SITE });

/** The system's dialog cannot be driven: the folder that it would give is one of the browser's own file system. */
async function withFolder(page: Page, permission: "granted" | "prompt"): Promise<void> {
  await page.evaluateOnNewDocument((state) => {
    const asked = { permission: state };
    const own = FileSystemDirectoryHandle.prototype as unknown as Record<string, unknown>;
    own.queryPermission = async () => asked.permission;
    own.requestPermission = async () => {
      asked.permission = "granted";
      return "granted";
    };
    (window as unknown as Record<string, unknown>).showDirectoryPicker = async () => (await navigator.storage.getDirectory()).getDirectoryHandle("scans");
  }, permission);
}

async function fill(page: Page): Promise<void> {
  await page.evaluate(
    async (bytes) => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("scans", { create: true });
      const inner = await folder.getDirectoryHandle("day 2", { create: true });
      for (const [where, name] of [
        [folder, "a.png"],
        [inner, "b.png"],
      ] as const) {
        const writer = await (await where.getFileHandle(name, { create: true })).createWritable();
        await writer.write(Uint8Array.from(bytes));
        await writer.close();
      }
    },
    [...discPng(80)],
  );
}

const shown = (page: Page, name: string) =>
  page.waitForFunction((wanted) => document.querySelector("#corner-name")?.textContent?.startsWith(wanted), { timeout: 60_000 }, name);

it("is opened when it is dropped, with the folders in it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "app-folder-"));
  mkdirSync(join(folder, "inner"));
  writeFileSync(join(folder, "scan2.png"), discPng(60));
  writeFileSync(join(folder, "scan10.png"), discPng(70));
  writeFileSync(join(folder, "inner", "scan1.png"), discPng(80));
  const { page, errors } = await site.open("/");
  await ready(page, 6);
  // As the system hands it over: the browser makes the entries of what lies at the path.
  const session = await page.createCDPSession();
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) await session.send("Input.dispatchDragEvent", { type, x: 700, y: 400, data });
  await ready(page, 9);
  const names = await page.$$eval(".case", (cases) => cases.map((one) => (one as HTMLElement).title));
  expect(names.filter((name) => /scan/.test(name)).map((name) => name.split("/").at(-1))).toEqual(["scan1.png", "scan2.png", "scan10.png"]);
  expect(errors).toEqual([]);
  await page.close();
  rmSync(folder, { recursive: true });
});

it.each(["granted", "prompt"] as const)("is read again, permission %s", async (permission) => {
  const { page, errors } = await site.open("/");
  await ready(page, 6);
  await fill(page);
  await withFolder(page, permission);
  await page.reload();
  await ready(page, 6);
  await page.$eval("#open-folder", (input) => (input as HTMLInputElement).click());
  await shown(page, "a.png");
  await click(page, 40, 40);
  await page.waitForFunction(() => document.querySelectorAll("#prompts li").length === 1);
  await page.waitForFunction(() => document.querySelector("#saving")?.getAttribute("data-kind") === "saved");
  await page.reload();
  await page.waitForFunction(() => /Continue: 0 of 2 done/.test(document.querySelector("#problems")?.textContent ?? ""), { timeout: 60_000 });
  if (permission === "prompt") {
    expect(await text(page, "#problems")).toContain("scans");
    await page.click("#problems .actions button");
  }
  await shown(page, "a.png");
  await page.waitForFunction(() => document.querySelectorAll("#prompts li").length === 1);
  expect(await prompts(page)).toEqual(["positive 40, 40"]);
  expect(await page.$$eval(".case", (cases) => cases.filter((one) => /[ab]\.png/.test((one as HTMLElement).title)).length)).toBe(2);
  expect(errors).toEqual([]);
  await page.close();
});
