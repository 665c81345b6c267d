import { describe, expect, it } from "vitest";
import { workProgress } from "../../src/cli/terminal.ts";

describe("the progress of an evaluation", () => {
  it.each<[done: number, all: number, elapsed: number, words: string]>([
    [1, 4, 2000, "███░░░░░░░░░  1 of 4 images, 0.50 images/s, 6 s left"],
    [4, 4, 2000, "████████████  4 of 4 images, 2.00 images/s, 0 s left"],
    [250, 1000, 200_000, "███░░░░░░░░░  250 of 1000 images, 1.25 images/s, 10 min left"],
    [1, 10_000, 2000, "░░░░░░░░░░░░  1 of 10000 images, 0.50 images/s, 5 h 34 min left"],
  ])("%d of %d after %d ms", (done, all, elapsed, words) => {
    expect(workProgress("Evaluating", done, all, "images", elapsed)).toBe(`Evaluating  ${words}`);
  });
});
