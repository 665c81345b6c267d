// The same masks as SAM's own generator finds with the same weights: tests/reference/make_everything.py.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { defaultWeights } from "../../src/cli/weights.ts";
import { decodeEverything, type EverythingStep } from "../../src/everything/index.ts";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { intersection, pixelCount, type Runs, union } from "../../src/volume/runs.ts";
import { proceduralImage } from "../image/procedural.ts";
import { testDevice } from "../model/dawn_model.ts";
import { describeGpu } from "../support/dawn.ts";
import { ROOT } from "../support/setup_file.ts";

interface GoldenMask {
  /** Run lengths down the columns, the first outside. */
  readonly counts: readonly number[];
  readonly area: number;
  readonly bbox: readonly [x: number, y: number, width: number, height: number];
  readonly score: number;
  readonly stability: number;
  readonly point: readonly [number, number];
  readonly crop: readonly [number, number, number, number];
}

interface Case {
  readonly image: { readonly width: number; readonly height: number; readonly seed: number };
  readonly settings: Readonly<Record<string, number>>;
  readonly found: readonly GoldenMask[];
}

const cases = JSON.parse(readFileSync(join(ROOT, "tests/goldens/everything.json"), "utf8")) as Case[];

function runsOfColumns(counts: readonly number[], width: number, height: number): Runs {
  const edges: number[] = [];
  const mask = new Uint8Array(width * height);
  let at = 0;
  counts.forEach((count, i) => {
    if (i % 2 === 1) for (let k = at; k < at + count; k++) mask[(k % height) * width + Math.floor(k / height)] = 1;
    at += count;
  });
  for (let i = 0, inside = 0; i <= mask.length; i++) if ((mask[i] ?? 0) !== inside) inside = edges.push(i) % 2;
  return Uint32Array.from(edges);
}

describeGpu("everything mode beside SAM's own generator", () => {
  it.each(cases)("finds the same masks on $image.width × $image.height", async ({ image, settings, found }) => {
    const model = await SamMed2D.load({ weights: new Blob([readFileSync(defaultWeights())]), device: await testDevice() });
    const steps: EverythingStep[] = [];
    const options = {
      pointsPerSide: settings["points_per_side"] as number,
      minScore: settings["pred_iou_thresh"] as number,
      minStability: settings["stability_score_thresh"] as number,
      ...(settings["points_per_batch"] && { pointsPerBatch: settings["points_per_batch"] }),
      ...(settings["crop_n_layers"] && { cropLayers: settings["crop_n_layers"] }),
      ...(settings["crop_n_points_downscale_factor"] && { cropGridDivisor: settings["crop_n_points_downscale_factor"] }),
      ...(settings["min_mask_region_area"] && { minRegion: settings["min_mask_region_area"] }),
    };
    for await (const step of decodeEverything(model, proceduralImage(image.width, image.height, image.seed), options)) steps.push(step);
    model.dispose();
    const last = steps.at(-1) as EverythingStep;
    expect(last.done).toBe(last.total);
    expect(last.found.length).toBe(found.length);
    expect(found.length).toBeGreaterThan(3);
    found.forEach((golden, i) => {
      const ours = last.found[i] as (typeof last.found)[number];
      expect(ours.point.x).toBeCloseTo(golden.point[0], 6);
      expect(ours.point.y).toBeCloseTo(golden.point[1], 6);
      expect(ours.score).toBeCloseTo(golden.score, 3);
      if (image.width === 256) expect(ours.stability).toBeCloseTo(golden.stability, 2);
      const theirs = runsOfColumns(golden.counts, image.width, image.height);
      expect(pixelCount(intersection(ours.runs, theirs)) / pixelCount(union(ours.runs, theirs))).toBeGreaterThan(0.99);
      const [x, y, width, height] = golden.bbox;
      // The original's boxes end on the last pixel.
      expect(ours.box.map((edge, k) => Math.abs(edge - ([x, y, x + width + 1, y + height + 1][k] as number))).every((off) => off <= 1)).toBe(true);
      expect([ours.crop[0], ours.crop[1], ours.crop[2] - ours.crop[0], ours.crop[3] - ours.crop[1]]).toEqual([...golden.crop]);
    });
  });
});
