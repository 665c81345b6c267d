// What narrow weights cost LiteMedSAM at full size, the smallest real medical model and the one that is converted most.
import { expect, it } from "vitest";
import { describeGpu } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";
import { loadGolden } from "./dawn_model.ts";
import { checkGolden, describeErrors, type GoldenErrors } from "./golden_check.ts";

// Synthetic weights: the masks' borders are long and ragged, the worst there are.
const BOUNDS: Readonly<Record<"f16" | "int8", GoldenErrors>> = {
  f16: { embedding: 2e-2, logits: 5e-2, scores: 2e-2, iou: 0.995 },
  int8: { embedding: 0.3, logits: 0.5, scores: 0.1, iou: 0.97 },
};
/** Encodes of 70 GFLOP on a software adapter. */
const TIMEOUT = 900_000;

describeGpu("LiteMedSAM with narrow weights", () => {
  it.each(["f16", "int8"] as const)(
    "keeps its masks in %s",
    async (precision) => {
      const golden = readGolden("lite_medsam");
      const model = await loadGolden(golden, { precision });
      const errors = await checkGolden(model, golden, { bounds: BOUNDS[precision] });
      console.log(describeErrors(`lite_medsam, weights in ${precision}, ${model.stats().weightBytes / 1e6} MB`, model.device.description, errors));
      model.dispose();
      // Rounded they were.
      expect(errors.embedding).toBeGreaterThan(5e-5);
    },
    TIMEOUT,
  );
});
