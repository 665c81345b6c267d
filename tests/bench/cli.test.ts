// The bench command: counts without a device, and as a process on Dawn its JSON, CSV and comparison.
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parseReport } from "../../src/bench/report.ts";
import { useCli } from "../cli/process.ts";
import { cli, useFolder } from "../cli/support.ts";
import { describeGpu } from "../support/dawn.ts";

const folder = useFolder();
const at = (name: string) => folder.file(name);

describe("bench, without a device", () => {
  it("counts the published network and gives its floor", async () => {
    const { code, stdout, stderr } = await cli(["bench", "--count", "--gflops", "67000", "--gbs", "4800"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^all +\d+ +69\.\d GFLOP +[\d.]+ GB$/m);
    expect(stdout).toMatch(/floor at 67000 GFLOP\/s and 4800 GB\/s: 1\.\d\d ms/);
  });

  it.each([
    [["--gflops", "5"], "--gflops and --gbs are given together"],
    [["--runs", "0"], "--runs must be a whole number above 0; got 0"],
    [["--runs", "2.5"], "--runs must be a whole number above 0; got 2.5"],
    [["--config", "tiny"], "--config must be vit_b or small; got tiny"],
    [["--weights", "synthetic:7"], "chosen with --config"],
    [["--precision", "f64"], "--precision must be of f32, f16, int8, with commas between; got f64"],
    [["--compare", "nowhere.json"], "--compare nowhere.json: no such file"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await cli(["bench", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it("says what a file that is no saved run is", async () => {
    await writeFile(at("other.json"), '{"schema":"other","version":1}');
    const { code, stderr } = await cli(["bench", "--compare", at("other.json")]);
    expect(code).toBe(2);
    expect(stderr).toContain('schema must be sam-med2d-bench, got "other"');
  });
});

describeGpu("bench in a process", () => {
  const run = useCli();

  it("measures the small network, and compares with an earlier run", async () => {
    const first = await run(["bench", "--config", "small", "--runs", "2", "--json", at("run.json"), "--csv", at("run.csv")]);
    expect(first.code, first.stderr).toBe(0);
    const report = parseReport(await readFile(at("run.json"), "utf8"));
    expect(report.adapter.description).not.toBe("");
    expect(report.precision).toBe("f32");
    for (const graph of [report.encode, report.decode]) {
      expect(graph.dispatches).toBeGreaterThan(10);
      expect(graph.submits).toBeGreaterThanOrEqual(1);
      expect(graph.medianMs).toBeGreaterThan(0);
    }
    expect(report.memory.weightBytes).toBeGreaterThan(1e6);
    expect(report.memory.activationBytes).toBeGreaterThan(1e5);
    const rows = (await readFile(at("run.csv"), "utf8")).trimEnd().split("\n");
    expect(rows).toHaveLength(1 + report.encode.dispatches + report.decode.dispatches);

    const second = await run(["bench", "--config", "small", "--runs", "1", "--json", "-", "--wall", "--compare", at("run.json")]);
    expect(second.code).toBe(0);
    expect(parseReport(second.stdout).timing.method).toBe("wall");
    expect(second.stderr).toContain("Against the run of");
    expect(second.stderr).toContain("other clock (timestamp)");
  });
});
