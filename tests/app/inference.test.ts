// Latest wins: what is computed, what is dropped, and what comes of failures.
import { describe, expect, it } from "vitest";
import { type Activity, Inference, type Job, type Runner } from "../../app/model/inference.ts";
import { addPoint, NO_PROMPTS, type Prompts } from "../../app/annotate/prompts.ts";
import { until } from "../support/until.ts";
import { FakeModel } from "../worker/fake_model.ts";

const SETTINGS = { fit: "auto", channelOrder: "auto", multimask: true } as const;

function promptsAt(x: number): Prompts {
  return addPoint(NO_PROMPTS, { x, y: 1, label: 1 });
}

function job(image: string, prompts: Prompts, settings: Job["settings"] = SETTINGS): Job {
  return { image, pixels: { data: new Uint8Array(64), width: 8, height: 8, channels: 1 }, prompts, settings };
}

function start(model = new FakeModel()) {
  const seen = { activities: [] as Activity["kind"][], encodes: 0, results: 0, errors: [] as unknown[] };
  const inference = new Inference({
    onActivity: ({ kind }) => seen.activities.push(kind),
    onEncoded: () => seen.encodes++,
    onResult: () => seen.results++,
    onError: (error) => seen.errors.push(error),
  });
  inference.use(model as Runner, 1);
  return { inference, model, seen };
}

async function idle(seen: { activities: string[] }): Promise<void> {
  await until(() => expect(seen.activities.at(-1)).toBe("idle"));
}

describe("inference", () => {
  it("encodes an image once, ahead of the first prompt, and keeps every result", async () => {
    const { inference, model, seen } = start();
    const [one, two] = [promptsAt(1), promptsAt(2)];
    inference.want(job("a", { ...NO_PROMPTS }));
    await until(() => expect(seen.encodes).toBe(1));
    for (const prompts of [one, two, one]) {
      inference.want(job("a", prompts));
      await until(() => expect(inference.resultOf(prompts)).toBeDefined());
      await idle(seen);
    }
    expect(model.encodes).toBe(1);
    expect(model.decoded.length).toBe(2);
    expect(seen.errors).toEqual([]);
  });

  it("coalesces: of many prompts in a burst, the first and the last are decoded", async () => {
    const { inference, model, seen } = start(new FakeModel({ decodeTime: 40 }));
    const burst = Array.from({ length: 30 }, (_, i) => promptsAt(i % 8));
    inference.want(job("a", burst[0] as Prompts));
    await until(() => expect(seen.activities).toContain("decoding"));
    for (const prompts of burst) inference.want(job("a", prompts));
    await until(() => expect(inference.resultOf(burst.at(-1) as Prompts)).toBeDefined());
    expect(model.decoded.length).toBe(2);
  });

  it("drops the encode of an image that was left, without a word", async () => {
    const { inference, model, seen } = start(new FakeModel({ encodeTime: 60 }));
    inference.want(job("a", promptsAt(1)));
    await until(() => expect(model.encodes).toBe(1));
    const wanted = promptsAt(2);
    inference.want(job("b", wanted));
    await until(() => expect(inference.resultOf(wanted)).toBeDefined());
    expect(model.embeddings.length).toBe(1);
    expect(seen.errors).toEqual([]);
  });

  it("asks again when settings change, and encodes again only when they concern the image", async () => {
    const { inference, model, seen } = start();
    const prompts = promptsAt(1);
    inference.want(job("a", prompts));
    await until(() => expect(seen.results).toBe(1));
    inference.want(job("a", prompts, { ...SETTINGS, multimask: false }));
    await until(() => expect(inference.resultOf(prompts)?.masks.length).toBe(1));
    expect(model.encodes).toBe(1);
    inference.want(job("a", prompts, { ...SETTINGS, fit: "pad" }));
    await until(() => expect(model.encodes).toBe(2));
  });

  it("reports a failure once, is not asked again by itself, and goes on with retry or the next prompt", async () => {
    const { inference, model, seen } = start();
    inference.want(job("a", { ...NO_PROMPTS }));
    await until(() => expect(seen.encodes).toBe(1));
    model.failNext = new Error("lost");
    const prompts = promptsAt(1);
    inference.want(job("a", prompts));
    await until(() => expect(seen.errors.length).toBe(1));
    inference.want(job("a", prompts));
    await idle(seen);
    expect(seen.errors.length).toBe(1);
    expect(inference.resultOf(prompts)).toBeUndefined();
    inference.retry();
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    model.failNext = new Error("again");
    inference.want(job("a", promptsAt(2)));
    await until(() => expect(seen.errors.length).toBe(2));
    const next = promptsAt(3);
    inference.want(job("a", next));
    await until(() => expect(inference.resultOf(next)).toBeDefined());
  });

  it("waits for a model, and starts over with another one, prompts kept", async () => {
    const { inference, seen } = start();
    const prompts = promptsAt(1);
    inference.use(null, 0);
    inference.want(job("a", prompts));
    await idle(seen);
    const [first, second] = [new FakeModel(), new FakeModel()];
    inference.use(first as Runner, 2);
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    inference.use(second as Runner, 3);
    expect(inference.resultOf(prompts)).toBeUndefined();
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    expect([first.decoded.length, second.decoded.length]).toEqual([1, 1]);
  });

  it("ignores what a replaced model still says", async () => {
    const { inference, model, seen } = start(new FakeModel({ decodeTime: 30 }));
    const prompts = promptsAt(1);
    inference.want(job("a", prompts));
    await until(() => expect(seen.activities).toContain("decoding"));
    model.failNext = new Error("the old model's own trouble");
    const next = new FakeModel();
    inference.use(next as Runner, 2);
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    expect(seen.errors).toEqual([]);
    expect(next.decoded.length).toBe(1);
  });

  it("keeps a bounded number of embeddings, the latest used ones", async () => {
    const { inference, model, seen } = start();
    for (let i = 0; i < 20; i++) {
      inference.want(job(`image ${i}`, { ...NO_PROMPTS }));
      await until(() => expect(seen.encodes).toBe(i + 1));
    }
    expect(model.embeddings.map(({ disposed }) => disposed)).toEqual([...Array(4).fill(true), ...Array(16).fill(false)]);
    inference.forget("image 19");
    expect(model.embeddings[19]?.disposed).toBe(true);
  });
});
