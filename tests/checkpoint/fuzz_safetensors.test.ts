import { describe, expect, it } from "vitest";
import { QUICK } from "../support/quick.ts";
import { fuzz } from "./fuzz.ts";
import { safetensorsCase } from "./safetensors_cases.ts";

const FILES = QUICK ? 500 : 30_000;

describe("fuzzed safetensors", () => {
  for (const seed of [1, 2]) {
    it(`seed ${seed}: ${FILES} files, each read or refused with a typed error`, async () => {
      const { opened } = await fuzz(seed, FILES, safetensorsCase);
      // Both ends must be reached: files that open, and files that do not.
      expect(opened).toBeGreaterThan(FILES / 10);
      expect(opened).toBeLessThan(FILES * 0.9);
    });
  }
});
