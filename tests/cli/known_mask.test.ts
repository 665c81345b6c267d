// The shipped weights through the command line, which finds them itself.
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { describeGpu } from "../support/dawn.ts";
import { iou, knownMask, readMaskPng } from "../support/known_mask.ts";
import { useCli } from "./process.ts";
import { useFolder, writePng } from "./support.ts";

const run = useCli();
const folder = useFolder();

describeGpu("the default model on the command line", () => {
  it("gives the known mask for the known click", async () => {
    const { image, click, mask } = await knownMask();
    await writePng(folder.file("discs.png"), image);
    const { code, stderr } = await run(["segment", folder.file("discs.png"), "--point", `${click.x},${click.y}`, "--out", folder.file("mask.png")]);
    expect(code, stderr).toBe(0);
    expect(iou(await readMaskPng(await readFile(folder.file("mask.png"))), mask)).toBeGreaterThan(0.99);
  });
});
