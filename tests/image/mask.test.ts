import { describe, expect, it } from "vitest";
import { frame } from "../../src/image/image.ts";
import { area, boundingBox, fetchUpsampling, type Mask, maskOf, packBits, packedOf, unpackBits } from "../../src/image/mask.ts";
import { bilinear, thresholdTwin, upsampleTwin } from "../../src/image/postprocess.ts";

function mask(...rows: string[]): Mask {
  const data = Uint8Array.from(rows.join(""), (cell) => (cell === "#" ? 1 : 0));
  return { data, width: (rows[0] as string).length, height: rows.length };
}

describe("mask", () => {
  it("has an area and a half-open bounding box", () => {
    const drawn = mask("....", ".#..", "...#", "....");
    expect(area(drawn)).toBe(2);
    expect(boundingBox(drawn)).toEqual([1, 1, 4, 3]);
    expect(boundingBox(mask("##", "##"))).toEqual([0, 0, 2, 2]);
  });

  it("has no box where it is empty", () => {
    expect(area(mask("...", "..."))).toBe(0);
    expect(boundingBox(mask("...", "..."))).toBeNull();
  });

  it("unpacks bits row by row across word borders, the sign bit included", () => {
    const drawn = unpackBits(Uint32Array.of(0x80000001, 0x2), 34);
    expect([...drawn.entries()].filter(([, bit]) => bit).map(([i]) => i)).toEqual([0, 31, 33]);
    expect(drawn.length).toBe(34);
    expect([...packBits(drawn)]).toEqual([0x80000001, 0x2]);
  });

  it("is kept packed and unpacked when it is read, the same bytes while they are held", () => {
    const kept = maskOf({ width: 17, height: 2, bits: Uint32Array.of(0x80000001, 0x2) });
    const { data } = kept;
    expect(data.length).toBe(34);
    expect(kept.data).toBe(data);
    expect([area(kept), boundingBox(kept)]).toEqual([3, [0, 0, 17, 2]]);
    expect(structuredClone(kept)).toEqual({ width: 17, height: 2, data });
    expect(packedOf(kept)?.bits?.length).toBe(2);
  });

  it.each([
    [13, 9, "resize", false],
    [5, 7, "pad", false],
    [20, 11, "long-side", false],
    [37, 23, "resize", true],
  ] as const)("of %i×%i, %s, is made of logits when it is asked for, probabilities: %s", async (width, height, fit, probabilities) => {
    await fetchUpsampling();
    const logits = Float32Array.from({ length: 16 }, (_, i) => ((i * 7919 + 13) % 101) / 10 - 5);
    const framing = frame(width, height, 16, fit);
    const kept = maskOf({ width, height, logits, framing, probabilities });
    expect(packedOf(kept)?.bits).toBeUndefined();
    const straight = bilinear(
      logits.map((logit) => 1 / (1 + Math.exp(-logit)) - 0.5),
      4,
      4,
      width,
      height,
    );
    const want = thresholdTwin(probabilities ? straight : upsampleTwin(logits, 4, framing));
    expect(kept.data).toEqual(want);
    expect(packedOf(kept)?.bits).toEqual(packBits(want));
  });
});
