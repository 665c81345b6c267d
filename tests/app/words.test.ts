import { describe, expect, it } from "vitest";
import { de } from "../../app/words/de.ts";
import { en } from "../../app/words/en.ts";
import { filled } from "../../app/words/words.ts";

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
