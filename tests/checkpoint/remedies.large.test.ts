// What errors tell to do with PyTorch, done as it is printed: by the Python named in SAM_MED2D_PYTHON, the set-up's, or the system's, where it has PyTorch.
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { readF32 } from "../../src/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { op, pickled, pthFile } from "./build.ts";
import { readSetup } from "../support/setup_file.ts";
import { samError } from "./support.ts";

const python = [process.env["SAM_MED2D_PYTHON"], readSetup().readers?.python, "python3", "python"].find((command) => {
  try {
    if (!command) return false;
    execFileSync(command, ["-c", "import torch"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
if (!python) console.log("No Python with PyTorch: what errors tell to do with it is not tried. Name one in SAM_MED2D_PYTHON.");

const folder = mkdtempSync(join(tmpdir(), "remedies-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url);
const opened = (path: string) => openCheckpoint(bufferSource(Uint8Array.from(readFileSync(path)), path));

/** A shell takes what is between the quotes, and so must Python. */
async function follow(remedy: string): Promise<{ given: string; made: string; run: () => Promise<void> }> {
  const [, code = ""] = /python -c "([^"]+)"/.exec(remedy) ?? [];
  expect(code, remedy).not.toBe("");
  const [given = "", made = ""] = [...code.matchAll(/'([^']+\.(?:pth?|pkl|npz))'/g)].map(([, name]) => name);
  const run = () =>
    new Promise<void>((done, failed) =>
      execFile(python as string, ["-c", code], { cwd: folder }, (error, _, stderr) => (error ? failed(new Error(stderr)) : done())),
    );
  return { given, made, run };
}

/** Each import of PyTorch takes seconds: all files by one. */
const MAKE = `
import argparse, numpy, pathlib, pickle, torch
p = [torch.nn.Parameter(torch.zeros(3))]
of_training = {'model': {'w': torch.arange(6.0).view(2, 3)}, 'optimizer': torch.optim.AdamW(p), 'args': argparse.Namespace(d=pathlib.PosixPath('/x'))}
torch.save(of_training, 'optimizer.pth', _use_new_zipfile_serialization=False)
torch.jit.script(torch.nn.Linear(3, 2)).save('scripted.pt')
w = numpy.ones((2, 2), 'float32')
torch.save({'model': {'w': w}}, 'arrays.pth')
pickle.dump({'w': w, 't': torch.ones(1)}, open('arrays.pkl', 'wb'))
numpy.savez('arrays.npz', w=w)
torch.save({'w': torch.ones(2, 2)}, 'old_protocol.pth', pickle_protocol=1)`;

describe.runIf(python !== undefined)("what an error tells to do with PyTorch", () => {
  beforeAll(() => void execFileSync(python as string, ["-c", MAKE], { cwd: folder }));

  it("turns a file in the legacy format into one that loads, with the same tensors", async () => {
    const legacy = join(folder, "legacy.pth");
    copyFileSync(fixture("legacy.pth"), legacy);
    const { given, made, run } = await follow((await samError(opened(legacy))).remedy);
    copyFileSync(legacy, join(folder, given));
    await run();
    const checkpoint = await opened(join(folder, made));
    expect(checkpoint.tensors.size).toBeGreaterThan(0);
    for (const name of checkpoint.tensors.keys()) expect((await readF32(checkpoint, name)).length).toBeGreaterThan(0);
  });

  it("turns a legacy file with an optimizer and a namespace in it into one that loads", async () => {
    const { given, made, run } = await follow((await samError(opened(join(folder, "optimizer.pth")))).remedy);
    copyFileSync(join(folder, "optimizer.pth"), join(folder, given));
    await run();
    const checkpoint = await opened(join(folder, made));
    const [name = ""] = [...checkpoint.tensors.keys()].filter((tensor) => tensor.endsWith("w"));
    expect([...(await readF32(checkpoint, name))]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("turns a TorchScript archive into one that loads", async () => {
    const { given, made, run } = await follow((await samError(opened(join(folder, "scripted.pt")))).remedy);
    copyFileSync(join(folder, "scripted.pt"), join(folder, given));
    await run();
    const checkpoint = await opened(join(folder, made));
    expect([...checkpoint.tensors].map(([name, { shape }]) => [name, [...shape]])).toEqual(
      expect.arrayContaining([
        ["weight", [2, 3]],
        ["bias", [2]],
      ]),
    );
  });

  it("turns NumPy arrays, in PyTorch's file, in a pickle and in NumPy's archive, into files that load", async () => {
    for (const file of ["arrays.pth", "arrays.pkl", "arrays.npz"]) {
      const { given, made, run } = await follow((await samError(opened(join(folder, file)))).remedy);
      copyFileSync(join(folder, file), join(folder, given));
      await run();
      const checkpoint = await opened(join(folder, made));
      const [name = ""] = [...checkpoint.tensors.keys()].filter((tensor) => tensor.endsWith("w"));
      expect([...(await readF32(checkpoint, name))], file).toEqual([1, 1, 1, 1]);
    }
  });

  it("turns a pickle of protocol 1 into one that loads", async () => {
    const outcome = await opened(join(folder, "old_protocol.pth")).catch((error: unknown) => error);
    // Protocol 1 may be read as it is; where it is not, the words must help.
    if (!(outcome instanceof Error)) return expect((outcome as Awaited<ReturnType<typeof opened>>).tensors.size).toBe(1);
    const { given, made, run } = await follow((outcome as { remedy?: string } & Error).remedy ?? "");
    copyFileSync(join(folder, "old_protocol.pth"), join(folder, given));
    await run();
    expect((await opened(join(folder, made))).tensors.size).toBe(1);
  });
});

describe("what an error tells to do with PyTorch", () => {
  it("is one command that reads with the default of today, where the file is trusted", async () => {
    const errors = [
      await samError(opened(fixture("legacy.pth").pathname)),
      await samError(openCheckpoint(bufferSource(pthFile(pickled([0x99], op.none)), "w.pth"))),
    ];
    for (const { remedy } of errors)
      expect(remedy).toMatch(/If you trust the file.* python -c "import torch; torch\.save\(torch\.load\('old\.pth', .*weights_only=False\)/);
  });
});
