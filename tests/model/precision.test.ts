import { expect, it } from "vitest";
import type { LoadOptions, SamMed2D } from "../../src/sam_med2d.ts";
import { adapterFeatures, describeGpu } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";
import { QUICK } from "../support/quick.ts";
import { loadGolden } from "./dawn_model.ts";
import { checkGolden, describeErrors, type GoldenErrors } from "./golden_check.ts";

// What narrower weights may cost. The masks of the synthetic networks have long, ragged borders, the worst there are.
const HALF: GoldenErrors = { embedding: 2e-2, logits: 5e-2, scores: 2e-2, iou: 0.995 };
const INT8: GoldenErrors = { embedding: 0.2, logits: 0.5, scores: 0.1, iou: 0.98 };
// Products in f16 and weights in f16 or int8 are quickly tried in tests/ops/.
const IN_F16 = QUICK ? [] : ["small", "small_no_adapter", "small_patch8", "narrow_vit_h", "narrow_tiny_vit", "narrow_tiny_vit_pixels"];
const IN_INT8 = QUICK ? [] : ["small", "small_patch8", "narrow_tiny_vit", "narrow_tiny_vit_pixels"];

/** Kernels written for a GPU take LLVM up to a minute each, minutes beside other work. */
const TIMEOUT = 900_000;

/** The kernels of a GPU, on whatever runs the test. */
const GPU = { target: { kind: "gpu", subgroupSize: 0, software: undefined } } as Partial<LoadOptions>;

async function errorsOf(name: string, options: Partial<LoadOptions>, bounds: GoldenErrors): Promise<SamMed2D["device"]> {
  const golden = readGolden(name);
  const model = await loadGolden(golden, options);
  const errors = await checkGolden(model, golden, { bounds });
  console.log(describeErrors(`${name}, ${model.device.precision} weights, ${model.device.products} products`, model.device.description, errors));
  model.dispose();
  // Rounded it was.
  expect(errors.embedding).toBeGreaterThan(5e-5);
  return model.device;
}

describeGpu("narrow weights", () => {
  it.skipIf(!adapterFeatures().has("shader-f16")).each(IN_F16)(
    "in f16, multiplied in f16, stay within 0.02 of PyTorch's f32 in %s",
    async (name) => {
      expect(await errorsOf(name, { precision: "f16", ...GPU }, HALF)).toMatchObject({ precision: "f16", products: "f16" });
    },
    TIMEOUT,
  );

  it.each(IN_INT8)(
    "in int8 keep the masks of %s",
    async (name) => {
      expect(await errorsOf(name, { precision: "int8", ...GPU }, INT8)).toMatchObject({ precision: "int8", products: "f32" });
    },
    TIMEOUT,
  );

  it.each(QUICK ? [] : (["f16", "int8"] as const))("in %s are unpacked by a software adapter's kernels too", async (precision) => {
    expect(await errorsOf("small", { precision }, precision === "f16" ? HALF : INT8)).toMatchObject({ precision, products: "f32" });
  });

  if (!QUICK)
    it("mean nothing where they are too small for a normal half, which a device may take for 0: f32's bounds hold without them", async () => {
      const golden = readGolden("small");
      const checkpoint = golden.checkpoint();
      let flushed = 0;
      const read: typeof checkpoint.read = async (...piece) => {
        const values = new Float32Array((await checkpoint.read(...piece)).slice().buffer);
        const small = values.filter((value) => value !== 0 && Math.abs(value) < 2 ** -14).length;
        flushed += small;
        return new Uint8Array(values.map((value) => (Math.abs(value) < 2 ** -14 ? 0 : value)).buffer);
      };
      const model = await loadGolden(golden, { weights: { ...checkpoint, read } });
      await checkGolden(model, golden);
      model.dispose();
      expect(flushed).toBeGreaterThan(100);
    });

  it("take half and a quarter of the memory", async () => {
    const bytes = async (precision: "f32" | "f16" | "int8") => {
      const model = await loadGolden(readGolden("small"), { precision });
      const { weightBytes } = model.stats();
      model.dispose();
      return weightBytes;
    };
    const [f32, f16, int8] = [await bytes("f32"), await bytes("f16"), await bytes("int8")];
    // The decoder stays f32.
    const decoder = 17e6;
    expect((f16 - decoder) / (f32 - decoder)).toBeLessThan(0.6);
    expect((int8 - decoder) / (f32 - decoder)).toBeLessThan(0.4);
  });

  it("are refused in any other type, in words", async () => {
    const load = loadGolden(readGolden("small"), { precision: "f64" as "f32" });
    await expect(load).rejects.toMatchObject({ code: "checkpoint", argument: "precision", expected: '"f32", "f16", "int8"', got: '"f64"' });
  });
});
