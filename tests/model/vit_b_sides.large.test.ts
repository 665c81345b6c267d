import "../support/eight_lanes.ts";
import { expect, it } from "vitest";
import { describeGpu } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";
import { loadGolden } from "./dawn_model.ts";
import { checkGolden, describeErrors } from "./golden_check.ts";

// The original SAM's 4096 tokens are 0.9 TFLOP: a minute or two on two cores.
const TIMEOUT = 900_000;

describeGpu("the full-size network at other sides than 256", () => {
  it.each(["vit_b_512", "vit_b_1024_at_256", "vit_b_1024"])(
    "meets PyTorch in golden %s",
    async (name) => {
      const golden = readGolden(name);
      const model = await loadGolden(golden);
      expect(model.config).toEqual(golden.config);
      console.log(describeErrors(name, model.device.description, await checkGolden(model, golden)));
      model.dispose();
    },
    TIMEOUT,
  );
});
