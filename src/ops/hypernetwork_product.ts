// Mask logits: each mask token's hypernetwork output against every upscaled pixel.
import shader from "../../shaders/hypernetwork_product.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Twin } from "./twin.ts";

/** hyper [B·rows, C] (the first `masks` rows of each entry), features [B·pixels, C] → [B, masks, √pixels, √pixels]. */
export function hypernetworkProduct(
  graph: Graph,
  hyper: Tensor,
  features: Tensor,
  { label, batch, masks }: { label: string; batch: number; masks: number },
): Tensor {
  const op = "hypernetwork_product";
  const columns = features.shape[1] as number;
  const pixels = (features.shape[0] as number) / batch;
  const rows = (hyper.shape[0] as number) / batch;
  expectShape(op, "hyper", hyper, [batch * rows, columns]);
  const side = Math.sqrt(pixels);
  const y = graph.activation(label, [batch, masks, side, side]);
  graph.dispatch({
    op,
    label,
    shader,
    reads: { hyper, features },
    writes: { y },
    params: { pixels, columns4: columns / 4, masks, hyper_rows: rows },
    workgroups: [Math.ceil(pixels / 64), batch, 1],
    flop: 2 * batch * masks * pixels * columns,
  });
  return y;
}

export const twin: Twin = ({ params, workgroups }, { hyper, features }) => {
  const { pixels = 0, columns4 = 0, masks = 0, hyper_rows: rows = 0 } = params;
  const columns = 4 * columns4;
  const y = new Float32Array(workgroups[1] * masks * pixels);
  for (let i = 0; i < y.length; i++) {
    const batch = Math.floor(i / (masks * pixels));
    const mask = Math.floor(i / pixels) % masks;
    let sum = 0;
    for (let c = 0; c < columns; c++)
      sum += (hyper?.[(batch * rows + mask) * columns + c] as number) * (features?.[(batch * pixels + (i % pixels)) * columns + c] as number);
    y[i] = sum;
  }
  return { y };
};
