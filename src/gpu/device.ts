// The WebGPU device and what the library knows of it.
import { SamError } from "../errors.ts";
import type { Target } from "../graph/target.ts";
import { deviceModelOf, SLOW_GPU_FLOP_PER_MS } from "../graph/time_model.ts";
import type { Known } from "../known.ts";

/** `GPUDevice`, where the caller's types know it: those of TypeScript 6 and newer do, those before with `@webgpu/types`. */
export type Device = Known<"GPUDevice", object>;

export interface DeviceSummary {
  readonly description: string;
  readonly vendor: string;
  readonly architecture: string;
  /** `cpu`: a software adapter. */
  readonly kind: Target["kind"];
}

export interface Gpu {
  readonly device: GPUDevice;
  readonly summary: DeviceSummary;
  readonly target: Target;
  /** Compiled pipelines, by shader text. */
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>;
  /** By shader name. */
  readonly layouts: Map<string, GPUBindGroupLayout>;
  /** Whether the device is gone, and why. */
  lost: GPUDeviceLostInfo | undefined;
  /** Speed it is expected to run at, to keep submits short; learned while it runs. */
  flopPerMs: number;
  /** Whether `closeGpu` may destroy the device: false for one the caller brought. */
  readonly owned: boolean;
  /** What the device reports of the guarded work under way. */
  reports: Report[] | undefined;
}

/** Of the scopes of some commands: out of memory, internal, validation. */
type Report = Promise<readonly (GPUError | null)[]>;

/** A software adapter's speed before it has been seen to run anything. */
const CPU_FLOP_PER_MS = 1e6;
/** A slow GPU's: systems reset a device that one submit keeps busy for a second or two. */
const CAUTIOUS_FLOP_PER_MS = 2e7;
/** Used where there, never needed. */
export const WELCOME_FEATURES: readonly GPUFeatureName[] = ["subgroups", "shader-f16"];
const SOFTWARE_ADAPTERS = /swiftshader|llvmpipe|lavapipe|software|basic render/i;

/**
 * A device with default limits and no feature that is needed, so that every WebGPU implementation will do.
 * `cautious` keeps submits short from the start: for the next try after a device was lost.
 */
export async function openGpu(given?: GPUDevice, cautious = false): Promise<Gpu> {
  const { device, adapter } = given ? { device: given, adapter: undefined } : await requestDevice();
  const info = adapterInfo(device, adapter);
  const description = info.description || info.device || [info.vendor, info.architecture].filter(Boolean).join(" ") || "unknown adapter";
  const software = isSoftware(info);
  const subgroupSize = device.features.has("subgroups") ? (info.subgroupMinSize ?? 0) : 0;
  const kernels = software && subgroupSize >= 4 ? (await import("./software.ts")).SOFTWARE_KERNELS : undefined;
  // With fewer lanes it would reread the weights for every few rows; Apple's devices may have four.
  const lanes = !software && subgroupSize >= 8 ? (await import("./lanes.ts")).LANES : undefined;
  const gpu: Gpu = {
    device,
    summary: { description, vendor: info.vendor, architecture: info.architecture, kind: software ? "cpu" : "gpu" },
    target: { kind: software ? "cpu" : "gpu", subgroupSize, software: kernels, ...(lanes ? { lanes } : {}), model: deviceModelOf(info) },
    pipelines: new Map(),
    layouts: new Map(),
    lost: undefined,
    flopPerMs: software ? CPU_FLOP_PER_MS : cautious ? CAUTIOUS_FLOP_PER_MS : SLOW_GPU_FLOP_PER_MS,
    owned: given === undefined,
    reports: undefined,
  };
  void device.lost.then((info) => {
    gpu.lost = info;
  });
  return gpu;
}

/** Whether processors do the work: SwiftShader, lavapipe, WARP. */
export function isSoftware(info: AdapterInfo): boolean {
  return info.isFallbackAdapter === true || SOFTWARE_ADAPTERS.test(`${info.vendor} ${info.architecture} ${info.description || info.device}`);
}

