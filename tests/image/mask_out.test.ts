import { expect, it } from "vitest";
import { maskInputOf, maskToImageData, maskToRle } from "../../src/image/mask_out.ts";

const mask = { data: Uint8Array.of(0, 1, 1, 0, 1, 0), width: 3, height: 2 };

it("counts runs down the columns, the first outside", () => {
  expect(maskToRle(mask)).toEqual({ size: [2, 3], counts: [2, 3, 1] });
  expect(maskToRle({ data: Uint8Array.of(1, 1), width: 1, height: 2 })).toEqual({ size: [2, 1], counts: [0, 2] });
  expect(maskToRle({ data: new Uint8Array(4), width: 2, height: 2 })).toEqual({ size: [2, 2], counts: [4] });
});

it("colours the inside and leaves the outside transparent", () => {
  class FakeImageData {
    constructor(
      readonly data: Uint8ClampedArray,
      readonly width: number,
      readonly height: number,
    ) {}
  }
  const before = globalThis.ImageData;
  globalThis.ImageData = FakeImageData as unknown as typeof ImageData;
  try {
    const { data, width, height } = maskToImageData(mask, [1, 2, 3], 0.2);
    expect([width, height]).toEqual([3, 2]);
    expect([...data.subarray(0, 8)]).toEqual([0, 0, 0, 0, 1, 2, 3, 51]);
    for (const [color, opacity] of [["#ff0000"], [[255, 0, 0, 128]], [[300, 0, 0]], [[1, 2, 3], 50], [[1, 2, 3], Number.NaN]] as [never, number][])
      expect(() => maskToImageData(mask, color, opacity)).toThrow(expect.objectContaining({ name: "SamError", op: "maskToImageData" }));
  } finally {
    globalThis.ImageData = before;
  }
});

it("says where there are no pictures of a page that masks come as bytes", () => {
  expect(() => maskToImageData(mask)).toThrow(
    expect.objectContaining({ name: "SamError", op: "maskToImageData", remedy: expect.stringMatching(/mask's data/) }),
  );
});

it("gives a candidate's probabilities, the best's if none is named", () => {
  const decoded = { scores: Float32Array.of(0.1, 0.9), logits: Float32Array.of(0, 0, 0, 0, 2, -2, 0, 100), best: 1 };
  expect([...maskInputOf(decoded)].map((p) => Math.round(p * 1000))).toEqual([881, 119, 500, 1000]);
  expect(maskInputOf(decoded, 0)).toEqual(new Float32Array(4).fill(0.5));
  const three = { scores: new Float32Array(3), logits: new Float32Array([9, 9, 0, Math.log(3), -40, 40]), best: 0 };
  expect([...maskInputOf(three, 1)]).toEqual([0.5, expect.closeTo(0.75, 6)]);
  expect([...maskInputOf(three, 2)]).toEqual([expect.closeTo(0, 6), 1]);
  expect(() => maskInputOf(decoded, 2)).toThrow(expect.objectContaining({ name: "SamError", got: "an object with scores, logits, best, and 2" }));
  const best = { scores: decoded.scores, mask, best: 1 } as never;
  expect(() => maskInputOf(best)).toThrow(expect.objectContaining({ remedy: expect.stringMatching(/"all" or "logits"/) }));
});
