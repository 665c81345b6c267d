import { describe, expect, it } from "vitest";
import type { RawDecoded } from "../src/decoded.ts";
import { Engine } from "../src/engine.ts";
import type { EncodedPrompt } from "../src/model/prompts.ts";
import { SamMed2D } from "../src/sam_med2d.ts";
import { expectClose } from "./support/compare.ts";
import { describeGpu, libraryFeatures, trackDevice } from "./support/dawn.ts";
import { readGolden } from "./support/goldens.ts";
import { QUICK } from "./support/quick.ts";
import { values } from "./support/twins.ts";
import { loadGolden, testDevice } from "./model/dawn_model.ts";
import { checkGolden } from "./model/golden_check.ts";

const golden = readGolden("small");

async function ownDevice(): Promise<GPUDevice> {
  return trackDevice(await ((await navigator.gpu.requestAdapter()) as GPUAdapter).requestDevice({ requiredFeatures: libraryFeatures() }));
}

/** The buffers of a device that are not destroyed, by label. */
function liveBuffers(device: GPUDevice): Map<GPUBuffer, string> {
  const live = new Map<GPUBuffer, string>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    live.set(buffer, descriptor.label ?? "");
    buffer.destroy = () => {
      live.delete(buffer);
      destroy();
    };
    return buffer;
  };
  return live;
}

describeGpu("an engine", () => {
  it.each(QUICK ? ["activations."] : ["activations.", "readback", "mask_input"])("answers as before once a buffer %s could not be made", async (label) => {
    const device = await ownDevice();
    const model = await loadGolden(golden, { device });
    const create = device.createBuffer.bind(device);
    // A buffer that is no good though it has the size that was asked for, as when memory runs out.
    device.createBuffer = (descriptor) => {
      if (!descriptor.label?.startsWith(label)) return create(descriptor);
      device.createBuffer = create;
      return create({ ...descriptor, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    };
    const attempt = async () => model.decode(await model.encode(golden.image), { points: [{ x: 30, y: 27 }] });
    await expect(attempt()).rejects.toMatchObject({ name: "SamError", code: "device" });
    await checkGolden(model, golden, { cases: ["point"] });
    model.dispose();
  });

  describe("on the caller's device leaves nothing there", () => {
    it.each(QUICK ? ["compile"] : ["weights", "compile", "ready"])("when loading is cancelled at %s", async (at) => {
      const device = await ownDevice();
      const live = liveBuffers(device);
      const stop = new Error("stop");
      const controller = new AbortController();
      const onProgress = ({ stage }: { stage: string }) => {
        if (stage !== at) return;
        if (at === "ready") throw stop;
        controller.abort(stop);
      };
      await expect(loadGolden(golden, { device, signal: controller.signal, onProgress })).rejects.toBe(stop);
      expect([...live.values()]).toEqual([]);
    });

    it("when the model is disposed, work under way included", async () => {
      const device = await ownDevice();
      const live = liveBuffers(device);
      const model = await loadGolden(golden, { device });
      const encoding = model.encode(golden.image);
      model.dispose();
      await encoding.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve));
      expect([...live.values()]).toEqual([]);
    });
  });

  it("that is being made again for a lost device goes when the model is disposed", async () => {
    const devices: GPUDevice[] = [];
    const { requestAdapter } = navigator.gpu;
    navigator.gpu.requestAdapter = async (options) => {
      const adapter = (await requestAdapter.call(navigator.gpu, options)) as GPUAdapter;
      const { requestDevice } = adapter;
      adapter.requestDevice = async (descriptor) => {
        const device = await requestDevice.call(adapter, descriptor);
        devices.push(device);
        return device;
      };
      return adapter;
    };
    try {
      const model = await SamMed2D.load({ weights: golden.checkpoint() });
      devices[0]?.destroy();
      await devices[0]?.lost;
      const encoding = model.encode(golden.image);
      while (devices.length < 2) await new Promise((resolve) => setTimeout(resolve));
      model.dispose();
      await expect(encoding).rejects.toMatchObject({ code: "disposed" });
      expect((await devices[1]?.lost)?.reason).toBe("destroyed");
    } finally {
      navigator.gpu.requestAdapter = requestAdapter;
    }
  });
});

