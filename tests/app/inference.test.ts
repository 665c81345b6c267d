// Latest wins: what is computed, what is dropped, and what comes of failures.
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { EmbeddingStore } from "../../app/model/embeddings.ts";
import { type Activity, type Ahead, Inference, type Job } from "../../app/model/inference.ts";
import type { Decoded, Embedding, Prompt, SavedEmbedding, Segmenter } from "../../src/index.ts";
import { addPoint, NO_PROMPTS, type Prompts } from "../../app/annotate/prompts.ts";
import { dice } from "../../app/annotate/truth.ts";
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
  inference.use(model as unknown as Segmenter, 1);
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

  it("encodes no picture that is paged past where encodes cannot keep up, and at once what is asked something of", async () => {
    // Time goes on where the test says so.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { inference, model, seen } = start(new FakeModel({ encodeTime: 60 }));
    const encoding = () => seen.activities.filter((kind) => kind === "encoding").length;
    const show = async (i: number, prompts: Prompts) => {
      const before = encoding();
      const pixels = { data: new Uint8Array(64).fill(i), width: 8, height: 8, channels: 1 } as const;
      inference.want({ ...job(`slice ${i}`, prompts), pixels });
      while (encoding() === before) await new Promise(setImmediate);
    };
    for (let i = 0; i < 10; i++) {
      await show(i, { ...NO_PROMPTS });
      await vi.advanceTimersByTimeAsync(40);
    }
    expect([model.encodes, seen.encodes]).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(1000);
    expect([model.encodes, seen.encodes]).toEqual([2, 1]);
    // It kept up: the next one is begun at once.
    await show(10, { ...NO_PROMPTS });
    await vi.advanceTimersByTimeAsync(0);
    expect(model.encodes).toBe(3);
    // Given up again. What is drawn on it by hand asks for nothing, a point does.
    await show(11, { ...NO_PROMPTS });
    const shown = { data: new Uint8Array(64).fill(11), width: 8, height: 8, channels: 1 } as const;
    inference.want({ ...job("slice 11", { ...NO_PROMPTS }), pixels: shown });
    await vi.advanceTimersByTimeAsync(100);
    expect(model.encodes).toBe(3);
    const prompts = promptsAt(1);
    inference.want({ ...job("slice 11", prompts), pixels: shown });
    await vi.advanceTimersByTimeAsync(0);
    expect(model.encodes).toBe(4);
    await vi.advanceTimersByTimeAsync(1000);
    // The first decode fetches a part, which no clock of ours hastens.
    while (!inference.resultOf(prompts)) await new Promise(setImmediate);
    // What was waited for is begun at once by a model that takes the place of this one.
    await show(12, { ...NO_PROMPTS });
    await show(13, { ...NO_PROMPTS });
    const next = new FakeModel();
    inference.use(next as unknown as Segmenter, 2);
    while (next.encodes === 0) await new Promise(setImmediate);
    expect(model.encodes).toBe(5);
    expect(seen.errors).toEqual([]);
  });

  it("asks again when settings change, and encodes again only when they concern the image", async () => {
    const { inference, model, seen } = start();
    const prompts = promptsAt(1);
    inference.want(job("a", prompts));
    await until(() => expect(seen.results).toBe(1));
    inference.want(job("a", prompts, { ...SETTINGS, multimask: false }));
    await until(() => expect(inference.resultOf(prompts)?.count).toBe(1));
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
    inference.use(first as unknown as Segmenter, 2);
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    inference.use(second as unknown as Segmenter, 3);
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
    inference.use(next as unknown as Segmenter, 2);
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    expect(seen.errors).toEqual([]);
    expect(next.decoded.length).toBe(1);
  });

  it("keeps a bounded number of embeddings, the latest used ones", async () => {
    const { inference, model, seen } = start();
    for (let i = 0; i < 36; i++) {
      const pixels = { data: new Uint8Array(64).fill(i), width: 8, height: 8, channels: 1 } as const;
      inference.want({ ...job(`image ${i}`, { ...NO_PROMPTS }), pixels });
      await until(() => expect(seen.encodes).toBe(i + 1));
    }
    expect(model.embeddings.map(({ disposed }) => disposed)).toEqual([...Array(4).fill(true), ...Array(32).fill(false)]);
    inference.forget("image 35");
    expect(model.embeddings[35]?.disposed).toBe(true);
  });
});

/** Embeddings as files would keep them. */
class Shelf implements EmbeddingStore {
  readonly kept = new Map<string, SavedEmbedding>();
  has = async (name: string) => this.kept.has(name);
  get = async (name: string) => this.kept.get(name) ?? null;
  put = async (name: string, saved: SavedEmbedding) => void this.kept.set(name, saved);
}

