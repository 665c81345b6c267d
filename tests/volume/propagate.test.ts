import { describe, expect, expectTypeOf, it } from "vitest";
import { frame, type RawImage } from "../../src/image/image.ts";
import type { SamMed2D } from "../../src/sam_med2d.ts";
import type { Geometry, PlaneName } from "../../src/volume/geometry.ts";
import { interpolate } from "../../src/volume/interpolate.ts";
import { Labelmap } from "../../src/volume/labelmap.ts";
import { planeView } from "../../src/volume/plane.ts";
import { planeMap } from "../../src/volume/plane_map.ts";
import { drawOnPlane, runsOnPlane } from "../../src/volume/plane_labels.ts";
import { type Proposal, type PropagateOptions, propagate } from "../../src/volume/propagate.ts";
import { intersection, pixelCount, type Runs, runsOf } from "../../src/volume/runs.ts";
import type { MaskSource, Prompt, Segmenter } from "../../src/segmenter.ts";
import type { Volume } from "../../src/volume/volume.ts";
import type { SamMed2DWorker } from "../../src/worker/client.ts";
import { plainVolume } from "./plain_volume.ts";

const [columns, rows, slices] = [40, 30, 20];
const geometry: Geometry = {
  spacing: { betweenColumns: 1, betweenRows: 1, betweenSlices: 2 },
  origin: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};

/** A picture's bright pixels within the prompt's box are its mask; 4g is 16. */
function thresholding({ score = (_: RawImage): number => 0.9 } = {}) {
  const asked: Prompt[] = [];
  const held = { now: 0 };
  const segmenter = {
    config: { grid: 4 },
    async encode(picture: RawImage, options?: { signal?: AbortSignal }) {
      options?.signal?.throwIfAborted();
      held.now++;
      return { picture, framing: frame(picture.width, picture.height, 64, "resize"), dispose: () => held.now-- };
    },
    async decode({ picture }: { picture: RawImage }, prompt: Prompt) {
      asked.push(prompt);
      const { width, height } = picture;
      const [x0, y0, x1, y1] = prompt.box as [number, number, number, number];
      const data = picture.data.map((value, i) => (value > 100 && i % width >= x0 && i % width < x1 && i / width >= y0 && Math.floor(i / width) < y1 ? 1 : 0));
      const nothing = new Uint8Array(width * height);
      const logits = Float32Array.from({ length: 512 }, (_, i) => (i < 256 ? -9 : 9));
      return {
        masks: [
          { data: nothing, width, height },
          { data: Uint8Array.from(data), width, height },
        ],
        scores: Float32Array.of(0.95, score(picture)),
        logits,
        best: 0,
      };
    },
  };
  return { segmenter: segmenter as unknown as MaskSource, asked, held };
}

/** Bright where `inside`. */
const volume = (inside: (x: number, y: number, z: number) => boolean): Volume =>
  plainVolume({
    columns,
    rows,
    slices,
    geometry,
    slice: async (z) => ({
      data: Uint8Array.from({ length: columns * rows }, (_, i) => (inside(i % columns, Math.floor(i / columns), z) ? 200 : 20)),
      rows,
      columns,
      samples: 1,
    }),
  });
const ball = (x: number, y: number, z: number) => (x - 18) ** 2 + (y - 14) ** 2 + 4 * (z - 9) ** 2 <= 121;
const picture =
  (of: Volume) =>
  async (k: number): Promise<RawImage> => {
    const { data, rows: height, columns: width } = await of.slice(k);
    return { data: data as Uint8Array, width, height, channels: 1 };
  };
const maskOf = async (of: Volume, k: number) => runsOf((await of.slice(k)).data.map((value) => (value > 100 ? 1 : 0)));

async function all(options: Partial<PropagateOptions>, of = volume(ball), model = thresholding()): Promise<Proposal[]> {
  const from = options.from ?? 9;
  const out: Proposal[] = [];
  const given = { from, mask: await maskOf(of, from), range: [0, of.slices - 1] as const, picture: picture(of), ...options };
  for await (const proposal of propagate(model.segmenter, given)) out.push(proposal);
  return out;
}

