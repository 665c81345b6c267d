// What the recorded graph may assume of the device: plain data, so that graphs are recorded without one.

export interface Target {
  /** `cpu` is a software adapter (SwiftShader, lavapipe): kernels without workgroup memory are faster there. */
  readonly kind: "gpu" | "cpu";
  /** Smallest size of a subgroup; 0 where the device has no `subgroups`. */
  readonly subgroupSize: number;
  /** Which variant of an op is the fastest on the device, by a key of the op's own: what the tuner has found. */
  readonly choices?: Readonly<Record<string, string>>;
}

export const GPU_TARGET: Target = { kind: "gpu", subgroupSize: 0 };
/** lavapipe; SwiftShader has subgroups of 4. */
export const CPU_TARGET: Target = { kind: "cpu", subgroupSize: 8 };
