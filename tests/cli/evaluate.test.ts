// evaluate over a drawn dataset, with a model that answers with a disc around its first point, or with the box.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Interrupted } from "../../src/cli/usage.ts";
import { proceduralImage } from "../image/procedural.ts";
import { discModel } from "./disc_model.ts";
import { cli, useFolder, writePng } from "./support.ts";

const folder = useFolder();
interface Drawn {
  readonly image: string;
  readonly size: readonly [width: number, height: number];
  readonly masks: readonly { readonly name: string; readonly box: readonly [number, number, number, number] }[];
}

const IMAGES: readonly Drawn[] = [
  {
    image: "ct--drawn--a.png",
    size: [120, 90],
    masks: [
      { name: "ct--drawn--a--liver_000.png", box: [20, 20, 80, 60] },
      { name: "ct--drawn--a--spleen_000.png", box: [90, 10, 110, 30] },
    ],
  },
  { image: "us--drawn--b.png", size: [300, 260], masks: [{ name: "us--drawn--b--nerve_000.png", box: [100, 100, 180, 160] }] },
  { image: "us--drawn--c.png", size: [64, 64], masks: [{ name: "us--drawn--c--nerve_000.png", box: [8, 8, 40, 24] }] },
];

async function writeMask(
  path: string,
  [width, height]: readonly [number, number],
  box: readonly [number, number, number, number],
  inside = 255,
): Promise<void> {
  const [x0, y0, x1, y1] = box;
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i % width >= x0 && i % width < x1 && i / width >= y0 && i / width < y1 ? inside : 0));
  await sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toFile(path);
}

/** Paths are relative to the folder's parent for `good`, as in the reference's demonstration data. */
async function writeDataset(name: string, images: readonly Drawn[], prefix: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const root = folder.file(name);
  await mkdir(join(root, "images"), { recursive: true });
  await mkdir(join(root, "masks"), { recursive: true });
  const index: Record<string, string> = {};
  for (const { image, size, masks } of images) {
    await writePng(join(root, "images", image), proceduralImage(size[0], size[1], 1));
    for (const { name: mask, box } of masks) {
      await writeMask(join(root, "masks", mask), size, box);
      index[`${prefix}masks/${mask}`] = `${prefix}images/${image}`;
    }
  }
  await writeFile(join(root, "label2image_test.json"), JSON.stringify({ ...index, ...more }));
}

beforeAll(async () => {
  await writeDataset("good", IMAGES, "good/");
  await writeDataset("bad", IMAGES, "", {
    "masks/gone.png": "images/us--drawn--c.png",
    "masks/small.png": "images/us--drawn--c.png",
    "masks/gray.png": "images/us--drawn--c.png",
    "masks/empty.png": "images/us--drawn--c.png",
    "masks/thin.png": "images/wide.png",
    "masks/any.png": "images/gone.png",
    "masks/other.png": "images/text.png",
  });
  const masks = (name: string) => folder.file(join("bad", "masks", name));
  await writeMask(masks("small.png"), [32, 32], [1, 1, 9, 9]);
  await writeMask(masks("gray.png"), [64, 64], [1, 1, 9, 9], 77);
  await writeMask(masks("empty.png"), [64, 64], [0, 0, 0, 0]);
  await writePng(folder.file("bad/images/wide.png"), proceduralImage(2000, 10, 1));
  await writeMask(masks("thin.png"), [2000, 10], [1, 0, 2, 10]);
  await writeFile(folder.file("bad/images/text.png"), "no image");
});

afterEach(async () => {
  for (const name of await folder.names()) if (/^r.*\.json/.test(name)) await rm(folder.file(name));
});

const run = (args: readonly string[], model = discModel(), signal = new AbortController().signal) =>
  cli(["evaluate", folder.file("good"), "--weights", "synthetic:7", ...args], { loadModel: model.loadModel, signal });
const json = async (name: string) => JSON.parse(await readFile(folder.file(name), "utf8"));

