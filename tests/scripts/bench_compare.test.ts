// The comparison with main's stored run: its arithmetic on runs made by hand, and what it says where there is nothing to compare with.
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { sampleReport } from "../bench/sample_report.ts";
import { useFolder } from "../cli/support.ts";
import { ROOT } from "../support/setup_file.ts";

interface Row {
  readonly name: string;
  readonly relative: number;
  readonly noise: number;
  readonly verdict: string;
}

interface Run {
  readonly dispatches: number;
  readonly wall: { readonly min: number };
  readonly kernels: readonly { label: string; op: string; shape: string; flop: number; time: { min: number } }[];
}

interface Pair {
  readonly before: Record<"encode" | "decode", Run>;
  readonly now: Record<"encode" | "decode", Run>;
}

const { compareRuns, confirmed, judge, tableText } = (await import(/* @vite-ignore */ `${ROOT}scripts/bench_verdict.mjs`)) as {
  compareRuns(pairs: readonly Pair[]): { rows: Row[]; notes: string[] };
  confirmed(all: readonly Row[], second: readonly Row[]): string[];
  judge(name: string, before: readonly number[], now: readonly number[], share?: number): Row;
  tableText(rows: readonly Row[]): string;
};
const { baselineOf } = (await import(/* @vite-ignore */ `${ROOT}scripts/bench_baseline.mjs`)) as {
  baselineOf(commit: string, report: unknown): Record<string, unknown>;
};
const { compareWithMain } = (await import(/* @vite-ignore */ `${ROOT}scripts/bench_compare.mjs`)) as {
  compareWithMain(options: { file: string; now?: string }): Promise<string>;
};

/** The op of each dispatch, and milliseconds of one. */
function run(ops: readonly (readonly [op: string, ms: number])[]): Run {
  const kernels = ops.map(([op, ms], i) => ({ label: `stage.${i}.${op}`, op, shape: "8×8", flop: 100, time: { min: ms } }));
  return { dispatches: kernels.length, wall: { min: kernels.reduce((sum, { time }) => sum + time.min, 0) }, kernels };
}

/** Six pairs, each slowed by what else the machine does, both sides by about as much. */
const LOAD = [1, 1.4, 1.1, 1.9, 1.2, 1.05];
const JITTER = [1, 1.02, 0.99, 1.03, 0.98, 1.01];

function pairs(before: Run, now: Run): Pair[] {
  const loaded = (one: Run, factor: number): Run => ({
    ...one,
    wall: { min: one.wall.min * factor },
    kernels: one.kernels.map((kernel) => ({ ...kernel, time: { min: kernel.time.min * factor } })),
  });
  return LOAD.map((load, i) => ({
    before: { encode: loaded(before, load), decode: loaded(before, load) },
    now: { encode: loaded(now, load * (JITTER[i] as number)), decode: loaded(now, load) },
  }));
}

const verdicts = (rows: readonly Row[]) => Object.fromEntries(rows.map(({ name, verdict }) => [name, verdict]));

