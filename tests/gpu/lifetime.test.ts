import { afterEach, expect, it } from "vitest";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import type { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import type { Progress } from "../../src/engine.ts";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { describeGpu, expectedErrors, trackDevice } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";
import { QUICK } from "../support/quick.ts";
import { smallWeights } from "../cli/small_weights.ts";
import { loadGolden, testDevice } from "../model/dawn_model.ts";
import { watchBuffers } from "./buffers.ts";
import { spoilSubmit } from "./spoiled.ts";

const golden = readGolden("small");
const prompt = { points: [{ x: 30, y: 27 }] };

const ownAdapter = navigator.gpu.requestAdapter;
afterEach(() => {
  navigator.gpu.requestAdapter = ownAdapter;
});

/** Devices that the library makes for itself from now on, in order; their errors count for the test. */
function ownDevices(change: (device: GPUDevice) => void = () => undefined): GPUDevice[] {
  const devices: GPUDevice[] = [];
  navigator.gpu.requestAdapter = async (options) => {
    const adapter = await ownAdapter.call(navigator.gpu, options);
    if (!adapter) return null;
    const requestDevice = adapter.requestDevice;
    adapter.requestDevice = async (descriptor) => {
      const device = trackDevice(await requestDevice.call(adapter, descriptor));
      devices.push(device);
      change(device);
      return device;
    };
    return adapter;
  };
  return devices;
}

const deviceError = (op: string, got: string | RegExp) =>
  expect.objectContaining({
    name: "SamError",
    code: "device",
    op,
    argument: "device",
    got: expect.stringMatching(got),
    remedy: expect.stringMatching(/\w.*\.$/),
  });

describeGpu("no WebGPU", () => {
  it("is told by what is missing: the interface, an adapter, or a device", async () => {
    const { gpu } = navigator;
    Object.defineProperty(navigator, "gpu", { value: undefined, configurable: true });
    try {
      await expect(SamMed2D.load({ weights: golden.checkpoint() })).rejects.toEqual(deviceError("load", "no navigator.gpu"));
    } finally {
      Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
    }
    navigator.gpu.requestAdapter = async () => null;
    await expect(SamMed2D.load({ weights: golden.checkpoint() })).rejects.toEqual(deviceError("load", "no adapter"));
    navigator.gpu.requestAdapter = async (options) => {
      const adapter = await ownAdapter.call(navigator.gpu, options);
      if (adapter) adapter.requestDevice = () => Promise.reject(new Error("too many devices"));
      return adapter;
    };
    await expect(SamMed2D.load({ weights: golden.checkpoint() })).rejects.toEqual(deviceError("load", "refuses one .*too many devices"));
  });
});

describeGpu("a lost device", () => {
  it("of the model's own is replaced at the next call, which gives the same bits", async () => {
    const devices = ownDevices();
    const model = await SamMed2D.load({ weights: golden.checkpoint() });
    const embedding = await model.encode(golden.image);
    const before = await model.decode(embedding, prompt);
    devices[0]?.destroy();
    await devices[0]?.lost;
    // An embedding is a value: it outlives the device.
    expect((await model.decode(embedding, prompt)).logits).toEqual(before.logits);
    expect(devices.length).toBe(2);
    expect((await (await model.encode(golden.image)).save()).data).toEqual((await embedding.save()).data);
    expect(devices.length).toBe(2);
    model.dispose();
  });

  it("in the middle of work is a typed error, and the call after it works", async () => {
    const devices = ownDevices();
    const model = await SamMed2D.load({ weights: golden.checkpoint() });
    const embedding = await model.encode(golden.image);
    const many = Array.from({ length: 200 }, () => prompt);
    const running = new Promise<unknown>((resolve) => {
      // Destroyed by what has begun: a device lost before would be replaced.
      const onProgress = () => devices[0]?.destroy();
      model.decode(embedding, many, { onProgress }).then(resolve, resolve);
    });
    expect(await running).toEqual(deviceError("decode", /^lost/));
    expect((await model.decode(embedding, prompt)).masks.length).toBe(3);
    model.dispose();
    await expectedErrors();
  });

  it("that the caller brought, or whose weights are gone, is a typed error at every call", async () => {
    const adapter = (await ownAdapter.call(navigator.gpu)) as GPUAdapter;
    const device = trackDevice(await adapter.requestDevice({ requiredFeatures: adapter.features.has("subgroups") ? ["subgroups"] : [] }));
    const devices = ownDevices();
    const given = await SamMed2D.load({ weights: golden.checkpoint(), device });
    const inMemory = await SamMed2D.load({ weights: smallWeights() });
    for (const [model, lost] of [
      [given, device],
      [inMemory, devices[0] as GPUDevice],
    ] as const) {
      const embedding = await model.encode(golden.image);
      lost.destroy();
      await lost.lost;
      for (let i = 0; i < 2; i++) {
        await expect(model.encode(golden.image)).rejects.toEqual(deviceError("encode", "^lost [(]destroyed[)]"));
        await expect(model.decode(embedding, prompt)).rejects.toEqual(deviceError("decode", "^lost [(]destroyed[)]"));
      }
      expect((await embedding.save()).data.length).toBe(256 * 256);
      model.dispose();
    }
    expect(devices.length).toBe(1);
  });

  if (!QUICK)
    it("is replaced once, though the call that began it is taken back, which ends at once", async () => {
      const devices = ownDevices();
      const model = await SamMed2D.load({ weights: golden.checkpoint() });
      const embedding = await model.encode(golden.image);
      devices[0]?.destroy();
      await devices[0]?.lost;
      const stop = new Error("enough");
      const controller = new AbortController();
      const steps: number[] = [];
      const onProgress = ({ stage }: Progress) => {
        if (stage === "weights") controller.abort(stop);
        steps.push(devices.length);
      };
      const first = model.encode(golden.image, { signal: controller.signal, onProgress }).then(
        () => "done",
        (error) => error,
      );
      const second = model.decode(embedding, prompt);
      expect(await first).toBe(stop);
      expect((await second).masks.length).toBe(3);
      expect(steps.every((count) => count === 2)).toBe(true);
      expect(devices.length).toBe(2);
      model.dispose();
    });

  // Loads a whole network once more.
  if (!QUICK)
    it("is replaced again when the first try to replace it fails", async () => {
      const devices = ownDevices();
      const model = await SamMed2D.load({ weights: golden.checkpoint() });
      const embedding = await model.encode(golden.image);
      devices[0]?.destroy();
      await devices[0]?.lost;
      const working = navigator.gpu.requestAdapter;
      navigator.gpu.requestAdapter = async () => null;
      await expect(model.decode(embedding, prompt)).rejects.toEqual(deviceError("load", "no adapter"));
      navigator.gpu.requestAdapter = working;
      expect((await model.decode(embedding, prompt)).masks.length).toBe(3);
      model.dispose();
    });
});

describeGpu("what WebGPU reports", () => {
  // Scopes are left in this order, innermost first.
  it.each([
    ["out of memory", 0, () => new GPUOutOfMemoryError("no room"), "out of memory", "able to hold the model"],
    ["an internal error", 1, () => new GPUInternalError("the compiler gave up"), "the compiler gave up", "able to run the kernels"],
    ["a validation error", 2, () => new GPUValidationError("bind group 3 is odd"), "bind group 3 is odd", "able to run the kernels"],
  ])("of %s while loading is a typed error, and nothing is kept on the caller's device", async (_, scope, make, got, expected) => {
    const device = await testDevice();
    const watch = watchBuffers(device);
    const popErrorScope = device.popErrorScope;
    let popped = 0;
    device.popErrorScope = async () => {
      const error = await popErrorScope.call(device);
      return watch.made > 50 && popped++ === scope ? make() : error;
    };
    try {
      await expect(loadGolden(golden)).rejects.toEqual(
        expect.objectContaining({ ...deviceError("load", got).sample, expected, op: expect.stringMatching(/load|encode/) }),
      );
    } finally {
      device.popErrorScope = popErrorScope;
    }
    expect(watch.labels()).toEqual([]);
    watch.stop();
  });

  it("of too little memory in a decode is a typed error; the next one makes its buffers anew and works", async () => {
    const device = await testDevice();
    const watch = watchBuffers(device);
    const model = await loadGolden(golden);
    const embedding = await model.encode(golden.image);
    const before = await model.decode(embedding, prompt);
    const { popErrorScope } = device;
    let pops = 0;
    device.popErrorScope = async () => {
      const error = await popErrorScope.call(device);
      return pops++ === 0 ? new GPUOutOfMemoryError("no room") : error;
    };
    await expect(model.decode(embedding, prompt)).rejects.toEqual(deviceError("decode", "out of memory"));
    device.popErrorScope = popErrorScope;
    expect((await model.decode(embedding, prompt)).logits).toEqual(before.logits);
    expect((await (await model.encode(golden.image)).save()).data).toEqual((await embedding.save()).data);
    model.dispose();
    await expect.poll(() => watch.labels()).toEqual([]);
    watch.stop();
  });

  if (!QUICK)
    it("of a real validation error in a run is a typed error, and the next run works", async () => {
      const device = await testDevice();
      const model = await loadGolden(golden);
      const embedding = await model.encode(golden.image);
      const before = await model.decode(embedding, prompt);
      const restore = spoilSubmit(device, 0);
      await expect(model.decode(embedding, prompt)).rejects.toEqual(deviceError("decode", /./));
      restore();
      expect((await model.decode(embedding, prompt)).logits).toEqual(before.logits);
      model.dispose();
    });
});

describeGpu("memory on the GPU", () => {
  it("is freed by dispose, all of it, also where work is under way", async () => {
    const watch = watchBuffers(await testDevice());
    const model = await loadGolden(golden);
    const embedding = await model.encode(golden.image);
    await model.decode(embedding, prompt);
    await model.decode(embedding, [{}, { box: [1, 1, 20, 20] }]);
    expect(watch.live.size).toBeGreaterThan(50);
    const { weightBytes, activationBytes } = model.stats();
    expect(watch.bytes).toBeGreaterThan(weightBytes + activationBytes);
    const running = model.decode(embedding, prompt);
    model.dispose();
    await running.catch(() => undefined);
    // Buffers go when the queue of calls has come to its end.
    await expect.poll(() => watch.labels()).toEqual([]);
    watch.stop();
  });

  // Among what every test run does, engine.test.ts counts what 20 decodes make.
  if (!QUICK)
    it("stays where it was over 200 decodes, of 16 shapes in turn, with an encode after every 20", async () => {
      const watch = watchBuffers(await testDevice());
      const model = await loadGolden(golden);
      const embedding = await model.encode(golden.image);
      const point = (i: number) => ({ x: (7 * i) % 96, y: (5 * i) % 72 });
      const shape = (i: number) => ({ points: Array.from({ length: i % 8 }, (_, k) => point(i + k)), multimask: i % 16 < 8 });
      // All shapes once, so that what is kept ready is there.
      for (let i = 0; i < 16; i++) await model.decode(embedding, shape(i));
      const [count, bytes] = [watch.live.size, watch.bytes];
      const first = (await model.decode(embedding, shape(15))).logits;
      for (let i = 0; i < 200; i++) {
        await model.decode(embedding, i < 100 ? prompt : shape(i));
        if (i % 20 === 0) await model.encode(golden.image);
      }
      for (let i = 0; i < 16; i++) await model.decode(embedding, shape(i));
      expect([watch.live.size, watch.bytes]).toEqual([count, bytes]);
      expect((await model.decode(embedding, shape(15))).logits).toEqual(first);
      model.dispose();
      await expect.poll(() => watch.labels()).toEqual([]);
      watch.stop();
    });

  if (!QUICK)
    it("is left as it was found by the caller's device", async () => {
      const device = await testDevice();
      const model = await loadGolden(golden);
      model.dispose();
      const again = await loadGolden(golden);
      await again.encode(golden.image);
      again.dispose();
      expect(await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 50, "alive"))])).toBe("alive");
    });
});

