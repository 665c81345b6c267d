// What a whole call sends to a GPU adapter, seen at the device: the software adapter of the tests is passed off as one.
import { afterEach, expect, it, vi } from "vitest";
import { SamMed2D } from "../../src/sam_med2d.ts";
import { checkGolden } from "../model/golden_check.ts";
import { adapterFeatures, describeGpu, requestTestDevice } from "../support/dawn.ts";
import { readGolden } from "../support/goldens.ts";

const golden = readGolden("small");

/** The test file's device, for good. Counts what is made and submitted. */
async function gpuDevice(features: GPUFeatureName[] = []) {
  const device = await requestTestDevice({ features });
  const info = { vendor: "test", architecture: "made-up", device: "", description: "", subgroupMinSize: 32 };
  Object.defineProperty(device, "adapterInfo", { value: info, configurable: true });
  const counts = { submits: 0, commandBuffers: 0, bindGroups: 0, pipelines: 0, buffers: 0 };
  const { createBindGroup, createComputePipelineAsync, createBuffer, queue } = device;
  const { submit } = queue;
  device.createBindGroup = (descriptor) => {
    counts.bindGroups++;
    return createBindGroup.call(device, descriptor);
  };
  device.createComputePipelineAsync = (descriptor) => {
    counts.pipelines++;
    return createComputePipelineAsync.call(device, descriptor);
  };
  device.createBuffer = (descriptor) => {
    counts.buffers++;
    return createBuffer.call(device, descriptor);
  };
  queue.submit = (commandBuffers) => {
    counts.submits++;
    counts.commandBuffers += [...commandBuffers].length;
    return submit.call(queue, commandBuffers);
  };
  return { device, counts, reset: () => Object.assign(counts, { submits: 0, commandBuffers: 0, bindGroups: 0, pipelines: 0, buffers: 0 }) };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describeGpu("on a GPU adapter", () => {
  it("an encode is one command buffer and a decode another; what they need is made the first time and not again", async () => {
    const { device, counts, reset } = await gpuDevice();
    // A GPU's runs are over in no time; those of the adapter behind this one are long enough to be cut.
    vi.spyOn(performance, "now").mockReturnValue(0);
    const model = await SamMed2D.load({ weights: golden.checkpoint(), device, tune: false });
    expect(model.device.kind).toBe("gpu");
    const prompt = { points: [{ x: 30, y: 27 }] };
    const first = await model.decode(await model.encode(golden.image), prompt);
    // The decode's activations may have taken the place of smaller ones of the encode.
    await model.encode(golden.image);
    reset();
    const embedding = await model.encode(golden.image);
    expect(counts).toEqual({ submits: 1, commandBuffers: 1, bindGroups: 0, pipelines: 0, buffers: 0 });
    reset();
    const second = await model.decode(embedding, prompt);
    expect(counts).toEqual({ submits: 1, commandBuffers: 1, bindGroups: 0, pipelines: 0, buffers: 0 });
    expect(second).toEqual(first);
    expect([model.stats().encode.submits, model.stats().decode?.submits]).toEqual([1, 1]);
    model.dispose();
  });

  it("the kernels for it meet PyTorch in every case", async () => {
    const features = adapterFeatures().has("subgroups") ? (["subgroups"] as GPUFeatureName[]) : [];
    const { device } = await gpuDevice(features);
    const model = await SamMed2D.load({ weights: golden.checkpoint(), device, tune: false });
    expect(model.device.kind).toBe("gpu");
    await checkGolden(model, golden);
    model.dispose();
  });
});
