// How much a page's heap grows while something goes on in it.
import type { Page } from "puppeteer";

export interface HeapGrowth<T> {
  readonly result: T;
  /** Bytes beyond those before, at most: objects, array buffers. */
  readonly js: number;
  readonly buffers: number;
  readonly samples: number;
}

/** Looks every 20 ms. */
export async function heapGrowth<T>(page: Page, work: () => Promise<T>): Promise<HeapGrowth<T>> {
  const client = await page.createCDPSession();
  const heap = async () => {
    const { usedSize, backingStorageSize } = (await client.send("Runtime.getHeapUsage")) as { usedSize: number; backingStorageSize?: number };
    if (backingStorageSize === undefined) throw new Error("this Chromium does not tell the size of array buffers");
    return { js: usedSize, buffers: backingStorageSize };
  };
  await client.send("HeapProfiler.collectGarbage");
  const before = await heap();
  const peak = { js: 0, buffers: 0, samples: 0 };
  let working = true;
  const worked = work().finally(() => {
    working = false;
  });
  while (working) {
    const { js, buffers } = await heap();
    peak.js = Math.max(peak.js, js - before.js);
    peak.buffers = Math.max(peak.buffers, buffers - before.buffers);
    peak.samples++;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { ...peak, result: await worked };
}
