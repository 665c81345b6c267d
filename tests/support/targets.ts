// Software adapters as targets of a recording.
import { SOFTWARE_KERNELS } from "../../src/gpu/software.ts";
import type { Target } from "../../src/graph/target.ts";

/** lavapipe in vectors of eight. */
export const CPU_TARGET: Target = { kind: "cpu", subgroupSize: 8, software: SOFTWARE_KERNELS };
/** SwiftShader, and lavapipe in vectors of four. */
export const SWIFTSHADER: Target = { ...CPU_TARGET, subgroupSize: 4 };
