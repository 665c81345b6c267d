// JS memory of a page while the built bundle loads a full-size file: one the user picked, and one from an address.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEAP_BOUND, writeFullSizeFile } from "../model/full_size_file.ts";
import { useSite } from "../support/browser.ts";
import { heapGrowth } from "../support/heap.ts";
import { ROOT } from "../support/setup_file.ts";

const TIMEOUT = 600_000;

const PAGE = `<!doctype html><link rel="icon" href="data:,"><input type="file"><script type="module" src="/load.js"></script>`;
const SCRIPT = `import { SamMed2D } from "/dist/index.js";
globalThis.loadFull = async (address) => {
  const model = await SamMed2D.load({ weights: address ?? document.querySelector("input").files[0] });
  const { weightBytes } = model.stats();
  model.dispose();
  return weightBytes;
};`;

declare global {
  var loadFull: ((address?: string) => Promise<number>) | undefined;
}

describe("a file of 1.085 GB", () => {
  let folder: string;
  const mounts: Record<string, string> = { "/dist/": join(ROOT, "dist") };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sam-memory-"));
    mounts["/weights/"] = folder;
    await writeFullSizeFile(join(folder, "full.safetensors"));
  });
  const site = useSite({ mounts, files: { "/load.html": PAGE, "/load.js": SCRIPT } });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function growth(page: Page, address?: string): Promise<{ js: number; buffers: number }> {
    const { result, js, buffers, samples } = await heapGrowth(page, () => page.evaluate((given) => globalThis.loadFull?.(given), address));
    expect(result).toBeGreaterThan(1.07e9);
    expect(samples).toBeGreaterThan(20);
    return { js, buffers };
  }

  it.each(["picked by the user", "from an address"])(
    "%s is loaded in a heap that grows by less than 64 MB",
    async (how) => {
      const { page, errors } = await site.open("/load.html");
      await page.waitForFunction(() => globalThis.loadFull !== undefined);
      const address = how === "from an address" ? `${site.origin}/weights/full.safetensors` : undefined;
      if (!address) await (await page.$("input"))?.uploadFile(join(folder, "full.safetensors"));
      const { js, buffers } = await growth(page, address);
      console.log(`1.085 GB ${how}: heap +${(js / 1e6).toFixed(1)} MB, array buffers +${(buffers / 1e6).toFixed(1)} MB at most`);
      expect(js).toBeLessThan(HEAP_BOUND);
      expect(buffers).toBeLessThan(HEAP_BOUND);
      expect(errors).toEqual([]);
      await page.close();
    },
    TIMEOUT,
  );
});
