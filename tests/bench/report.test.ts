// Saved runs and what is made of them: a report of two kernels, no device.
import { describe, expect, it } from "vitest";
import { chromeTrace, compare, csv, digits, markdown, time } from "../../src/bench/formats.ts";
import { parseReport } from "../../src/bench/report.ts";
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
    const now = { ...before, encode, precision: "f16" };
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
