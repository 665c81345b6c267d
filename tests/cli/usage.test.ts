// Wrong use: exit code 2, one message, no stack, nothing loaded and nothing written.
import { mkdir, writeFile } from "node:fs/promises";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../../src/image/npy.ts";
import { cli, fakeModel, useFolder, writePngHeader, writeSample } from "./support.ts";

const folder = useFolder();
const mask = (side: number, value: number) => writeNpy([side, side], new Float32Array(side * side).fill(value));

beforeAll(async () => {
  await writeSample(folder.file("scan.png"));
  await writePngHeader(folder.file("huge.png"), 20000, 20000);
  await writePngHeader(folder.file("empty.png"), 0, 0);
  await writeFile(folder.file("notes.png"), "this is text, not an image");
  await writeFile(folder.file("cut.png"), (await import("node:fs")).readFileSync(folder.file("scan.png")).subarray(0, 60));
  await writeFile(folder.file("nothing.png"), "");
  await writeFile(folder.file("weights.safetensors"), "");
  await mkdir(folder.file("folder.png"));
  await writeFile(folder.file("ok.npy"), mask(64, 0.5));
  await writeFile(folder.file("logits.npy"), mask(64, 3));
  await writeFile(folder.file("nan.npy"), mask(64, Number.NaN));
  await writeFile(folder.file("flat.npy"), writeNpy([4096], new Float32Array(4096)));
  await writeFile(folder.file("oblong.npy"), writeNpy([64, 32], new Float32Array(2048)));
  await writeFile(folder.file("gray.npy"), mask(64, 255));
  await sharp(folder.file("scan.png")).withMetadata({ orientation: 6 }).jpeg().toFile(folder.file("turned.jpg"));
  await writeFile(folder.file("three.npy"), writeNpy([3, 8, 8], new Float32Array(192)));
});

/** `@` stands for the folder of this file. */
const at = (args: readonly string[]) => args.map((arg) => arg.replace("@", `${folder.path}/`));

