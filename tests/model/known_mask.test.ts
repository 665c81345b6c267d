// The shipped weights through the library: a broken file or preset shows here.
import "../support/eight_lanes.ts";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { defaultWeights } from "../../src/cli/weights.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { describeGpu } from "../support/dawn.ts";
import { iou, knownMask } from "../support/known_mask.ts";
import { QUICK } from "../support/quick.ts";
import { ROOT } from "../support/setup_file.ts";
import { testDevice } from "./dawn_model.ts";

it("is made from the file that its manifest describes", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "weights/sam-med2d-tiny.json"), "utf8"));
  const file = readFileSync(defaultWeights());
  expect(file.length).toBe(manifest.bytes);
  expect(createHash("sha256").update(file).digest("hex")).toBe(manifest.sha256);
});

// Quickly tests/cli/known_mask.test.ts has it, which needs no vectors of eight of its own.
if (!QUICK) {
  describeGpu("the default model in the library", () => {
    it("gives the known mask for the known click", async () => {
      const { image, click, mask } = await knownMask();
      const model = await SamMed2D.load({ weights: new Blob([readFileSync(defaultWeights())]), device: await testDevice() });
      const embedding = await model.encode(image);
      const { masks, best } = await model.decode(embedding, { points: [click] });
      expect(iou(masks[best]?.data as Uint8Array, mask)).toBeGreaterThan(0.99);
      // A point alone may mean several things; what is clear has one answer, unless three are asked for.
      const box = [click.x - 30, click.y - 30, click.x + 30, click.y + 30];
      const answers = await model.decode(embedding, [{ box }, { box, multimask: true }, { points: [click], multimask: false }, { points: [click, click] }]);
      model.dispose();
      expect([masks, ...answers.map((answer) => answer.masks)].map(({ length }) => length)).toEqual([3, 1, 3, 1, 1]);
    });
  });

  describeGpu("the default model's file", () => {
    it("is read from front to back, as a server without range requests gives it", async () => {
      const file = await openCheckpoint(new Blob([readFileSync(defaultWeights())]));
      const places = new Map([...file.tensors.keys()].map((name, i) => [name, i]));
      const read: number[] = [];
      const watched = {
        ...file,
        read: (name: string, begin: number, end: number, signal?: AbortSignal) => {
          read.push(places.get(name) as number);
          return file.read(name, begin, end, signal);
        },
      };
      (await SamMed2D.load({ weights: watched, device: await testDevice() })).dispose();
      const back = read.filter((place, i) => i > 0 && place < (read[i - 1] as number));
      expect(read.length).toBeGreaterThan(300);
      expect(back).toEqual([]);
    });
  });
}
