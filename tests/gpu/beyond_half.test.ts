// An embedding is looked through where products are f16: what went beyond it is NaN or infinite by then.
import { expect, it } from "vitest";
import { expectWithinHalf } from "../../src/gpu/beyond_half.ts";

it("takes any finite embedding", () => {
  expect(() => expectWithinHalf(Float32Array.from([0, -0, 1e-45, 3.4e38, -3.4e38]))).not.toThrow();
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("refuses %f among its values, and says which precision to load with", (value) => {
  const tokens = new Float32Array(65536).fill(-2);
  tokens[40000] = value;
  let error: unknown;
  try {
    expectWithinHalf(tokens);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: "checkpoint", op: "encode", argument: "precision", remedy: expect.stringContaining('"f32"') });
});
