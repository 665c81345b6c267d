// The kidneys through the series to practise on with the default model, each from a box on the middle slice: how good they are. docs/page.md has all five
// organs; the page's own way there is tests/browser/app_tasks.test.ts.
import "../support/eight_lanes.ts";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { Inference } from "../../app/model/inference.ts";
import { drawSlice, ORGANS, SERIES } from "../../app/samples/sets/series.ts";
import { defaultWeights } from "../../src/cli/weights.ts";
import type { RawImage } from "../../src/index.ts";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { boundsOf, intersection, type MaskSource, pixelCount, propagate, render, type Runs, runsOf } from "../../src/volume/index.ts";
import { testDevice } from "../model/dawn_model.ts";
import { describeGpu } from "../support/dawn.ts";

/** Tens of encodes on a software adapter. */
const TIMEOUT = 900_000;
const { columns, rows, slices } = SERIES;
const MIDDLE = slices / 2;
/** Dice over the volume; docs/page.md has what it is. The two that are hardest to follow share most of their slices, each of which is encoded once. */
const LEAST = { "right kidney": 0.6, "left kidney": 0.6 } as const;
const WINDOW = { name: "abdomen", center: 42, width: 430, shape: "linear" } as const;

describeGpu("the default model", () => {
  it(
    "carries both kidneys from one slice through the series",
    async () => {
      const drawn = Array.from({ length: slices }, (_, index) => drawSlice(index));
      const pictures = drawn.map(({ values }): RawImage => render({ data: values, columns, rows, samples: 1 }, WINDOW));
      const truths = (organ: number): Runs[] => drawn.map(({ parts }) => runsOf(parts.map((part) => Number(part === organ + 1))));
      const model = await SamMed2D.load({ weights: new Blob([readFileSync(defaultWeights())]), device: await testDevice() });
      const nothing = () => {};
      const inference = new Inference({ onActivity: nothing, onEncoded: nothing, onResult: nothing, onError: nothing });
      inference.use(model, 1);
      // As the page lends it: each picture is encoded once, for both.
      const source = inference.guest({ fit: "auto", channelOrder: "auto", multimask: "auto" }) as MaskSource;
      const dice: Record<string, number> = {};
      for (const name of Object.keys(LEAST) as (keyof typeof LEAST)[]) {
        const truth = truths(ORGANS.indexOf(name));
        const [x0, y0, x1, y1] = boundsOf(truth[MIDDLE] as Runs, columns) as [number, number, number, number];
        const embedding = await source.encode(pictures[MIDDLE] as RawImage);
        const { mask } = await source.decode(embedding, { box: [x0 - 2, y0 - 2, x1 + 1, y1 + 1] });
        const found = new Map([[MIDDLE, runsOf(mask.data)]]);
        const options = {
          from: MIDDLE,
          mask: runsOf(mask.data),
          range: [0, slices - 1] as const,
          picture: async (index: number) => pictures[index] as RawImage,
        };
        for await (const { slice, runs, sound } of propagate(source, options)) if (sound) found.set(slice, runs);
        let [both, sum] = [0, 0];
        for (const [index, right] of truth.entries()) {
          const runs = found.get(index) ?? new Uint32Array();
          both += pixelCount(intersection(runs, right));
          sum += pixelCount(runs) + pixelCount(right);
        }
        dice[name] = (2 * both) / sum;
      }
      model.dispose();
      console.log(
        Object.entries(dice)
          .map(([name, value]) => `${name} ${value.toFixed(2)}`)
          .join(", "),
      );
      for (const [name, least] of Object.entries(LEAST)) expect(dice[name], name).toBeGreaterThan(least);
    },
    TIMEOUT,
  );
});
