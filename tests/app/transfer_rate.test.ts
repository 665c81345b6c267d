import { describe, expect, it } from "vitest";
import { figuresOf } from "../../app/panels/loading.tsx";
import { formatBytes, formatDuration, formatSeconds, TransferRate } from "../../app/model/transfer_rate.ts";

describe("the transfer rate", () => {
  it("says nothing before it has seen a quarter of a second", () => {
    const rate = new TransferRate();
    expect(rate.add(0, 1000)).toBeNull();
    expect(rate.add(5e6, 1100)).toBeNull();
    expect(rate.add(1e7, 2000)).toBe(1e7);
  });

  it("forgets what lies further back than its window", () => {
    const rate = new TransferRate();
    rate.add(0, 0);
    rate.add(1e9, 1000);
    let last: number | null = null;
    for (let time = 2000; time <= 10_000; time += 500) last = rate.add(1e9 + (time - 1000) * 1000, time);
    expect(last).toBeCloseTo(1e6, 0);
  });
});

it("figures are labelled as downloads are", () => {
  expect([0, 999, 1500, 412_345_678, 1_073_741_824].map(formatBytes)).toEqual(["0 B", "999 B", "2 kB", "412 MB", "1.07 GB"]);
  expect([0.2, 40.4, 200, 9000].map(formatSeconds)).toEqual(["under 1 s", "40 s", "3 min", "3 h"]);
  expect([0.2, 14.4, 1234, 48_400].map(formatDuration)).toEqual(["1 ms", "14 ms", "1.2 s", "48 s"]);
});

it("progress names what is known, and nothing else", () => {
  const bytes = { stage: "weights", loaded: 4e8, total: 1e9, unit: "bytes" } as const;
  expect(figuresOf({ progress: bytes, rate: 1e8 })).toBe("400 MB of 1.00 GB, 100 MB/s, 6 s left");
  expect(figuresOf({ progress: bytes, rate: null })).toBe("400 MB of 1.00 GB");
  expect(figuresOf({ progress: { stage: "compile", loaded: 3, total: 61, unit: "kernels" }, rate: null })).toBe("3 of 61");
  expect(figuresOf({ progress: { stage: "open", loaded: 0, total: 0, unit: "bytes" }, rate: null })).toBe("");
});
