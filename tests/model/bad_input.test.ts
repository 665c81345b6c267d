import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Embedding, SavedEmbedding } from "../../src/embedding.ts";
import type { ImageSource, RawImage } from "../../src/image/image.ts";
import type { Prompt } from "../../src/model/prompts.ts";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { smallWeights } from "../cli/small_weights.ts";
import { watchBuffers } from "../gpu/buffers.ts";
import { expectClose } from "../support/compare.ts";
import { describeGpu } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";
import { loadGolden, testDevice } from "./dawn_model.ts";

const golden = readGolden("small");
const { width, height } = golden.image;

/** A whole SamError: what failed, what was wanted, what came, what to do. */
function samError(code: string, op: unknown, argument: unknown, got: string | RegExp = /./) {
  return expect.objectContaining({
    name: "SamError",
    code,
    op,
    argument,
    expected: expect.stringMatching(/./),
    got: typeof got === "string" ? expect.stringContaining(got) : expect.stringMatching(got),
    remedy: expect.stringMatching(/\w.*\.$/),
  });
}

describeGpu("bad input", () => {
  let model: SamMed2D;
  let embedding: Embedding;
  let usual: Float32Array;
  beforeAll(async () => {
    model = await loadGolden(golden);
    embedding = await model.encode(golden.image);
    usual = (await model.decode(embedding, { points: [{ x: 30, y: 27 }] })).logits;
  });
  afterAll(async () => {
    // After all of it the model decodes as before.
    const { logits } = await model.decode(await model.encode(golden.image), { points: [{ x: 30, y: 27 }] });
    expectClose(logits, usual, { label: "the same answer after every error", bound: 0 });
    model.dispose();
  });

  describe("to load", () => {
    type Header = Record<string, { shape: number[]; data_offsets: number[] }>;
    /** The small network's file with another header in the place of its own, so that the tensors stay where they are. */
    const lying = (change: (header: Header) => void) => {
      const bytes = smallWeights();
      const length = Number(Buffer.from(bytes).readBigUInt64LE(0));
      const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString());
      change(header);
      bytes.set(Buffer.from(JSON.stringify(header).padEnd(length)), 8);
      return bytes;
    };
    const NORM = "image_encoder.blocks.1.norm2.weight";
    const BIAS = "image_encoder.blocks.1.norm2.bias";
    const set = (wanted: string, value: number) => (name: string, values: Float32Array) => name === wanted && values.fill(value, 5, 6);
    it.each<[what: string, weights: () => unknown, argument: string, words: string]>([
      ["nothing", () => undefined, "weights", "got nothing"],
      ["what is no checkpoint", () => Buffer.from("<!doctype html><title>404</title>"), "weights", "HTML"],
      ["an empty file", () => new Uint8Array(), "weights", "empty"],
      ["a truncated file", () => smallWeights().subarray(0, 1_000_000), "blocks.1.mlp.lin1.weight", "within the 975880 bytes"],
      ["one cut inside its header", () => smallWeights().subarray(0, 200), "header length", "2 to 192 bytes"],
      ["one that goes on behind its tensors", () => Buffer.concat([smallWeights(), Buffer.alloc(4)]), "weights", "damaged"],
      ["a header that claims more than any memory has", () => Buffer.from([0, 0, 0, 0, 0, 255, 0, 0, 123, 125]), "weights", "got"],
      ["a header that lies about a shape", () => lying((header) => header[NORM]?.shape.fill(65)), NORM, "260 bytes for F32 [65], got 256"],
      ["tensors that overlap", () => lying((header) => Object.assign(header[BIAS] ?? {}, { data_offsets: header[NORM]?.data_offsets })), BIAS, "overlap"],
      ["weights with NaN", () => smallWeights({ values: set(NORM, Number.NaN) }), "weights", `NaN or infinity in ${NORM}`],
      ["infinity in a table made on the CPU", () => smallWeights({ values: set("image_encoder.pos_embed", Infinity) }), "weights", "image_encoder.pos_embed"],
      ["another network", () => smallWeights({ keep: () => false, add: [{ name: "conv1.weight", shape: [8, 3, 7, 7] }] }), "weights", "conv1.weight"],
      ["a part of this one", () => smallWeights({ keep: (name) => !name.startsWith("mask_decoder.iou_") }), "weights", "mask_decoder.iou_token.weight"],
    ])("refuses %s, and keeps nothing on the device", async (_, weights, argument, words) => {
      const device = await testDevice();
      const watch = watchBuffers(device);
      const error = await SamMed2D.load({ weights: weights() as Uint8Array, device }).catch((reason: unknown) => reason);
      expect(error).toEqual(samError("checkpoint", expect.stringMatching(/./), expect.stringContaining(argument)));
      expect(`${error}`).toContain(words);
      expect(watch.labels()).toEqual([]);
      watch.stop();
    });
  });

  describe("to encode", () => {
    const image = (change: Partial<Record<keyof RawImage, unknown>>) =>
      ({ data: new Uint8Array(12), width: 2, height: 2, channels: 3, ...change }) as ImageSource;
    it.each<[string, unknown, string, string]>([
      ["nothing", undefined, "image", "nothing"],
      ["null", null, "image", "null"],
      ["an address", "scan.png", "image", 'the string "scan.png"'],
      ["a list", [1, 2], "image", "an array of 2"],
      ["a side that is text", image({ width: "2" }), "image", 'the string "2"×2'],
      ["no channels", image({ channels: undefined }), "image.channels", "nothing"],
      ["an image of 0×0", image({ data: new Uint8Array(), width: 0, height: 0 }), "image", "0×0"],
      ["an image of 20000×20000", image({ width: 20000, height: 20000 }), "image", "20000×20000"],
      ["a fractional side", image({ width: 2.5 }), "image", "2.5×2"],
      ["fewer pixels than its size", image({ height: 3 }), "image.data", "12"],
      ["two channels", image({ data: new Uint8Array(8), channels: 2 }), "image.channels", "2"],
      ["floats", image({ data: new Float32Array(12) }), "image.data", "Float32Array"],
    ])("refuses %s", async (_, source, argument, got) => {
      await expect(model.encode(source as ImageSource)).rejects.toEqual(samError("image", "encode", argument, got));
    });

    it("refuses a fit and a channel order that it does not know, and takes undefined for the default", async () => {
      await expect(model.encode(golden.image, { fit: "crop" as "pad" })).rejects.toEqual(samError("image", "encode", "fit", "crop"));
      await expect(model.encode(golden.image, { channelOrder: "gbr" as "bgr" })).rejects.toEqual(samError("image", "encode", "channelOrder", "gbr"));
      const { data } = await (await model.encode(golden.image, { fit: undefined, channelOrder: undefined } as object)).save();
      expectClose(data, (await embedding.save()).data, { label: "defaults", bound: 0 });
    });
  });

  describe("to decode", () => {
    const point = (x: number, y: number, label = 1) => ({ points: [{ x, y, label }] });
    const nan = Number.NaN;
    it.each<[string, unknown, string, string]>([
      ["a point left of the image", point(-1, 5), "points[0]", "(-1, 5)"],
      ["a point below it", point(5, height), "points[0]", `(5, ${height})`],
      ["a point right of it", point(width, 5), "points[0]", `(${width}, 5)`],
      ["a point that is no number", point(nan, 5), "points[0]", "(NaN, 5)"],
      [
        "the second point outside",
        {
          points: [
            { x: 1, y: 1 },
            { x: 1e9, y: 1 },
          ],
        },
        "points[1]",
        "1000000000",
      ],
      ["points as pairs", { points: [[30, 27]] }, "points[0]", "an array of 2"],
      ["points that are no list", { points: { x: 30, y: 27 } }, "points", "an object with x, y"],
      ["another label", point(5, 5, 2), "points[0].label", "2"],
      ["a label in words", { points: [{ x: 5, y: 5, label: "0" }] }, "points[0].label", 'the string "0"'],
      ["a coordinate in words", { points: [{ x: "5", y: 5 }] }, "points[0].x", 'the string "5"'],
      ["a misspelt name of a point", { points: [{ x: 5, y: 5, lable: 0 }] }, "points[0]", '"lable"'],
      ["names of another library", { point_coords: [[5, 5]], point_labels: [0] }, "prompt", '"point_coords"'],
      ["labels beside the points", { points: [{ x: 5, y: 5 }], labels: [0] }, "prompt", '"labels"'],
      ["boxes", { boxes: [[1, 1, 5, 5]] }, "prompt", '"boxes"'],
      ["a box of corner, width and height", { box: { x: 1, y: 1, width: 5, height: 5 } }, "box", "an object with x, y, width, height"],
      ["a box with words for numbers", { box: ["1", "1", "5", "5"] }, "box[0]", 'the string "1"'],
      ["a box in a list", { box: [[1, 1, 5, 5]] }, "box[0]", "an array of 4"],
      ["one or three masks in words", { multimask: "false" }, "multimask", 'the string "false"'],
      ["more points than are taken", { points: new Array(2000).fill({ x: 1, y: 1 }) }, "points", "2000"],
      ["a box without area", { box: [10, 10, 10, 20] }, "box", "[10, 10, 10, 20]"],
      ["a box from corner to corner the wrong way", { box: [40, 40, 10, 10] }, "box", "[40, 40, 10, 10]"],
      ["a box that leaves the image", { box: [10, 10, width + 1, 20] }, "box", `${width + 1}`],
      ["a box with NaN", { box: [10, 10, nan, 20] }, "box", "NaN"],
      ["a box of three numbers", { box: [10, 10, 20] }, "box", "[10, 10, 20]"],
      ["a box that is an object", { box: { x0: 1, y0: 1, x1: 5, y1: 5 } }, "box", "an object with x0, y0, x1, y1"],
      ["a box of words", { box: "1,1,5,5" }, "box", 'the string "1,1,5,5"'],
      ["no prompt", undefined, "prompt", "nothing"],
      ["a point for a prompt", new Float32Array(2), "prompt", "Float32Array"],
      ["a mask of another size", { maskInput: new Float32Array(32 * 32) }, "maskInput", "1024"],
      ["a mask of logits", { maskInput: new Float32Array(64 * 64).fill(-3) }, "maskInput", "-3"],
      ["a mask with NaN", { maskInput: new Float32Array(64 * 64).fill(nan) }, "maskInput", "NaN"],
      ["a mask that is no Float32Array", { maskInput: new Array(64 * 64).fill(0.5) }, "maskInput", "an array of 4096"],
    ])("refuses %s", async (_, prompt, argument, got) => {
      await expect(model.decode(embedding, prompt as Prompt)).rejects.toEqual(samError("prompt", "decode", argument, got));
    });

    it("names the nearest right name of an option that is misspelt, here and in every call", async () => {
      const bad = (options: unknown) => options as never;
      const near = (remedy: RegExp) => expect.objectContaining({ name: "SamError", remedy: expect.stringMatching(remedy) });
      await expect(model.decode(embedding, {}, bad({ onprogress() {} }))).rejects.toEqual(near(/onProgress/));
      await expect(model.encode(golden.image, bad({ channel_order: "rgb" }))).rejects.toEqual(near(/channelOrder/));
      await expect(SamMed2D.load(bad({ weights: "synthetic:1", adapters: "off" }))).rejects.toEqual(near(/Perhaps adapter is meant/));
      await expect(SamMed2D.load(bad("w.pth"))).rejects.toMatchObject({ op: "load", got: 'the string "w.pth"' });
      await expect(model.decode(embedding, bad({ multimaskOutput: false }))).rejects.toEqual(near(/Perhaps multimask is meant/));
    });

    it("offers no name that has nothing to do with an unknown one", async () => {
      await expect(model.decode(embedding, {}, { maxBatch: 3 } as never)).rejects.toMatchObject({
        got: 'the unknown name "maxBatch"',
        remedy: "Leave it out.",
      });
      await expect(model.decode(embedding, { points: [{ x: 1, y: 1, z: 3 } as never] })).rejects.toMatchObject({
        argument: "points[0]",
        remedy: "Leave it out.",
      });
    });

    it.each<[name: string, value: unknown, got: string]>([
      ["signal", 5, "5"],
      ["signal", {}, "an empty object"],
      ["signal", null, "null"],
      ["onProgress", "x", 'the string "x"'],
      ["device", {}, "an empty object"],
      ["strict", "yes", 'the string "yes"'],
      ["cache", 0, "0"],
    ])("names an option %s that is %j", async (argument, value, got) => {
      const facts = { name: "SamError", argument, got };
      await expect(SamMed2D.load({ weights: "synthetic:1", [argument]: value })).rejects.toMatchObject({ ...facts, op: "load" });
      if (argument !== "signal" && argument !== "onProgress") return;
      await expect(model.encode(golden.image, { [argument]: value })).rejects.toMatchObject({ ...facts, op: "encode" });
      await expect(model.decode(embedding, {}, { [argument]: value })).rejects.toMatchObject({ ...facts, op: "decode" });
    });

    it("refuses all prompts of a call where one is bad", async () => {
      await expect(model.decode(embedding, [{ points: [{ x: 1, y: 1 }] }, { box: [5, 5, 5, 5] }])).rejects.toEqual(samError("prompt", "decode", "box"));
    });

    it("takes a point outside that is no point, and a box that is the image", async () => {
      await model.decode(embedding, { points: [{ x: -7, y: 1e9, label: -1 }] });
      await model.decode(embedding, { box: [0, 0, width, height] });
    });

    it("refuses what is no embedding, one that was disposed, and one of another network", async () => {
      const prompt = { points: [{ x: 1, y: 1 }] };
      await expect(model.decode({} as Embedding, prompt)).rejects.toEqual(samError("prompt", "decode", "embedding", "object"));
      await expect(model.decode((await embedding.save()) as unknown as Embedding, prompt)).rejects.toEqual(samError("prompt", "decode", "embedding"));
      const gone = await model.encode(golden.image);
      gone.dispose();
      await expect(model.decode(gone, prompt)).rejects.toEqual(samError("prompt", "decode", "embedding", "disposed"));
      await expect(gone.save()).rejects.toEqual(samError("disposed", "save", "embedding"));
      const larger = await loadGolden(golden, { imageSize: 384 });
      await expect(larger.decode(embedding, prompt)).rejects.toEqual(samError("prompt", "decode", "embedding", model.name));
      larger.dispose();
    });
  });

  describe("to restore", () => {
    it.each<[string, (saved: SavedEmbedding) => Partial<SavedEmbedding>, string]>([
      ["another grid", () => ({ shape: [1, 256, 24, 24] }), "shape"],
      ["too few values", ({ data }) => ({ data: data.slice(1) }), "shape"],
      ["NaN", ({ data }) => ({ data: data.map((value, i) => (i === 7 ? Number.NaN : value)) }), "data"],
      ["an image without pixels", ({ framing }) => ({ framing: { ...framing, width: 0 } }), "image"],
      ["an image side of another network", ({ framing }) => ({ framing: { ...framing, size: 1024 } }), "framing.size"],
    ])("refuses %s", async (_, change, argument) => {
      const saved = await embedding.save();
      expect(() => model.restore({ ...saved, ...change(saved) })).toThrow(samError("image", "restore", argument));
    });
  });

  it("refuses an embedding of other weights of the same network, and takes one of the same weights loaded again", async () => {
    const load = async (values?: (name: string, values: Float32Array) => unknown) =>
      SamMed2D.load({ weights: smallWeights(values ? { values } : {}), device: await testDevice() });
    const [one, again] = [await load(), await load()];
    const other = await load((name, values) => name === "image_encoder.blocks.0.norm1.weight" && values.fill(0.5, 5, 6));
    const input = await SamMed2D.load({ weights: smallWeights(), device: await testDevice(), input: "sam" });
    // The last value of one tensor alone.
    const last = await load((name, values) => name === "mask_decoder.iou_prediction_head.layers.2.bias" && values.fill((values.at(-1) as number) + 1e-3, -1));
    for (const model of [input, last]) {
      expect(model.fingerprint).not.toBe(one.fingerprint);
      model.dispose();
    }
    expect(again.fingerprint).toBe(one.fingerprint);
    const made = await one.encode(golden.image);
    const prompt = { points: [{ x: 3, y: 3 }] };
    await expect(other.decode(made, prompt)).rejects.toEqual(samError("prompt", "decode", "embedding", "other weights"));
    const saved = await made.save();
    expect(() => other.restore(saved)).toThrow(samError("image", "restore", "fingerprint"));
    await again.decode(again.restore(saved), prompt);
    const json = JSON.parse(JSON.stringify(saved)) as SavedEmbedding;
    expect(() => one.restore(json)).toThrow(samError("image", "restore", "data", "an object with 0, 1"));
    for (const each of [one, again, other]) each.dispose();
  });

  it("refuses work on a disposed model, and lets it be disposed again", async () => {
    const other = await loadGolden(golden);
    const running = other.encode(golden.image);
    other.dispose();
    // What was under way when it was disposed either ends or says why not.
    await running.catch((error: unknown) => expect(error).toEqual(samError("disposed", "encode", "model")));
    await expect(other.encode(golden.image)).rejects.toEqual(samError("disposed", "encode", "model"));
    await expect(other.decode(embedding, { points: [{ x: 1, y: 1 }] })).rejects.toEqual(samError("disposed", "decode", "model"));
    expect(() => other.stats()).toThrow(samError("disposed", "stats", "model"));
    other.dispose();
  });
});
