// CPU twin of the gathered product.
import type { Dispatch } from "../graph/graph.ts";
import { activate } from "./activation.ts";
import { ZERO_ROW } from "./matmul.ts";
import type { Twin, TwinData } from "./twin.ts";

const at = (data: TwinData | undefined, index: number): number => data?.[index] as number;

export const matmulTwin: Twin = ({ params, constants }: Dispatch, { x, weight, bias, residual, rows, gate }) => {
  const p = params as Record<
    "m" | "n4" | "k4" | "taps" | "splits" | "out_rows" | "residual_rows" | "residual_columns4" | "activated_last" | "activation",
    number
  >;
  const n = 4 * p.n4;
  const k = 4 * p.k4;
  const phases = (weight as TwinData).length / (p.taps * k * n);
  const y = new Float32Array(p.splits * p.out_rows * n);
  const row = (z: number, t: number, m: number) => (constants["GATHER"] ? at(rows, (z * (p.taps + 1) + t) * p.m + m) : m);
  for (let z = 0; z < phases; z++) {
    for (let m = 0; m < p.m; m++) {
      const out = row(z, p.taps, m);
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let t = 0; t < p.taps; t++) {
          const from = row(z, t, m);
          if (from === ZERO_ROW) continue;
          for (let c = 0; c < k; c++) {
            let v = at(x, from * k + c);
            if (constants["GATE"]) v *= at(gate, c);
            sum += v * at(weight, ((z * p.taps + t) * k + c) * n + column);
          }
        }
        // With splits the whole sum goes to the first part: the second pass adds them up all the same.
        const added = column < 4 * p.residual_columns4 ? at(residual, (out % p.residual_rows) * n + column) : 0;
        const biased = sum + at(bias, column);
        y[out * n + column] = p.activated_last ? activate(p.activation, biased + added) : activate(p.activation, biased) + added;
      }
    }
  }
  return { y };
};
