// The part of a dataset, by hand or by a scheduler.
import { describe, expect, it } from "vitest";
import { parseShard } from "../../src/cli/parse.ts";

describe("parseShard", () => {
  it("takes the part from Slurm, with its count, first index and step", () => {
    const env = { SLURM_ARRAY_TASK_ID: "6", SLURM_ARRAY_TASK_MIN: "2", SLURM_ARRAY_TASK_STEP: "2", SLURM_ARRAY_TASK_COUNT: "4" };
    expect(parseShard("auto", env)).toEqual({ index: 2, count: 4 });
    expect(parseShard("auto", { SLURM_ARRAY_TASK_ID: "0", SLURM_ARRAY_TASK_COUNT: "4" })).toEqual({ index: 0, count: 4 });
  });

  it("takes the part from Kubernetes, which does not say how many there are", () => {
    expect(parseShard("auto/8", { JOB_COMPLETION_INDEX: "7" })).toEqual({ index: 7, count: 8 });
    expect(() => parseShard("auto", { JOB_COMPLETION_INDEX: "7" })).toThrow(/say how many parts there are, for instance auto\/8/);
    expect(() => parseShard("auto/4", { JOB_COMPLETION_INDEX: "7" })).toThrow(/with part 8/);
  });

  it("takes i of n, from 1", () => {
    expect(parseShard("1/4", {})).toEqual({ index: 0, count: 4 });
    for (const text of ["", "1", "1/", "/4", "1/4/4", "1.5/4", "-1/4", "1/0"]) expect(() => parseShard(text, {})).toThrow(/--shard must be i\/n/);
  });
});
