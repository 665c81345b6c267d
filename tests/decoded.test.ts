import { expect, it } from "vitest";
import { bestOf } from "../src/decoded.ts";

it.each([
  [[0.2, 0.9, 0.5], 1],
  [[Number.NaN, 0.1, 0.3], 2],
  [[0.4, Number.NaN, 0.3], 0],
  [[Number.NaN, Number.NaN, 0.3], 2],
  [[Number.NaN, Number.NaN], 1],
  [[-1], 0],
])("of %j the best is %i", (scores, best) => expect(bestOf(Float32Array.from(scores))).toBe(best));
