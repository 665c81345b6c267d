// The bench on Dawn: what is in a report, and that a wrong result is not timed.
import { expect, it } from "vitest";
import { PRECISIONS } from "../../src/bench/precision.ts";
import { type BenchReport, parseReport, runsOf } from "../../src/bench/report.ts";
import { syntheticSubject } from "../../src/bench/configurations.ts";
import { measure, ParityError } from "../../src/bench/measure.ts";
import { describeGpu } from "../support/dawn.ts";

const environment = { runtime: "node", agent: process.version, platform: process.platform, cores: 1 } as const;

function expectWhole(report: BenchReport): void {
  expect(parseReport(JSON.stringify(report))).toEqual(report);
  for (const graph of [report.encode, report.decode]) {
    expect(graph.kernels).toHaveLength(graph.dispatches);
    expect(graph.submits).toBeGreaterThanOrEqual(1);
    expect(graph.flop).toBe(graph.kernels.reduce((sum, { flop }) => sum + flop, 0));
    expect(graph.wall.count).toBe(report.runs);
    expect(graph.kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    for (const { time } of graph.kernels) expect(time.p95).toBeGreaterThanOrEqual(time.median);
  }
}

describeGpu("bench of the small network", () => {
  it("is at parity with PyTorch and with every twin, by timestamps", async () => {
    const steps = new Set<string>();
    const report = await measure({ subject: syntheticSubject("small"), environment, runs: 2, onProgress: (step) => steps.add(step) });
    expectWhole(report);
    expect(report.parity.golden.map(({ name }) => name)).toEqual(["embedding", "logits", "scores"]);
    expect(report.parity.checked).toBe(report.parity.kernels);
    expect(report.timing.method).toBe("timestamp");
    expect(report.encode.gpu?.median).toBeGreaterThan(0);
    expect(report.peaks.gflops).toBeGreaterThan(0);
    expect(report.peaks.gbs).toBeGreaterThan(0);
    expect([...steps]).toContain("Checking the kernels of encode");
    // Opened twice: with nothing in any cache, and again.
    for (const name of ["open", "– reading weights", "– compiling encode", "compile decode"]) {
      const stage = report.stages.find((one) => one.name === name);
      expect(stage?.coldMs, name).toBeGreaterThan(0);
      expect(stage?.warm?.median, name).toBeGreaterThan(0);
    }
  });

  it("works by the wall clock too", async () => {
    const report = await measure({ subject: syntheticSubject("small"), environment, runs: 1, timestamps: false });
    expectWhole(report);
    expect(report.timing.method).toBe("wall");
    expect(report.encode.gpu).toBeNull();
  });

  it("times nothing when the answer is wrong", async () => {
    const subject = syntheticSubject("small");
    const { embedding } = subject.golden;
    const golden = { ...subject.golden, embedding: { ...embedding, values: embedding.values.map((value) => value + 1) } };
    await expect(measure({ subject: { ...subject, golden }, environment, runs: 1 })).rejects.toThrow(ParityError);
  });

  it("measures all precisions, the first with the others beside it, their masks against f32's", async () => {
    const report = await measure({ subject: syntheticSubject("small"), environment, runs: 1, precisions: PRECISIONS });
    expectWhole(report);
    expect(runsOf(report).map(({ precision }) => precision)).toEqual(["f32", "f16", "int8"]);
    const [f16, int8] = report.beside ?? [];
    expect(f16?.parity.maskIou).toBeGreaterThanOrEqual(0.995);
    expect(int8?.parity.maskIou).toBeGreaterThanOrEqual(0.98);
    const bytes = runsOf(report).map(({ memory }) => memory.weightBytes) as [number, number, number];
    expect(bytes[0]).toBeGreaterThan(bytes[1]);
    expect(bytes[1]).toBeGreaterThan(bytes[2]);
  });

  it("can be cancelled", async () => {
    const controller = new AbortController();
    const run = measure({
      subject: syntheticSubject("small"),
      environment,
      runs: 1,
      signal: controller.signal,
      onProgress: (step) => step.startsWith("Checking") && controller.abort(new Error("enough")),
    });
    await expect(run).rejects.toThrow("enough");
  });
});
