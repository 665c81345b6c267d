import { describe, expect, it } from "vitest";
import { QUICK } from "../support/quick.ts";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { openZip } from "../../src/bytes/zip.ts";
import { zipFile } from "./build.ts";
import { fuzz } from "./fuzz.ts";
import { pthCase, pthSeeds } from "./pth_cases.ts";
import { concat } from "./support.ts";

const seeds = await pthSeeds();

const FILES = QUICK ? 500 : 25_000;

describe("fuzzed .pth files", () => {
  for (const seed of [1, 2]) {
    it(`seed ${seed}: ${FILES} files, each read or refused with a typed error`, async () => {
      const { opened } = await fuzz(seed, FILES, (random) => pthCase(random, seeds));
      // Both ends must be reached: files that open, and files that do not.
      expect(opened).toBeGreaterThan(FILES * 0.12);
      expect(opened).toBeLessThan(FILES * 0.9);
    });
  }

  it("puts a file that was taken apart together again", async () => {
    for (const { entries, opcodes } of seeds) {
      const zip = await openZip(bufferSource(zipFile(entries)));
      const pickle = [...zip.entries.values()].find(({ name }) => name.endsWith("/data.pkl"));
      if (pickle) expect(await zip.read(pickle, 0, pickle.size)).toEqual(concat(...opcodes));
    }
  });
});
