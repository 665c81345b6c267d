// `bench` from start to end, on the adapter that is here.
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { parseReport } from "../../src/bench/report.ts";
import { useCli } from "../cli/process.ts";
import { useFolder } from "../cli/support.ts";
import { describeGpu } from "../support/dawn.ts";

const folder = useFolder();
describeGpu("bench in a process", () => {
  const run = useCli();

  it("measures the small network, and compares with an earlier run", async () => {
    const first = await run(["bench", "--config", "small", "--runs", "2", "--json", folder.file("run.json"), "--csv", folder.file("run.csv")]);
    expect(first.code, first.stderr).toBe(0);
    const report = parseReport(await readFile(folder.file("run.json"), "utf8"));
    expect(report.adapter.description).not.toBe("");
    expect(report.precision).toBe("f32");
    for (const graph of [report.encode, report.decode]) {
      expect(graph.dispatches).toBeGreaterThan(10);
      expect(graph.submits).toBeGreaterThanOrEqual(1);
      expect(graph.medianMs).toBeGreaterThan(0);
    }
    expect(report.memory.weightBytes).toBeGreaterThan(1e6);
    expect(report.memory.activationBytes).toBeGreaterThan(1e5);
    const rows = (await readFile(folder.file("run.csv"), "utf8")).trimEnd().split("\n");
    expect(rows).toHaveLength(1 + report.encode.dispatches + report.decode.dispatches);

    const second = await run(["bench", "--config", "small", "--runs", "1", "--json", "-", "--wall", "--compare", folder.file("run.json")]);
    expect(second.code).toBe(0);
    expect(parseReport(second.stdout).timing.method).toBe("wall");
    expect(second.stderr).toContain("Against the run of");
    expect(second.stderr).toContain("other clock (timestamp)");
  });
});
