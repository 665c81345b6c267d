import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { complaints, exercise } from "./fuzz.ts";

interface Kept {
  readonly complaint: string;
  readonly file: string;
}
const corpus = JSON.parse(readFileSync(new URL("fixtures/corpus.json", import.meta.url), "utf8")) as Kept[];

describe("the corpus of broken files", () => {
  it.each(corpus)("$complaint", async ({ complaint, file }) => {
    const bytes = Uint8Array.from(inflateRawSync(Buffer.from(file, "base64")));
    expect(await complaints(bytes)).toContain(complaint);
    await exercise(bytes);
  });

  it("has one file for most of what the readers can say", () => expect(corpus.length).toBeGreaterThan(60));
});