describe("ahead", () => {
  /** Pictures that differ. */
  const pixels = (n: number) => ({ data: new Uint8Array(64).fill(n), width: 8, height: 8, channels: 1 }) as const;
  const asked = (n: number): Ahead => ({ image: `slice ${n}`, settings: SETTINGS, pixels: async () => pixels(n) });
  const wanted = (n: number, prompts: Prompts = NO_PROMPTS): Job => ({ image: `slice ${n}`, pixels: pixels(n), prompts, settings: SETTINGS });

  function begin({ shelf = new Shelf(), model = new FakeModel(), list = [] as Ahead[] } = {}) {
    const seen = { encodes: 0, activities: [] as Activity["kind"][], errors: [] as unknown[], results: 0 };
    const events = {
      onActivity: ({ kind }: Activity) => seen.activities.push(kind),
      onEncoded: () => seen.encodes++,
      onResult: () => seen.results++,
      onError: (error: unknown) => seen.errors.push(error),
      ahead: () => list,
    };
    const inference = new Inference(events, shelf);
    inference.use(model as unknown as Segmenter, 1);
    return { inference, model, shelf, seen };
  }

  it("encodes what may be wanted next when nothing else is to be done, in silence, each once", async () => {
    const { inference, model, shelf, seen } = begin({ list: [1, 2, 3].map(asked) });
    inference.want(wanted(0));
    await until(() => expect(shelf.kept.size).toBe(4));
    expect(model.encodes).toBe(4);
    for (const n of [1, 2, 3, 2, 1, 0]) {
      const prompts = promptsAt(n);
      inference.want(wanted(n, prompts));
      await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    }
    expect(model.encodes).toBe(4);
    expect(seen.encodes).toBe(1);
    expect(seen.errors).toEqual([]);
  });

  it("gives way at once: what is wanted now is encoded first", async () => {
    const model = new FakeModel({ encodeTime: 150 });
    const { inference, shelf } = begin({ model, list: [1, 2].map(asked) });
    inference.want(wanted(0));
    await until(() => expect(model.encodes).toBe(2));
    const prompts = promptsAt(1);
    inference.want(wanted(9, prompts));
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    // Of slice 1, which was begun, there is nothing yet.
    expect(model.embeddings.map(({ image }) => image.data[0])).toEqual([0, 9]);
    await until(() => expect(shelf.kept.size).toBe(4));
  });

  it("takes over what is encoded ahead when that is what is wanted", async () => {
    const model = new FakeModel({ encodeTime: 100 });
    const { inference, seen } = begin({ model, list: [asked(1)] });
    inference.want(wanted(0));
    await until(() => expect(model.encodes).toBe(2));
    const prompts = promptsAt(1);
    inference.want(wanted(1, prompts));
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    expect(model.encodes).toBe(2);
    expect(seen.errors).toEqual([]);
  });

  it("never encodes again what was kept, on another day, beyond what memory holds; but for another model, window or setting it does", async () => {
    const first = begin();
    for (let n = 0; n < 60; n++) {
      first.inference.want(wanted(n));
      await until(() => expect(first.shelf.kept.size).toBe(n + 1));
    }
    for (let n = 59; n >= 0; n--) {
      const prompts = promptsAt(n % 8);
      first.inference.want(wanted(n, prompts));
      await until(() => expect(first.inference.resultOf(prompts)).toBeDefined());
    }
    expect(first.model.encodes).toBe(60);

    const { shelf } = first;
    const again = begin({ shelf });
    const prompts = promptsAt(1);
    again.inference.want(wanted(30, prompts));
    await until(() => expect(again.inference.resultOf(prompts)).toBeDefined());
    expect(again.model.encodes).toBe(0);
    again.inference.want({ ...wanted(30), pixels: pixels(200), image: "slice 30, another window" });
    await until(() => expect(again.model.encodes).toBe(1));
    again.inference.want({ ...wanted(30), settings: { ...SETTINGS, fit: "pad" } });
    await until(() => expect(again.model.encodes).toBe(2));
    const other = Object.assign(new FakeModel(), { fingerprint: "fedcba9876543210" });
    again.inference.use(other as unknown as Segmenter, 2);
    await until(() => expect(other.encodes).toBe(1));
  });

  it("leaves the model to who goes through many pictures, and encodes none of them twice", async () => {
    const { inference, model, shelf } = begin({ list: [1, 2, 3].map(asked) });
    inference.want(wanted(0));
    await until(() => expect(model.encodes).toBe(1));
    const guest = inference.guest(SETTINGS);
    for (const n of [0, 1, 1]) {
      const embedding = await guest?.encode(pixels(n));
      if (embedding) await guest?.decode(embedding, { points: [{ x: 1, y: 1 }] });
    }
    expect(model.encodes).toBe(2);
    guest?.leave();
    await until(() => expect(shelf.kept.size).toBe(4));
    expect(model.encodes).toBe(4);
  });

  it("goes on where a picture cannot be had or read", async () => {
    const broken: Ahead = { ...asked(5), pixels: () => Promise.reject(new Error("damaged")) };
    const none: Ahead = { ...asked(6), pixels: async () => null };
    const { inference, shelf, seen } = begin({ list: [broken, none, asked(1)] });
    inference.want(wanted(0));
    await until(() => expect(shelf.kept.size).toBe(2));
    expect(seen.errors).toEqual([]);
  });

  it("goes on from a mask that was drawn, and prefers the candidate most like it", async () => {
    const { inference, model } = start();
    const drawn = Uint32Array.of(0, 64);
    const prompts = addPoint(NO_PROMPTS, { x: 1, y: 1, label: 1 }, { drawn });
    inference.want(job("a", prompts));
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    const { maskInput } = model.decoded[0] as { maskInput?: Float32Array };
    expect(maskInput?.length).toBe((4 * model.config.grid) ** 2);
    expect(maskInput?.every((share) => share > 0.999)).toBe(true);
    const { count, mask, best } = inference.resultOf(prompts) as NonNullable<ReturnType<typeof inference.resultOf>>;
    const alike = Array.from({ length: count }, (_, candidate) => dice(mask(candidate), drawn));
    expect(alike[best]).toBe(Math.max(...alike));
  });

  it("makes a mask at full size of the best candidate alone, of others when they are asked for, and each once", async () => {
    const made: number[] = [];
    const model = new FakeModel();
    const decode = model.decode.bind(model);
    model.decode = (async (embedding: Embedding, prompt: Prompt) => {
      const decoded: Decoded = await decode(embedding, prompt);
      const masks = decoded.masks.map((mask, index) => ({
        width: mask.width,
        height: mask.height,
        get data() {
          made.push(index);
          return mask.data;
        },
      }));
      return { ...decoded, masks, mask: masks[decoded.best] };
    }) as typeof model.decode;
    const { inference } = start(model);
    const prompts = promptsAt(1);
    inference.want(job("a", prompts));
    await until(() => expect(inference.resultOf(prompts)).toBeDefined());
    const { best, count, mask } = inference.resultOf(prompts) as NonNullable<ReturnType<typeof inference.resultOf>>;
    expect([count, made]).toEqual([3, [best]]);
    const other = (best + 1) % 3;
    expect(mask(other)).toBe(mask(other));
    expect(made).toEqual([best, other]);
  });

  it("gives up a long decode once its picture is left or its prompts are cleared, and not for a further prompt", async () => {
    const model = new FakeModel();
    const asked: AbortSignal[] = [];
    model.decode = ((_embedding: Embedding, _prompt: Prompt, { signal }: { signal: AbortSignal }) => {
      asked.push(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }) as unknown as typeof model.decode;
    const { inference, seen } = start(model);
    inference.want(job("a", promptsAt(1)));
    await until(() => expect(asked.length).toBe(1));
    inference.want(job("a", promptsAt(2)));
    expect(asked[0]?.aborted).toBe(false);
    inference.want(job("b", promptsAt(3)));
    expect(asked[0]?.aborted).toBe(true);
    await until(() => expect(asked.length).toBe(2));
    inference.want(job("b", { ...NO_PROMPTS }));
    expect(asked[1]?.aborted).toBe(true);
    await idle(seen);
    expect(seen.errors).toEqual([]);
  });

  it("peeks at what prompts would give only where the picture is encoded and nothing else is done, and keeps nothing of it", async () => {
    const { inference, model, seen } = start();
    const never = new AbortController().signal;
    const prompts = promptsAt(3);
    expect(await inference.peek(job("a", prompts), never)).toBeNull();
    inference.want(job("a", { ...NO_PROMPTS }));
    await until(() => expect(seen.encodes).toBe(1));
    await idle(seen);
    expect(await inference.peek(job("a", prompts), never)).not.toBeNull();
    expect(inference.resultOf(prompts)).toBeUndefined();
    const stopped = new AbortController();
    const peeked = inference.peek(job("a", prompts), stopped.signal);
    stopped.abort();
    expect(await peeked).toBeNull();
    expect(model.encodes).toBe(1);
    expect(seen.results).toBe(0);
  });
});
