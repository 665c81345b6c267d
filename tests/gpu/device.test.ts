import { expect, it } from "vitest";
import { closeGpu, openGpu } from "../../src/gpu/device.ts";
import { describeGpu } from "../support/dawn.ts";

/** A device as browsers had it before `adapterInfo`. */
function withoutInfo<T extends GPUDevice | GPUAdapter>(object: T, name: "adapterInfo" | "info"): T {
  Object.defineProperty(object, name, { value: undefined, configurable: true });
  return object;
}

describeGpu("a browser whose device has no adapterInfo", () => {
  const request = navigator.gpu.requestAdapter;

  /** Opens a device of an adapter that may lack `info` too, and gives what is known of it. */
  async function summaryWith(adapterHasInfo: boolean) {
    navigator.gpu.requestAdapter = async (options) => {
      const adapter = (await request.call(navigator.gpu, options)) as GPUAdapter;
      const requestDevice = adapter.requestDevice;
      adapter.requestDevice = async (descriptor) => withoutInfo(await requestDevice.call(adapter, descriptor), "adapterInfo");
      return adapterHasInfo ? adapter : withoutInfo(adapter, "info");
    };
    try {
      const gpu = await openGpu();
      closeGpu(gpu);
      return gpu.summary;
    } finally {
      navigator.gpu.requestAdapter = request;
    }
  }

  it("is described by its adapter", async () => {
    const { info } = (await request.call(navigator.gpu)) as GPUAdapter;
    expect(await summaryWith(true)).toMatchObject({ vendor: info.vendor, architecture: info.architecture });
  });

  it("is an unknown GPU where the adapter has nothing to say either", async () => {
    expect(await summaryWith(false)).toEqual({ description: "unknown adapter", vendor: "", architecture: "", kind: "gpu" });
  });
});
