// The device the bench runs on: as the library's own, and with a clock where there is one.
import type { AdapterReport } from "./report.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { SamError } from "../errors.ts";

/** What the library asks for in any precision, and the clock. */
const FEATURES: readonly GPUFeatureName[] = ["timestamp-query", "subgroups", "shader-f16"];
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
  "minUniformBufferOffsetAlignment",
] as const;

export interface BenchDevice {
  readonly gpu: Gpu;
  readonly adapter: AdapterReport;
}

/** `timestamps` off measures by the wall clock on any device. */
export async function openBenchDevice({ timestamps = true }: { timestamps?: boolean } = {}): Promise<BenchDevice> {
  const adapter = typeof navigator === "undefined" || !navigator.gpu ? null : await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new SamError({
      code: "device",
      op: "bench",
      argument: "device",
      expected: "a WebGPU adapter",
      got: "none",
      remedy: "Use a current Chrome, Edge, Safari or Firefox on https or localhost, with hardware acceleration on.",
    });
  }
  const wanted = FEATURES.filter((feature) => timestamps || feature !== "timestamp-query");
  const device = await adapter.requestDevice({ label: "bench", requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)) });
  const gpu = await openGpu(device);
  const { description, vendor, architecture, kind } = gpu.summary;
  return {
    gpu,
    adapter: {
      description,
      vendor,
      architecture,
      kind,
      features: [...adapter.features].sort(),
      limits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
    },
  };
}
