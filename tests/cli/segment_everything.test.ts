// segment --everything by the command line.
import { existsSync, readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import sharp from "sharp";
import { frame } from "../../src/image/image.ts";
import type { Prompt } from "../../src/index.ts";
import { cli, fakeModel, useFolder, writeSample } from "./support.ts";

const folder = useFolder();

beforeAll(() => writeSample(folder.file("cells.png"), 40, 40));

const run = (...args: string[]) => cli(["segment", folder.file("cells.png"), "--weights", "synthetic:7", ...args], { loadModel: squares() });

/** Every point finds a square around it; the scores fall to the right. */
function squares() {
  const { loadModel } = fakeModel();
  return async (options: Parameters<typeof loadModel>[0]) => {
    const model = await loadModel(options);
    const decode = async (_: unknown, prompts: readonly Prompt[]) =>
      prompts.map(({ points }) => {
        const { x, y } = points?.[0] ?? { x: 0, y: 0 };
        const data = Uint8Array.from({ length: 40 * 40 }, (_, i) => Number(Math.abs((i % 40) - x) <= 4 && Math.abs(Math.floor(i / 40) - y) <= 4));
        return { masks: [{ data, width: 40, height: 40 }], scores: Float32Array.of(0.99 - x / 1000), logits: new Float32Array(64 * 64).fill(5), best: 0 };
      });
    const encode = async () => ({ framing: frame(40, 40, 256, "resize"), dispose: () => undefined });
    return { ...model, decode, encode } as unknown as typeof model;
  };
}

it("refuses what does not go together", async () => {
  for (const [args, words] of [
    [["--grid", "4"], "--grid is of --everything"],
    [["--min-score", "0.5"], "--min-score is of --everything"],
    [["--everything", "--point", "1,1"], "--point is of one prompt"],
    [["--everything", "--box", "1,1,9,9"], "--box is of one prompt"],
    [["--everything", "--save-logits", "l.npy"], "--save-logits is of one prompt"],
    [["--everything", "--min-score", "88"], "must be a number from 0 to 1"],
    [["--everything", "--crops", "-1"], "must be a whole number"],
  ] as const) {
    const { code, stderr } = await run(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  }
  expect(existsSync(folder.file("cells.mask.png"))).toBe(false);
});

it("numbers what is found in one picture, and lists it", async () => {
  const { code, stderr } = await run("--everything", "--grid", "4", "--json", folder.file("found.json"));
  expect([code, stderr]).toEqual([0, expect.stringContaining("16 found, numbered from the largest")]);
  const { found, files, image } = JSON.parse(readFileSync(folder.file("found.json"), "utf8"));
  expect(image).toMatchObject({ width: 40, height: 40 });
  expect(files).toEqual({ labels: folder.file("cells.mask.png") });
  expect(found).toHaveLength(16);
  expect(found[0]).toMatchObject({ number: 1, area: 81, bbox: [1, 1, 10, 10], point: [5, 5], stability: 1, crop: [0, 0, 40, 40] });
  const { data, info } = await sharp(folder.file("cells.mask.png")).raw().toBuffer({ resolveWithObject: true });
  const shown = new Set<string>();
  for (let i = 0; i < data.length; i += info.channels) shown.add(data.subarray(i, i + 3).join());
  expect(shown.size).toBe(17);
  // Its own file: it may be written over.
  expect((await run("--everything", "--grid", "2")).code).toBe(0);
});

it("says what to lower where nothing is found", async () => {
  const { code, stderr } = await run("--everything", "--grid", "2", "--min-score", "1", "--out", folder.file("none.png"));
  expect([code, stderr]).toEqual([0, expect.stringMatching(/ 0 found, .*lower them/)]);
});
