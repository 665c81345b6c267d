import { expect, it } from "vitest";
import type { Embedding } from "../../src/embedding.ts";
import type { Decoded } from "../../src/segmenter.ts";
import { loadGolden, testDevice } from "../model/dawn_model.ts";
import { describeGpu } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";
import { QUICK } from "../support/quick.ts";
import { spoilSubmit } from "./spoiled.ts";

const golden = readGolden("small");
const prompt = { points: [{ x: 30, y: 27 }] };

describeGpu("two models on one device", () => {
  it("loaded and used at the same time give what each gives alone", async () => {
    const alone = await loadGolden(golden);
    const want = await alone.decode(await alone.encode(golden.image), prompt);
    alone.dispose();
    const plain = readGolden("small_no_adapter");
    const models = await Promise.all([loadGolden(golden), loadGolden(plain)]);
    const [first, second] = await Promise.all(models.map(async (model) => model.decode(await model.encode(golden.image), prompt)));
    expect(first?.logits).toEqual(want.logits);
    expect(second?.logits).not.toEqual(want.logits);
    models[0]?.dispose();
    // The device and the other model are left alone.
    const again = await models[1]?.decode((await models[1]?.encode(golden.image)) as Embedding, prompt);
    expect(again?.logits).toEqual(second?.logits);
    models[1]?.dispose();
  });

  it.each(QUICK ? [1] : [0, 1])("used at the same time, an error of number %i is told to that one alone", async (which) => {
    const device = await testDevice();
    const models = [await loadGolden(golden), await loadGolden(golden)];
    const embeddings = await Promise.all(models.map((model) => model.encode(golden.image)));
    const want = await models[0]?.decode(embeddings[0] as Embedding, prompt);
    await models[1]?.decode(embeddings[1] as Embedding, prompt);
    const restore = spoilSubmit(device, which);
    const answers = await Promise.allSettled(models.map((model, i) => model.decode(embeddings[i] as Embedding, prompt)));
    restore();
    expect(answers.map(({ status }) => status)).toEqual(which === 0 ? ["rejected", "fulfilled"] : ["fulfilled", "rejected"]);
    const [good, bad] = which === 0 ? [answers[1], answers[0]] : answers;
    expect((good as PromiseFulfilledResult<Decoded>).value.logits).toEqual(want?.logits);
    expect((bad as PromiseRejectedResult).reason).toMatchObject({ code: "device", op: "decode" });
    for (const model of models) model.dispose();
  });

  it("leaves the caller's own errors and scopes on it alone, and is told of none of them", async () => {
    const device = await testDevice();
    const model = await loadGolden(golden);
    const embedding = await model.encode(golden.image);
    const fail = () => device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    const many = Array.from({ length: 16 }, () => prompt);
    device.pushErrorScope("validation");
    let within: Promise<GPUError | null> | undefined;
    const onProgress = () => {
      if (within) return;
      device.pushErrorScope("validation");
      fail();
      within = device.popErrorScope();
    };
    const running = model.decode(embedding, many, { onProgress });
    // In the middle of it, when the model waits.
    await new Promise((resolve) => setTimeout(resolve));
    fail();
    expect(await device.popErrorScope()).toMatchObject({ message: expect.stringMatching(/usage/i) });
    expect((await running).length).toBe(16);
    expect(await within).toMatchObject({ message: expect.stringMatching(/usage/i) });
    await expect(device.popErrorScope()).rejects.toThrow();
    model.dispose();
  });
});
