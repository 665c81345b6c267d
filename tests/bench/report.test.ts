// Saved runs and what is made of them: a report of two kernels, no device.
import { describe, expect, it, vi } from "vitest";
import { maskIou } from "../../src/bench/configurations.ts";
import { chromeTrace, compare, csv, markdown } from "../../src/bench/formats.ts";
import { digits, time } from "../../src/bench/numbers.ts";
import { BusyClock } from "../../src/bench/opening.ts";
import { parseReport, runsOf, together } from "../../src/bench/report.ts";
import { runNames, sideBySide } from "../../src/bench/side_by_side.ts";
import { summarise } from "../../src/bench/statistics.ts";
import { sampleReport } from "./sample_report.ts";

describe("parseReport", () => {
  it("gives back what was saved", () => expect(parseReport(JSON.stringify(sampleReport()))).toEqual(sampleReport()));

  it.each([
    ["not JSON", "{", "not JSON"],
    ["another file", '{"schema":"x","version":1}', 'got "x"'],
    ["null", "null", "got none"],
    ["a newer version", JSON.stringify({ ...sampleReport(), version: 2 }), "version 2; this bench reads version 1"],
    ["no adapter", JSON.stringify({ ...sampleReport(), adapter: {} }), "adapter.description must be a string"],
    ["kernels that are none", JSON.stringify({ ...sampleReport(), encode: { ...sampleReport().encode, kernels: [{}] } }), "encode.kernels[0].label"],
    ["a list that is none", JSON.stringify({ ...sampleReport(), decode: { ...sampleReport().decode, kernels: {} } }), "decode.kernels must be a list"],
  ])("refuses %s", (_, text, message) => expect(() => parseReport(text)).toThrow(message));
});

describe("exports", () => {
  it("writes a row a dispatch, with quotes where they are needed", () => {
    const lines = csv(sampleReport()).trimEnd().split("\n");
    expect(lines).toHaveLength(1 + 2 + 1);
    expect(lines[0]).toMatch(/^graph,index,label,op/);
    expect(lines[2]).toContain('"a label, with ""quotes"""');
    expect(lines[3]).toMatch(/^decode,0,/);
  });

  it("lays the medians behind each other for Chrome", () => {
    const { traceEvents } = JSON.parse(chromeTrace(sampleReport())) as { traceEvents: { name: string; ph: string; ts: number; dur: number }[] };
    const spans = traceEvents.filter(({ ph }) => ph === "X");
    expect(spans.map(({ ts, dur }) => [ts, dur])).toEqual([
      [0, 2000],
      [2000, 1000],
      [0, 500],
    ]);
  });

  it("names adapter, precision, clock, parity and both graphs in Markdown", () => {
    const text = markdown(sampleReport());
    for (const words of ["Test GPU", "f32", "GPU timestamps rounded to 100 µs", "2 of 3 distinct kernels", "| encode |", "| decode, one box |"]) {
      expect(text).toContain(words);
    }
  });

  it("writes three digits", () => {
    expect([1234.6, 12.34, 0.001234, 0, Number.NaN].map(digits)).toEqual(["1235", "12.3", "0.00123", "0", "–"]);
    expect([0.0123, 12, 1500].map(time)).toEqual(["12.3 µs", "12.0 ms", "1.50 s"]);
  });
});

describe("compare", () => {
  it("says what changed beyond the noise, and what is not the same thing", () => {
    const before = sampleReport();
    const encode = { ...before.encode, wall: summarise([2, 2, 2]) };
    const now = { ...before, encode, precision: "f16" as const };
    const found = compare(before, now);
    expect(found.encode.verdict).toBe("faster");
    expect(found.decode.verdict).toBe("same");
    expect(found.caveats).toEqual(["other precision (f32)"]);
    expect(found.kernels.get("encode 0")?.verdict).toBe("same");
  });

  it("compares no dispatches of other shapes", () => {
    const before = sampleReport();
    const kernels = before.encode.kernels.map((kernel) => ({ ...kernel, shape: "other" }));
    expect(compare({ ...before, encode: { ...before.encode, kernels } }, before).kernels.has("encode 0")).toBe(false);
  });
});

