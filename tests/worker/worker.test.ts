// The worker's API over an in-process channel: answers, moved buffers, errors with all their facts, aborts, crashes.
import { afterEach, describe, expect, it } from "vitest";
import type { Progress } from "../../src/engine.ts";
import { SamError } from "../../src/errors.ts";
import { area, type Mask, maskOf, packedOf } from "../../src/image/mask.ts";
import type { LoadOptions } from "../../src/sam_med2d.ts";
import { SamMed2DWorker } from "../../src/worker/client.ts";
import { serve } from "../../src/worker/host.ts";
import type { Port } from "../../src/worker/protocol.ts";
import { until } from "../support/until.ts";
import { FakeModel, fakeLoad } from "./fake_model.ts";

/** A `Worker` whose scope is the other end of a message channel in this thread. */
class ChannelWorker extends EventTarget {
  readonly #channel = new MessageChannel();
  readonly transferred: Transferable[][] = [];
  /** What the worker said. */
  readonly answers: unknown[] = [];

  constructor(load: Parameters<typeof serve>[1]) {
    super();
    const { port1, port2 } = this.#channel;
    serve(port2 as Port, load);
    port2.start();
    port1.onmessage = ({ data }) => {
      this.answers.push(structuredClone(data));
      this.dispatchEvent(new MessageEvent("message", { data }));
    };
  }

  postMessage(message: unknown, { transfer }: { transfer: Transferable[] }): void {
    this.transferred.push(transfer);
    this.#channel.port1.postMessage(message, { transfer });
  }

  crash(message: string): void {
    this.dispatchEvent(Object.assign(new Event("error"), { message }));
  }

  terminate(): void {
    this.#channel.port1.close();
  }
}

const workers: ChannelWorker[] = [];
afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate();
});

function start(load: Parameters<typeof serve>[1]): { worker: Worker; channel: ChannelWorker } {
  const channel = new ChannelWorker(load);
  workers.push(channel);
  return { worker: channel as unknown as Worker, channel };
}

async function loaded(model = new FakeModel()): Promise<{ client: SamMed2DWorker; model: FakeModel; channel: ChannelWorker }> {
  const { worker, channel } = start(async () => model);
  return { client: await SamMed2DWorker.load(worker, { weights: "synthetic:7" }), model, channel };
}

const IMAGE = () => ({ data: new Uint8Array(8 * 6).fill(100), width: 8, height: 6, channels: 1 }) as const;
const FACTS = { code: "prompt", op: "decode", argument: "box", expected: "x0 < x1", got: "x0 = x1 = 3", remedy: "Draw a larger box." } as const;

