// Adapters of more channels than any that was published: what one binding holds is the bound.
import { expect, it } from "vitest";
import { synthetic } from "../../src/checkpoint/synthetic.ts";
import { GPU_TARGET } from "../../src/graph/target.ts";
import { byteLength } from "../../src/graph/tensor.ts";
import { encodeGraph, expectedTensors } from "../../src/model/network.ts";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { describeGpu } from "../support/dawn.ts";
import { plainViT } from "../support/networks.ts";
import { testDevice } from "./dawn_model.ts";

const MOST = 2 ** 27;
const largest = (width: number, weights: "f32" | "f16") =>
  Math.max(...encodeGraph({ ...plainViT(width, 4, 1, 256), heads: width / 16 }, { ...GPU_TARGET, weights }).graph.tensors.map(byteLength));

describeGpu("adapters of many channels", () => {
  it("fit a binding up to 1448 channels in f32, and up to 2047 in f16", () => {
    expect([largest(1440, "f32") <= MOST, largest(1456, "f32") <= MOST]).toEqual([true, false]);
    expect([largest(2032, "f16") <= MOST, largest(2064, "f16") <= MOST]).toEqual([true, false]);
  });

  it("are refused in words before anything is read where they do not", async () => {
    const config = { ...plainViT(1456, 4, 91, 256), mlpWidth: 64 };
    await expect(SamMed2D.load({ weights: synthetic(7, expectedTensors(config)), device: await testDevice() })).rejects.toMatchObject({
      code: "device",
      expected: "able to bind 136 MB at once, for image_encoder.blocks.0.Adapter.spatial.2.weight",
      got: "at most 134 MB",
      remedy: expect.stringContaining('precision "f16"'),
    });
  });
});
