// The whole command in a process of its own on Dawn: exit codes, files, the same bits twice, and a clean end.
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { decodeF32 } from "../../src/checkpoint/checkpoint.ts";
import { fileSource } from "../../src/bytes/file_source.ts";
import { openSafetensors } from "../../src/checkpoint/safetensors.ts";
import { elements } from "../../src/graph/tensor.ts";
import { readNpy, writeNpy } from "../../src/image/npy.ts";
import { proceduralImage } from "../image/procedural.ts";
import { describeGpu } from "../support/dawn.ts";
import { ROOT } from "../support/setup_file.ts";
import { useCli } from "./process.ts";
import { SMALL_SEED, writeSmallWeights } from "./small_weights.ts";
import { useFolder, writePng } from "./support.ts";

const run = useCli();
const folder = useFolder();
const at = (name: string) => folder.file(name);

beforeAll(async () => {
  await writePng(at("scan.png"), proceduralImage(96, 72, SMALL_SEED));
  await writeSmallWeights(at("small.safetensors"));
});

afterEach(async () => {
  for (const name of await folder.names()) if (/^out/.test(name)) await rm(at(name));
});

async function golden(name: string): Promise<Float32Array> {
  const file = await openSafetensors(await fileSource(join(ROOT, "tests/goldens/small.safetensors")));
  const tensor = file.tensors.get(name);
  if (!tensor) throw new Error(`no ${name} in the golden`);
  const values = decodeF32(await file.read(name, 0, elements(tensor.shape)), tensor.dtype);
  await file.close();
  return values;
}

function largestError(got: Float32Array, expected: Float32Array): number {
  expect(got.length).toBe(expected.length);
  return got.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (expected[i] as number))), 0);
}

