import { describe, expect, it } from "vitest";
import { byImage, formatPromptFile, parseDataset, parsePromptFile, shard } from "../../src/eval/dataset.ts";
import { namesOf } from "../../src/eval/names.ts";

describe("parseDataset", () => {
  it("keeps the order and groups masks by image", () => {
    const entries = parseDataset('{"masks/b.png":"images/2.png","masks/a.png":"images/1.png","masks/c.png":"images/2.png"}', "d.json");
    expect(entries.map(({ index, mask }) => [index, mask])).toEqual([
      [0, "masks/b.png"],
      [1, "masks/a.png"],
      [2, "masks/c.png"],
    ]);
    expect(byImage(entries).map(({ image, masks }) => [image, masks.map(({ index }) => index)])).toEqual([
      ["images/2.png", [0, 2]],
      ["images/1.png", [1]],
    ]);
  });

  it.each([
    ["no JSON", "{", /d\.json: expected a JSON object/],
    ["a list", "[]", /got a list/],
    ["an empty object", "{}", /at least one mask, got an empty object/],
    ["image2label, the other way round", '{"images/1.png":["masks/a.png"]}', /an image path for images\/1\.png, got \["masks\/a\.png"\]/],
  ])("refuses %s", (_what, text, words) => {
    expect(() => parseDataset(text, "d.json")).toThrow(words);
  });
});

describe("shard", () => {
  it("puts every item in exactly one part", () => {
    const items = Array.from({ length: 11 }, (_, i) => i);
    const parts = [0, 1, 2].map((index) => shard(items, index, 3));
    expect(parts.flat().sort((a, b) => a - b)).toEqual(items);
    expect(parts.map((part) => part.length)).toEqual([4, 4, 3]);
  });
});

describe("the prompt file", () => {
  it("is the reference's, there and back", () => {
    const text = '{"a.png":{"boxes":[[10.0,20.0,30.0,40.0]],"point_coords":[[15.0,25.0]],"point_labels":[1]}}';
    const prompts = parsePromptFile(text, "p.json");
    expect(prompts.get("a.png")).toEqual({ box: [10, 20, 30, 40], point: { x: 15, y: 25, label: 1 } });
    expect(JSON.parse(formatPromptFile([["masks/a.png", { box: [10, 20, 30, 40], point: { x: 15, y: 25, label: 1 } }]]))).toEqual(JSON.parse(text));
  });

  it("takes one more level of lists, as batches of tensors print", () => {
    const text = '{"a.png":{"boxes":[[[1,2,3,4]]],"point_coords":[[[1,2]]],"point_labels":[[1]]}}';
    expect(parsePromptFile(text, "p.json").get("a.png")?.box).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ["no box", '{"a.png":{"point_coords":[[1,2]],"point_labels":[1]}}'],
    ["a box without area", '{"a.png":{"boxes":[[3,2,3,4]],"point_coords":[[1,2]],"point_labels":[1]}}'],
    ["two points", '{"a.png":{"boxes":[[1,2,3,4]],"point_coords":[[1,2],[3,4]],"point_labels":[1,0]}}'],
    ["text for numbers", '{"a.png":{"boxes":[["1",2,3,4]],"point_coords":[[1,2]],"point_labels":[1]}}'],
    ["nothing", '{"a.png":null}'],
  ])("refuses %s by the mask's name", (_what, text) => {
    expect(() => parsePromptFile(text, "p.json")).toThrow(/p\.json: expected a\.png: boxes/);
  });
});

describe("namesOf", () => {
  it.each([
    ["masks/us--usgra--000--structure1_002.png", "images/us--usgra--000.png", "us", "usgra", "structure1"],
    [
      "masks/ct--sammed2d-demo--amos_0004_75--inferior_vena_cava_000.png",
      "images/ct--sammed2d-demo--amos_0004_75.png",
      "ct",
      "sammed2d-demo",
      "inferior_vena_cava",
    ],
    ["masks/mr_t1--BRATS--case--x_0049--0001_000.png", "images/mr_t1--BRATS--case--x_0049.png", "mr", "BRATS", "0001"],
    ["masks/s0114_111_rib_left_9_000.png", "images/s0114_111.png", "unknown", "unknown", "rib_left_9"],
    ["a.png", "b.png", "unknown", "unknown", "a"],
    ["masks/000.png", "images/000.png", "unknown", "unknown", "unknown"],
  ])("%s of %s", (mask, image, modality, dataset, structure) => {
    expect(namesOf(mask, image)).toEqual({ modality, dataset, structure });
  });
});
