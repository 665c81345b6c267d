import { expect, it } from "vitest";
import { adapterFeatures, describeGpu, expectedErrors, readBuffer, requestTestDevice, trackDevice } from "./dawn.ts";

describeGpu("Dawn in Node", () => {
  it("runs a compute shader and reads its result", async () => {
    const device = await requestTestDevice();
    const input = Float32Array.from({ length: 67 }, (_, i) => i);
    const buffer = device.createBuffer({ size: input.byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(buffer, 0, input);
    const code = `
      @group(0) @binding(0) var<storage, read_write> data: array<f32>;
      @compute @workgroup_size(32) fn main(@builtin(global_invocation_id) id: vec3u) {
        if (id.x < arrayLength(&data)) { data[id.x] *= 2.0; }
      }`;
    const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module: device.createShaderModule({ code }) } });
    const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(3);
    pass.end();
    device.queue.submit([encoder.finish()]);
    expect(new Float32Array(await readBuffer(device, buffer))).toEqual(input.map((value) => value * 2));
    buffer.destroy();
  });

  it("gives one device for one wish, with the features asked for", async () => {
    expect(await requestTestDevice()).toBe(await requestTestDevice());
    const features = (["shader-f16", "timestamp-query"] as const).filter((name) => adapterFeatures().has(name));
    const device = await requestTestDevice({ features });
    for (const name of features) expect(device.features.has(name)).toBe(true);
  });

  it("hears of errors nobody captured, and of a lost device", async () => {
    const device = await requestTestDevice();
    device.createBuffer({ size: 4, usage: 0 });
    expect(await expectedErrors()).toEqual([expect.stringContaining("usages")]);
    const other = trackDevice(await ((await navigator.gpu.requestAdapter()) as GPUAdapter).requestDevice());
    other.destroy();
    expect((await other.lost).reason).toBe("destroyed");
    expect(await expectedErrors()).toEqual([]);
  });
});
