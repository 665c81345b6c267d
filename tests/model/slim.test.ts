// A network pruned as SlimSAM is, heads of 14 channels and an MLP of an odd width, in the names that transformers saves it with.
import { expect, it } from "vitest";
import { safetensorsHeader } from "../../src/checkpoint/safetensors_writer.ts";
import { fill, synthetic } from "../../src/checkpoint/synthetic.ts";
import { elements } from "../../src/graph/tensor.ts";
import type { VitConfig } from "../../src/model/config.ts";
import { expectedTensors } from "../../src/model/network.ts";
import { type LoadOptions, SamMed2D } from "../../src/sam_med2d.ts";
import { describeGpu } from "../support/dawn.ts";
import { type Golden, readGolden } from "../support/goldens.ts";
import { QUICK } from "../support/quick.ts";
import { watchBuffers } from "../gpu/buffers.ts";
import { testDevice } from "./dawn_model.ts";
import { BOUNDS, checkGolden, describeErrors, type GoldenErrors } from "./golden_check.ts";
import { transformersFile } from "./network_file.ts";

const golden = readGolden("narrow_slim");

/** The kernels of a GPU, on whatever runs the test. */
const GPU = { target: { kind: "gpu", subgroupSize: 0, software: undefined } } as Partial<LoadOptions>;
const HALF: GoldenErrors = { embedding: 2e-2, logits: 5e-2, scores: 2e-2, iou: 0.995 };
const INT8: GoldenErrors = { embedding: 0.2, logits: 0.5, scores: 0.1, iou: 0.98 };

/** The network's file with `more` hidden channels in the MLP of a block, of which nothing reaches its answer. */
function widened({ config, seed }: Golden, block: number, more: number): Uint8Array {
  const own = expectedTensors(config);
  const each = (config as VitConfig).mlpWidth;
  const mlpWidths = (config as VitConfig).tableLengths.map((_, i) => each + (i === block ? more : 0));
  const tensors = expectedTensors({ ...config, mlpWidths } as VitConfig).map((tensor) => ({ ...tensor, dtype: "F32" as const }));
  const data = tensors.map(({ name, shape }) => {
    const stored = own.find((tensor) => tensor.name === name)?.shape ?? shape;
    const values = fill(name, stored, seed, 0, elements(stored));
    const [rows = 1, columns = 1] = stored;
    const wide = new Float32Array(elements(shape));
    // The further rows of lin1 are arbitrary, the columns of lin2 that they meet are zero.
    if (name === `image_encoder.blocks.${block}.mlp.lin2.weight`) {
      for (let row = 0; row < rows; row++) wide.set(values.subarray(row * columns, (row + 1) * columns), row * (columns + more));
    } else wide.fill(0.3).set(values);
    return new Uint8Array(wide.buffer);
  });
  return Buffer.concat([safetensorsHeader(tensors), ...data]);
}

describeGpu("SlimSAM's heads of 14 and MLPs of odd widths", () => {
  // 4096 tokens: half a minute a case where processors compute.
  if (!QUICK)
    it.each<[what: string, options: Partial<LoadOptions>, bounds: GoldenErrors]>([
      ["by the device's own kernels", {}, BOUNDS],
      ["by the kernels of a GPU", GPU, BOUNDS],
      ["with weights in f16", { precision: "f16" }, HALF],
      ["with weights in int8", { precision: "int8" }, INT8],
    ])("meet PyTorch %s", async (what, options, bounds) => {
      const model = await SamMed2D.load({ weights: transformersFile(golden), device: await testDevice(), ...options });
      expect(model.config).toEqual(golden.config);
      expect(model.config).toMatchObject({ width: 28, heads: 2, mlpWidth: 45, imageSize: 1024 });
      expect(model.name).toMatch(/^SAM width 28, depth 3, 1024 px, no adapters, f32, /);
      console.log(describeErrors(`narrow_slim, ${what}`, model.device.description, await checkGolden(model, golden, { bounds, cases: ["point"] })));
      model.dispose();
    });

  it.each<[what: string, options: Partial<LoadOptions>]>([
    ["by the device's own kernels", {}],
    ...(QUICK ? [] : [["by the kernels of a GPU", GPU] as [string, Partial<LoadOptions>]]),
  ])("meet PyTorch %s where an MLP is wider than those of the other blocks, by channels without weight", async (_, options) => {
    const small = readGolden("small_no_adapter");
    const { config } = small;
    const model = await SamMed2D.load({ weights: widened(small, 1, 7), device: await testDevice(), ...options });
    const each = (config as VitConfig).mlpWidth;
    expect(model.config).toEqual({ ...config, mlpWidths: [each, each + 7, each] });
    await checkGolden(model, small);
    model.dispose();
  });

  it("are refused where the device cannot bind them, or attention cannot hold a head, before anything is kept", async () => {
    const device = await testDevice();
    const watch = watchBuffers(device);
    const refused = (change: Partial<VitConfig>) => {
      const config = { ...golden.config, ...change } as VitConfig;
      return SamMed2D.load({ weights: synthetic(golden.seed, expectedTensors(config)), device });
    };
    await expect(refused({ mlpWidth: 16383 })).rejects.toMatchObject({
      code: "device",
      op: "load",
      expected: expect.stringMatching(/^able to bind 269 MB at once, for image_encoder\.blocks\.0\.mlp\.lin1$/),
      got: "at most 134 MB",
    });
    await expect(refused({ width: 488, heads: 2 })).rejects.toMatchObject({
      code: "checkpoint",
      argument: "rel_pos_h",
      expected: "heads of at most 240 channels",
      got: "244",
    });
    expect(watch.labels()).toEqual([]);
    watch.stop();
  });
});
