import { describe, expect, it } from "vitest";
import { canonical, canonicalName, checkTensors, compareTensors } from "../../src/checkpoint/names.ts";
import { synthetic } from "../../src/checkpoint/synthetic.ts";
import { SamError } from "../../src/errors.ts";

const expected = Array.from({ length: 30 }, (_, i) => ({ name: `image_encoder.blocks.${i}.norm1.weight`, shape: [8] }));

function thrown(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SamError) return error.message;
    throw error;
  }
  return "";
}

describe("names", () => {
  it("drops wrappers, and only wrappers", () => {
    expect(canonicalName("module.image_encoder.pos_embed")).toBe("image_encoder.pos_embed");
    expect(canonicalName("state_dict.module._orig_mod.mask_decoder.iou_token.weight")).toBe("mask_decoder.iou_token.weight");
    expect(canonicalName("modular.model.x")).toBe("modular.model.x");
    expect(canonicalName("image_encoder.module.x")).toBe("image_encoder.module.x");
  });

  it("reads tensors under their canonical names", async () => {
    const stored = synthetic(3, [{ name: "module.a.weight", shape: [4] }]);
    const checkpoint = canonical(stored);
    expect([...checkpoint.tensors.values()]).toEqual([{ name: "a.weight", shape: [4], dtype: "F32" }]);
    expect(await checkpoint.read("a.weight", 0, 4)).toEqual(await stored.read("module.a.weight", 0, 4));
    expect(checkpoint.label).toBe("synthetic:3");
    const plain = synthetic(3, [{ name: "a", shape: [1] }]);
    expect(canonical(plain)).toBe(plain);
  });

  it("refuses two tensors that become one", () => {
    expect(
      thrown(() =>
        canonical(
          synthetic(
            3,
            ["module.a", "a"].map((name) => ({ name, shape: [1] })),
          ),
        ),
      ),
    ).toMatch(/"module.a" and "a"/);
  });

  it("passes a checkpoint that has all, and reports what is unknown", () => {
    const checkpoint = synthetic(3, [...expected, { name: "extra", shape: [1] }]);
    expect(checkTensors(checkpoint, expected).unknown).toEqual(["extra"]);
    expect(thrown(() => checkTensors(checkpoint, expected, { allowUnknown: false }))).toMatch(/1 unknown: "extra"/);
  });

  it("names everything that does not fit in one error", () => {
    const checkpoint = synthetic(3, [
      { name: expected[0]?.name ?? "", shape: [8] },
      { name: expected[1]?.name ?? "", shape: [9, 2] },
    ]);
    const message = thrown(() => checkTensors(checkpoint, expected));
    expect(message).toMatch(/28 missing: image_encoder\.blocks\.2\.norm1\.weight, .*blocks\.21\.norm1\.weight and 8 more/);
    expect(message).toMatch(/1 wrong shape: image_encoder\.blocks\.1\.norm1\.weight expected \[8\] got \[9, 2\]/);
    expect(compareTensors(checkpoint, expected).missing).toHaveLength(28);
  });

  it("says when the file is of another network, and when a tensor is there in a dtype that is not loaded", () => {
    expect(thrown(() => checkTensors(synthetic(3, [{ name: "conv1.weight", shape: [1] }]), expected))).toMatch(/another network/);
    const refusing = { ...synthetic(3, []), refused: new Map([["x", "F64 [8]"]]) };
    expect(thrown(() => checkTensors(refusing, [{ name: "x", shape: [8] }]))).toMatch(/x \(there as F64 \[8\]/);
  });
});
