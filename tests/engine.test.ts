import { describe, expect, it } from "vitest";
import { SamMed2D } from "../src/sam_med2d.ts";
import { describeGpu, trackDevice } from "./support/dawn.ts";
import { readGolden } from "./support/goldens.ts";
import { loadGolden } from "./model/dawn_model.ts";
import { checkGolden } from "./model/golden_check.ts";

const golden = readGolden("small");

async function ownDevice(): Promise<GPUDevice> {
  return trackDevice(await ((await navigator.gpu.requestAdapter()) as GPUAdapter).requestDevice());
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
  it.each(["activations.", "readback", "mask_input"])("answers as before once a buffer %s could not be made", async (label) => {
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
    it.each(["weights", "compile", "ready"])("when loading is cancelled at %s", async (at) => {
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
