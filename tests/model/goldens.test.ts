import { expect, it } from "vitest";
import { describeGpu } from "../support/dawn.ts";
import { GOLDENS, readGolden } from "../support/goldens.ts";
import { QUICK } from "../support/quick.ts";
import { loadGolden } from "./dawn_model.ts";
import { checkGolden, describeErrors } from "./golden_check.ts";

/** Full-size networks are in vit_b.large.test.ts and tiny_vit.large.test.ts, that of SlimSAM's sizes in slim.test.ts. */
const SMALL = GOLDENS.filter((name) => !/^(vit_b|mobile_sam|lite_medsam|narrow_slim)/.test(name));

/** Of the kernels that the others have, and of sizes for which LLVM compiles them once more; the command line's known mask is TinyViT's, too. */
const OTHERS = /^narrow_vit|^narrow_tiny_vit$|patch8$|384$|grid8$/;

describeGpu("PyTorch's answers", () => {
  it("are here for eleven small networks", () => {
    expect(SMALL.length).toBe(11);
  });

  it.each(QUICK ? SMALL.filter((name) => !OTHERS.test(name)) : SMALL)("are met by %s", async (name) => {
    const golden = readGolden(name);
    const model = await loadGolden(golden);
    expect(model.config).toEqual(golden.config);
    console.log(describeErrors(name, model.device.description, await checkGolden(model, golden)));
    model.dispose();
  });

  it("are not met with the channels in the other order, another fit or other weights: the bounds can fail", async () => {
    const golden = readGolden("small");
    const model = await loadGolden(golden);
    await expect(checkGolden(model, { ...golden, order: "rgb" }, { cases: ["point"] })).rejects.toThrow(/^small: embedding: largest error/);
    await expect(checkGolden(model, { ...golden, fit: "pad" }, { cases: ["point"] })).rejects.toThrow(/^small: embedding: largest error/);
    const moved = { ...golden, prompts: () => [{ points: [{ x: 29, y: 27 }] }] };
    await expect(checkGolden(model, moved, { cases: ["point"] })).rejects.toThrow(/^small: logits of case point: largest error/);
    model.dispose();
    const other = await loadGolden(golden, { adapter: "off" });
    await expect(checkGolden(other, golden, { cases: ["point"] })).rejects.toThrow(/^small: embedding: largest error/);
    other.dispose();
  });

  it("are the same with the adapters of a checkpoint left out as without any in it", async () => {
    const model = await loadGolden(readGolden("small"), { adapter: "off" });
    await checkGolden(model, readGolden("small_no_adapter"));
    model.dispose();
  });
});
