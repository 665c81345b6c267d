// Against what the originals' own libraries make of the same pixels (tests/reference/make_resampled.py).
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { resizeArea, resizeCubic, resizeSmoothly } from "../../src/image/resample.ts";
import { proceduralImage } from "./procedural.ts";

interface Resampled {
  readonly made_by: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly cases: readonly { readonly how: keyof typeof RESIZE; readonly from: [number, number]; readonly to: [number, number]; readonly data: string }[];
}

const RESIZE = { cubic: resizeCubic, area: resizeArea, smooth: resizeSmoothly };
const BY = { cubic: "scikit-image's", area: "OpenCV's", smooth: "Pillow's" };
const { seed, cases } = JSON.parse(readFileSync(new URL("resampled.json", import.meta.url), "utf8")) as Resampled;

describe("resampling", () => {
  it("has goldens of all three libraries", () => {
    expect(new Set(cases.map(({ how }) => how))).toEqual(new Set(["cubic", "area", "smooth"]));
  });

  it.each(cases.map((one) => [BY[one.how], one.how, one.from.join("×"), one.to.join("×"), one] as const))(
    "is %s %s within one gray level, %s to %s",
    (_, how, __, ___, { from, to, data }) => {
      const { data: got, width, height } = RESIZE[how](proceduralImage(...from, seed), ...to);
      const wanted = Buffer.from(data, "base64");
      expect([width, height, got.length]).toEqual([...to, wanted.length]);
      let [most, off] = [0, 0];
      for (let i = 0; i < wanted.length; i++) {
        const difference = Math.abs((got[i] as number) - (wanted[i] as number));
        most = Math.max(most, difference);
        off += difference;
      }
      expect(most).toBeLessThanOrEqual(1);
      // And not by one everywhere: single values hang on how a library rounds between the axes.
      expect(off / wanted.length).toBeLessThan(0.25);
    },
  );
});
