// Mask logits from image tokens: two transposed convolutions, and the product with each mask's hypernetwork, in one dispatch.
import shader from "../../shaders/mask_upscale.wgsl";
import { expectShape, type Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ACTIVATION_CODE, activate } from "./activation.ts";
import { linearRow, normalise, productWaits, rowsWork } from "./rows.ts";
import type { Twin } from "./twin.ts";

const EPS = 1e-6;
const gelu = (v: number) => activate(ACTIVATION_CODE.gelu, v);

/** Elements of the weights: [D, 4 cells · D/4], bias for each cell, LayerNorm weight and bias, then [D/4, 4 pixels · D/8] and bias. */
export function maskUpscaleWeights(width: number): number {
  return (width + 1) * width + width / 2 + (width * width) / 8 + width / 8;
}

/** image [B·g², D], hyper [B·rows, D/8] (the first `masks` rows of each prompt) → [B, masks, 4g, 4g]. */
export function maskUpscale(
  graph: Graph,
  image: Tensor,
  hyper: Tensor,
  weights: Tensor,
  { label, batch, masks }: { label: string; batch: number; masks: number },
): Tensor {
  const op = "mask_upscale";
  const [tokens, width] = [(image.shape[0] as number) / batch, image.shape[1] as number];
  const grid = Math.sqrt(tokens);
  const rows = (hyper.shape[0] as number) / batch;
  expectShape(op, "hyper", hyper, [batch * rows, width / 8]);
  expectShape(op, "weights", weights, [maskUpscaleWeights(width)]);
  const { software } = graph.target;
  const y = graph.activation(label, [batch, masks, 4 * grid, 4 * grid]);
  graph.dispatch({
    op,
    label,
    shader: software?.maskUpscale ?? shader,
    reads: { image, hyper, weights },
    writes: { y, ...(software ? { scratch: graph.activation(`${label}.scratch`, [batch * tokens, width]) } : {}) },
    params: { grid, width, masks, hyper_rows: rows, eps: EPS },
    workgroups: [Math.ceil(tokens / (software ? 16 : 8)), batch, 1],
    // The second product has eight channels at a time; then, where masks are many, the factors of four at a time, twice.
    ...(software ? {} : { work: rowsWork(productWaits(width, width) + width / 32, masks > 4 ? 1 + 2 * Math.ceil(masks / 4) : 1) }),
    flop: batch * tokens * (2 * width * width + width * width + 4 * masks * width + 40 * width),
  });
  return y;
}

export const twin: Twin = ({ params, workgroups }, { weights, image, hyper }) => {
  const { grid = 0, width = 0, masks = 0, hyper_rows: rows = 0, eps = 0 } = params;
  const [side, quarter, eighth] = [4 * grid, width / 4, width / 8];
  const y = new Float32Array(workgroups[1] * masks * side * side);
  const scratch = new Float32Array(workgroups[1] * grid * grid * width);
  const w = weights as Float32Array;
  const vectors = (width + 1) * width;
  // The second bias is one for all pixels of a cell.
  const twice = vectors + width / 2;
  const bias = twice + quarter * 4 * eighth;
  const second = Float32Array.from([...w.subarray(twice, bias), ...[0, 1, 2, 3].flatMap(() => [...w.subarray(bias, bias + eighth)])]);
  for (let row = 0; row < workgroups[1] * grid * grid; row++) {
    const [batch, token] = [Math.floor(row / grid / grid), row % (grid * grid)];
    const cells = linearRow((image as Float32Array).subarray(row * width, (row + 1) * width), w, 0, width);
    for (let cell = 0; cell < 4; cell++) {
      const normal = normalise(cells.slice(cell * quarter, (cell + 1) * quarter), w, vectors, eps).map(gelu);
      scratch.set(normal, row * width + cell * quarter);
      const pixels = linearRow(normal, second, 0, 4 * eighth).map(gelu);
      for (let i = 0; i < 4 * masks; i++) {
        const [mask, pixel] = [i >> 2, i & 3];
        let sum = 0;
        for (let c = 0; c < eighth; c++) sum += (hyper?.[(batch * rows + mask) * eighth + c] as number) * (pixels[pixel * eighth + c] as number);
        const at = [4 * (token % grid) + 2 * (cell & 1) + (pixel & 1), 4 * Math.floor(token / grid) + 2 * (cell >> 1) + (pixel >> 1)] as const;
        y[((batch * masks + mask) * side + at[1]) * side + at[0]] = sum;
      }
    }
  }
  return { y, scratch };
};