describe("wrong use", () => {
  const SCAN = ["segment", "@scan.png", "--weights", "synthetic:7"];
  it.each<[what: string, args: string[], words: RegExp]>([
    ["an unknown command", ["segmentt"], /unknown command 'segmentt'[\s\S]*Did you mean segment\?/],
    ["an unknown option", [...SCAN, "--pont", "1,2"], /unknown option '--pont'[\s\S]*Did you mean --point\?/],
    ["no image", ["segment", "--weights", "synthetic:7"], /missing required argument 'image'/],
    ["two images", ["segment", "@scan.png", "@scan.png", "--weights", "synthetic:7"], /too many arguments/],
    ["an option without its value", [...SCAN, "--box"], /argument missing/],
    ["no seed", ["segment", "@scan.png", "--weights", "synthetic:"], /synthetic:: the seed must be a whole number/],
    ["a seed with a fraction", ["segment", "@scan.png", "--weights", "synthetic:1.5"], /seed must be a whole number/],
    ["a seed too large", ["segment", "@scan.png", "--weights", "synthetic:4294967296"], /seed must be/],
    ["two weights", [...SCAN, "--weights", "synthetic:8"], /--weights can be given once/],
    ["a point that is no point", [...SCAN, "--point", "12"], /--point must be x,y or x,y,label, for instance 120,88,1; got 12/],
    ["a point with words", [...SCAN, "--point", "a,b"], /--point must be x,y/],
    ["a point with a gap", [...SCAN, "--point", "1,,1"], /--point must be x,y/],
    ["a point of four", [...SCAN, "--point", "1,2,1,1"], /--point must be x,y/],
    ["an infinite point", [...SCAN, "--point", "Infinity,2"], /--point must be x,y/],
    ["an unknown label", [...SCAN, "--point", "1,2,3"], /the label must be 1 \(inside\), 0 \(outside\) or -1 \(no point\); got 3/],
    ["a point right of the image", [...SCAN, "--point", "30,2"], /--point 30,2 is outside the image: .*scan\.png is 30×20, so x must be from 0 to below 30/],
    ["a point above the image", [...SCAN, "--point", "3,-1"], /--point 3,-1 is outside the image/],
    ["a box of three", [...SCAN, "--box", "1,2,3"], /--box must be x0,y0,x1,y1/],
    ["a box without area", [...SCAN, "--box", "5,5,5,9"], /--box 5,5,5,9 has no area/],
    ["a box from right to left", [...SCAN, "--box", "9,5,5,9"], /has no area: x0 must be less than x1/],
    ["rows before columns", [...SCAN, "--point", "12,25"], /--point 12,25 is outside .* with the two exchanged it is --point 25,12/],
    ["a box of rows before columns", [...SCAN, "--box", "3,4,15,29"], /with the two exchanged it is --box 4,3,29,15/],
    ["a box over the border", [...SCAN, "--box", "5,5,31,9"], /--box 5,5,31,9 is outside the image/],
    ["a corner, width and height", [...SCAN, "--box", "15,7,10,7"], /no area.*If it is a corner, width and height, the box is 15,7,25,14/],
    ["a corner, width and height that pass the border", [...SCAN, "--box", "2,2,27,90"], /outside the image/],
    ["a box of shares", [...SCAN, "--box", "0.1,0.2,0.5,0.6"], /shares of the image's sides.*scan\.png is 30×20, so this would be --box 3,4,15,12/],
    ["a point of shares", [...SCAN, "--point", "0.5,0.25"], /shares of the image's sides.*--point 15,5/],
    [
      "a point on an image turned by EXIF",
      ["segment", "@turned.jpg", "--weights", "synthetic:7", "--point", "25,5"],
      /outside the image: .*is 20×30.*EXIF orientation \(6\) turns it/,
    ],
    ["two boxes", [...SCAN, "--box", "1,1,2,2", "--box", "1,1,2,2"], /--box can be given once/],
    ["an unknown fit", [...SCAN, "--fit", "crop"], /Allowed choices are resize, pad, long-side/],
    ["an unknown channel order", [...SCAN, "--channel-order", "gbr"], /Allowed choices are bgr, rgb/],
    ["an adapter half on", [...SCAN, "--adapter", "half"], /Allowed choices are on, off/],
    ["a mask input of logits", [...SCAN, "--mask-input", "@logits.npy"], /must hold probabilities from 0 to 1, got 3 at \[0, 0\]: apply a sigmoid/],
    ["a mask input of NaN", [...SCAN, "--mask-input", "@nan.npy"], /got NaN at \[0, 0\]/],
    ["a flat mask input", [...SCAN, "--mask-input", "@flat.npy"], /must be \[64, 64\], got \[4096\]/],
    ["an oblong mask input", [...SCAN, "--mask-input", "@oblong.npy"], /got \[64, 32\]/],
    ["three mask inputs in one", [...SCAN, "--mask-input", "@three.npy"], /got \[3, 8, 8\]\. It holds 3 candidates, as --save-logits writes them: keep one/],
    ["a mask input of gray values", [...SCAN, "--mask-input", "@gray.npy"], /got 255 at \[0, 0\]: it looks like gray values.*divide by 255/],
    ["a mask input that is no array", [...SCAN, "--mask-input", "@notes.png"], /notes\.png must be a NumPy \.npy file of probabilities, got a text file/],
    ["a mask over the image", [...SCAN, "--out", "@scan.png"], /--out .*scan\.png is also an input/],
    ["a mask over the weights", ["segment", "@scan.png", "--weights", "@weights.safetensors", "--out", "@weights.safetensors"], /is also an input/],
    ["two outputs in one file", [...SCAN, "--out", "@m.png", "--overlay", "@m.png"], /--overlay .*m\.png is also --out/],
    ["a folder as output", [...SCAN, "--out", "@folder.png"], /folder\.png is a folder/],
  ])("%s", async (_what, args, words) => {
    const before = await folder.names();
    const { code, stdout, stderr } = await cli(at(args));
    expect(stderr).toMatch(words);
    expect(stderr).toMatch(/^sam-med2d: /);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect([code, stdout]).toEqual([2, ""]);
    expect(await folder.names()).toEqual(before);
  });
});

describe("inputs that are not what the command needs", () => {
  it.each<[what: string, image: string, more: string[], words: RegExp]>([
    ["a missing image", "@gone.png", [], /cannot read the image .*gone\.png: no such file/],
    ["a folder as image", "@folder.png", [], /folder\.png: there is no image in it/],
    ["text", "@notes.png", [], /notes\.png: expected a PNG or JPEG image, got a text file/],
    ["an empty file", "@nothing.png", [], /cannot read the image .*nothing\.png: it is empty/],
    ["a truncated image", "@cut.png", [], /cut\.png: expected a whole PNG image, got one that is damaged after row 0 of \d+\. Fetch/],
    ["a 20000×20000 image", "@huge.png", [], /huge\.png: image must be 1 to 16384 pixels wide and high, got 20000×20000/],
    ["a 0×0 image", "@empty.png", [], /empty\.png: .*image/],
    ["a missing mask input", "@scan.png", ["--mask-input", "@gone.npy"], /cannot read --mask-input .*gone\.npy: no such file/],
    ["a missing output folder", "@scan.png", ["--out", "@gone/mask.png"], /--out .*gone\/mask\.png: the folder .*gone does not exist/],
  ])("%s", async (_what, image, more, words) => {
    const before = await folder.names();
    const { code, stdout, stderr } = await cli(at(["segment", image, "--weights", "synthetic:7", ...more]));
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect([code, stdout]).toEqual([1, ""]);
    expect(await folder.names()).toEqual(before);
  });
});

describe("what files say", () => {
  it("reaches the terminal without acting on it", async () => {
    await writeFile(folder.file("hostile.json"), "\x1b]0;owned\x07\x1b[31mRED \u202e\u200b\x9b");
    const { code, stderr } = await cli(["evaluate", folder.file("hostile.json"), "--weights", "synthetic:7"]);
    expect(code).toBe(1);
    expect(stderr).not.toMatch(/[^\P{C}\n]/u);
    expect(stderr).toContain("\\u001b");
  });
});

describe("help", () => {
  it("goes to stdout with code 0 and names every option", async () => {
    const { code, stdout, stderr } = await cli(["segment", "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const name of [
      "weights",
      "point",
      "box",
      "mask-input",
      "single",
      "adapter",
      "channel-order",
      "fit",
      "out",
      "overlay",
      "json",
      "save-embedding",
      "save-logits",
    ]) {
      expect(stdout).toContain(`--${name}`);
    }
  });

  it("tells the version", async () => {
    expect(await cli(["--version"])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });
  });

  it("comes with code 2 where no command is named", async () => {
    expect(await cli([])).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("Usage: sam-med2d") });
  });
});