describeGpu("an engine's decode of many prompts", () => {
  // A quarter of the image tokens: 32 prompts a chunk.
  const small = readGolden("small_grid8");
  const { config } = small;
  const upsample = { width: 97, height: 61, left: 0, top: 0, resize: true, spanX: config.imageSize, spanY: config.imageSize };
  const embedding = values("embedding", config.grid ** 2 * config.decoder.width);
  const prompt = (i: number): EncodedPrompt => ({
    tokens: [i, 120 - i, i % 2, 0, 0, 0, -1, 0],
    multimask: true,
    mask: i % 3 === 1 ? values(`mask ${i}`, 16 * config.grid ** 2, { scale: 0.5, shift: 0.5 }) : undefined,
  });

  async function withEngine(work: (engine: Engine) => Promise<void>): Promise<void> {
    const engine = await Engine.open(config, small.checkpoint(), { device: await testDevice() });
    try {
      await work(engine);
    } finally {
      engine.dispose();
    }
  }

  /** Counts calls of the device and its queue that make or start something. */
  async function counting(engine: Engine, work: () => Promise<unknown>): Promise<{ submits: number; made: string[] }> {
    const { device } = engine.gpu;
    const submit = device.queue.submit;
    let submits = 0;
    device.queue.submit = (buffers) => {
      submits++;
      submit.call(device.queue, buffers);
    };
    const made: string[] = [];
    const makers = ["createBuffer", "createBindGroup", "createBindGroupLayout", "createShaderModule", "createComputePipelineAsync"] as const;
    for (const name of makers) {
      const make = device[name] as (descriptor: GPUObjectDescriptorBase) => unknown;
      Object.assign(device, {
        [name]: (descriptor: GPUObjectDescriptorBase) => {
          made.push(`${name} ${descriptor.label}`);
          return make.call(device, descriptor);
        },
      });
    }
    try {
      await work();
    } finally {
      device.queue.submit = submit;
      for (const name of makers) delete (device as unknown as Record<string, unknown>)[name];
    }
    return { submits, made };
  }

  function expectSame(got: RawDecoded, want: RawDecoded, label: string): void {
    // Batches have other tiles: sums in another order.
    expectClose(got.logits, want.logits, { label: `logits of ${label}`, bound: 2e-5 });
    expectClose(got.scores, want.scores, { label: `scores of ${label}`, bound: 1e-5 });
    const flipped = got.bits.filter((word, i) => word !== want.bits[i]);
    expect(flipped.length, `words of ${label}`).toBeLessThanOrEqual(2);
  }

  if (!QUICK)
    it.each([64, 83])("%i at once gives what each gives alone, in one submit on a device fast enough", async (count) => {
      await withEngine(async (engine) => {
        const prompts = Array.from({ length: count }, (_, i) => prompt(i));
        const alone: RawDecoded[] = [];
        for (const one of prompts) alone.push((await engine.decode(embedding, [one], upsample))[0] as RawDecoded);
        engine.gpu.flopPerMs = Number.POSITIVE_INFINITY;
        let together: RawDecoded[] = [];
        const { submits } = await counting(engine, async () => {
          together = await engine.decode(embedding, prompts, upsample);
        });
        expect(submits).toBe(1);
        expect(engine.lastDecoder?.executor.submits).toBe(1);
        expect(together.length).toBe(count);
        for (const [i, want] of alone.entries()) expectSame(together[i] as RawDecoded, want, `prompt ${i}`);
        // On a slow one, a command buffer ends before it takes too long.
        engine.gpu.flopPerMs = 5e6;
        const slow = await counting(engine, async () => {
          together = await engine.decode(embedding, prompts, upsample);
        });
        expect(slow.submits).toBeGreaterThan(1);
        expect(engine.lastDecoder?.executor.submits).toBe(slow.submits);
        for (const [i, want] of alone.entries()) expectSame(together[i] as RawDecoded, want, `prompt ${i}`);
      });
    });

  const [DECODES, EVERY] = QUICK ? [20, 20] : [1000, 100];
  it(`makes nothing on the device once a shape was decoded: ${DECODES} decodes of one prompt and of many`, async () => {
    await withEngine(async (engine) => {
      engine.gpu.flopPerMs = Number.POSITIVE_INFINITY;
      const many = Array.from({ length: 40 }, (_, i) => prompt(i));
      const decode = async (i: number) => engine.decode(embedding, i % EVERY === EVERY - 1 ? many : [prompt(i % 7)], upsample);
      const first = await counting(engine, async () => [await decode(EVERY - 1), await decode(1)]);
      expect(first.made.length).toBeGreaterThan(20);
      const before = engine.pool.bytes;
      const { made, submits } = await counting(engine, async () => {
        for (let i = 0; i < DECODES; i++) await decode(i);
      });
      expect(made).toEqual([]);
      expect(submits).toBe(DECODES);
      expect(engine.pool.bytes).toBe(before);
    });
  });
});