interface AdapterInfo extends Pick<GPUAdapterInfo, "vendor" | "architecture" | "device" | "description" | "subgroupMinSize"> {
  readonly isFallbackAdapter?: boolean;
}

/** On the device since Chrome 132; before, and in the first Safari 26, on the adapter or nowhere. What guards against fingerprints may have either throw. */
export function adapterInfo(device: GPUDevice, adapter?: GPUAdapter): AdapterInfo {
  for (const read of [() => device.adapterInfo as AdapterInfo | undefined, () => adapter?.info]) {
    try {
      const info = read();
      if (info) return info;
    } catch {}
  }
  return { vendor: "", architecture: "", device: "", description: "" };
}

async function requestDevice(): Promise<{ readonly device: GPUDevice; readonly adapter: GPUAdapter }> {
  const refused = async (got?: string): Promise<never> => {
    throw (await import("./no_device.ts")).noDevice(got);
  };
  const ask = async () => globalThis.navigator?.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const adapter = (await ask().catch((cause) => refused(`no adapter (${cause})`))) ?? (await refused());
  const requiredFeatures = WELCOME_FEATURES.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ label: "sam-med2d", requiredFeatures }).catch((cause) => refused(`an adapter that refuses one (${cause})`));
  return { device, adapter };
}

export function closeGpu(gpu: Gpu): void {
  gpu.pipelines.clear();
  if (gpu.owned) gpu.device.destroy();
}

/** Throws when the device is gone. */
export function expectAlive(gpu: Gpu, op: string): void {
  if (!gpu.lost) return;
  throw new SamError({
    code: "device",
    op,
    argument: "device",
    expected: "alive",
    got: `lost (${gpu.lost.reason}): ${gpu.lost.message || "no reason given"}`,
    remedy: "Load the model again; saved embeddings and prompts stay valid.",
  });
}

const SCOPES = ["validation", "internal", "out-of-memory"] as const;

/**
 * Gives the device `commands`, in which nothing is awaited, and keeps what it reports of them for the guarded work they are of. Error scopes are a stack
 * of the device, which other models and the caller's own work share: none may be open when their turn comes.
 */
export function issue<T>({ device, reports }: Gpu, commands: () => T): T {
  if (!reports) return commands();
  for (const filter of SCOPES) device.pushErrorScope(filter);
  try {
    return commands();
  } finally {
    reports.push(Promise.all(SCOPES.map(() => device.popErrorScope().catch(() => null))));
  }
}

/** Runs `work` and turns what WebGPU reports of the commands it issues, out of memory above all, into an error. One piece of work at a time. */
export async function guarded<T>(gpu: Gpu, op: string, work: () => Promise<T>): Promise<T> {
  expectAlive(gpu, op);
  // Guarded work may be within another.
  const { reports: outer } = gpu;
  const reports: Report[] = [];
  gpu.reports = reports;
  const [outcome] = await Promise.allSettled([work()]);
  gpu.reports = outer;
  const told = await Promise.all(reports);
  expectAlive(gpu, op);
  const memory = told.some(([first]) => first);
  const error = told.flat().find((one) => one);
  // What WebGPU reports is why a buffer could not be mapped, which says nothing of its own.
  const thrown = "reason" in outcome ? outcome.reason : undefined;
  if (error && !(thrown instanceof SamError)) {
    const facts = memory
      ? {
          expected: "able to hold the model",
          got: "out of memory",
          remedy: "Close other pages that use the GPU, or load smaller weights. Nothing was kept.",
        }
      : {
          expected: "able to run the kernels",
          got: error.message,
          remedy: "Update the browser and the graphics driver; if it stays, report it with the adapter's name.",
        };
    throw new SamError({ code: "device", op, argument: "device", ...facts }, { cause: thrown });
  }
  if ("reason" in outcome) throw thrown;
  return outcome.value;
}
