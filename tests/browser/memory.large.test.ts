// JS memory of a page while the built bundle loads a full-size file: one the user picked, and one from an address.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEAP_BOUND, writeFullSizeFile } from "../model/full_size_file.ts";
import { useSite } from "../support/browser.ts";
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
    const client = await page.createCDPSession();
    const heap = async () => {
      const { usedSize, backingStorageSize } = (await client.send("Runtime.getHeapUsage")) as { usedSize: number; backingStorageSize?: number };
      if (backingStorageSize === undefined) throw new Error("this Chromium does not tell the size of array buffers");
      return { js: usedSize, buffers: backingStorageSize };
    };
    await client.send("HeapProfiler.collectGarbage");
    const before = await heap();
    const peak = { js: 0, buffers: 0, samples: 0 };
    let loading = true;
    const loaded = page
      .evaluate((given) => globalThis.loadFull?.(given), address)
      .finally(() => {
        loading = false;
      });
    while (loading) {
      const { js, buffers } = await heap();
      peak.js = Math.max(peak.js, js - before.js);
      peak.buffers = Math.max(peak.buffers, buffers - before.buffers);
      peak.samples++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await loaded).toBeGreaterThan(1.07e9);
    expect(peak.samples).toBeGreaterThan(20);
    return peak;
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