describe("propagate", () => {
  it("takes the models of the package", () => {
    expectTypeOf<SamMed2D>().toExtend<Segmenter>();
    expectTypeOf<SamMed2DWorker>().toExtend<Segmenter>();
  });

  it("goes both ways, nearest first, to where nothing is left, and says why", async () => {
    const model = thresholding();
    const found = await all({ stop: { areaJump: 10, overlap: 0 } }, volume(ball), model);
    expect(found.slice(0, 4).map(({ slice, direction }) => [slice, direction])).toEqual([
      [10, 1],
      [8, -1],
      [11, 1],
      [7, -1],
    ]);
    for (const { slice, runs } of found) expect(runs).toEqual(await maskOf(volume(ball), slice));
    expect(found.filter(({ stop }) => stop).map(({ slice, stop, sound, reason }) => [slice, stop, sound, reason])).toEqual([
      [15, "empty", false, expect.stringMatching(/area \d+ to 0 pixels, predicted IoU 0\.95: the network finds nothing/)],
      [3, "empty", false, expect.anything()],
    ]);
    expect(model.held.now).toBe(0);
  });

  it("asks with a wider box, a point well inside, and the last mask's probabilities", async () => {
    const model = thresholding();
    await all({ range: [9, 11] }, volume(ball), model);
    const [first, second] = model.asked as [Prompt, Prompt];
    expect(first.box).toEqual([5, 1, 32, 28]);
    expect(first.points).toEqual([{ x: 18, y: 14, label: 1 }]);
    // Cells of 2.5 × 1.875 pixels: all of the one in the middle is covered, and nothing of the corner.
    expect(first.maskInput).toHaveLength(256);
    expect([first.maskInput?.[7 * 16 + 7], first.maskInput?.[0]]).toEqual([expect.closeTo(1, 5), 0]);
    expect((first.maskInput?.reduce((sum, cell) => sum + cell) as number) * 2.5 * 1.875).toBeCloseTo(pixelCount(await maskOf(volume(ball), 9)), 2);
    // Of the candidate that was chosen, the second.
    expect(second.maskInput?.every((value) => value > 0.999)).toBe(true);
    const logits = new Float32Array(256).fill(-9);
    await all({ range: [9, 10], logits }, volume(ball), model);
    expect(model.asked.at(-1)?.maskInput?.every((value) => value < 0.001)).toBe(true);
    // Three to choose from, of a model that would give one.
    expect(model.asked.at(-1)?.multimask).toBeUndefined();
    await all({ range: [9, 10] }, volume(ball), { ...model, segmenter: { ...model.segmenter, input: { multimask: "ambiguous" } } });
    expect(model.asked.at(-1)?.multimask).toBe(true);
  });

  it("stops where the area jumps, the score falls, or the mask moves away, and at the range's end", async () => {
    const stops = async (options: Partial<PropagateOptions>, of?: Volume, model?: ReturnType<typeof thresholding>) =>
      (await all(options, of, model)).filter(({ stop }) => stop).map(({ slice, stop, sound }) => [slice, stop, sound]);
    expect(await stops({ range: [8, 11] })).toEqual([
      [8, "end", true],
      [11, "end", true],
    ]);
    expect(await stops({ range: [9, 9] })).toEqual([]);
    const jump = volume((x, y, z) => (z < 12 ? x > 10 && x < 14 && y > 10 && y < 14 : x > 8 && x < 16 && y > 8 && y < 16));
    expect(await stops({ range: [9, 14] }, jump)).toEqual([[12, "area", false]]);
    const doubtful = thresholding({ score: ({ data }) => (data[14 * columns + 18] === 20 ? 0.9 : data.filter((v) => v > 100).length < 300 ? 0.2 : 0.9) });
    expect(await stops({ range: [9, 19] }, volume(ball), doubtful)).toEqual([[12, "score", false]]);
    const moving = volume((x, y, z) => y > 10 && y < 14 && x > 6 * (z - 8) && x <= 6 * (z - 8) + 6);
    expect(await stops({ from: 9, range: [9, 12], stop: { areaJump: 9 } }, moving)).toEqual([[10, "overlap", false]]);
  });

  it("asks for each part by itself", async () => {
    const two = volume((x, y) => y > 8 && y < 16 && ((x > 3 && x < 10) || (x > 25 && x < 33)));
    const model = thresholding();
    const found = await all({ range: [9, 10] }, two, model);
    expect(model.asked).toHaveLength(2);
    expect(model.asked.map(({ box }) => box?.[0])).toEqual([24, 2]);
    expect(found[0]?.runs).toEqual(await maskOf(two, 10));
  });

  it("ends at once when it is cancelled or left, and refuses what it cannot begin from", async () => {
    const stopped = new AbortController();
    const model = thresholding();
    const work = propagate(model.segmenter, {
      from: 9,
      mask: await maskOf(volume(ball), 9),
      range: [0, 19],
      picture: picture(volume(ball)),
      signal: stopped.signal,
    });
    await work.next();
    stopped.abort(new Error("enough"));
    await expect(work.next()).rejects.toThrow("enough");
    expect(model.held.now).toBe(0);
    await expect(all({ mask: new Uint8Array(columns * rows) })).rejects.toThrow(/mask must be something drawn, got nothing/);
    await expect(all({ range: [10, 12] })).rejects.toThrow(/slices around 9/);
    for (const other of [{ mask: { data: new Uint8Array() } }, { range: 12 }, { picture: "a slice" }])
      await expect(all(other as never)).rejects.toThrow(/must be (runs|\[first, last\]|a function), got/);
    await expect(propagate({} as never, {} as never).next()).rejects.toThrow(/segmenter must be a model/);
  });

  it.each(["axial", "coronal", "sagittal"] as PlaneName[])("works in the %s plane, and its masks are drawn on the volume", async (plane) => {
    const stored = volume(ball);
    const view = planeView(stored, plane);
    const map = planeMap(geometry, plane);
    const from = plane === "coronal" ? 14 : plane === "sagittal" ? 18 : 9;
    const labelmap = new Labelmap(columns, rows, slices, [{ id: 1, name: "ball", color: [1, 2, 3] }]);
    drawOnPlane(labelmap, 1, map, from, await maskOf(view, from));
    for (const { slice, runs, sound } of await all({ from, stop: { areaJump: 100, overlap: 0 } }, view)) if (sound) drawOnPlane(labelmap, 1, map, slice, runs);
    for (let k = 0; k < slices; k++) expect(labelmap.mask(1, k)).toEqual((await stored.slice(k)).data.map((value) => (value > 100 ? 1 : 0)));
    for (let k = 0; k < view.slices; k++) expect(runsOnPlane(labelmap, 1, map, k)).toEqual(await maskOf(view, k));
    const changes = drawOnPlane(labelmap, 1, map, from, new Uint32Array());
    expect(pixelCount(runsOnPlane(labelmap, 1, map, from))).toBe(0);
    expect(runsOnPlane(labelmap, 1, map, from + 1)).toEqual(await maskOf(view, from + 1));
    labelmap.revert(changes);
    expect(runsOnPlane(labelmap, 1, map, from)).toEqual(await maskOf(view, from));
  });
});

