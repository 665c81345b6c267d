import { expect, it } from "vitest";
import { tellBlocks } from "../../src/model/global_blocks.ts";

it("tells global blocks by the lengths of their tables", () => {
  expect(tellBlocks([27, 27, 31, 27], 16)).toEqual({ globalBlocks: [2], window: 14 });
  // A grid smaller than the window.
  expect(tellBlocks([27, 15], 8)).toEqual({ globalBlocks: [1], window: 14 });
  expect(tellBlocks([31, 31], 16)).toEqual({ globalBlocks: [0, 1], window: 16 });
});

it("takes the longer of two tables as global where neither is the position table's: it is resized", () => {
  expect(tellBlocks([27, 27, 127, 27], 16)).toEqual({ globalBlocks: [2], window: 14 });
  expect(tellBlocks([27, 31, 27], 64)).toEqual({ globalBlocks: [1], window: 14 });
});

it("guesses for no block", () => {
  expect(tellBlocks([27, 27], 16)).toMatch(/can't be told/);
  expect(tellBlocks([27, 31, 127], 16)).toMatch(/3 lengths: 27 in blocks 0, 31 in blocks 1, 127 in blocks 2/);
  expect(tellBlocks([27, 63, 127], 16)).toMatch(/3 lengths/);
  expect(tellBlocks([26, 31], 16)).toMatch(/even lengths/);
});
