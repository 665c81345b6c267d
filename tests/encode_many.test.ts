import { describe, expect, it } from "vitest";
import { encodeMany, type EncodeManyOptions, type LazyImage } from "../src/fetched.ts";
import { SamError } from "../src/errors.ts";
import type { RawImage } from "../src/image/image.ts";
import type { EncodeOptions, Segmenter } from "../src/segmenter.ts";

const imageOf = (gray: number): RawImage => ({ data: Uint8Array.of(gray), width: 1, height: 1, channels: 1 });

/** Encodes by noting the gray; `during` runs within each encode. */
function noting(during: (gray: number, options: EncodeOptions) => unknown = () => undefined) {
  const seen: number[] = [];
  const encode = async (image: RawImage, options: EncodeOptions = {}) => {
    const gray = image.data[0] as number;
    seen.push(gray);
    await during(gray, options);
    options.signal?.throwIfAborted();
    return { gray };
  };
  return { seen, segmenter: { encode } as unknown as Pick<Segmenter, "encode"> };
}

async function all(segmenter: Pick<Segmenter, "encode">, images: Iterable<LazyImage>, options?: EncodeManyOptions) {
  const found: [index: number, gray: number][] = [];
  for await (const { index, embedding } of encodeMany(segmenter, images, options)) found.push([index, (embedding as unknown as { gray: number }).gray]);
  return found;
}

describe("encodeMany", () => {
  it("takes images in order, those of functions one ahead and no more", async () => {
    const brought: number[] = [];
    const { segmenter, seen } = noting();
    const lazy = [5, 6, 7, 8].map((gray) => async () => {
      brought.push(gray);
      return imageOf(gray);
    });
    const work = encodeMany(segmenter, lazy);
    await work.next();
    expect([seen, brought]).toEqual([[5], [5, 6]]);
    await work.next();
    expect([seen, brought]).toEqual([
      [5, 6],
      [5, 6, 7],
    ]);
    await work.return();
    expect([seen, brought]).toEqual([
      [5, 6],
      [5, 6, 7],
    ]);
    expect(await all(segmenter, [1, 2, 3].map(imageOf))).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(await all(segmenter, [])).toEqual([]);
  });

  it("takes the most wanted of those that wait, which may change between them", async () => {
    const { segmenter } = noting();
    let looked = 3;
    const order: number[] = [];
    for await (const { index } of encodeMany(segmenter, [0, 1, 2, 3, 4, 5].map(imageOf), { priority: (index) => -Math.abs(index - looked) })) {
      order.push(index);
      if (index === 3) looked = 0;
    }
    expect(order).toEqual([3, 0, 1, 2, 4, 5]);
    const known = [undefined, 1, Number.NaN, 2] as number[];
    expect((await all(segmenter, [0, 1, 2, 3].map(imageOf), { priority: (index) => known[index] as number })).map(([index]) => index)).toEqual([3, 1, 0, 2]);
    await expect(all(segmenter, [imageOf(1)], { priority: 5 as never })).rejects.toMatchObject({ op: "encodeMany", argument: "priority", got: "5" });
  });

  it("ends by the signal, before an image and within one", async () => {
    const control = new AbortController();
    const { segmenter, seen } = noting((gray) => gray === 2 && control.abort(new Error("enough")));
    await expect(all(segmenter, [1, 2, 3].map(imageOf), { signal: control.signal })).rejects.toThrow("enough");
    expect(seen).toEqual([1, 2]);
    await expect(all(segmenter, [1].map(imageOf), { signal: control.signal })).rejects.toThrow("enough");
    expect(seen).toEqual([1, 2]);
    // A picture that never comes, the first and one that is brought ahead.
    for (const images of [[() => new Promise<RawImage>(() => undefined)], [imageOf(1), () => new Promise<RawImage>(() => undefined)]]) {
      const waiting = new AbortController();
      setTimeout(() => waiting.abort(new Error("enough")), 5);
      await expect(all(segmenter, images, { signal: waiting.signal })).rejects.toThrow("enough");
    }
  });

  it("names the image that cannot be encoded, and goes on where it may", async () => {
    const wrong = new SamError({ code: "image", op: "encode", argument: "image.data", expected: "9 bytes", got: "1", remedy: "Look again." });
    const { segmenter } = noting((gray) => {
      if (gray === 2) throw wrong;
    });
    const images = [imageOf(1), imageOf(2), () => Promise.reject(new Error("not found")), imageOf(4)];
    await expect(all(segmenter, images)).rejects.toMatchObject({
      code: "image",
      argument: "images[1].data",
      message: expect.stringContaining("images[1].data"),
    });
    const option = new SamError({ code: "image", op: "encode", argument: "fit", expected: "a fit", got: "none", remedy: "Leave it out." });
    await expect(all(noting(() => Promise.reject(option)).segmenter, images)).rejects.toBe(option);
    const told: unknown[] = [];
    expect(await all(segmenter, images, { onError: (error, index) => told.push([index, (error as Error).message]) })).toEqual([
      [0, 1],
      [3, 4],
    ]);
    expect(told).toEqual([
      [1, expect.stringContaining("images[1].data")],
      [2, "not found"],
    ]);
  });

  it("tells how many images are done, fractions included", async () => {
    const { segmenter } = noting((_, { onProgress }) => onProgress?.({ stage: "encode", loaded: 1, total: 4, unit: "flop" }));
    const told: number[] = [];
    await all(segmenter, [1, 2].map(imageOf), { onProgress: ({ loaded, total, unit }) => told.push(loaded, total, unit.length) });
    expect(told).toEqual([0.25, 2, 6, 1, 2, 6, 1.25, 2, 6, 2, 2, 6]);
  });
});
