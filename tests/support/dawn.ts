// WebGPU in Node, for tests.
import { appendFileSync } from "node:fs";
import { create, globals } from "webgpu";
import { describe } from "vitest";
import { askDawnUnhurriedly } from "../../src/cli/unhurried.ts";
import { WELCOME_FEATURES } from "../../src/gpu/device.ts";
import { SOFTWARE_KERNELS } from "../../src/gpu/software.ts";
import { devices, trackDevice } from "./devices.ts";
import { QUICK } from "./quick.ts";

export { expectedErrors, trackDevice } from "./devices.ts";

Object.assign(globalThis, globals);
askDawnUnhurriedly();

/** Held for the life of the process: Dawn crashes when its instance is collected before the objects made from it. */
const gpu = create(["enable-dawn-features=vulkan_enable_f16_on_nvidia"]);

if (globalThis.navigator === undefined) Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
else Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true });

const adapter = await gpu.requestAdapter();

/** `describe` for tests that need a device: without an adapter they are skipped and counted, and in CI a skip is a failure. */
export const describeGpu = describe.skipIf(adapter === null);

const SOFTWARE = /llvmpipe|swiftshader|software/i.test(`${adapter?.info.description} ${adapter?.info.architecture}`);
/** Whether kernels for software adapters run here. */
export const softwareKernelsRun = SOFTWARE && process.env["SAM_MED2D_GPU_KERNELS_ONLY"] === undefined;
/** Whether lavapipe was asked for vectors of eight (eight_lanes.ts). */
export const inEightLanes = softwareKernelsRun && process.env["LP_NATIVE_VECTOR_WIDTH"] === "256";
/** Lanes that the adapter's subgroups have at least; 0 where it has none. */
export const adapterLanes = adapter?.info.subgroupMinSize ?? 0;

export interface DeviceWish {
  readonly features?: readonly GPUFeatureName[];
  readonly limits?: Readonly<Record<string, number>>;
}

// `npm test` gathers which kernels were made on Dawn, and asks for all of them (scripts/test.mjs).
const { SAM_MED2D_KERNELS_MADE: made } = process.env;
if (made) {
  const { createComputePipelineAsync } = GPUDevice.prototype;
  GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
    appendFileSync(made, `${descriptor.label}\n`);
    return createComputePipelineAsync.call(this, descriptor);
  };
}

// lavapipe writes out the loops whose length it knows, and takes four times as long to compile what comes of it in GPUs' kernels. In haste, and in vectors
// of eight, it is not told; the sums and their order are the same. Elsewhere they are compiled as they are, and its own kernels always.
if (SOFTWARE && (QUICK || inEightLanes)) {
  const itsOwn = new Set(Object.values(SOFTWARE_KERNELS).map(({ name }) => name));
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const { label = "", code } = descriptor;
    return createShaderModule.call(this, itsOwn.has(label) ? descriptor : { ...descriptor, code: loopsOfHiddenLength(code) });
  };
}

/** Adds a 0 to the end of each loop that a compiler could count: one of the kernel's own parameters is compared for it. */
function loopsOfHiddenLength(code: string): string {
  const [, parameter] = /struct Params\s*\{\s*(\w+):\s*u32/.exec(code) ?? [];
  const hidden = code.replace(/(for\(var (\w+)=\d+u;\2<)(?!MOST_ROUNDS)((?:\d+u\*)?[A-Z][A-Z_0-9]*|\d+u)(?=;)/g, "$1$3+hidden_zero()");
  if (!parameter || hidden === code) return code;
  return `${hidden}\nfn hidden_zero()->u32{return select(0u,1u,params.${parameter}==0xffffffffu);}\n`;
}

/** Features the test's device can be asked for: `shader-f16` on lavapipe yes, on SwiftShader no. */
export function adapterFeatures(): ReadonlySet<string> {
  return (adapter?.features as ReadonlySet<string> | undefined) ?? new Set();
}

/** What the library asks for where it makes its own device, of what there is. */
export function libraryFeatures(): GPUFeatureName[] {
  return WELCOME_FEATURES.filter((feature) => adapterFeatures().has(feature));
}

/** The file's device: default limits, no features but those wished for. The same wish gives the same device. */
export function requestTestDevice(wish: DeviceWish = {}): Promise<GPUDevice> {
  const key = JSON.stringify([wish.features ?? [], wish.limits ?? {}]);
  let device = devices.get(key);
  if (!device) {
    device = makeDevice(wish);
    devices.set(key, device);
  }
  return device;
}

async function makeDevice({ features = [], limits = {} }: DeviceWish): Promise<GPUDevice> {
  // An adapter gives one device; the next one needs an adapter of its own.
  const own = await gpu.requestAdapter();
  if (!own) throw new Error("No adapter for Dawn. Run once: npm run setup");
  return trackDevice(await own.requestDevice({ label: "test", requiredFeatures: [...features], requiredLimits: { ...limits } }));
}

/** Bytes of a `COPY_SRC` buffer. */
export async function readBuffer(device: GPUDevice, buffer: GPUBuffer, size = buffer.size): Promise<ArrayBuffer> {
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = staging.getMappedRange().slice(0);
  staging.destroy();
  return bytes;
}
