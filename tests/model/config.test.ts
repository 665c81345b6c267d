import { describe, expect, it } from "vitest";
import type { InputName } from "../../src/image/input.ts";
import type { Shape } from "../../src/graph/tensor.ts";
import { type Config, detectConfig, variantName, VIT_B } from "../../src/model/config.ts";
import { detectInput } from "../../src/model/input.ts";
import { modelName } from "../../src/model/name.ts";
import { expectedTensors } from "../../src/model/network.ts";
import { GOLDENS, readGolden } from "../support/goldens.ts";

type Shapes = Map<string, { shape: Shape; dtype: string }>;

function shapesOf(config: Config): Shapes {
  return new Map(expectedTensors(config).map(({ name, shape }) => [name, { shape, dtype: "F32" }]));
}

/** What a checkpoint of other names looks like. */
function rename(shapes: Shapes, from: string, to: string): void {
  for (const [name, tensor] of [...shapes]) {
    shapes.delete(name);
    shapes.set(name.replace(from, to), tensor);
  }
}

const tables = (depth: number, globals: readonly number[], grid = 16) => Array.from({ length: depth }, (_, i) => (globals.includes(i) ? 2 * grid - 1 : 27));
const VIT_L: Config = { ...VIT_B, width: 1024, depth: 24, heads: 16, mlpWidth: 4096, globalBlocks: [5, 11, 17, 23], tableLengths: tables(24, [5, 11, 17, 23]) };
const VIT_H: Config = { ...VIT_B, width: 1280, depth: 32, heads: 16, mlpWidth: 5120, globalBlocks: [7, 15, 23, 31], tableLengths: tables(32, [7, 15, 23, 31]) };
const SAM: Config = { ...VIT_B, imageSize: 1024, grid: 64, storedGrid: 64, adapters: false, tableLengths: tables(12, VIT_B.globalBlocks, 64) };