describe("several runs", () => {
  const single = sampleReport();
  const half = {
    ...single,
    precision: "f16" as const,
    memory: { ...single.memory, weightBytes: 5.3e8 },
    encode: { ...single.encode, wall: summarise([2, 2, 2]), gpu: null },
    parity: { ...single.parity, maskIou: 0.9987 },
    tuning: [
      {
        shape: "256×768×3072",
        chosen: "tile 64",
        candidates: [
          { name: "tile 64", ms: 2 },
          { name: "tile 32", ms: 3 },
        ],
      },
    ],
  };
  const both = together([single, half]);

  it("are one file, whose first run is what a reader of one finds", () => {
    expect(parseReport(JSON.stringify(both))).toEqual(both);
    expect(both.precision).toBe("f32");
    expect(runsOf(both)).toEqual([single, half]);
    expect(together([single])).toEqual(single);
  });

  it("are refused with the place of what is wrong", () => {
    const wrong = { ...both, beside: [{ ...half, precision: "f8" }] };
    expect(() => parseReport(JSON.stringify(wrong))).toThrow("beside[0].precision must be one of f32, f16, int8, got f8");
    expect(() => parseReport(JSON.stringify({ ...both, beside: [{}] }))).toThrow("beside[0].date must be a string");
  });

  it("stand side by side, each figure with its difference from the first", () => {
    const rows = new Map(sideBySide([both]).map(({ title, cells }) => [title, cells]));
    expect(rows.get("")?.map(({ text }) => text)).toEqual(["f32", "f16"]);
    expect(rows.get("encode, median wait")).toEqual([{ text: "4.00 ms" }, { text: "2.00 ms", change: "−50 %", verdict: "faster" }]);
    expect(rows.get("encode, GPU time")).toEqual([{ text: "3.00 ms" }, { text: "–" }]);
    expect(rows.get("encode, all linear")?.[1]).toEqual({ text: "3.00 ms", change: "same", verdict: "same" });
    expect(rows.get("weights on the GPU")?.map(({ text }) => text)).toEqual(["1.07 GB", "530 MB"]);
    expect(rows.get("masks’ overlap with f32")?.map(({ text }) => text)).toEqual(["–", "0.9987"]);
  });

  it("are told apart by what differs", () => {
    const other = { ...single, adapter: { ...single.adapter, description: "Other GPU" } };
    expect(runNames([single, other])).toEqual(["f32, Test GPU", "f32, Other GPU"]);
    expect(runNames([single, { ...single, date: "2026-01-03T00:00:00.000Z" }])[1]).toBe("f32, 2026-01-03 00:00:00");
  });

  it("are all exported", () => {
    const lines = csv(both).trimEnd().split("\n");
    expect(lines).toHaveLength(1 + 2 * 3);
    expect(lines[0]).toMatch(/,precision$/);
    expect(lines.map((line) => line.split(",").at(-1))).toEqual(["precision", "f32", "f32", "f32", "f16", "f16", "f16"]);
    const { traceEvents } = JSON.parse(chromeTrace(both)) as { traceEvents: { pid: number; ph: string }[] };
    expect(traceEvents.filter(({ ph }) => ph === "X").map(({ pid }) => pid)).toEqual([1, 1, 1, 2, 2, 2]);
    const text = markdown(both);
    expect(text).toContain("|  | f32 | f16 |");
    expect(text).toContain("| encode, median wait | 4.00 ms | 2.00 ms (−50 %) |");
    expect(text).toContain("### SAM-Med2D vit_b, 256×256, f16, on Test GPU");
    expect(text).toContain("| 256×768×3072 | ✓ 2.00 ms | 3.00 ms |");
  });
});

describe("maskIou", () => {
  it("is that of the worst of the last three masks", () => {
    const wanted = Float32Array.of(9, 9, 9, 9, 1, 1, -1, -1, 1, -1, 1, -1, -1, -1, -1, -1);
    const got = Float32Array.of(-9, -9, -9, -9, 1, 1, -1, -1, 1, -1, -1, -1, -1, -1, -1, -1);
    expect(maskIou(wanted, wanted)).toBe(1);
    expect(maskIou(got, wanted)).toBe(0.5);
  });
});

describe("BusyClock", () => {
  it("counts overlapping work once, and starts again when it was read", async () => {
    vi.useFakeTimers();
    try {
      const clock = new BusyClock();
      const wait = (ms: number) => clock.during(() => new Promise((done) => setTimeout(done, ms)));
      const both = Promise.all([wait(30), wait(20)]);
      await vi.advanceTimersByTimeAsync(50);
      await both;
      expect(clock.take()).toBe(30);
      expect(clock.take()).toBe(0);
      await clock.during(async () => Promise.reject(new Error("no"))).catch(() => undefined);
      expect(clock.take()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
