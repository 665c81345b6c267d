import { describe, expect, it } from "vitest";
import { checkTensors } from "../../src/checkpoint/misfit.ts";
import { canonical, compareTensors } from "../../src/checkpoint/names.ts";
import { synthetic } from "../../src/checkpoint/synthetic.ts";
import { SamError } from "../../src/errors.ts";
import { samError } from "./support.ts";

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
  it("drops wrappers where there is no network, and only wrappers", async () => {
    const named = async (name: string) => [...(await canonical(synthetic(3, [{ name, shape: [1] }]))).tensors.keys()][0];
    expect(await named("state_dict.module._orig_mod.x.weight")).toBe("x.weight");
    expect(await named("modular.model.x")).toBe("modular.model.x");
  });

  it("reads tensors under their canonical names", async () => {
    const stored = synthetic(3, [{ name: "module.a.weight", shape: [4] }]);
    const checkpoint = await canonical(stored);
    expect([...checkpoint.tensors.values()]).toEqual([{ name: "a.weight", shape: [4], dtype: "F32" }]);
    expect(await checkpoint.read("a.weight", 0, 4)).toEqual(await stored.read("module.a.weight", 0, 4));
    expect(checkpoint.label).toBe("synthetic:3");
    const plain = synthetic(3, [{ name: "mask_decoder.iou_token.weight", shape: [1] }]);
    expect(await canonical(plain)).toBe(plain);
  });

  it("refuses two tensors that become one", async () => {
    const twice = (...names: string[]) =>
      canonical(
        synthetic(
          3,
          names.map((name) => ({ name, shape: [1] })),
        ),
      );
    expect((await samError(twice("module.a", "a"))).message).toMatch(/"module.a" and "a"/);
    expect((await samError(twice("mask_decoder.module.iou_token.weight", "mask_decoder.iou_token.weight"))).message).toMatch(/Keep one of the two/);
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
    const refusing = { ...synthetic(3, []), refused: new Map([["x", "as C64 [8], a dtype that is not loaded"]]) };
    expect(thrown(() => checkTensors(refusing, [{ name: "x", shape: [8] }]))).toMatch(/x \(there as C64 \[8\]/);
  });
});