describe("detectConfig", () => {
  it.each([
    ["vit_b", VIT_B],
    ["vit_l", VIT_L],
    ["vit_h", VIT_H],
    ["vit_b", SAM],
  ])("reads %s off its tensors", (name, config) => {
    expect(detectConfig("test", shapesOf(config))).toEqual(config);
    expect(variantName(config)).toBe(name);
  });

  it.each(GOLDENS)("reads the network of golden %s", (name) => {
    const golden = readGolden(name);
    const { tensors } = golden.checkpoint();
    expect(detectConfig("test", tensors, { imageSize: golden.size })).toEqual(golden.config);
  });

  it("counts the parameters of the published network", () => {
    expect(modelName(VIT_B, shapesOf(VIT_B))).toBe("SAM-Med2D vit_b 256, adapters, f32, 271.2 M parameters");
    expect(modelName({ ...VIT_B, adapters: false }, shapesOf(VIT_B))).toMatch(/^FT-SAM vit_b 256, no adapters, f32, 90\.\d M parameters$/);
    expect(modelName(SAM, shapesOf(SAM))).toMatch(/^SAM vit_b 1024, no adapters, f32, 93\.\d M parameters$/);
    const narrow = { ...VIT_B, width: 192, depth: 6, heads: 3, globalBlocks: [2, 5], tableLengths: tables(6, [2, 5]) };
    expect(modelName(narrow, shapesOf(narrow))).toMatch(/^SAM-Med2D width 192, depth 6, 256 px, adapters, f32, \d+\.\d M parameters$/);
    const { config: tiny } = readGolden("narrow_tiny_vit");
    expect(modelName(tiny, shapesOf(tiny), "sam-med2d")).toMatch(/^SAM-Med2D tiny_vit of widths /);
    expect(modelName(tiny, shapesOf(tiny), "medsam")).toMatch(/^SAM tiny_vit of widths /);
  });

  it("leaves adapters out where asked, and requires them where asked", () => {
    expect(detectConfig("test", shapesOf(VIT_B), { adapter: "off" })).toEqual({ ...VIT_B, adapters: false });
    expect(detectConfig("test", shapesOf(VIT_B), { adapter: "on" }).adapters).toBe(true);
    expect(() => detectConfig("sam.pth", shapesOf(SAM), { adapter: "on" })).toThrow(
      expect.objectContaining({ code: "checkpoint", op: "sam.pth", argument: "adapter" }),
    );
    expect(() => detectConfig("sam.pth", shapesOf(VIT_B), { adapter: "yes" as "on" })).toThrow(
      expect.objectContaining({ argument: "adapter", expected: '"on" or "off"', got: '"yes"' }),
    );
  });

  it("runs at another side, a multiple of the patch, an even number of patches with adapters", () => {
    expect(detectConfig("test", shapesOf(VIT_B), { imageSize: 512 })).toEqual({ ...VIT_B, imageSize: 512, grid: 32 });
    for (const imageSize of [250, 0, -16, 272.5]) {
      expect(() => detectConfig("test", shapesOf(VIT_B), { imageSize })).toThrow(
        expect.objectContaining({ code: "checkpoint", argument: "imageSize", got: `${imageSize}`, remedy: "Leave it out for what the checkpoint has." }),
      );
    }
    expect(() => detectConfig("test", shapesOf(VIT_B), { imageSize: 272 })).toThrow(
      expect.objectContaining({ argument: "imageSize", expected: expect.stringContaining("even") }),
    );
    expect(detectConfig("test", shapesOf(SAM), { imageSize: 272 }).grid).toBe(17);
    expect(detectConfig("test", shapesOf(VIT_B), { imageSize: 1024 }).grid).toBe(64);
    expect(() => detectConfig("test", shapesOf(VIT_B), { imageSize: 1056 })).toThrow(
      expect.objectContaining({ argument: "imageSize", expected: expect.stringContaining("64 patches") }),
    );
  });

  it.each<[string, (shapes: Shapes) => void, string]>([
    ["no tensors at all", (shapes) => shapes.clear(), "image_encoder.patch_embed.proj.weight"],
    ["another network's tensors", (shapes) => rename(shapes, "image_encoder", "encoder"), "encoder.patch_embed.proj.weight"],
    ["an image encoder alone", (shapes) => rename(shapes, "mask_decoder", "head"), "a tensor mask_decoder."],
    [
      "a patch embedding of another rank",
      (shapes) => shapes.set("image_encoder.patch_embed.proj.weight", { shape: [768, 768], dtype: "F32" }),
      "of 4 dimensions",
    ],
    [
      "a side of nothing",
      (shapes) => shapes.set("image_encoder.blocks.3.mlp.lin1.weight", { shape: [0, 768], dtype: "F32" }),
      "blocks.3.mlp.lin1.weight must be of 2 dimensions of at least 1, got [0, 768]",
    ],
    ["heads that do not divide the width", (shapes) => shapes.set("image_encoder.blocks.0.attn.rel_pos_h", { shape: [27, 60], dtype: "F32" }), "divisor"],
    [
      "more channels than an adapter's gate can hold",
      (shapes) => shapes.set("image_encoder.patch_embed.proj.weight", { shape: [4096, 3, 16, 16], dtype: "F32" }),
      "with adapters",
    ],
    [
      "a decoder of odd width",
      (shapes) => shapes.set("mask_decoder.transformer.layers.0.mlp.lin1.weight", { shape: [2048, 96], dtype: "F32" }),
      "decoder widths",
    ],
    [
      "a decoder wider than its kernels",
      (shapes) => shapes.set("mask_decoder.transformer.layers.0.mlp.lin1.weight", { shape: [2048, 320], dtype: "F32" }),
      "multiples of 64, up to 256",
    ],
    [
      "a decoder whose MLP is no multiple of four",
      (shapes) => shapes.set("mask_decoder.transformer.layers.0.mlp.lin1.weight", { shape: [2046, 256], dtype: "F32" }),
      "mlp.lin1 must be a decoder's MLP of a multiple of 4 channels, got 2046",
    ],
    ["a decoder of one mask", (shapes) => shapes.set("mask_decoder.mask_tokens.weight", { shape: [1, 256], dtype: "F32" }), "mask_tokens must be"],
    [
      "an encoder whose width its adapters cannot squeeze",
      (shapes) => {
        shapes.set("image_encoder.patch_embed.proj.weight", { shape: [776, 3, 16, 16], dtype: "F32" });
        shapes.set("image_encoder.blocks.0.attn.rel_pos_h", { shape: [27, 97], dtype: "F32" });
      },
      "expected width a multiple of 16, patch of 4, got width 776, patch 16",
    ],
  ])("refuses %s", (_, change, words) => {
    const shapes = shapesOf(VIT_B);
    change(shapes);
    const refused = expect.objectContaining({ name: "SamError", code: "checkpoint", op: "wrong.pth" });
    expect(() => detectConfig("wrong.pth", shapes)).toThrow(refused);
    expect(() => detectConfig("wrong.pth", shapes)).toThrow(words);
  });

  it("refuses widths that its kernels cannot move, four channels at a time, and reads MLPs that differ from block to block", () => {
    const of = (config: Config, changes: Record<string, Shape>) => {
      const shapes = shapesOf(config);
      for (const [name, shape] of Object.entries(changes)) shapes.set(`image_encoder.${name}`, { shape, dtype: "F32" });
      return detectConfig("pruned.pth", shapes);
    };
    const plain = { "patch_embed.proj.weight": [770, 3, 16, 16], "blocks.0.attn.rel_pos_h": [27, 77] };
    expect(() => of(SAM, plain)).toThrow("expected width a multiple of 4, patch of 4, got width 770, patch 16");
    const lite = readGolden("lite_medsam").config;
    expect(() => of(lite, { "layers.1.blocks.0.mlp.fc1.weight": [510, 128] })).toThrow(/expected widths that are multiples of 4, got 32, 64, 256, 128, 510,/);
    expect(() => of(lite, { "layers.2.blocks.0.attn.attention_biases": [16, 196] })).toThrow(
      /must be heads of a multiple of 4 channels, got 160 channels for 16 heads/,
    );
    expect(() => of(lite, { "layers.2.blocks.0.attn.attention_biases": [5, 190] })).toThrow(/the square of a window's side .* got 190/);
    const mlpWidths = [3072, 45, ...new Array<number>(10).fill(3072)];
    expect(of(SAM, { "blocks.1.mlp.lin1.weight": [45, 768] })).toEqual({ ...SAM, mlpWidths });
  });

  it.each([
    ["SAM 2", ["image_encoder.pos_embed", "image_encoder.pos_embed_window", "image_encoder.patch_embed.proj.weight"], "one of SAM 2"],
    ["SAM 2 by its encoder", ["image_encoder.trunk.pos_embed", "sam_mask_decoder.iou_token.weight"], "one of SAM 2"],
    ["SAM 2 by its memory", ["image_encoder.patch_embed.proj.weight", "memory_attention.layers.0.norm1.weight"], "one of SAM 2"],
    ["LoRA layers alone", ["base_model.model.vision_encoder.layers.0.attn.qkv.lora_A.weight"], "LoRA layers without the weights"],
    ["LoRA layers of another project", ["blocks.0.attn.qkv.linear_a_q.weight", "w_a_000"], "LoRA layers without the weights"],
    ["LoRA layers by their numbers, with a decoder", ["w_a_000", "w_b_000", "mask_decoder.iou_token.weight"], "LoRA layers without the weights"],
    ["SAM 3", ["detector.backbone.vision_backbone.trunk.pos_embed", "tracker.maskmem_tpos_enc", "mask_decoder.iou_token.weight"], "one of SAM 3"],
    ["SAM 3 as transformers saves it", ["vision_encoder.backbone.layers.0.norm1.weight", "geometry_encoder.label_embed.weight"], "one of SAM 3"],
    ["a TinyViT without its beginning", ["image_encoder.layers.0.blocks.0.conv1.c.weight"], "a part of the network"],
    [
      "another image encoder",
      ["image_encoder.stem.0.weight", "image_encoder.neck.0.weight", "prompt_encoder.no_mask_embed.weight", "mask_decoder.iou_token.weight"],
      "got another one (image_encoder.stem.0.weight, …). Use a checkpoint of SAM, ",
    ],
  ])("says that a file is of %s, and that it is not read", (_, names, words) => {
    const shapes: Shapes = new Map(names.map((name) => [name, { shape: [4, 4, 4, 4], dtype: "F32" }]));
    expect(() => detectConfig("wrong.pth", shapes)).toThrow(words);
  });

  it("counts a block of which tensors are missing, so that those are named instead of the blocks behind it", () => {
    const shapes = shapesOf(VIT_B);
    shapes.delete("image_encoder.blocks.5.norm1.weight");
    shapes.delete("mask_decoder.transformer.layers.1.norm1.weight");
    expect(detectConfig("test", shapes)).toEqual(VIT_B);
  });

  it("runs at the side that a file says of itself, unless asked for another", () => {
    const at = (size: string, imageSize?: number) => detectConfig("test", shapesOf(VIT_B), { imageSize, metadata: new Map([["image_size", size]]) }).imageSize;
    expect(at("512")).toBe(512);
    expect(at("512", 1024)).toBe(1024);
    expect(at("wide")).toBe(256);
    expect(() => at("-16")).toThrow(/a multiple of the patch.* The file itself asks for it: give another side/);
  });

  it("brings images in as each network was trained, by its tensors and the file's name", () => {
    const of = (config: Config, label = "model.pth", asked?: InputName) => {
      const { name, fit, channelOrder, from, warning } = detectInput(config, label, asked);
      return [name, fit, channelOrder, from, warning !== undefined];
    };
    const SHAPES = "from the shapes of its tensors";
    expect(of(VIT_B)).toEqual(["sam-med2d", "resize", "bgr", SHAPES, false]);
    expect(of({ ...VIT_B, adapters: false })).toEqual(["sam-med2d", "resize", "bgr", SHAPES, false]);
    expect(of(SAM)).toEqual(["sam", "long-side", "rgb", SHAPES, false]);
    expect(of({ ...SAM, imageSize: 256, grid: 16 })).toEqual(["sam", "resize", "rgb", SHAPES, false]);
    expect(of(SAM, "medsam_vit_b.pth")).toEqual(["medsam", "resize", "rgb", "from the file's name", false]);
    expect(of(SAM, "https://huggingface.co/wanglab/medsam-vit-base/resolve/main/model.safetensors")[0]).toBe("medsam");
    expect(of(SAM, "sam-med2d-like-sam.pth")[0]).toBe("sam");
    expect(of(SAM, "model.pth", "medsam")).toEqual(["medsam", "resize", "rgb", "as asked for", false]);
    expect(of(VIT_B, "medsam.pth")[0]).toBe("sam-med2d");
    expect(of(VIT_B, "model.pth", "medsam")).toEqual(["medsam", "resize", "rgb", "as asked for", true]);
    const lite = readGolden("lite_medsam").config;
    expect(of(lite)).toEqual(["lite-medsam", "long-side", "rgb", SHAPES, false]);
    expect(of(readGolden("mobile_sam").config)).toEqual(["sam", "long-side", "rgb", SHAPES, false]);
    expect(of(lite, "lite_medsam.pth", "sam")[4]).toBe(true);
    const said = (input: string, asked?: InputName) => detectInput(readGolden("mobile_sam").config, "model.safetensors", asked, new Map([["input", input]]));
    expect(said("sam-med2d")).toMatchObject({ name: "sam-med2d", fit: "resize", channelOrder: "bgr", from: "as the file says" });
    expect(said("sam-med2d").warning).toBeUndefined();
    expect(said("sam-med2d").multimask).toBe(true);
    const whole = (multimask: string, asked?: InputName) =>
      detectInput(readGolden("mobile_sam").config, "model.safetensors", asked, new Map(Object.entries({ input: "sam-med2d", multimask }))).multimask;
    expect(whole("ambiguous")).toBe("ambiguous");
    expect(whole("sometimes")).toBe(true);
    expect(whole("ambiguous", "medsam")).toBe(false);
    expect(said("sam-med2d", "sam")).toMatchObject({ name: "sam", from: "as asked for", warning: expect.stringContaining("sam-med2d") });
    const besides = (config: Config, processor: InputName, label = "model.safetensors") => detectInput(config, label, undefined, undefined, processor);
    expect(besides(SAM, "medsam")).toMatchObject({ name: "medsam", from: "from preprocessor_config.json" });
    expect(besides(SAM, "sam", "medsam.safetensors")).toMatchObject({ name: "medsam", from: "from the file's name" });
    expect(besides(VIT_B, "medsam")).toMatchObject({ name: "sam-med2d", from: SHAPES });
    expect(said("toString")).toMatchObject({ name: "sam", from: SHAPES });
    expect(() => detectInput(SAM, "model.pth", "dicom" as InputName)).toThrow(expect.objectContaining({ argument: "input", got: '"dicom"' }));
  });
});