describeGpu("segment in a process", () => {
  const segment = (...args: string[]) => ["segment", at("scan.png"), "--weights", at("small.safetensors"), ...args];
  const everything = (n: number) => [
    "--out",
    at(`out${n}.png`),
    "--overlay",
    at(`out${n}_o.png`),
    "--json",
    "-",
    "--save-embedding",
    at(`out${n}_e.npy`),
    "--save-logits",
    at(`out${n}_l.npy`),
  ];

  it("gives PyTorch's embedding, logits and scores, and the same bits twice", async () => {
    const point = await golden("cases.point.points");
    const args = ["--point", `${point[0]},${point[1]},1`];
    const first = await run(segment(...args, ...everything(1)));
    expect(first.code).toBe(0);
    const report = JSON.parse(first.stdout);
    expect(report).toMatchObject({
      image: { width: 96, height: 72 },
      precision: "f32",
      times: { load: expect.any(Number), encode: expect.any(Number), decode: expect.any(Number) },
    });
    expect(report.adapter).not.toBe("");
    // Bounds of the parity tests: f32 sums in another order.
    expect(largestError(Float32Array.from(report.scores), await golden("cases.point.scores"))).toBeLessThan(2e-4);
    const embedding = readNpy(await readFile(at("out1_e.npy")), "e");
    expect(embedding.shape).toEqual([1, 256, 16, 16]);
    expect(largestError(embedding.data, await golden("embedding"))).toBeLessThan(5e-4);
    const logits = readNpy(await readFile(at("out1_l.npy")), "l");
    expect(logits.shape).toEqual([3, 64, 64]);
    expect(largestError(logits.data, await golden("cases.point.logits"))).toBeLessThan(5e-4);
    const second = await run(segment(...args, ...everything(2)));
    expect(second.code).toBe(0);
    for (const file of [".png", "_o.png", "_e.npy", "_l.npy"]) expect((await readFile(at(`out1${file}`))).equals(await readFile(at(`out2${file}`)))).toBe(true);
    const withoutTimes = (text: string) => ({ ...JSON.parse(text), times: null, files: null });
    expect(withoutTimes(second.stdout)).toEqual(withoutTimes(first.stdout));
  });

  it("takes every kind of prompt together", async () => {
    const maskInput = Float32Array.from({ length: 4096 }, (_, i) => (i % 64) / 64);
    await writeFile(at("before.npy"), writeNpy([64, 64], maskInput));
    const args = [
      "--point",
      "30,27",
      "--point",
      "78,63,0",
      "--point",
      "1,1,-1",
      "--box",
      "18,9,48,45",
      "--mask-input",
      at("before.npy"),
      "--single",
      "--fit",
      "pad",
      "--channel-order",
      "rgb",
      "--adapter",
      "off",
    ];
    const { code, stdout } = await run(segment(...args, ...everything(3)));
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect([report.scores.length, report.best]).toEqual([1, 0]);
    expect(report.model).toContain("no adapters");
    expect(readNpy(await readFile(at("out3_l.npy")), "l").shape).toEqual([1, 64, 64]);
  });

  it("finds a driver without being told, where set-up or the system has one", async () => {
    const { code, stderr } = await run(segment("--out", at("out4.png")), { env: { VK_DRIVER_FILES: undefined, VK_ICD_FILENAMES: undefined } });
    expect([code, stderr]).toEqual([0, expect.stringContaining("out4.png: ")]);
  });

  it("says what to install where no driver works, and what to correct where one is named", async () => {
    const { code, stdout, stderr } = await run(segment("--out", at("out5.png")), {
      env: { VK_DRIVER_FILES: "/nowhere.json", VK_ICD_FILENAMES: "/nowhere.json" },
    });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/WebGPU finds no adapter with VK_DRIVER_FILES=\/nowhere\.json: correct or unset it.*mesa-vulkan-drivers/);
    expect(await folder.names()).not.toContain("out5.png");
  });

  it("stops on Ctrl-C with 130, and on a kill with 143, leaving nothing behind", async () => {
    const before = await folder.names();
    const args = ["segment", at("scan.png"), "--weights", "synthetic:7", "--out", at("out6.png"), "--json", "-"];
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const stopped = await run(args, { interrupt: { after: 2500, signal } });
      expect([stopped.code, stopped.stdout]).toEqual([signal === "SIGINT" ? 130 : 143, ""]);
      expect(stopped.stderr).toContain("interrupted");
    }
    expect(await folder.names()).toEqual(before);
  });

  const bad: [what: string, prepare: (path: string) => Promise<unknown>, words: RegExp][] = [
    ["truncated weights", (path) => writeSmallWeights(path).then(() => truncate(path, 1_000_000)), /bad\.safetensors: .*damaged or incomplete/],
    [
      "weights of NaN",
      (path) => writeSmallWeights(path, { values: (name, values) => name.endsWith("blocks.1.norm2.weight") && values.fill(Number.NaN) }),
      /image_encoder\.blocks\.1\.norm2\.weight/,
    ],
    [
      "weights with tensors missing",
      (path) => writeSmallWeights(path, { keep: (name) => !name.includes("iou_prediction_head") }),
      /mask_decoder\.iou_prediction_head/,
    ],
    [
      "weights of another network",
      (path) => writeSmallWeights(path, { keep: () => false, add: [{ name: "conv1.weight", shape: [8, 3, 7, 7] }] }),
      /image_encoder\.patch_embed\.proj\.weight/,
    ],
  ];
  it.each(bad)("%s end with 1 and their name", async (_what, prepare, words) => {
    await prepare(at("out_bad.safetensors"));
    const { code, stdout, stderr } = await run(["segment", at("scan.png"), "--weights", at("out_bad.safetensors"), "--out", at("out7.png")]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(words);
    expect(stderr).toContain("out_bad.safetensors");
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(await folder.names()).not.toContain("out7.png");
  });

  it("ends wrong use with 2 before anything is loaded", async () => {
    expect((await run(segment("--point", "96,0"))).code).toBe(2);
    // Weights that are not there would be told with 1.
    expect((await run(["segment", at("scan.png"), "--weights", at("none.safetensors"), "--box", "3,3,3,9"])).code).toBe(2);
  });
});

describe("inspect in a process", () => {
  it("describes usable weights with 0", async () => {
    const { code, stdout, stderr } = await run(["inspect", at("small.safetensors"), "--tensors"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/model +SAM-Med2D width 64, depth 3, 256 px, adapters, f32, \d+\.\d M parameters/);
    expect(stdout).toMatch(/missing +none\n/);
    expect(stdout).toMatch(/image_encoder\.blocks\.0\.norm1\.weight +F32 +\[64\] +256 bytes/);
  });

  it("names what is missing and unknown, with 1", async () => {
    await writeSmallWeights(at("out_odd.safetensors"), {
      keep: (name) => !name.endsWith("neck.1.bias"),
      add: [{ name: "image_encoder.neck.9.weight", shape: [1] }],
    });
    const { code, stdout, stderr } = await run(["inspect", at("out_odd.safetensors"), "--json"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/out_odd\.safetensors is not usable/);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ usable: false, missing: [{ name: "image_encoder.neck.1.bias", shape: [256] }], unknown: ["image_encoder.neck.9.weight"] });
    expect(report.config).toMatchObject({ width: 64, depth: 3, heads: 2, imageSize: 256 });
  });

  it("says what another file is, with 1", async () => {
    const { code, stdout, stderr } = await run(["inspect", at("scan.png")]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/scan\.png: .*a PNG image/);
    expect((await run(["inspect", at("gone.safetensors")])).stderr).toMatch(/gone\.safetensors.*no such file/);
  });
});
