// JS memory while a full-size file is loaded in Node; tests/browser/memory.large.test.ts does the same in Chromium.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { nodeSource } from "../../src/bytes/node_source.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { describeGpu } from "../support/dawn.ts";
import { testDevice } from "./dawn_model.ts";
import { HEAP_BOUND, writeFullSizeFile } from "./full_size_file.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

describeGpu("a file of 1.085 GB", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sam-memory-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("from the disk is loaded in a heap that grows by less than 64 MB", async () => {
    const path = join(folder, "full.safetensors");
    expect(await writeFullSizeFile(path)).toBeGreaterThan(1.07e9);
    const device = await testDevice();
    collect();
    const before = process.memoryUsage();
    const peak = { heap: 0, buffers: 0, samples: 0 };
    const sample = () => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      peak.heap = Math.max(peak.heap, heapUsed - before.heapUsed);
      peak.buffers = Math.max(peak.buffers, arrayBuffers - before.arrayBuffers);
      peak.samples++;
    };
    // With every piece that has been read, while it is still held.
    const model = await SamMed2D.load({ weights: await openCheckpoint(path, { openSource: nodeSource }), device, onProgress: sample });
    expect(model.stats().weightBytes).toBeGreaterThan(1.07e9);
    model.dispose();
    console.log(`1.085 GB from the disk: heap +${(peak.heap / 1e6).toFixed(1)} MB, array buffers +${(peak.buffers / 1e6).toFixed(1)} MB at most`);
    expect(peak.samples).toBeGreaterThan(100);
    expect(peak.heap).toBeLessThan(HEAP_BOUND);
    expect(peak.buffers).toBeLessThan(HEAP_BOUND);
  });
});
