// What --tuning reads: the choices of a saved run, or a table of names.
import { expect, it } from "vitest";
import { pinnedChoices } from "../../src/bench/pinned.ts";
import { sampleReport } from "./sample_report.ts";

it("pins a table of names, or what a saved run and those beside it chose", () => {
  expect(pinnedChoices('{ "256×768×768": "tall/4" }')).toEqual({ "256×768×768": "tall/4" });
  const tuned = (shape: string, chosen: string) => ({ ...sampleReport(), tuning: [{ shape, chosen, candidates: [{ name: chosen, ms: 1 }] }] });
  const report = { ...tuned("a", "tall/2"), beside: [tuned("f16 a", "square/1")] };
  expect(pinnedChoices(JSON.stringify(report))).toEqual({ a: "tall/2", "f16 a": "square/1" });
});

it("refuses anything else", () => {
  expect(pinnedChoices("[]")).toBeUndefined();
  expect(pinnedChoices('{ "a": 1 }')).toBeUndefined();
  expect(pinnedChoices('{ "schema": "sam-med2d-bench", "version": 1 }')).toBeUndefined();
});