describeGpu("a load that fails leaves nothing on the caller's device", () => {
  const nan: Checkpoint = {
    ...golden.checkpoint(),
    async read(name, begin, end) {
      const bytes = await golden.checkpoint().read(name, begin, end);
      if (name === "mask_decoder.iou_token.weight") new Float32Array(bytes.buffer)[3] = Number.NaN;
      return bytes;
    },
  };

  async function expectFailure(
    weights: () => Checkpoint | Promise<Checkpoint>,
    options: (abort: (reason: unknown) => void) => { signal?: AbortSignal; onProgress?: (progress: Progress) => void },
    error: unknown,
  ) {
    const device = await testDevice();
    const watch = watchBuffers(device);
    const controller = new AbortController();
    const given = { signal: controller.signal, ...options((reason) => controller.abort(reason)) };
    await expect(SamMed2D.load({ weights: await weights(), device, ...given })).rejects.toEqual(error);
    expect(watch.labels()).toEqual([]);
    watch.stop();
  }

  it("for NaN in one tensor, which it names", async () => {
    await expectFailure(
      () => nan,
      () => ({}),
      expect.objectContaining({ code: "checkpoint", got: "NaN or infinity in mask_decoder.iou_token.weight" }),
    );
  });

  it("for missing and misshaped tensors, all named at once, before anything is read", async () => {
    const lacking = () => {
      const { tensors, ...rest } = golden.checkpoint();
      const changed = new Map(tensors);
      for (const name of ["image_encoder.blocks.2.norm2.bias", "mask_decoder.iou_token.weight"]) changed.delete(name);
      changed.set("image_encoder.neck.1.weight", { name: "image_encoder.neck.1.weight", shape: [255], dtype: "F32" });
      return { ...rest, tensors: changed, read: () => Promise.reject(new Error("read too early")) };
    };
    const error = await SamMed2D.load({ weights: lacking(), device: await testDevice() }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "SamError", code: "checkpoint" });
    for (const name of ["image_encoder.blocks.2.norm2.bias", "mask_decoder.iou_token.weight", "image_encoder.neck.1.weight"])
      expect(`${error}`).toContain(name);
    await expectFailure(lacking, () => ({}), expect.objectContaining({ code: "checkpoint" }));
  });

  it("for a file cut short", async () => {
    const bytes = smallWeights();
    await expect(openCheckpoint(bytes.slice(0, bytes.length - 1000))).rejects.toMatchObject({ code: "checkpoint" });
    await expectFailure(
      async () => {
        const whole = await openCheckpoint(bytes);
        return { ...whole, read: (name, ...rest) => (name.includes("neck") ? Promise.reject(new Error("the disk is gone")) : whole.read(name, ...rest)) };
      },
      () => ({}),
      expect.objectContaining({ message: "the disk is gone" }),
    );
  });

  it.each(["open", "weights", "compile"] as const)("when it is aborted while it reports %s", async (stage) => {
    const reason = new Error(`aborted in ${stage}`);
    let seen = 0;
    await expectFailure(
      () => golden.checkpoint(),
      (abort) => ({
        onProgress: (progress) => {
          if (progress.stage === stage && ++seen === (stage === "open" ? 1 : 5)) abort(reason);
        },
      }),
      reason,
    );
    expect(seen).toBeGreaterThan(0);
  });

  it("when it was aborted before", async () => {
    await expectFailure(
      () => golden.checkpoint(),
      () => ({ signal: AbortSignal.abort(new Error("too late")) }),
      new Error("too late"),
    );
  });
});