describe("interpolate", () => {
  const disc = (x: number, y: number, r: number) =>
    runsOf(Uint8Array.from({ length: columns * rows }, (_, i) => (((i % columns) - x) ** 2 + (Math.floor(i / columns) - y) ** 2 <= r * r ? 1 : 0)));
  const dice = (a: Runs, b: Runs) => (2 * pixelCount(intersection(a, b))) / (pixelCount(a) + pixelCount(b));
  const grid = { columns, rows, slices, geometry };

  it("moves the outline evenly, and follows what runs askew", () => {
    const cone = new Map([
      [2, disc(20, 15, 12)],
      [10, disc(20, 15, 4)],
    ]);
    const between = interpolate(cone, [2, 10], grid);
    expect([...between.keys()]).toEqual([3, 4, 5, 6, 7, 8, 9]);
    for (const [k, runs] of between) expect(dice(runs, disc(20, 15, 14 - k))).toBeGreaterThan(0.93);
    const vessel = interpolate(
      new Map([
        [0, disc(6, 6, 3)],
        [8, disc(34, 22, 3)],
      ]),
      [0, 8],
      grid,
    );
    for (const [k, runs] of vessel) expect(dice(runs, disc(6 + (28 * k) / 8, 6 + 2 * k, 3))).toBeGreaterThan(0.8);
  });

  it("goes by the true places of slices", () => {
    const uneven = { ...geometry, sliceOrigins: [0, 1, 2, 9, 10].map((z) => [0, 0, z] as const) };
    const between = interpolate(
      new Map([
        [0, disc(20, 15, 12)],
        [4, disc(20, 15, 2)],
      ]),
      [4, 0],
      { ...grid, geometry: uneven },
    );
    for (const [k, r] of [
      [1, 11],
      [2, 10],
      [3, 3],
    ] as const)
      expect(dice(between.get(k) as Runs, disc(20, 15, r))).toBeGreaterThan(0.92);
  });

  it("refuses slices with nothing on them", () => {
    expect(() => interpolate(new Map([[0, disc(9, 9, 3)]]), [0, 4], grid)).toThrow(/got nothing on slice 4/);
    expect(() => interpolate(new Map([[0, disc(9, 9, 3)]]), [0], grid)).toThrow(/two or more slices .* got 1/);
  });
});
