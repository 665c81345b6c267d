import { afterEach, describe, expect, it } from "vitest";
import { deErrors } from "../../app/words/de_errors.ts";
import { de } from "../../app/words/de.ts";
import { en } from "../../app/words/en.ts";
import { inLanguage, kindOf, linesOf, Told } from "../../app/words/errors.ts";
import { decimal, filled, speak } from "../../app/words/words.ts";
import { type ErrorCode, SamError } from "../../src/index.ts";

describe("the page's words", () => {
  it("are filled in, with the right form of a count and parts left out", () => {
    expect(filled("{n|slice|slices} of {name}", { n: 1, name: "a" })).toBe("1 slice of a");
    expect(filled("{n|slice|slices}", { n: 40 })).toBe("40 slices");
    expect(filled("x{many?, slice {slice}}.", { many: 1, slice: 3 })).toBe("x, slice 3.");
    expect(filled("x{many?, slice {slice}}.", { many: 0, slice: 3 })).toBe("x.");
  });

  it("ask for the same values in each language, and none is empty", () => {
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
    const asked = (text: string) => [...new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name))].sort();
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(asked(de[key]), key).toEqual(asked(en[key]));
      expect(de[key].trim() && en[key].trim(), key).toBeTruthy();
    }
  });
});

/** What the library says, by what a card tells apart. */
const FAULTS: Readonly<
  Record<Exclude<keyof typeof deErrors, "refused" | "note" | "unexpected">, [ErrorCode, string, (string | undefined)?, string?, string?]>
> = {
  image: ["image", "open", "scan.heic"],
  "image.encode": ["image", "encode", "image"],
  prompt: ["prompt", "decode", "box"],
  "prompt.open": ["prompt", "open", "scan-prompts.json"],
  "prompt.propagate": ["prompt", "propagate", "mask"],
  checkpoint: ["checkpoint", "weights.pth", "weights"],
  "checkpoint.http": ["checkpoint", "https://weights.invalid/a.pth", "weights", "weights", "HTTP status 404 (Not Found)"],
  device: ["device", "decode", "device"],
  "device.memory": ["device", "load", "device", "memory", "out of memory"],
  file: ["file", "ball.nii"],
  "file.http": ["file", "series", undefined, "the series", "HTTP status 503"],
  "file.labels": ["file", "open", "labels.json", "labels as this page saves them"],
  dataset: ["dataset", "data.json", "images"],
  graph: ["graph", "layer_norm", "weight"],
  disposed: ["disposed", "decode", "model"],
  worker: ["device", "worker", "device"],
};

describe("what went wrong", () => {
  afterEach(() => speak("en"));

  it("is said in the page's language, for each kind of error there is; the library's own words are details", async () => {
    expect([...Object.keys(FAULTS), "note", "refused", "unexpected"].sort()).toEqual(Object.keys(deErrors).sort());
    for (const [kind, [code, op, argument, expected = "something", got = "another"]] of Object.entries(FAULTS)) {
      const error = new SamError({ code, op, ...(argument && { argument }), expected, got, remedy: "Do so." });
      expect(kindOf(error), kind).toBe(kind);
      await speak("en");
      expect(linesOf(error).lines.join(" ")).toMatch(new RegExp(`${expected}.*Do so\\.$`));
      await speak("de");
      const { lines, technical } = linesOf(error);
      expect(lines).toHaveLength(1);
      expect(lines[0], kind).not.toMatch(/something|another|Do so|\{|undefined|expected|got /);
      expect(lines[0]).toMatch(/[.]$/);
      expect(technical).toContain("Do so.");
      if (argument?.includes(".") && deErrors[kind as keyof typeof deErrors].includes("{subject}")) expect(lines[0]).toContain(argument);
    }
    expect(linesOf(new SamError({ code: "checkpoint", op: "load", expected: "weights", got: "HTTP status 404", remedy: "Look." })).lines[0]).toContain("404");
  });

  it("keeps what is in the page's language already, and says of foreign words that they are details", async () => {
    await speak("de");
    expect(linesOf(new Told("Die Dateien sind weg."))).toEqual({ lines: ["Die Dateien sind weg."] });
    expect(linesOf("This is a text file.")).toEqual({ lines: [deErrors.refused], technical: "This is a text file." });
    expect(linesOf(new TypeError("x is not a function"))).toEqual({
      lines: [deErrors.unexpected, de["problem.reload"]],
      technical: "TypeError: x is not a function",
    });
    expect(inLanguage("The file gives no pixel spacing.", "note")).toEqual({ lines: [deErrors.note], technical: "The file gives no pixel spacing." });
    expect(inLanguage("", "note")).toEqual({ lines: [""] });
  });

  it("sets numbers with the point or the comma of the language", async () => {
    expect(decimal(0.926, 2)).toBe("0.93");
    await speak("de");
    expect(decimal(0.926, 2)).toBe("0,93");
    expect(decimal(1234.5, 1)).toBe("1234,5");
  });
});
