// What the recorded graph may assume of the device: plain data, so that graphs are recorded without one.
import type { Shader } from "./shader.ts";
import type { WeightType } from "./tensor.ts";
import type { DeviceModel } from "./time_model.ts";

export interface Target {
  /** `cpu` is a software adapter (SwiftShader, lavapipe): kernels without workgroup memory are faster there. */
  readonly kind: "gpu" | "cpu";
  /** Smallest size of a subgroup; 0 where the device has no `subgroups`. */
  readonly subgroupSize: number;
  /** A software adapter's own kernels, which need subgroups of 4 or more. */
  readonly software?: SoftwareKernels | undefined;
  /** A product of subgroups for GPUs, where they are wide enough for it. */
  readonly lanes?: Shader;
  /** How weights of matrix products are stored; default f32. */
  readonly weights?: WeightType;
  /** Multiplies them in f16 as well, where the device has `shader-f16`. Sums are f32 in any case. */
  readonly halfProducts?: boolean;
  /** Which variant of an op is the fastest on the device, by a key of the op's own: what the tuner has found. */
  readonly choices?: Choices;
  /** What variants are chosen for where nothing was measured; a large desktop GPU where left out. */
  readonly model?: DeviceModel;
}

/** By the op that has them. */
export type SoftwareKernels = Readonly<
  Record<"attention" | "attentionBlock" | "layerNorm" | "maskUpscale" | "matmul" | "relativeAttention" | "tokenProjection", Shader>
>;

export type Choices = Readonly<Record<string, string>>;

export const GPU_TARGET: Target = { kind: "gpu", subgroupSize: 0 };
