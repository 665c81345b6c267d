import { expect, it } from "vitest";
import { describeGpu } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";
import { loadGolden } from "./dawn_model.ts";
import { checkGolden, describeErrors } from "./golden_check.ts";

// MobileSAM's encode is 40 GFLOP: seconds on a software adapter, and several times as long on a machine that has other work.
const TIMEOUT = 600_000;

describeGpu("TinyViT at full size, synthetic weights of seed 7", () => {
  it.each([
    ["lite_medsam", /^LiteMedSAM tiny_vit 256, no adapters, f32, 9\.\d M parameters$/, "lite-medsam, from the shapes of its tensors"],
    ["mobile_sam", /^MobileSAM tiny_vit 1024, no adapters, f32, \d+\.\d M parameters$/, "sam, from the shapes of its tensors"],
  ])(
    "meets PyTorch in golden %s, in at most 92 dispatches",
    async (name, title, input) => {
      const golden = readGolden(name);
      const model = await loadGolden({ ...golden, input: undefined });
      expect(model.name).toMatch(title);
      console.log(describeErrors(name, model.device.description, await checkGolden(model, golden)));
      const stats = model.stats();
      expect(stats.input).toBe(input);
      // Two more than on a GPU (tests/bench/cli.test.ts): a software adapter embeds patches by products.
      expect(stats.encode.dispatches).toBeLessThanOrEqual(92);
      console.log(`${name}: ${stats.encode.dispatches} dispatches, ${stats.activationBytes / 1e6} MB of activations, ${stats.weightBytes / 1e6} MB of weights`);
      model.dispose();
    },
    TIMEOUT,
  );
});
