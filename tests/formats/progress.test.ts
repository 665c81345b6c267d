// What openFiles tells while it works, and that it stops when it is told to.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { type FileEntry, type OpenProgress, openFiles } from "../../src/formats/index.ts";

/** 40 slices of 256 × 256 noise of 16 bits: 5 MB, which gzip does not make much smaller. */
function packed(): FileEntry {
  const file = new Uint8Array(352 + 2 * 256 * 256 * 40);
  const view = new DataView(file.buffer);
  view.setInt32(0, 348, true);
  [3, 256, 256, 40, 1, 1, 1, 1].forEach((side, i) => {
    view.setInt16(40 + 2 * i, side, true);
  });
  view.setInt16(70, 4, true);
  view.setInt16(72, 16, true);
  view.setFloat32(108, 352, true);
  file.set(new TextEncoder().encode("n+1\0"), 344);
  for (let i = 352, seed = 7; i < file.length; i++) file[i] = seed = (seed * 16807) % 2147483647;
  const bytes = new Uint8Array(gzipSync(file, { level: 1 }));
  return { path: "noise.nii.gz", source: bufferSource(bytes, "noise.nii.gz") };
}

describe("opening a packed volume", () => {
  it("tells how much of it is unpacked", async () => {
    const told: OpenProgress[] = [];
    const { volumes, refused } = await openFiles([packed()], { onProgress: (progress) => told.push(progress) });
    expect([volumes[0]?.slices, refused]).toEqual([40, []]);
    const shares = told.flatMap(({ unpacking }) => (unpacking && unpacking.total > 1e6 ? [unpacking.loaded / unpacking.total] : []));
    expect(shares.length).toBeGreaterThan(3);
    expect(shares.at(-1)).toBe(1);
    expect(told.at(-1)).toEqual({ done: 1, total: 1 });
  });

  it("stops half way", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ unpacking }: OpenProgress) => {
      if (!unpacking) return;
      seen.push(unpacking.loaded);
      if (unpacking.loaded > 2e6) controller.abort(new Error("enough"));
    };
    await expect(openFiles([packed()], { signal: controller.signal, onProgress })).rejects.toThrow("enough");
    expect(Math.max(...seen)).toBeLessThan(4e6);
  });
});
