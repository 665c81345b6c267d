import { describe, expect, it } from "vitest";
import { byImage, parseDataset, shard } from "../../src/eval/dataset.ts";
import { namesOf, plainPath } from "../../src/eval/names.ts";
import { expectModelPixels, formatPromptFile, liesOnMask, parsePromptFile, promptsOf } from "../../src/eval/prompt_file.ts";
import { frame } from "../../src/image/image.ts";

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

  it("takes a byte order mark, and names that JavaScript's objects have themselves", () => {
    expect(parseDataset('\ufeff{"__proto__":"i.png","constructor":"i.png","m.png":"i.png"}', "d.json").map(({ mask }) => mask)).toEqual([
      "__proto__",
      "constructor",
      "m.png",
    ]);
  });

  it.each([
    ["no JSON", "{", /d\.json: expected a JSON object/],
    ["a list", "[]", /got a list/],
    ["an empty object", "{}", /at least one mask, got an empty object/],
    ["image2label, the other way round", '{"images/1.png":["masks/a.png"]}', /an image path for "images\/1\.png", got \["masks\/a\.png"\].*image2label/],
    [
      "a mask named twice",
      '{"masks/a.png":"images/1.png","masks/b.png":"images/1.png","masks/a.png":"images/2.png"}',
      /each name once, got "masks\/a\.png" twice/,
    ],
    ["a mask named twice, spelt in two ways", '{"masks/a.png":"i.png","./x/../masks\\\\a.png":"i.png"}', /each mask once, got .* which is "masks\/a\.png" too/],
    ["an empty file", " ", /got an empty file/],
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
    expect(JSON.parse(formatPromptFile([["a.png", { box: [10, 20, 30, 40], point: { x: 15, y: 25, label: 1 } }]]))).toEqual(JSON.parse(text));
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
    expect(() => parsePromptFile(text, "p.json")).toThrow(/p\.json: expected "a\.png": boxes/);
  });
});

describe("prompts by path", () => {
  const entries = ["liver/001.png", "kidney/001.png", "liver/002.png"].map((mask, index) => ({ index, mask, image: "i.png" }));
  const first = (x: number) => ({ box: [x, 1, x + 9, 9] as const, point: { x, y: 2, label: 1 as const } });

  it("keep masks of one file name apart, there and back", () => {
    const prompts = entries.map(({ mask }, i) => [mask, first(i)] as const);
    const read = promptsOf("p.json", parsePromptFile(formatPromptFile(prompts), "p.json"), entries);
    expect([...read]).toEqual(prompts.map(([mask, value]) => [mask, value]));
  });

  it("are taken by file name alone only where one mask has it", () => {
    const byName = new Map([
      ["001.png", first(1)],
      ["002.png", first(2)],
    ]);
    expect(() => promptsOf("p.json", byName, entries)).toThrow(/got "001\.png" alone, for "liver\/001\.png" and "kidney\/001\.png"/);
    expect(promptsOf("p.json", byName, entries.slice(1)).get("kidney/001.png")).toEqual(first(1));
    expect(() => promptsOf("p.json", new Map(), entries)).toThrow(/none for 3 of them, "liver\/001\.png" first/);
  });

  it("are refused outside the network's square, and told where they miss the mask", () => {
    expect(() => expectModelPixels("p.json", new Map([["m.png", first(250)]]), 256)).toThrow(
      /p\.json: expected prompts of "m\.png" in model pixels, inside 256×256, got the box 250, 1, 259, 9\. These look like pixels of the original image/,
    );
    const truth = { data: new Uint8Array(400).fill(0), width: 20, height: 20 };
    truth.data[5 * 20 + 5] = 1;
    const framing = frame(20, 20, 64, "pad");
    expect(liesOnMask({ box: [26, 26, 29, 29], point: { x: 27, y: 27, label: 1 } }, truth, framing)).toBe(true);
    expect(liesOnMask({ box: [4, 4, 7, 7], point: { x: 5, y: 5, label: 1 } }, truth, framing)).toBe(false);
  });
});

describe("plainPath", () => {
  it("gives one spelling", () => {
    expect(["a/b.png", "./a//b.png", "a\\b.png", "c/../a/b.png"].map(plainPath)).toEqual(new Array(4).fill("a/b.png"));
    expect(["../a.png", "/a/../../b.png"].map(plainPath)).toEqual(["../a.png", "/../b.png"]);
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
    ["soft01.png", "s.png", "unknown", "unknown", "soft"],
    ["s_liver_000.png", "s.png", "unknown", "unknown", "liver"],
    ["liver/001.png", "images/s.png", "unknown", "unknown", "liver"],
    ["labelsTr/kidney/001.png", "images/001.png", "unknown", "unknown", "kidney"],
  ])("%s of %s", (mask, image, modality, dataset, structure) => {
    expect(namesOf(mask, image)).toEqual({ modality, dataset, structure });
  });
});
