import { describe, expect, it } from "vitest";
import { fuzz } from "./fuzz.ts";
import { safetensorsCase } from "./safetensors_cases.ts";

describe("fuzzed safetensors", () => {
  for (const seed of [1, 2]) {
    it(`seed ${seed}: 30,000 files, each read or refused with a typed error`, async () => {
      const { opened, slowest } = await fuzz(seed, 30_000, safetensorsCase);
      // Both ends must be reached: files that open, and files that do not.
      expect(opened).toBeGreaterThan(3_000);
      expect(opened).toBeLessThan(27_000);
      expect(slowest).toBeLessThan(2_000);
    });
  }
});
