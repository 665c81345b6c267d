// The CPU twin of an op, found by the name its dispatches carry. Needs no device.
import type { Twin } from "../../src/ops/twin.ts";

type TwinModule = Readonly<Record<string, unknown>>;

const MODULES = import.meta.glob<TwinModule>("../../src/ops/*.ts", { eager: true });
/** Kernels that share a file with another op's. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, name: string]>> = {
  matmul: ["matmul_twin", "matmulTwin"],
};

export function twinOf(op: string): Twin {
  const [file, name] = ELSEWHERE[op] ?? [op, "twin"];
  const twin = MODULES[`../../src/ops/${file}.ts`]?.[name];
  if (typeof twin !== "function") throw new Error(`${op}: src/ops/${file}.ts exports no ${name}`);
  return twin as Twin;
}