describe("a failure inside", () => {
  it("is one line, and with debug a stack and its causes", async () => {
    const loadModel = async () => {
      throw new Error("no luck", { cause: new Error("the weather") });
    };
    const args = at(["segment", "@scan.png", "--weights", "synthetic:7"]);
    expect(await cli(args, { loadModel })).toEqual({ code: 1, stdout: "", stderr: "sam-med2d: no luck\n" });
    const { stderr } = await cli(args, { loadModel, debug: true });
    expect(stderr).toMatch(/no luck\n {4}at [\s\S]*caused by Error: the weather/);
  });

  it("leaves the files alone when writing fails", async () => {
    const { loadModel } = fakeModel();
    const before = await folder.names();
    const controller = new AbortController();
    const slow = async (options: Parameters<typeof loadModel>[0]) => {
      controller.abort(new (await import("../../src/cli/usage.ts")).Interrupted(130));
      return loadModel(options);
    };
    const { code, stdout, stderr } = await cli(at(["segment", "@scan.png", "--weights", "synthetic:7", "--json", "-"]), {
      loadModel: slow,
      signal: controller.signal,
    });
    expect([code, stdout, stderr]).toEqual([130, "", "sam-med2d: interrupted\n"]);
    expect(await folder.names()).toEqual(before);
  });
});
