// segment with a model of our own: what it is asked, and every file it writes.
import { readFile, writeFile } from "node:fs/promises";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { readImage } from "../../src/cli/image_file.ts";
import { readNpy, writeNpy } from "../../src/image/npy.ts";
import { cli, fakeModel, useFolder, writeSample } from "./support.ts";

const folder = useFolder();

beforeAll(async () => {
  await writeSample(folder.file("scan.png"));
  await writeFile(folder.file("before.npy"), writeNpy([1, 1, 64, 64], new Float32Array(4096).fill(0.25)));
});

const run = (args: readonly string[], model = fakeModel()) =>
  cli(["segment", folder.file("scan.png"), "--weights", "synthetic:7", ...args], { loadModel: model.loadModel });

describe("segment", () => {
  it("writes the best mask beside the image, as 8-bit gray, 0 and 255", async () => {
    const { code, stdout, stderr } = await run(["--point", "5,6"]);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(/scan\.mask\.png: 300 pixels, inside 0,0,15,20; predicted IoU 0\.750, candidate 2 of 3/);
    const file = sharp(folder.file("scan.mask.png"));
    expect(await file.metadata()).toMatchObject({ format: "png", width: 30, height: 20, channels: 1, depth: "uchar", isPalette: false });
    const { data } = await file.toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
    expect([...new Set(data)].sort()).toEqual([0, 255]);
    expect([data[14], data[15]]).toEqual([255, 0]);
  });

  it("asks the model exactly what was said", async () => {
    const model = fakeModel();
    const args = ["--point", "5,6", "--point", "29.5,0,0", "--point", "1,2,-1", "--box", "0,0,30,20", "--mask-input", folder.file("before.npy"), "--single"];
    const { code } = await run([...args, "--adapter", "off", "--channel-order", "rgb", "--fit", "pad", "--out", folder.file("m.png")], model);
    expect(code).toBe(0);
    expect(model.calls.load).toEqual([expect.objectContaining({ weights: "synthetic:7", adapter: "off" })]);
    expect(model.calls.encode[0]?.image).toMatchObject({ width: 30, height: 20, channels: 3 });
    expect(model.calls.encode[0]?.options).toMatchObject({ channelOrder: "rgb", fit: "pad", signal: expect.any(AbortSignal) });
    const [prompt] = model.calls.decode;
    expect(prompt).toMatchObject({ box: [0, 0, 30, 20], multimask: false });
    expect(prompt?.points).toEqual([
      { x: 5, y: 6, label: 1 },
      { x: 29.5, y: 0, label: 0 },
      { x: 1, y: 2, label: -1 },
    ]);
    expect(prompt?.maskInput).toEqual(new Float32Array(4096).fill(0.25));
    expect(model.calls.disposed).toBe(2);
  });

  it("asks for three masks where it is told to, and not for one and three at once", async () => {
    const model = fakeModel();
    expect((await run(["--box", "0,0,30,20", "--three", "--out", folder.file("m.png")], model)).code).toBe(0);
    expect(model.calls.decode).toEqual([{ box: [0, 0, 30, 20], multimask: true }]);
    const both = await run(["--single", "--three", "--out", folder.file("m.png")]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringMatching(/--three.*--single/)]);
  });

  it("leaves what was not said to the model's defaults", async () => {
    const model = fakeModel();
    expect((await run(["--out", folder.file("m.png")], model)).code).toBe(0);
    expect(model.calls.load[0]).not.toHaveProperty("adapter");
    expect(Object.keys(model.calls.encode[0]?.options as object)).toEqual(["signal", "onProgress"]);
    expect(model.calls.decode).toEqual([{}]);
  });

  it("prints JSON alone on stdout", async () => {
    const { code, stdout } = await run(["--point", "5,6", "--json", "-", "--out", folder.file("m.png")]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      image: { file: folder.file("scan.png"), width: 30, height: 20 },
      input: "sam-med2d, from the shapes of its tensors",
      model: "SAM-Med2D test",
      weights: "synthetic:7",
      adapter: "an imagined device",
      adapterKind: "cpu",
      precision: "f32",
      products: "f32",
      prompt: { points: [{ x: 5, y: 6, label: 1 }], box: null, maskInput: null, multimask: true },
      scores: [0.25, 0.75, 0.5],
      best: 1,
      area: 300,
      bbox: [0, 0, 15, 20],
      times: { load: expect.any(Number), encode: expect.any(Number), decode: expect.any(Number) },
      files: { mask: folder.file("m.png") },
      warnings: [],
    });
  });

  it("writes JSON, overlay, embedding and logits where asked", async () => {
    const files = { json: "r.json", overlay: "o.png", "save-embedding": "e.npy", "save-logits": "l.npy" };
    const { code, stdout } = await run(Object.entries(files).flatMap(([option, name]) => [`--${option}`, folder.file(name)]));
    expect([code, stdout]).toEqual([0, ""]);
    const report = JSON.parse(await readFile(folder.file("r.json"), "utf8"));
    const at = (name: string) => folder.file(name);
    expect(report.files).toEqual({ mask: at("scan.mask.png"), overlay: at("o.png"), embedding: at("e.npy"), logits: at("l.npy") });
    expect(readNpy(await readFile(at("e.npy")), "e").shape).toEqual([1, 256, 2, 2]);
    const logits = readNpy(await readFile(at("l.npy")), "l");
    expect(logits.shape).toEqual([3, 64, 64]);
    expect(logits.data[64 * 64 * 3 - 1]).toBe(64 * 64 * 3 - 1);
    expect(await sharp(at("o.png")).metadata()).toMatchObject({ width: 30, height: 20, channels: 3 });
  });

  it("names a mask input that is no array by what it is", async () => {
    await writeFile(folder.file("mask.png"), Buffer.from("\x89PNG\r\n\x1a\n0000000000000000", "latin1"));
    const { code, stderr } = await run(["--mask-input", folder.file("mask.png"), "--out", folder.file("never.png")], fakeModel());
    expect(code).toBe(2);
    expect(stderr).toMatch(/mask\.png must be a NumPy \.npy file of probabilities, got a PNG image: write it with numpy\.save/);
  });

  it("refuses a mask input of another side than the network's by the file's name, and encodes nothing", async () => {
    await writeFile(folder.file("coarse.npy"), writeNpy([32, 32], new Float32Array(1024).fill(0.25)));
    const model = fakeModel();
    const { code, stdout, stderr } = await run(["--mask-input", folder.file("coarse.npy"), "--out", folder.file("never.png")], model);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^sam-med2d: --mask-input .*coarse\.npy must be \[64, 64\] for these weights, got \[32, 32\]\n$/);
    expect([model.calls.encode.length, model.calls.disposed]).toEqual([0, 1]);
    expect(await folder.names()).not.toContain("never.png");
  });

  it("saves the logits of one candidate with --single", async () => {
    expect((await run(["--single", "--save-logits", folder.file("l1.npy"), "--out", folder.file("m.png")])).code).toBe(0);
    expect(readNpy(await readFile(folder.file("l1.npy")), "l").shape).toEqual([1, 64, 64]);
  });

  it("says plainly that synthetic masks mean nothing", async () => {
    const { stdout, stderr } = await run(["--json", "-", "--out", folder.file("m.png")], fakeModel({ meaningless: true }));
    expect(stderr).toContain("the masks mean nothing");
    expect(JSON.parse(stdout).warning).toContain("the masks mean nothing");
  });

  it("reports an empty mask as one", async () => {
    const { code, stdout, stderr } = await run(["--json", "-", "--out", folder.file("m.png")], fakeModel({ empty: true }));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ area: 0, bbox: null });
    expect(stderr).toContain("0 pixels, empty");
  });

  it("never replaces what it did not make under the default name, unless told to", async () => {
    await writeSample(folder.file("other.png"));
    const other = (...args: string[]) => cli(["segment", folder.file("other.png"), "--weights", "synthetic:7", ...args], { loadModel: fakeModel().loadModel });
    const out = folder.file("other.mask.png");
    await writeSample(out);
    const truth = await readFile(out);
    const refused = await other();
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/other\.mask\.png is there already.*--out, or add --force/)]);
    expect(await readFile(out)).toEqual(truth);
    expect((await other("--force")).code).toBe(0);
    // Its own it may replace; a copy that somebody painted on it may not.
    expect((await other()).code).toBe(0);
    await sharp(await readFile(out))
      .negate()
      .withMetadata()
      .png()
      .toFile(out);
    expect((await other()).code).toBe(2);
    expect((await other("--out", out)).code).toBe(0);
  });

  it.each([
    ["--out", "m.jpg", ".png"],
    ["--overlay", "o.tif", ".png"],
    ["--save-logits", "l.npz", ".npy"],
    ["--json", "r.csv", ".json"],
  ])("%s %s is refused with the format there is", async (option, name, ending) => {
    const { code, stderr } = await run([option, folder.file(name)]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`name a file that ends in ${ending}`)]);
  });

  it("says how 16 bits are shown, on stderr and in the JSON", async () => {
    const values = Uint16Array.from({ length: 600 }, (_, i) => 1000 + i);
    await sharp(values, { raw: { width: 30, height: 20, channels: 1 } })
      .toColourspace("grey16")
      .png()
      .toFile(folder.file("deep.png"));
    const { stdout, stderr } = await cli(["segment", folder.file("deep.png"), "--weights", "synthetic:7", "--json", "-"], { loadModel: fakeModel().loadModel });
    expect(stderr).toMatch(/deep\.png has 16 bits a channel: values from 1003 to 1596/);
    expect(JSON.parse(stdout).warnings).toEqual([expect.stringMatching(/deep\.png has 16 bits/)]);
  });

  it("offers what could be read of a damaged image, and takes it", async () => {
    await sharp({ create: { width: 300, height: 200, channels: 3, noise: { type: "gaussian", mean: 128, sigma: 60 }, background: "black" } })
      .png()
      .toFile(folder.file("whole.png"));
    const whole = await readFile(folder.file("whole.png"));
    await writeFile(folder.file("cut.png"), whole.subarray(0, whole.length / 2));
    await sharp(whole).jpeg().toFile(folder.file("whole.jpg"));
    const jpeg = await readFile(folder.file("whole.jpg"));
    await writeFile(folder.file("cut.jpg"), jpeg.subarray(0, jpeg.length / 2));
    for (const name of ["cut.png", "cut.jpg"]) {
      const args = ["segment", folder.file(name), "--weights", "synthetic:7", "--out", folder.file("m.png"), "--json", "-"];
      const refused = await cli(args);
      expect(refused.code).toBe(1);
      const [, row] = /damaged after row (\d+) of 200.*add --partial to use what could be read/.exec(refused.stderr) ?? [];
      expect(Number(row)).toBeGreaterThan(70);
      expect(Number(row)).toBeLessThan(120);
      const taken = await cli([...args, "--partial"], { loadModel: fakeModel().loadModel });
      expect([taken.code, JSON.parse(taken.stdout).warnings]).toEqual([0, [expect.stringMatching(/what could be read is used/)]]);
    }
  });

  it("leaves no file of its own behind", async () => {
    await run([]);
    expect((await folder.names()).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

describe("the overlay", () => {
  it("tints the mask, outlines it, and marks points and box", async () => {
    expect((await run(["--point", "20,10,0", "--box", "2,2,28,18", "--overlay", folder.file("o.png")])).code).toBe(0);
    const before = await readImage(folder.file("scan.png"));
    const after = await readImage(folder.file("o.png"));
    const pixel = (image: typeof before, x: number, y: number) => [...image.data.subarray((y * 30 + x) * 3, (y * 30 + x) * 3 + 3)];
    expect(pixel(after, 29, 0)).toEqual(pixel(before, 29, 0));
    expect(pixel(after, 14, 0)).toEqual([30, 144, 255]);
    expect(pixel(after, 7, 10)).not.toEqual(pixel(before, 7, 10));
    expect(pixel(after, 20, 10)).toEqual([230, 40, 40]);
    expect(pixel(after, 2, 10)).toEqual([255, 200, 0]);
    expect(pixel(after, 27, 10)).toEqual([255, 200, 0]);
  });
});