describe("comparing two builds", () => {
  const base = run([
    ["linear", 6],
    ["linear", 2],
    ["attention", 2],
  ]);

  it("passes the same code on a machine that other work slows by half", () => {
    const { rows, notes } = compareRuns(pairs(base, base));
    expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(["same"]));
    expect(notes).toEqual([]);
  });

  it("fails what is slower by a half, and only that", () => {
    const slow = run([
      ["linear", 6],
      ["linear", 2],
      ["attention", 3],
    ]);
    expect(verdicts(compareRuns(pairs(base, slow)).rows)).toEqual({
      encode: "same",
      "encode linear": "same",
      "encode attention": "fail",
      decode: "same",
      "decode linear": "same",
      "decode attention": "fail",
    });
  });

  it("warns between 10 % and 25 % beyond the noise, and tells what became faster", () => {
    const even = [1, 1, 1, 1];
    const verdict = (factor: number) =>
      judge(
        "encode",
        even,
        even.map(() => factor),
      ).verdict;
    // The least noise is 3 %.
    expect([0.9, 1.02, 1.12, 1.14, 1.27, 1.29].map(verdict)).toEqual(["faster", "same", "same", "warn", "warn", "fail"]);
  });

  it("takes the spread of the pairs for noise", () => {
    const row = judge("encode", [1, 1, 1, 1, 1], [0.8, 1.1, 1.4, 1.7, 2]);
    expect(row.relative).toBeCloseTo(0.4);
    expect(row.noise).toBeCloseTo((1.57 * 0.6) / Math.sqrt(5));
    expect(row.verdict).toBe("same");
    // One pair that something else disturbed moves neither.
    expect(judge("encode", [1, 1, 1, 1, 1], [1, 1, 9, 1, 1])).toMatchObject({ relative: 0, verdict: "same" });
  });

  it("does not judge an op that cannot be seen end to end", () => {
    const tiny = (ms: number) =>
      run([
        ["linear", 10],
        ["patchify", ms],
      ]);
    expect(verdicts(compareRuns(pairs(tiny(0.05), tiny(0.5))).rows)["encode patchify"]).toBe("minor");
  });

  it("names the ops that one side has not, and compares the dispatches both have", () => {
    const fused = run([
      ["linear", 6],
      ["linear", 2],
      ["layer_norm", 2],
    ]);
    const { rows, notes } = compareRuns(pairs(base, fused));
    expect(rows.map(({ name }) => name)).toEqual(["encode", "encode linear", "decode", "decode linear"]);
    expect(notes).toContain("encode: only on main, so not compared by itself: attention");
    expect(notes).toContain("encode: only here, so not compared by itself: layer_norm");
    const wider = { ...base, kernels: base.kernels.map((kernel) => (kernel.op === "attention" ? { ...kernel, flop: 7 } : kernel)) };
    const changed = compareRuns(pairs(base, wider));
    expect(changed.notes).toContain("encode: on both sides, with no dispatch alike, so not compared by itself: attention");
    const fewer = run([
      ["linear", 6],
      ["linear", 2],
    ]);
    expect(compareRuns(pairs(base, fewer)).notes).toContain("encode: 3 dispatches on main, 2 here");
  });

  it("fails only what is slow in all pairs together and in the second measurement alone", () => {
    const row = (name: string, verdict: string): Row => ({ name, relative: 0.5, noise: 0.03, verdict });
    const all = [row("encode", "fail"), row("decode", "fail"), row("encode linear", "warn"), row("decode linear", "fail")];
    const second = [row("encode", "warn"), row("decode", "fail"), row("encode linear", "fail"), row("decode linear", "same")];
    expect(confirmed(all, second)).toEqual(["encode", "decode"]);
  });

  it("prints times, change, noise and verdict", () => {
    const { rows } = compareRuns(
      pairs(
        base,
        run([
          ["linear", 6],
          ["linear", 2],
          ["attention", 3],
        ]),
      ),
    );
    expect(tableText(rows)).toMatch(/^ {2}encode attention +[\d.]+ ms +[\d.]+ ms +\+50\.\d % +[\d.]+ % +✗ slower$/m);
  });
});

describe("main's stored run", () => {
  const folder = useFolder();

  it("keeps what the bench measured, by op", () => {
    const stored = baselineOf("a".repeat(40), sampleReport());
    expect(stored).toMatchObject({ commit: "a".repeat(40), adapter: "Test GPU", encode: { dispatches: 2, medianMs: 4, opsMs: { linear: 3 } } });
  });

  it("is not needed: without one, or without its commit, it passes in words", async () => {
    expect(await compareWithMain({ file: folder.file("none.json") })).toBe("");
    const stored = folder.file("stored.json");
    await writeFile(stored, JSON.stringify(baselineOf("0".repeat(40), sampleReport())));
    expect(await compareWithMain({ file: stored })).toBe("");
  });

  it("is refused when it is something else", async () => {
    const other = folder.file("other.json");
    await writeFile(other, "{}");
    expect(await compareWithMain({ file: other })).toContain("is no stored run");
  });
});