describe("evaluate", () => {
  it("gives Dice and IoU of every mode, overall and by group", async () => {
    const { code, stdout } = await run(["--json", folder.file("r.json")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^box {3}Dice \d+\.\d\d \[.*4 masks\n1 pt /);
    const result = await json("r.json");
    expect(Object.keys(result.prompts)).toEqual(["1", "3", "5", "box"]);
    expect(result.prompts.box).toEqual({
      dice: { mean: expect.any(Number), median: expect.any(Number), ci95: [expect.any(Number), expect.any(Number)] },
      iou: { mean: expect.any(Number), median: expect.any(Number), ci95: [expect.any(Number), expect.any(Number)] },
      boundary: { mean: expect.any(Number), median: expect.any(Number), ci95: [expect.any(Number), expect.any(Number)] },
      parts: 1,
      n: 4,
    });
    // The model answers a box with the box, in cells of four pixels.
    expect(result.prompts.box.dice.mean).toBeGreaterThan(0.85);
    expect(result.prompts.box.dice.mean).toBeLessThanOrEqual(1);
    expect(Object.keys(result.by.modality)).toEqual(["ct", "us"]);
    expect(result.by.structure.nerve.box.n).toBe(2);
    expect(result.by.dataset.drawn["5"].n).toBe(4);
    expect(result.cases.map(({ mask }: { mask: string }) => mask)).toEqual(IMAGES.flatMap(({ masks }) => masks.map(({ name }) => `good/masks/${name}`)));
    const mean = result.cases.reduce((sum: number, { scores }: { scores: Record<string, { dice: number }> }) => sum + (scores["1"]?.dice ?? 0), 0) / 4;
    expect(result.prompts["1"].dice.mean).toBeCloseTo(mean, 12);
    expect(result.imagesPerSecond).toBeGreaterThan(0);
    expect((await folder.names()).filter((name) => name.includes("journal"))).toEqual([]);
  });

  it("encodes an image once, and gives every round all points and the mask before", async () => {
    const model = discModel();
    expect((await run(["--json", folder.file("r.json")], model)).code).toBe(0);
    expect(model.seen.encoded).toBe(3);
    const [box, ...rounds] = model.seen.prompts.slice(0, 6);
    expect(box?.map((prompt) => prompt.box?.length)).toEqual([4, 4]);
    expect(rounds.map((prompts) => prompts.map(({ points }) => points?.length))).toEqual([1, 2, 3, 4, 5].map((n) => [n, n]));
    expect(rounds.map((prompts) => prompts.map(({ maskInput }) => maskInput?.length))).toEqual([undefined, 4096, 4096, 4096, 4096].map((n) => [n, n]));
    // Model pixels: 120×90 is centred in 256×256.
    expect(box?.[0]?.box).toEqual([20 + 68, 20 + 83, 80 + 68, 60 + 83]);
  });

  it("runs only the modes asked for", async () => {
    const model = discModel();
    await run(["--prompts", "box,3", "--json", folder.file("r.json")], model);
    expect(Object.keys((await json("r.json")).prompts)).toEqual(["3", "box"]);
    expect(model.seen.prompts.length).toBe(3 * 4);
  });

  it("gives the same numbers again, others for another seed, and the same from a prompt file", async () => {
    const prompts = folder.file("p.json");
    await run(["--json", folder.file("r1.json"), "--save-prompts", prompts]);
    await run(["--json", folder.file("r2.json")]);
    await run(["--json", folder.file("r3.json"), "--seed", "5"]);
    await run(["--json", folder.file("r4.json"), "--prompt-file", prompts]);
    const [a, b, c, d] = await Promise.all(["r1.json", "r2.json", "r3.json", "r4.json"].map(json));
    expect(b.cases).toEqual(a.cases);
    expect(c.cases).not.toEqual(a.cases);
    expect(d.cases).toEqual(a.cases);
    expect(d.settings.firstPrompts).toMatch(/^p\.json, sha256 [0-9a-f]{64}$/);
    expect(Object.keys(await json("p.json"))).toEqual(IMAGES.flatMap(({ masks }) => masks.map(({ name }) => `good/masks/${name}`)));
  });

  it("joins shards to exactly the whole", async () => {
    await run(["--json", folder.file("r.json")]);
    for (const part of [1, 2]) await run(["--json", folder.file(`r${part}.json`), "--shard", `${part}/2`]);
    const merged = await cli(["evaluate", "merge", folder.file("r2.json"), folder.file("r1.json"), "--json", folder.file("rm.json")]);
    expect(merged.code).toBe(0);
    const [whole, joined] = [await json("r.json"), await json("rm.json")];
    for (const key of ["settings", "prompts", "by", "cases", "problems", "images"]) expect(joined[key]).toEqual(whole[key]);
    const twice = await cli(["evaluate", "merge", folder.file("r1.json"), folder.file("r1.json")]);
    expect([twice.code, twice.stderr]).toEqual([1, expect.stringMatching(/masks that no other file has, got mask 0, also in/)]);
    const half = await cli(["evaluate", "merge", folder.file("r1.json")]);
    expect([half.code, half.stderr]).toEqual([1, expect.stringMatching(/1 of 4 masks are in none of the files/)]);
    await run(["--json", folder.file("r3.json"), "--seed", "9", "--shard", "2/2"]);
    const mixed = await cli(["evaluate", "merge", folder.file("r1.json"), folder.file("r3.json")]);
    expect([mixed.code, mixed.stderr]).toEqual([1, expect.stringMatching(/r3\.json: expected seed 0, as .*r1\.json has, got 9/)]);
  });

  it("goes on where an interrupted run stopped", async () => {
    await run(["--json", folder.file("r.json")]);
    const controller = new AbortController();
    const first = discModel((encoded) => {
      if (encoded === 2) controller.abort(new Interrupted(130));
    });
    const stopped = await run(["--json", folder.file("r2.json")], first, controller.signal);
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/stopped after 1 of 3 images; the same command goes on from there/);
    expect(await folder.names()).toContain("r2.json.journal");
    const other = await run(["--json", folder.file("r2.json"), "--seed", "3"]);
    expect([other.code, other.stderr]).toEqual([1, expect.stringMatching(/r2\.json\.journal was left by a run with other settings/)]);
    // As if the process had died while it wrote a line.
    const journal = await readFile(folder.file("r2.json.journal"), "utf8");
    await writeFile(folder.file("r2.json.journal"), `${journal}{"image":"good/ima`);
    const second = discModel();
    expect((await run(["--json", folder.file("r2.json")], second)).code).toBe(0);
    expect(second.seen.encoded).toBe(2);
    const [whole, resumed] = [await json("r.json"), await json("r2.json")];
    for (const key of ["settings", "prompts", "by", "cases", "images"]) expect(resumed[key]).toEqual(whole[key]);
    expect(await folder.names()).not.toContain("r2.json.journal");
  });

  it("does again what the interrupted run was not asked for: masks to save, baselines", async () => {
    const controller = new AbortController();
    const first = discModel((encoded) => {
      if (encoded === 2) controller.abort(new Interrupted(130));
    });
    expect((await run(["--prompts", "box", "--json", folder.file("r4.json")], first, controller.signal)).code).toBe(130);
    const second = discModel();
    const more = ["--save-masks", folder.file("later"), "--baselines"];
    expect((await run(["--prompts", "box", "--json", folder.file("r4.json"), ...more], second)).code).toBe(0);
    expect(second.seen.encoded).toBe(3);
    expect((await json("r4.json")).baselines).toBeDefined();
    for (const { masks } of IMAGES) for (const { name } of masks) await readFile(folder.file(`later/box/good/masks/${name}`));
  });

  it("names every file that cannot be used, goes on, and ends with 1", async () => {
    const model = discModel();
    const { code, stderr } = await cli(["evaluate", folder.file("bad"), "--weights", "synthetic:7", "--json", folder.file("r.json")], {
      loadModel: model.loadModel,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/7 files could not be used, 7 masks were left out/);
    const { problems, cases, prompts } = await json("r.json");
    expect(cases.length).toBe(4);
    expect(prompts.box.n).toBe(4);
    const messages = Object.fromEntries(problems.map(({ file, message }: { file: string; message: string }) => [file, message]));
    expect(messages["masks/gone.png"]).toMatch(/cannot read the image .*gone\.png: no such file/);
    expect(messages["masks/small.png"]).toMatch(/^the mask is 32×32, its image 64×64/);
    expect(messages["masks/gray.png"]).toMatch(/must hold 0 and 1, or 0 and 255, got 77.* at 1,1/);
    expect(messages["masks/empty.png"]).toMatch(/^the mask is empty/);
    expect(messages["masks/thin.png"]).toBe("the mask vanishes at 256×256");
    expect(messages["images/gone.png"]).toMatch(/no such file/);
    expect(messages["images/text.png"]).toMatch(/expected a PNG or JPEG image/);
    for (const file of Object.keys(messages)) expect(stderr).toContain(file);
  });

  it("keeps masks of one file name apart: prompts, saved masks, structures", async () => {
    const root = folder.file("same");
    for (const name of ["images", "liver", "kidney", "up"]) await mkdir(join(root, "set", name), { recursive: true });
    await mkdir(join(root, "masks"), { recursive: true });
    await writePng(join(root, "set/images/s.png"), proceduralImage(120, 90, 1));
    const masks = {
      "liver/001.png": [10, 10, 40, 40],
      "kidney/001.png": [60, 50, 100, 80],
      "../masks/a.png": [5, 5, 25, 25],
      "up/masks/a.png": [70, 5, 90, 25],
    } as const;
    for (const [name, box] of Object.entries(masks)) {
      await mkdir(join(root, "set", name, ".."), { recursive: true });
      await writeMask(join(root, "set", name), [120, 90], box);
    }
    await writeFile(join(root, "set/d.json"), JSON.stringify(Object.fromEntries(Object.keys(masks).map((mask) => [mask, "images/s.png"]))));
    const args = ["evaluate", join(root, "set/d.json"), "--weights", "synthetic:7", "--json", folder.file("r.json")];
    const once = await cli([...args, "--save-prompts", folder.file("p.json"), "--save-masks", folder.file("apart")], { loadModel: discModel().loadModel });
    expect([once.code, Object.keys(await json("p.json"))]).toEqual([0, Object.keys(masks)]);
    const first = await json("r.json");
    expect(Object.keys(first.by.structure)).toEqual(["a", "kidney", "liver"]);
    expect((await cli([...args, "--prompt-file", folder.file("p.json")], { loadModel: discModel().loadModel })).code).toBe(0);
    expect((await json("r.json")).cases).toEqual(first.cases);
    const { readdir } = await import("node:fs/promises");
    expect((await readdir(folder.file("apart/box"), { recursive: true })).filter((name) => name.endsWith(".png")).sort()).toEqual([
      "kidney/001.png",
      "liver/001.png",
      "up/masks/a.png",
      "up/masks/a_2.png",
    ]);
  });

  it("says where a missing file's name differs in capitals, or is another machine's", async () => {
    await writeFile(
      folder.file("bad/names.json"),
      JSON.stringify({ "masks/US--drawn--c--nerve_000.PNG": "images/us--drawn--c.png", "C:\\data\\m.png": "images/us--drawn--c.png" }),
    );
    const { code, stderr } = await cli(["evaluate", folder.file("bad/names.json"), "--weights", "synthetic:7"], { loadModel: discModel().loadModel });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no such file\. Its folder has "us--drawn--c--nerve_000\.png": write the name as it is there/);
    expect(stderr).toMatch(/no such file\. It is a path of a Windows machine: list paths from the dataset's folder/);
  });

  it("says that nothing could be scored in place of a table of no numbers", async () => {
    const root = folder.file("nothing");
    await mkdir(root, { recursive: true });
    await writeFile(join(root, "label2image_test.json"), '{"a.png":"gone.png"}');
    const { code, stdout, stderr } = await cli(["evaluate", root, "--weights", "synthetic:7", "--json", folder.file("r.json")], {
      loadModel: discModel().loadModel,
    });
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(/nothing could be scored: all 1 masks were left out/)]);
    expect(await readFile(folder.file("r.json"), "utf8")).not.toMatch(/NaN|null/);
  });

  it("takes Windows' backslashes, and says so", async () => {
    const root = folder.file("windows");
    await mkdir(join(root, "masks"), { recursive: true });
    await writePng(join(root, "s.png"), proceduralImage(120, 90, 1));
    await writeMask(join(root, "masks/a.png"), [120, 90], [10, 10, 40, 40]);
    await writeFile(join(root, "label2image_test.json"), '\ufeff{"masks\\\\a.png":".\\\\s.png"}');
    const { code, stderr } = await cli(["evaluate", root, "--weights", "synthetic:7"], { loadModel: discModel().loadModel });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/Windows' backslashes/)]);
  });

  it("keeps runs of another precision or version apart, in journals and merges", async () => {
    for (const part of [1, 2]) await run(["--json", folder.file(`r${part}.json`), "--shard", `${part}/2`]);
    const other = await json("r2.json");
    await writeFile(folder.file("r2.json"), JSON.stringify({ ...other, settings: { ...other.settings, precision: "f16" } }));
    const mixed = await cli(["evaluate", "merge", folder.file("r1.json"), folder.file("r2.json")]);
    expect([mixed.code, mixed.stderr]).toEqual([1, expect.stringMatching(/expected precision "f32", as .*r1\.json has, got "f16"/)]);
    const head = { format: "sam-med2d journal 2", settings: { ...(await json("r1.json")).settings, software: "0.0.1" }, shard: "1/1" };
    await writeFile(folder.file("r3.json.journal"), `${JSON.stringify(head)}\n`);
    const resumed = await run(["--json", folder.file("r3.json")]);
    expect([resumed.code, resumed.stderr]).toEqual([1, expect.stringMatching(/other settings \(software "0\.0\.1", this one has/)]);
    await writeFile(folder.file("r4.json.journal"), "someone's notes\n");
    expect((await run(["--json", folder.file("r4.json")])).stderr).toMatch(/is no journal of this version's evaluate: move it away/);
    expect(await readFile(folder.file("r4.json.journal"), "utf8")).toBe("someone's notes\n");
  });

  it("writes CSV, a report in one file, and every mask", async () => {
    const { code } = await run(["--csv", folder.file("t.csv"), "--html", folder.file("t.html"), "--save-masks", folder.file("saved"), "--json", "-"]);
    expect(code).toBe(0);
    const [head, ...rows] = (await readFile(folder.file("t.csv"), "utf8")).trimEnd().split("\n");
    expect(head).toMatch(/^mask,image,modality,dataset,structure,dice_box,iou_box,predicted_iou_box,dice_1,/);
    expect(rows.length).toBe(4);
    expect(rows.every((row) => row.split(",").length === head?.split(",").length)).toBe(true);
    const html = await readFile(folder.file("t.html"), "utf8");
    expect(html.match(/data:image\/png;base64,/g)?.length).toBe(12);
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    for (const words of ["Dice by modality", "liver", "How Dice is distributed", "worst", "median", "best"]) expect(html).toContain(words);
    const saved = sharp(folder.file("saved/points_5/good/masks/ct--drawn--a--liver_000.png"));
    expect(await saved.metadata()).toMatchObject({ width: 120, height: 90, channels: 1 });
  });

  it("replaces neither the dataset's list, nor its own journal, nor masks that it did not write", async () => {
    const list = folder.file("good/label2image_test.json");
    const before = await readFile(list, "utf8");
    const refused = async (args: readonly string[], words: RegExp) => {
      const { code, stderr } = await run(["--prompts", "box", ...args]);
      expect([code, stderr]).toEqual([2, expect.stringMatching(words)]);
    };
    await refused(["--json", list], /is also an input/);
    await refused(["--save-prompts", list], /is also an input/);
    await refused(["--json", folder.file("r.json"), "--csv", folder.file("r.json.journal")], /is also the journal of --json/);
    await refused(["--save-masks", list], /is no folder/);
    expect(await readFile(list, "utf8")).toBe(before);
    const masks = ["--prompts", "box", "--save-masks", folder.file("kept")];
    for (let i = 0; i < 2; i++) expect((await run(masks)).code).toBe(0);
    const drawn = folder.file("kept/box/good/masks/us--drawn--b--nerve_000.png");
    await writeMask(drawn, [300, 260], [1, 1, 9, 9]);
    const corrected = await readFile(drawn);
    await refused(masks, /nerve_000\.png is there already and was not made, or was changed since.*--save-masks/);
    expect(corrected.equals(await readFile(drawn))).toBe(true);
  });

  it("tells what the prompts alone are worth", async () => {
    const { stdout } = await run(["--baselines", "--json", folder.file("r.json")]);
    expect(stdout).toMatch(/without a network: ellipse in the box Dice \d\d\.\d\d, disc of radius \d+ around the point \d\d\.\d\d\n/);
    const { baselines, cases } = await json("r.json");
    // Masks are rectangles, of which the ellipse in the box covers pi / 4.
    expect(baselines.ellipse.mean).toBeCloseTo((2 * Math.PI) / 4 / (1 + Math.PI / 4), 1);
    expect(cases[0].baselines.discs.length).toBe(59);
    for (const part of [1, 2]) await run(["--baselines", "--json", folder.file(`r${part}.json`), "--shard", `${part}/2`]);
    await cli(["evaluate", "merge", folder.file("r1.json"), folder.file("r2.json"), "--json", folder.file("rm.json")]);
    expect((await json("rm.json")).baselines).toEqual(baselines);
  });

  it("prints JSON alone on stdout", async () => {
    const { stdout, stderr } = await run(["--json", "-"]);
    expect(Object.keys(JSON.parse(stdout).prompts)).toHaveLength(4);
    expect(stderr).toContain("4 masks");
  });

  it.each<[what: string, args: string[], code: number, words: RegExp]>([
    ["unknown prompts", ["--prompts", "2"], 2, /--prompts must be of box, 1, 3, 5, or all; got 2/],
    ["a seed of words", ["--seed", "x"], 2, /--seed must be a whole number/],
    ["a shard past the end", ["--shard", "3/2"], 2, /--shard must be i\/n with i from 1 to n/],
    ["shard 0", ["--shard", "0/2"], 2, /--shard must be i\/n/],
    ["a scheduler that is not there", ["--shard", "auto"], 2, /neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX/],
    ["a missing prompt file", ["--prompt-file", "gone.json"], 1, /cannot read --prompt-file gone\.json: no such file/],
  ])("refuses %s", async (_what, args, code, words) => {
    const result = await run(args);
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(words)]);
  });

  it("refuses a prompt file without a mask of the dataset, and a dataset that is not there", async () => {
    await writeFile(folder.file("one.json"), '{"ct--drawn--a--liver_000.png":{"boxes":[[1,2,3,4]],"point_coords":[[1,2]],"point_labels":[1]}}');
    expect(await run(["--prompt-file", folder.file("one.json")])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/prompts for every mask of the dataset, got none for 3 of them, "good\/masks\/ct--drawn--a--spleen_000\.png" first/),
    });
    expect(await cli(["evaluate", folder.file("nowhere"), "--weights", "synthetic:7"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/cannot read the dataset .*nowhere: no such file/),
    });
  });
});
