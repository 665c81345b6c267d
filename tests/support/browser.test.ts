import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { screenshots, useSite } from "./browser.ts";

const PAGE = `<!doctype html><meta charset="utf-8"><title>Double</title><link rel="icon" href="data:,">
<style>@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } }</style><h1>Double</h1>
<script type="module">
  window.double = async (values) => {
    const device = await (await navigator.gpu.requestAdapter()).requestDevice();
    const data = new Float32Array(values);
    const usage = GPUBufferUsage;
    const buffer = device.createBuffer({ size: data.byteLength, usage: usage.STORAGE | usage.COPY_SRC | usage.COPY_DST });
    const staging = device.createBuffer({ size: data.byteLength, usage: usage.MAP_READ | usage.COPY_DST });
    device.queue.writeBuffer(buffer, 0, data);
    const code = "@group(0) @binding(0) var<storage, read_write> d: array<f32>; @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) i: vec3u) { d[i.x] *= 2.0; }";
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module: device.createShaderModule({ code }) } });
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(data.length);
    pass.end();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, data.byteLength);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return [...new Float32Array(staging.getMappedRange())];
  };
</script>`;

declare global {
  var double: (values: number[]) => Promise<number[]>;
}

describe("Chromium with WebGPU", () => {
  const site = useSite({
    files: { "/": PAGE, "/loud.html": `<link rel="icon" href="data:,"><script>console.error("loud"); throw new Error("uncaught")</script>` },
  });

  it("runs a compute shader, quietly and from one origin", async () => {
    const { page, errors, requests, foreign } = await site.open("/");
    expect(await page.evaluate(() => globalThis.double([1, 2.5, -3]))).toEqual([2, 5, -6]);
    expect(errors).toEqual([]);
    expect(requests).toEqual([`${site.origin}/`]);
    expect(foreign(site.origin)).toEqual([]);
    await page.close();
  });

  it("hears console errors, exceptions and requests to other origins", async () => {
    const { page, errors, foreign } = await site.open("/loud.html");
    expect(errors).toEqual([expect.stringContaining("loud"), expect.stringContaining("uncaught")]);
    // Port 9 of this machine: refused, and heard all the same.
    await page.evaluate(() => fetch("http://127.0.0.1:9/elsewhere").catch(() => undefined));
    expect(foreign(site.origin)).toEqual(["http://127.0.0.1:9/elsewhere"]);
    await page.close();
  });

  it("takes screenshots at both widths, light and dark", async () => {
    const { page } = await site.open("/", { size: "phone", scheme: "dark" });
    expect(await page.evaluate(() => [innerWidth, matchMedia("(prefers-color-scheme: dark)").matches])).toEqual([390, true]);
    const paths = await screenshots(page, "support_smoke");
    expect(paths.length).toBe(4);
    expect(paths.every((path) => existsSync(path))).toBe(true);
    await page.close();
  });
});

describe("Chromium without WebGPU", () => {
  const site = useSite({ files: { "/": PAGE }, webgpu: "none" });

  it("has no navigator.gpu, or one that gives no adapter", async () => {
    const { page } = await site.open("/");
    expect(await page.evaluate(async () => (navigator.gpu ? await navigator.gpu.requestAdapter() : null))).toBeNull();
    await page.close();
  });
});