describe("load", () => {
  it("passes options, reports progress and shows what was loaded", async () => {
    const seen: LoadOptions[] = [];
    const { worker } = start((options) => {
      seen.push(options);
      return fakeLoad()(options);
    });
    const progress: Progress[] = [];
    const client = await SamMed2DWorker.load(worker, { weights: "synthetic:7", adapter: "off", onProgress: (step) => progress.push(step) });
    expect(seen[0]).toMatchObject({ weights: "synthetic:7", adapter: "off" });
    expect(progress.at(-1)?.stage).toBe("ready");
    expect(progress.length).toBeGreaterThan(10);
    expect(client.meaningless).toBe(true);
    expect(client.config.grid).toBe(16);
    expect(client.name).toContain("vit_b");
    expect(client.device.kind).toBe("cpu");
  });

  it("moves whole buffers, but never a buffer that is only partly the weights", async () => {
    const sizes: number[] = [];
    const { worker } = start(async ({ weights }) => {
      sizes.push((weights as Uint8Array).byteLength);
      return new FakeModel();
    });
    const whole = new Uint8Array(64);
    const part = new Uint8Array(new ArrayBuffer(64), 8, 16);
    await SamMed2DWorker.load(worker, { weights: whole });
    await SamMed2DWorker.load(worker, { weights: part });
    expect(sizes).toEqual([64, 16]);
    expect(whole.byteLength).toBe(0);
    expect(part.byteLength).toBe(16);
  });

  it("refuses options that are none, or not of their kind, before anything is sent", async () => {
    const bad = (options: unknown) => options as never;
    const { worker, channel } = start(fakeLoad());
    for (const none of [undefined, {}, "worker.js"])
      await expect(SamMed2DWorker.load(none as unknown as Worker, { weights: "synthetic:7" })).rejects.toMatchObject({ name: "SamError", argument: "worker" });
    await expect(SamMed2DWorker.load(worker, bad(undefined))).rejects.toMatchObject({ name: "SamError", op: "load", got: "nothing" });
    await expect(SamMed2DWorker.load(worker, bad("w.pth"))).rejects.toMatchObject({ name: "SamError", got: 'the string "w.pth"' });
    await expect(SamMed2DWorker.load(worker, bad({ weights: "synthetic:7", signal: {} }))).rejects.toMatchObject({ name: "SamError", argument: "signal" });
    expect(channel.transferred).toEqual([]);
    const { client } = await loaded();
    await expect(client.encode(IMAGE(), bad({ onProgress: 5 }))).rejects.toMatchObject({ name: "SamError", op: "encode", argument: "onProgress" });
    await expect(client.decode(await client.encode(IMAGE()), {}, bad([]))).rejects.toMatchObject({ name: "SamError", op: "decode", got: "an array of 0" });
    await expect(client.decode(bad("x"), {})).rejects.toMatchObject({ name: "SamError", argument: "embedding", got: 'the string "x"' });
    expect(() => client.restore(bad(null))).toThrow(expect.objectContaining({ name: "SamError", op: "restore", got: "null" }));
  });

  it("rejects at once with the signal's reason, and disposes a model that arrives too late", async () => {
    const late = new FakeModel();
    let arrive: (() => void) | undefined;
    const { worker } = start(
      () =>
        new Promise((resolve) => {
          arrive = () => resolve(late);
        }),
    );
    const controller = new AbortController();
    const loading = SamMed2DWorker.load(worker, { weights: "synthetic:7", signal: controller.signal });
    await until(() => expect(arrive).toBeDefined());
    const reason = new Error("the user went away");
    controller.abort(reason);
    await expect(loading).rejects.toBe(reason);
    await tick();
    arrive?.();
    await until(() => expect(late.disposed).toBe(true));
  });

  it("stops a load that listens to its signal", async () => {
    const outcomes: unknown[] = [];
    const { worker } = start((options) => {
      const loading = fakeLoad({ loadTime: 60_000 })(options);
      loading.catch((error: unknown) => outcomes.push(error));
      return loading;
    });
    const controller = new AbortController();
    const loading = SamMed2DWorker.load(worker, { weights: "synthetic:7", signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(loading).rejects.toMatchObject({ name: "AbortError" });
    await until(() => expect(outcomes).toHaveLength(1));
  });
});

describe("encode and decode", () => {
  it("give what the model gives, single and in a batch", async () => {
    const { client, model } = await loaded();
    const embedding = await client.encode(IMAGE(), { fit: "pad" });
    expect(embedding.framing).toEqual(model.embeddings[0]?.framing);
    const prompt = { points: [{ x: 3, y: 2 }] };
    const one = await client.decode(embedding, prompt);
    expect(one.masks).toHaveLength(3);
    expect(one.best).toBe(1);
    expect(one.masks[0]?.data).toEqual(new Uint8Array(48).fill(1));
    expect(one.logits).toHaveLength(3 * 64 * 64);
    const many = await client.decode(embedding, [prompt, { ...prompt, multimask: false }]);
    expect(many.map(({ masks }) => masks.length)).toEqual([3, 1]);
    expect((await client.stats()).weightBytes).toBe(1);
  });

  it("moves masks as they are kept, a bit a pixel or logits, and passes options on", async () => {
    const { client, model, channel } = await loaded();
    const embedding = await client.encode(IMAGE());
    const logits = Float32Array.from({ length: 2 * 64 * 64 }, (_, i) => (i < 64 * 64 ? -1 : 1));
    const [width, height] = [8, 6];
    const framing = embedding.framing;
    const asked: unknown[] = [];
    model.decode = async (...args: unknown[]) => {
      asked.push(args[2]);
      return {
        masks: [maskOf({ width, height, logits: logits.subarray(0, 4096), framing }), maskOf({ width, height, bits: Uint32Array.of(-1, 0xffff) })],
        scores: Float32Array.of(0.1, 0.2),
        logits,
        best: 1,
      } as never;
    };
    const { masks } = await client.decode(embedding, {}, { onProgres: 1 } as never);
    expect(asked[0]).toMatchObject({ onProgres: 1 });
    expect(masks.map((mask) => area(mask))).toEqual([0, 48]);
    expect(packedOf(masks[1] as Mask)?.bits).toEqual(Uint32Array.of(-1, 0xffff));
    const answer = channel.answers.at(-1) as { result: { masks: object[] } };
    expect(answer.result.masks.map((mask) => Object.keys(mask))).toEqual([
      ["width", "height", "logits", "framing"],
      ["width", "height", "bits"],
    ]);
  });

  it("brings the part of the answer that is asked for, moved", async () => {
    const { client, channel } = await loaded();
    const embedding = await client.encode(IMAGE());
    const prompt = { points: [{ x: 1, y: 1 }] };
    const whole = await client.decode(embedding, prompt);
    const { mask, ...best } = await client.decode(embedding, prompt, { output: "best" });
    expect([mask.data, Object.keys(best).sort()]).toEqual([whole.mask.data, ["best", "scores"]]);
    expect((channel.answers.at(-1) as { result: { kept: object } }).result.kept).toHaveProperty("bits");
    const packed = await client.decode(embedding, [prompt], { output: "packed" });
    expect(packed).toEqual([{ scores: whole.scores, best: whole.best, bits: packedOf(whole.mask)?.bits, width: 8, height: 6 }]);
    expect(await client.decode(embedding, prompt, { output: "logits" })).toEqual({ scores: whole.scores, best: whole.best, logits: whole.logits });
  });

  it("is let go of by using", async () => {
    const { client, model } = await loaded();
    {
      using embedding = await client.encode(IMAGE());
      await embedding.save();
    }
    await until(() => expect(model.embeddings[0]?.disposed).toBe(true));
    client[Symbol.dispose]();
    await expect(client.encode(IMAGE())).rejects.toMatchObject({ code: "disposed" });
  });

  it("leaves the caller's pixels usable, and sends only the part of a buffer that is the image", async () => {
    const { client, model } = await loaded();
    const buffer = new ArrayBuffer(1000);
    const image = { ...IMAGE(), data: new Uint8Array(buffer, 100, 48) };
    await client.encode(image);
    expect(image.data).toHaveLength(48);
    expect(model.embeddings[0]?.image.data.buffer.byteLength).toBe(48);
    // State that a framework watches.
    const watched = <T extends object>(value: T) => new Proxy(value, {});
    const embedding = await client.encode(IMAGE());
    const point = watched({ points: watched([watched({ x: 1, y: 1 })]), box: watched([0, 0, 2, 2]) });
    expect((await client.decode(embedding, point)).masks).toHaveLength((await client.decode(embedding, { points: [{ x: 1, y: 1 }] })).masks.length);
    const saved = await embedding.save();
    await await client.restore(watched({ ...saved, framing: watched({ ...saved.framing }), shape: watched([...saved.shape]) as never })).save();
    // Node's Buffer, whose slices are views of a pool.
    const pooled = Buffer.from(image.data);
    await client.encode({ ...image, data: pooled });
    expect(pooled).toHaveLength(48);
  });

  it("gives the worker's error with every field, its cause and its stack", async () => {
    const { client, model } = await loaded();
    const embedding = await client.encode(IMAGE());
    model.failNext = new SamError(FACTS, { cause: new RangeError("inner") });
    const error = await client.decode(embedding, {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SamError);
    expect(error).toMatchObject({ ...FACTS, message: new SamError(FACTS).message, cause: { name: "RangeError", message: "inner" } });
    expect((error as SamError).stack).toContain("worker.test");
    const whole = new SamError({ code: "checkpoint", op: "x.pth", expected: "a checkpoint", got: "an image", remedy: "Choose another." });
    model.failNext = whole;
    await expect(client.decode(embedding, {})).rejects.toMatchObject({
      argument: "weights",
      message: "x.pth: expected a checkpoint, got an image. Choose another.",
    });
    model.failNext = new RangeError("plain");
    await expect(client.decode(embedding, {})).rejects.toMatchObject({ name: "RangeError", message: "plain" });
    await expect(client.decode(embedding, { points: [{ x: 1, y: 1 }] })).resolves.toMatchObject({ best: 1 });
  });

  it("checks the image before it crosses", async () => {
    const { client, model } = await loaded();
    await expect(client.encode({ data: new Uint8Array(3), width: 2, height: 2, channels: 1 })).rejects.toMatchObject({ code: "image" });
    expect(model.encodes).toBe(0);
  });

  it("disposes the embedding of an encode that was aborted too late to stop", async () => {
    const { client, model } = await loaded();
    const original = model.encode.bind(model);
    const controller = new AbortController();
    model.encode = async (image) => {
      controller.abort();
      await tick();
      return original(image);
    };
    await expect(client.encode(IMAGE(), { signal: controller.signal })).rejects.toMatchObject({ name: "AbortError" });
    await until(() => expect(model.embeddings[0]?.disposed).toBe(true));
  });

  it("says so when something can't be sent", async () => {
    const { client } = await loaded();
    const embedding = await client.encode(IMAGE());
    const prompt = { points: [{ x: 1, y: 1, label: (() => 1) as unknown as 1 }] };
    await expect(client.decode(embedding, prompt)).rejects.toMatchObject({ code: "prompt", op: "decode" });
  });
});

describe("embeddings", () => {
  it("are saved, restored and disposed", async () => {
    const { client, model } = await loaded();
    const embedding = await client.encode(IMAGE());
    const saved = await embedding.save();
    expect(saved).toMatchObject({ shape: [1, 256, 16, 16], model: "fake" });
    const again = client.restore(saved);
    expect(saved.data).toHaveLength(256 * 16 * 16);
    await expect(client.decode(again, { points: [{ x: 1, y: 1 }] })).resolves.toMatchObject({ best: 1 });
    embedding.dispose();
    await expect(client.decode(embedding, {})).rejects.toMatchObject({ code: "disposed", argument: "embedding" });
    expect(model.embeddings.map(({ disposed }) => disposed)).toEqual([true, false]);
  });

  it("that do not fit are reported by their first use", async () => {
    const { client } = await loaded();
    const saved = await (await client.encode(IMAGE())).save();
    await expect(client.decode(client.restore({ ...saved, fingerprint: "another" }), {})).rejects.toMatchObject({ op: "restore", got: "another" });
  });

  it("of another model are refused", async () => {
    const [first, second] = [await loaded(), await loaded()];
    const embedding = await first.client.encode(IMAGE());
    await expect(second.client.decode(embedding, {})).rejects.toMatchObject({ code: "prompt", argument: "embedding" });
  });
});

describe("the end", () => {
  it("dispose frees everything and fails what waits", async () => {
    const { client, model } = await loaded(new FakeModel({ decodeTime: 60_000 }));
    const embedding = await client.encode(IMAGE());
    const waiting = client.decode(embedding, {});
    client.dispose();
    await expect(waiting).rejects.toMatchObject({ code: "disposed", argument: "model" });
    await expect(client.encode(IMAGE())).rejects.toMatchObject({ code: "disposed" });
    await until(() => expect(model.disposed).toBe(true));
    expect(model.embeddings[0]?.disposed).toBe(true);
  });

  it("two models of one worker are independent", async () => {
    const models = [new FakeModel(), new FakeModel()];
    let next = 0;
    const { worker } = start(async () => models[next++] as FakeModel);
    const first = await SamMed2DWorker.load(worker, { weights: "a" });
    const second = await SamMed2DWorker.load(worker, { weights: "b" });
    first.dispose();
    await until(() => expect(models[0]?.disposed).toBe(true));
    await expect(second.encode(IMAGE())).resolves.toBeDefined();
    expect(models[1]?.disposed).toBe(false);
  });

  it("a crash fails every call, waiting and new, with a typed error", async () => {
    const { client, channel } = await loaded(new FakeModel({ decodeTime: 60_000 }));
    const embedding = await client.encode(IMAGE());
    const waiting = [client.decode(embedding, {}), client.decode(embedding, {})];
    channel.crash("out of memory");
    for (const call of waiting) await expect(call).rejects.toMatchObject({ name: "SamError", code: "device", op: "worker", got: "out of memory" });
    await expect(client.encode(IMAGE())).rejects.toMatchObject({ code: "device", op: "worker" });
    client.dispose();
  });

  it("a worker whose script does not load fails the load", async () => {
    const { worker, channel } = start(() => new Promise(() => {}));
    const loading = SamMed2DWorker.load(worker, { weights: "synthetic:7" });
    channel.crash("");
    await expect(loading).rejects.toMatchObject({ code: "device", op: "worker", got: "a script that does not load or run" });
  });

  it.each(["Uncaught SyntaxError: Cannot use import statement outside a module", "SyntaxError: import declarations may only appear at top level of a module"])(
    "a worker that was not made as a module is said to be to: %s",
    async (message) => {
      const { worker, channel } = start(() => new Promise(() => {}));
      const loading = SamMed2DWorker.load(worker, { weights: "synthetic:7" });
      channel.crash(message);
      await expect(loading).rejects.toMatchObject({ code: "device", remedy: expect.stringContaining('{ type: "module" }') });
    },
  );

  it("what listens as a worker does but takes no message (a SharedWorker) is none", async () => {
    const shared = new EventTarget() as Worker;
    await expect(SamMed2DWorker.load(shared, { weights: "synthetic:7" })).rejects.toMatchObject({ argument: "worker", expected: "a Worker" });
  });
});

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
