// A network in a file that PyTorch wrote (fixtures/make.py), and the same as safetensors: the bits of every answer agree.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/byte_source.ts";
import { convertCheckpoint } from "../../src/checkpoint/convert.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { elements } from "../../src/graph/tensor.ts";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { proceduralImage } from "../image/procedural.ts";
import { describeGpu } from "../support/dawn.ts";
import { QUICK } from "../support/quick.ts";
import { testDevice } from "./dawn_model.ts";

const read = (name: string) => Uint8Array.from(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const pth = read("network.pth");
const open = () => openCheckpoint(bufferSource(pth, "network.pth"));

it("has the tensors PyTorch saved, to the byte", async () => {
  const expected = JSON.parse(new TextDecoder().decode(read("network.json")));
  const checkpoint = await open();
  expect(checkpoint.tensors.size).toBe(expected.tensors);
  expect(expected.strided).toBeGreaterThan(20);
  const hash = createHash("sha256");
  for (const name of [...checkpoint.tensors.keys()].sort()) {
    const tensor = checkpoint.tensors.get(name);
    expect(tensor?.dtype).toBe("F16");
    hash.update(await checkpoint.read(name, 0, elements(tensor?.shape ?? [])));
  }
  expect(hash.digest("hex")).toBe(expected.sha256);
});

// Another network's kernels, for LLVM to compile; quickly the file's bytes are enough.
if (!QUICK)
  describeGpu("a network in a file that PyTorch wrote", () => {
    it.each(["f16", "f32"] as const)("gives the bits that it gives as %s safetensors", async (dtype) => {
      const [file] = (await convertCheckpoint(await open(), { dtype })).files;
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      for await (const piece of file?.pieces() ?? []) pieces.push(piece.slice());
      const answers: Float32Array[][] = [];
      for (const weights of [pth, new Uint8Array(await new Blob(pieces).arrayBuffer())]) {
        const model = await SamMed2D.load({ weights, device: await testDevice() });
        expect(model.config).toMatchObject({ width: 48, depth: 2, heads: 3, imageSize: 128, adapters: true });
        const embedding = await model.encode(proceduralImage(96, 72, 1));
        const [decoded] = await model.decode(embedding, [{ points: [{ x: 40, y: 30 }] }]);
        answers.push([(await embedding.save()).data, decoded?.logits ?? new Float32Array(), decoded?.scores ?? new Float32Array()]);
        model.dispose();
      }
      const [ofPth = [], ofSafetensors = []] = answers;
      for (const [i, values] of ofPth.entries()) {
        expect(new Set(values).size).toBeGreaterThan(2);
        expect(values.every(Number.isFinite)).toBe(true);
        expect(new Uint32Array(values.slice().buffer)).toEqual(new Uint32Array((ofSafetensors[i] as Float32Array).slice().buffer));
      }
    });
  });
