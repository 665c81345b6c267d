// The peer comparison needs a package and PyTorch that are not the project's: without them it says so and ends well.
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
// @ts-expect-error a script without declarations
import { lackedBy } from "../../scripts/peers/tools.mjs";
import { ROOT } from "../support/setup_file.ts";

const run = (...args: string[]) => promisify(execFile)(process.execPath, [`${ROOT}scripts/bench_peers.mjs`, ...args]);

it("is skipped without a peer, in words", async () => {
  const { stdout } = await run("--modules", `${ROOT}.cache/no_such_folder`);
  expect(stdout).toContain("Skipped: neither onnxruntime-web nor transformers.js is installed");
});

it("refuses what it does not know", async () => {
  await expect(run("--config", "huge")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--config must be small, default, vit_b, lite_medsam, tiny_vit, slimsam, slimsam_50, sam_b, sam_l, sam_h; got huge"),
  });
  await expect(run("--runs", "none")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--runs must be a whole number, 0 for the first encode alone"),
  });
  await expect(run("--config", "tiny_vit", "--blocks", "global")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--blocks is for a plain ViT: small, vit_b, slimsam, slimsam_50, sam_b, sam_l, sam_h; got tiny_vit"),
  });
  await expect(run("--config", "sam_l", "--blocks", "2")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--blocks must be of windowed and global, as windowed,global; got 2"),
  });
  await expect(run("--only", "both")).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("--only must be encode or decode; got both") });
});

it.skipIf(process.platform === "win32")("names what the Python lacks that exports the network", async () => {
  const program = join(mkdtempSync(join(tmpdir(), "sam-med2d-")), "python");
  const answers = (text: string) => {
    writeFileSync(program, `#!/bin/sh\necho "${text}"\n`);
    chmodSync(program, 0o755);
    return lackedBy(program);
  };
  expect(await answers("lacks scipy onnx")).toEqual(["scipy", "onnx"]);
  expect(await answers("lacks")).toEqual([]);
  expect(await answers("of another kind")).toEqual(["torch", "numpy", "scipy", "onnx"]);
  expect(await lackedBy(join(program, "none"))).toEqual(["torch", "numpy", "scipy", "onnx"]);
});
