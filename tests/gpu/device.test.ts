import { expect, it } from "vitest";
import { SamError } from "../../src/errors.ts";
import { closeGpu, openGpu } from "../../src/gpu/device.ts";
import { describeGpu } from "../support/dawn.ts";

const nothing = () => undefined;

function refuse(): never {
  throw new DOMException("private", "SecurityError");
}

/** A device or an adapter as browsers had it before it said what it is. */
function withoutInfo<T extends GPUDevice | GPUAdapter>(object: T, name: "adapterInfo" | "info", get: () => undefined): T {
  Object.defineProperty(object, name, { get, configurable: true });
  return object;
}

describeGpu("a browser whose device has no adapterInfo", () => {
  const request = navigator.gpu.requestAdapter;

  /** Opens a device of an adapter that may lack `info` too, and gives what is known of it. */
  async function summaryWith(adapterHasInfo: boolean, get: () => undefined = nothing) {
    navigator.gpu.requestAdapter = async (options) => {
      const adapter = (await request.call(navigator.gpu, options)) as GPUAdapter;
      const requestDevice = adapter.requestDevice;
      adapter.requestDevice = async (descriptor) => withoutInfo(await requestDevice.call(adapter, descriptor), "adapterInfo", get);
      return adapterHasInfo ? adapter : withoutInfo(adapter, "info", get);
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
    expect(await summaryWith(false, refuse)).toMatchObject({ description: "unknown adapter" });
  });

  it("is told of in words where it gives no adapter, or refuses to be asked", async () => {
    for (const [answer, got] of [
      [async () => null, "no adapter."],
      [async () => refuse(), "no adapter (SecurityError: private)"],
      [refuse, "no adapter (SecurityError: private)"],
    ] as const) {
      navigator.gpu.requestAdapter = answer;
      const error = await openGpu().catch((error) => error);
      navigator.gpu.requestAdapter = request;
      expect(error).toBeInstanceOf(SamError);
      expect(error).toMatchObject({ code: "device", message: expect.stringContaining(got) });
    }
  });
});
