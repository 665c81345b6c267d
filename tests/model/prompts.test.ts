import { QUICK } from "../support/quick.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Embedding } from "../../src/embedding.ts";
import type { Progress } from "../../src/engine.ts";
import type { Fit } from "../../src/image/image.ts";
import { packBits } from "../../src/image/mask.ts";
import { maskFromBits } from "../../src/image/mask_out.ts";
import { upsampleTwin } from "../../src/image/postprocess.ts";
import { isMultimask, type Prompt } from "../../src/model/prompts.ts";
import type { SamMed2D } from "../../src/sam_med2d.ts";
import type { Decoded } from "../../src/segmenter.ts";
import { proceduralImage } from "../image/procedural.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { maskIou, readGolden } from "../support/goldens.ts";
import { loadGolden } from "./dawn_model.ts";

// A batch may take another variant of a kernel than a single prompt and sum in another order: a few roundings of logits of a
// few units, as between any two correct implementations.
const BOUND = 2e-5;

const golden = readGolden("small");
const { width, height } = golden.image;

const A = { x: 1, y: 1 };

function expectSame(got: Decoded, want: Decoded, label: string): void {
  expectClose(got.logits, want.logits, { label: `${label}: logits`, bound: BOUND });
  expectClose(got.scores, want.scores, { label: `${label}: scores`, bound: BOUND });
  expect(got.masks.length).toBe(want.masks.length);
  got.masks.forEach((mask, i) => expect(maskIou(mask.data, want.masks[i]?.data ?? [])).toBeGreaterThanOrEqual(0.999));
}

it.each<[string, Prompt, boolean]>([
  ["nothing", {}, true],
  ["a point", { points: [A] }, true],
  ["two points", { points: [A, A] }, false],
  ["a box", { box: [0, 0, 9, 9] }, false],
  ["a point in a box", { points: [A], box: [0, 0, 9, 9] }, false],
  ["a point on a mask", { points: [A], maskInput: new Float32Array(1) }, false],
  ["a box, three asked for", { box: [0, 0, 9, 9], multimask: true }, true],
  ["a point, one asked for", { points: [A], multimask: false }, false],
])("are ambiguous where they are no more than a point: %s", (_, prompt, three) => {
  expect(isMultimask(prompt, "ambiguous")).toBe(three);
  for (const always of [true, false]) expect(isMultimask(prompt, always)).toBe(prompt.multimask ?? always);
});

