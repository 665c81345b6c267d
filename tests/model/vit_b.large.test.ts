import "../support/eight_lanes.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { describeGpu } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";
import { testDevice } from "./dawn_model.ts";
import { checkGolden, describeErrors } from "./golden_check.ts";

// A full-size encode is 69 GFLOP: seconds on a software adapter, and several times as long on a machine that has other work.
const TIMEOUT = 600_000;

describeGpu("the full-size network, synthetic weights of seed 7", () => {
  let model: SamMed2D;
  beforeAll(async () => {
    model = await SamMed2D.load({ weights: "synthetic:7", device: await testDevice() });
  }, TIMEOUT);
  afterAll(() => model?.dispose());

  it("is what it says it is", () => {
    expect(model.name).toBe("SAM-Med2D vit_b 256, adapters, f32, 271.2 M parameters");
    expect(model.meaningless).toBe(true);
  });

  it.each(["vit_b", "vit_b_rgb", "vit_b_pad"])(
    "meets PyTorch in golden %s",
    async (name) => {
      console.log(describeErrors(name, model.device.description, await checkGolden(model, readGolden(name))));
    },
    TIMEOUT,
  );

  it(
    "gives the same bits when it runs again",
    async () => {
      const { image } = readGolden("vit_b");
      const run = async () => {
        const embedding = await model.encode(image);
        const { logits, scores, masks } = await model.decode(embedding, { points: [{ x: 150, y: 90 }], box: [40, 30, 260, 170] });
        return { embedding: (await embedding.save()).data, logits, scores, masks };
      };
      const first = await run();
      expect(await run()).toEqual(first);
    },
    TIMEOUT,
  );

  it("encoded in at most 140 dispatches, decoded in at most 25, with at most 32 MB of activations", () => {
    const { encode, decode, activationBytes, weightBytes } = model.stats();
    expect(encode.dispatches).toBeLessThanOrEqual(140);
    expect(decode?.dispatches).toBeLessThanOrEqual(25);
    expect(decode?.submits).toBe(1);
    expect(activationBytes).toBeLessThanOrEqual(32e6);
    expect(weightBytes / 1e9).toBeCloseTo(1.086, 3);
  });
});

describeGpu("the full-size network with its adapters left out", () => {
  it(
    "meets PyTorch in golden vit_b_no_adapter",
    async () => {
      const model = await SamMed2D.load({ weights: "synthetic:7", device: await testDevice(), adapter: "off" });
      expect(model.name).toMatch(/^FT-SAM vit_b 256, no adapters, f32, 90\.\d M parameters$/);
      console.log(describeErrors("vit_b_no_adapter", model.device.description, await checkGolden(model, readGolden("vit_b_no_adapter"))));
      model.dispose();
    },
    TIMEOUT,
  );
});
