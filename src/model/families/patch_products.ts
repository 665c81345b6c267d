// The two convolutions of TinyViT's patch embedding as products, for software adapters: loads one by one cost those more than what ops/patch_convs.ts saves.
import type { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { conv2d } from "../../ops/conv2d.ts";
import { matmul, ZERO_ROW } from "../../ops/matmul.ts";
import { patchify } from "../../ops/patchify.ts";
import { foldedProduct } from "./batch_norm.ts";

/** Pixels of a token's side, cells of the first convolution there, and tokens that a cell sees of: its own, and those above and to the left. */
const PATCH = 4;
const CELLS = 2;
const SEEN = 2;
const COLUMNS = 3 * PATCH ** 2;

/** pixels u32 [S, S], colours f32 [2, 4] (see `patchify`) → tokens [(S / 4)², outputs]; 3 × 3, stride 2 and padding 1 each, a GELU between them. */
export function patchProducts(graph: Graph, pixels: Tensor, colours: Tensor, name: string, hidden: number, outputs: number): Tensor {
  const side = (pixels.shape[0] as number) / PATCH;
  const patches = patchify(graph, pixels, colours, { label: `${name}.pixels`, grid: side, patch: PATCH });
  const shape = [CELLS ** 2 * SEEN ** 2 * COLUMNS, hidden];
  const first = foldedProduct(graph, `${name}.seq.0`, { inputs: 3, outputs: hidden, kernel: 3 }, shape, (weight) => scattered(weight, hidden));
  const rows = graph.constant(`${name}.seq.0.rows`, [CELLS ** 2, SEEN ** 2 + 1, side ** 2], rowsOf(side));
  const cells = matmul(graph, patches, first.weight, { op: "conv2d", label: `${name}.seq.0`, bias: first.bias, activation: "gelu", rows });
  const second = foldedProduct(graph, `${name}.seq.2`, { inputs: hidden, outputs, kernel: 3 });
  return conv2d(graph, cells, second.weight, { label: name, bias: second.bias, side: CELLS * side, stride: 2 });
}

/** For each cell of a token the rows of patches it sees of, and its place among all cells. */
function rowsOf(side: number): Uint32Array {
  const rows: number[] = [];
  for (let cell = 0; cell < CELLS ** 2; cell++) {
    for (let seen = 0; seen < SEEN ** 2; seen++) {
      const [up, left] = [1 - Math.floor(seen / SEEN), 1 - (seen % SEEN)];
      for (let i = 0; i < side ** 2; i++) rows.push(Math.floor(i / side) < up || i % side < left ? ZERO_ROW : i - up * side - left);
    }
    for (let i = 0; i < side ** 2; i++)
      rows.push((CELLS * Math.floor(i / side) + Math.floor(cell / CELLS)) * CELLS * side + CELLS * (i % side) + (cell % CELLS));
  }
  return new Uint32Array(rows);
}

/** [9·3, H], cells of the kernel and channels as rows → [cell · seen · patch column, H], 0 where the kernel does not reach. */
function scattered(weight: Float32Array, hidden: number): Float32Array {
  const out = new Float32Array(CELLS ** 2 * SEEN ** 2 * COLUMNS * hidden);
  for (let row = 0; row < out.length / hidden; row++) {
    const column = row % COLUMNS;
    const seen = Math.floor(row / COLUMNS) % SEEN ** 2;
    const cell = Math.floor(row / (COLUMNS * SEEN ** 2));
    // Of the pixel, from the token's corner, then from that of the kernel, whose middle is on every second pixel.
    const y = PATCH * (Math.floor(seen / SEEN) - 1) + (Math.floor(column / PATCH) % PATCH) - 2 * Math.floor(cell / CELLS) + 1;
    const x = PATCH * ((seen % SEEN) - 1) + (column % PATCH) - 2 * (cell % CELLS) + 1;
    if (y < 0 || y > 2 || x < 0 || x > 2) continue;
    const from = ((3 * y + x) * 3 + Math.floor(column / PATCH ** 2)) * hidden;
    out.set(weight.subarray(from, from + hidden), row * hidden);
  }
  return out;
}