describeGpu("prompts", () => {
  let model: SamMed2D;
  let embedding: Embedding;
  beforeAll(async () => {
    model = await loadGolden(golden);
    embedding = await model.encode(golden.image);
  });
  afterAll(() => model?.dispose());

  const probabilities = Float32Array.from({ length: 64 * 64 }, (_, i) => (Math.floor(i / 64) < 32 ? 0.9 : 0.1));
  const every: readonly Prompt[] = [
    { points: [{ x: 30, y: 27 }] },
    {},
    { box: [10, 8, 60, 50] },
    { points: [{ x: 30, y: 27 }], multimask: false },
    {
      points: [
        { x: 5, y: 5, label: 0 },
        { x: 70.5, y: 60.25, label: 1 },
      ],
      maskInput: probabilities,
    },
    { points: [{ x: 95, y: 71 }], maskInput: probabilities },
    { points: [{ x: 0, y: 0 }] },
    { maskInput: probabilities },
    { box: [0, 0, width, height], points: [{ x: 1, y: 1, label: -1 }], multimask: false },
    { points: [{ x: 44, y: 30 }] },
  ];

  it("in one call, of any mix, give what each gives alone, in their order", async () => {
    const together = await model.decode(embedding, every);
    expect(together.length).toBe(every.length);
    for (const [i, prompt] of every.entries()) expectSame(together[i] as Decoded, await model.decode(embedding, prompt), `prompt ${i}`);
    // They do differ: a mix-up would be seen.
    expect(() => expectSame(together[0] as Decoded, together[6] as Decoded, "two points")).toThrow("largest error");
    expect(() => expectSame(together[0] as Decoded, together[5] as Decoded, "with a mask and without")).toThrow("largest error");
  });

  if (!QUICK)
    it("of one kind, more than one batch of them, keep their order", async () => {
      const prompts = Array.from({ length: 19 }, (_, i) => ({ points: [{ x: 5 * i, y: 3 * i }] }));
      const together = await model.decode(embedding, prompts);
      for (const i of [0, 7, 8, 15, 16, 18]) expectSame(together[i] as Decoded, await model.decode(embedding, prompts[i] as Prompt), `prompt ${i}`);
    });

  it("give three candidates at the image's size, or the single one", async () => {
    const multi = await model.decode(embedding, { box: [10, 8, 60, 50] });
    expect([multi.masks.length, multi.scores.length, multi.logits.length]).toEqual([3, 3, 3 * 64 * 64]);
    expect(multi.scores[multi.best]).toBe(Math.max(...multi.scores));
    const single = await model.decode(embedding, { box: [10, 8, 60, 50], multimask: false });
    expect([single.masks.length, single.scores.length, single.logits.length, single.best]).toEqual([1, 1, 64 * 64, 0]);
    // The single mask is one of its own, not one of the three.
    expect([...multi.scores]).not.toContain(single.scores[0]);
    for (const mask of [...multi.masks, ...single.masks]) {
      expect([mask.width, mask.height, mask.data.length]).toEqual([width, height, width * height]);
      expect(mask.data.every((value) => value === 0 || value === 1)).toBe(true);
    }
  });

  it("give the same bits when decoded again, at the same time as others, and after a mask prompt in the same graph", async () => {
    const bits = ({ logits }: Decoded) => Buffer.from(logits.buffer, logits.byteOffset, logits.byteLength).toString("base64");
    const plain = every[0] as Prompt;
    const first = bits(await model.decode(embedding, plain));
    await model.decode(embedding, { ...plain, maskInput: probabilities });
    expect(bits(await model.decode(embedding, plain))).toBe(first);
    const [again, , other] = await Promise.all([
      model.decode(embedding, plain),
      model.encode(golden.image),
      model.decode(embedding, plain),
      model.decode(embedding, every),
    ]);
    expect(bits(again as Decoded)).toBe(first);
    expect(bits(other as Decoded)).toBe(first);
  });

  it.each([true, false])("give the parts of the answer that are asked for, multimask %s", async (multimask) => {
    const prompts: readonly Prompt[] = [
      { ...every[0], multimask },
      { ...every[2], multimask },
    ];
    const whole = await model.decode(embedding, prompts);
    const [best, packed, logits] = [
      await model.decode(embedding, prompts, { output: "best" }),
      await model.decode(embedding, prompts, { output: "packed" }),
      await model.decode(embedding, prompts, { output: "logits" }),
    ];
    whole.forEach((all, i) => {
      for (const part of [best[i], packed[i], logits[i]]) {
        expectClose(part?.scores ?? [], all.scores, { label: "scores", bound: 0 });
        expect(part?.best).toBe(all.best);
      }
      expect(Object.keys(best[i] ?? {}).sort()).toEqual(["best", "mask", "scores"]);
      expect(best[i]?.mask.data).toEqual(all.mask.data);
      expect(packed[i]).toMatchObject({ width, height, bits: packBits(all.mask.data) });
      expect(maskFromBits(packed[i] as NonNullable<(typeof packed)[0]>).data).toEqual(all.mask.data);
      expect(Object.keys(logits[i] ?? {}).sort()).toEqual(["best", "logits", "scores"]);
      expectClose(logits[i]?.logits ?? [], all.logits, { label: "logits", bound: 0 });
    });
    expect(model.stats().decode?.dispatches).toBe(23);
    const one = await model.decode(embedding, prompts[0] as Prompt, { output: "packed" });
    expect(one.bits).toEqual(packed[0]?.bits);
    await expect(model.decode(embedding, {}, { output: "mask" as "best" })).rejects.toMatchObject({ code: "prompt", argument: "output", got: '"mask"' });
  });

  it("that wait for their turn are cancelled at once, and those that run tell how far they are", async () => {
    const ended: string[] = [];
    const control = new AbortController();
    const encoding = model.encode(golden.image).then(() => ended.push("encoded"));
    const early = model.decode(embedding, every, { signal: AbortSignal.abort("never") }).catch((reason: unknown) => ended.push(`${reason}`));
    const waiting = model.decode(embedding, every, { signal: control.signal }).catch((reason: unknown) => ended.push(`${reason}`));
    await early;
    control.abort("enough");
    await Promise.all([encoding, waiting]);
    expect(ended).toEqual(["never", "enough", "encoded"]);
    const told: Progress[] = [];
    await model.decode(embedding, every, { onProgress: (progress) => told.push(progress) });
    expect(told.map(({ stage, unit, total }) => [stage, unit, total])).toEqual(told.map(() => ["decode", "prompts", every.length]));
    expect(told.at(-1)?.loaded).toBeCloseTo(every.length, 9);
    expect(told.map(({ loaded }) => loaded)).toEqual(told.map(({ loaded }) => loaded).sort((a, b) => a - b));
  });

  it("of none give none, and an empty list of points is no prompt", async () => {
    expect(await model.decode(embedding, [])).toEqual([]);
    expectSame(await model.decode(embedding, { points: [] }), await model.decode(embedding, {}), "no points");
  });

  it("decode a saved embedding to the same bits, on its own image's size", async () => {
    const restored = model.restore(JSON.parse(JSON.stringify(await embedding.save()), revive));
    const [now, then] = [await model.decode(restored, every[0] as Prompt), await model.decode(embedding, every[0] as Prompt)];
    expectClose(now.logits, then.logits, { label: "restored", bound: 0 });
    expect(now.masks[0]?.width).toBe(width);
  });

  it.each<[number, number, Fit]>([
    [1, 1, "resize"],
    [1, 997, "resize"],
    [1231, 3, "resize"],
    [255, 31, "pad"],
    [1, 1, "pad"],
    [97, 301, "long-side"],
  ])("give the masks that the logits have on an image of %i×%i, %s", async (imageWidth, imageHeight, fit) => {
    const small = proceduralImage(imageWidth, imageHeight, 5);
    const own = await model.encode(small, { fit });
    const prompt = { points: [{ x: imageWidth - 1, y: imageHeight - 1 }], box: [0, 0, imageWidth, imageHeight] as const };
    const { masks, logits } = await model.decode(own, prompt);
    masks.forEach((mask, i) => {
      const want = upsampleTwin(logits.slice(i * 64 * 64, (i + 1) * 64 * 64), 64, own.framing);
      expect([mask.width, mask.height]).toEqual([imageWidth, imageHeight]);
      // Two bilinear steps in single precision move a logit by 1e-6 at most: only those on the threshold may fall either way.
      const wrong = [...want.keys()].filter((k) => Math.abs(want[k] as number) > 1e-5 && (mask.data[k] === 1) !== (want[k] as number) > 0);
      expect(wrong).toEqual([]);
    });
  });

  it("belong to their embedding: two images decoded in turn don't mix", async () => {
    const flipped = { ...golden.image, data: golden.image.data.slice().reverse() };
    const other = await model.encode(flipped);
    const alone = await model.decode(other, every[2] as Prompt);
    const first = await model.decode(embedding, every[2] as Prompt);
    expectSame(await model.decode(other, every[2] as Prompt), alone, "the other image");
    expect(() => expectSame(first, alone, "different images")).toThrow("largest error");
  });
});

/** What JSON makes of a Float32Array, turned back into one. */
function revive(key: string, value: unknown): unknown {
  return key === "data" ? Float32Array.from(Object.values(value as Record<string, number>)) : value;
}
