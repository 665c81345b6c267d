import { expect, it } from "vitest";
import type { Progress } from "../../src/engine.ts";
import { loadGolden } from "../model/dawn_model.ts";
import { describeGpu } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";

const golden = readGolden("small");
const prompt = { points: [{ x: 30, y: 27 }] };

describeGpu("progress", () => {
  it("goes from open through bytes and kernels to ready, each count growing to its total", async () => {
    const steps: Progress[] = [];
    const model = await loadGolden(golden, { onProgress: (progress) => steps.push(progress) });
    expect([...new Set(steps.map(({ stage }) => stage))]).toEqual(["open", "weights", "compile", "ready"]);
    for (const stage of ["weights", "compile"] as const) {
      const own = steps.filter((step) => step.stage === stage);
      expect(own.every(({ loaded, total }, i) => loaded > (own[i - 1]?.loaded ?? 0) && total === own[0]?.total)).toBe(true);
      expect(own.at(-1)?.loaded).toBe(own[0]?.total);
      expect(own[0]?.unit).toBe(stage === "weights" ? "bytes" : "kernels");
    }
    model.dispose();
  });

  it("does not matter to an aborted encode or decode: the next one works", async () => {
    const model = await loadGolden(golden);
    const embedding = await model.encode(golden.image);
    const reason = new Error("enough");
    await expect(model.encode(golden.image, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(model.decode(embedding, prompt, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const queued = [model.encode(golden.image), model.encode(golden.image, { signal: controller.signal })];
    controller.abort(reason);
    await expect(queued[1]).rejects.toBe(reason);
    // One under way too, at once, and it tells nothing more.
    const told: Progress[] = [];
    const running = new AbortController();
    const stop = (step: Progress) => {
      told.push(step);
      running.abort(reason);
    };
    await expect(
      model.decode(
        embedding,
        Array.from({ length: 20 }, () => prompt),
        { signal: running.signal, onProgress: stop },
      ),
    ).rejects.toBe(reason);
    const begun = new AbortController();
    const late = model.encode(golden.image, { signal: begun.signal });
    await queued[0];
    await new Promise((resolve) => setTimeout(resolve));
    begun.abort(reason);
    await expect(late).rejects.toBe(reason);
    expect((await (await queued[0])?.save())?.data).toEqual((await embedding.save()).data);
    expect((await model.decode(embedding, prompt)).masks.length).toBe(3);
    expect(told.length).toBe(1);
    model.dispose();
  });

  it("tells how many prompts are decoded; a decode that waits for its turn obeys its signal at once", async () => {
    const model = await loadGolden(golden);
    const embedding = await model.encode(golden.image);
    const steps: Progress[] = [];
    await model.decode(embedding, [prompt, prompt, {}], { onProgress: (step) => steps.push(step) });
    expect(steps.filter(({ stage }) => stage === "decode").at(-1)).toEqual({ stage: "decode", loaded: 3, total: 3, unit: "prompts" });
    let encoded = false;
    const before = model.encode(golden.image).then(() => {
      encoded = true;
    });
    const controller = new AbortController();
    const waiting = model.decode(embedding, prompt, { signal: controller.signal });
    const reason = new Error("another click");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(encoded).toBe(false);
    await before;
    model.dispose();
  });
});
